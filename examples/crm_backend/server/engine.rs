//! The engine, the campaigns that follow it, and what is told of both.

use std::error::Error;
use std::sync::{Mutex, MutexGuard, PoisonError};

use whodid::{Catalog, Live, MemoryStore, PriorityError, Timestamp, Transition};

use super::campaigns::Campaigns;
use super::deed::{Deed, Entry};
use super::journal::{Entries, Journal};
use super::told::Told;

/// Also after one who held it has panicked: readers leave it whole, and the thread that changes it ends the program.
pub fn lock(engine: &Mutex<Engine>) -> MutexGuard<'_, Engine> {
    engine.lock().unwrap_or_else(PoisonError::into_inner)
}

pub struct Engine {
    pub live: Live,
    pub campaigns: Campaigns,
    pub told: Told<Transition>,
    /// What the names of its streams begin with.
    pub name: String,
}

impl Engine {
    /// Without campaigns as yet. Another version of the program may tell the same in other words, or in another order: it is
    /// another engine to those who listen.
    pub fn new(live: Live, began: Timestamp) -> Result<Self, PriorityError> {
        let name = format!("{:x}-{}", began.millis(), env!("CARGO_PKG_VERSION"));
        let campaigns = Campaigns::new(&[], &live, Told::new(String::new()))?;
        let told = Told::new(format!("{name}-transitions"));
        Ok(Self { live, campaigns, told, name })
    }

    /// Does again what a journal says.
    pub fn replay(mut entries: Entries) -> Result<(Self, Journal), Box<dyn Error>> {
        let live = Live::new(Catalog::new(), MemoryStore::new(), entries.began)?;
        let mut engine = Self::new(live, entries.began)?;
        for entry in &mut entries {
            // What was refused then is refused again.
            drop(engine.apply(&entry?));
        }
        Ok((engine, entries.into_journal()))
    }

    /// Lets the campaigns be these, the highest first, if they are not.
    pub fn set_campaigns(
        &mut self,
        names: &[&str],
        at: Timestamp,
        journal: Option<&mut Journal>,
    ) -> Result<(), Box<dyn Error>> {
        if self.campaigns.names().eq(names.iter().copied()) {
            return Ok(());
        }
        let deed = Deed::Campaigns(names.iter().map(ToString::to_string).collect());
        let entry = Entry { reached: self.live.now(), at, deed };
        // Nobody listens as yet, so that what is refused need not be written.
        drop(self.apply(&entry)?);
        journal.map_or(Ok(()), |journal| journal.append(&[entry]))?;
        Ok(())
    }

    /// Tells what changed: to all in the same order.
    pub fn tell(&mut self, transitions: Vec<Transition>) {
        self.campaigns.take(&transitions);
        self.told.add(transitions);
    }
}
