//! The engine, the campaigns that follow it, what is told of both, and what is written down.

use std::error::Error;
use std::io;
use std::path::Path;

use axum::http::StatusCode;
use whodid::{Catalog, Live, LiveError, MemoryStore, PriorityError, Timestamp, Transition};

use super::answer::{Answer, bad, refuse};
use super::campaigns::Campaigns;
use super::deed::{Deed, Entry};
use super::journal::{Journal, Kept};
use super::told::Told;

pub struct Engine {
    pub live: Live,
    pub campaigns: Campaigns,
    pub told: Told<Transition>,
    /// Without it all is kept in memory.
    pub journal: Option<Journal>,
}

impl Engine {
    pub fn new(live: Live, began: Timestamp) -> Result<Self, PriorityError> {
        let told = Told::new(format!("{:x}-transitions", began.millis()));
        let campaigns = Campaigns::new(&[], &live, Told::new(String::new()))?;
        Ok(Self { live, campaigns, told, journal: None })
    }

    /// Goes on from what was kept; its facts are in the store.
    fn restore(kept: Kept, store: MemoryStore) -> Result<Self, LiveError> {
        let (live, changes) = Live::restore(&kept.live, store)?;
        let mut engine = Self { live, campaigns: kept.campaigns, told: kept.told, journal: None };
        engine.tell(changes.into_vec());
        Ok(engine)
    }

    /// Does again what a journal says, and goes on with it.
    pub fn open(directory: &Path, every: u64, now: Timestamp) -> Result<Self, Box<dyn Error>> {
        let (mut entries, kept) = Journal::open(directory, now)?;
        let (mut store, done) = (MemoryStore::new(), kept.as_ref().map_or(0, |kept| kept.entries));
        for _ in 0..done {
            let Some(entry) = entries.next().transpose()? else { break };
            entry.deed.fill(&mut store, entry.at);
        }
        let mut engine = match kept {
            Some(kept) => Self::restore(kept, store)?,
            None => Self::new(Live::new(Catalog::new(), store, entries.began)?, entries.began)?,
        };
        for entry in &mut entries {
            // What was refused then is refused again.
            drop(engine.apply(&entry?));
        }
        engine.journal = Some(entries.into_journal(done, every)?);
        Ok(engine)
    }

    /// Tells what changed: to all in the same order.
    fn tell(&mut self, transitions: Vec<Transition>) {
        self.campaigns.take(&transitions);
        self.told.add(transitions);
    }

    /// Lets time pass. What that changes is written down, so that it is told under the same numbers if the service is
    /// started anew, whatever its clock says then; time in which nothing changes is told by the next entry.
    pub fn advance(&mut self, to: Timestamp) -> Result<(), Box<dyn Error>> {
        let changes = self.live.advance(to)?.into_vec();
        let written = match changes.is_empty() {
            true => Ok(()),
            false => self.write(&Entry { reached: to, at: to, deed: Deed::Passed }),
        };
        self.tell(changes);
        written?;
        self.keep()?;
        Ok(())
    }

    /// Writes a deed down, if anything is, and does it.
    pub fn edit(&mut self, deed: Deed, at: Timestamp) -> Answer {
        let entry = Entry { reached: self.live.now(), at, deed };
        let unwritten = |error| format!("it cannot be written down: {error}");
        self.write(&entry).map_err(|error| refuse(StatusCode::INTERNAL_SERVER_ERROR, unwritten(error)))?;
        self.apply(&entry)
    }

    fn write(&mut self, entry: &Entry) -> io::Result<()> {
        self.journal.as_mut().map_or(Ok(()), |journal| journal.append(entry))
    }

    /// Does what an entry says, at the instant at which it was asked, and tells what that changes.
    fn apply(&mut self, entry: &Entry) -> Answer {
        let passed = self.live.advance(entry.reached).map_err(bad)?;
        self.tell(passed.into_vec());
        if let Deed::Campaigns(names) = &entry.deed {
            let told = Told::new(format!("{:x}-campaigns", entry.at.millis()));
            self.campaigns = Campaigns::new(names, &self.live, told).map_err(bad)?;
        }
        let (transitions, answer) = entry.deed.apply(&mut self.live, entry.at);
        self.tell(transitions);
        answer
    }

    /// Keeps what has become of the journal, once there is much of it to do again.
    fn keep(&mut self) -> io::Result<()> {
        match &mut self.journal {
            Some(journal) if journal.is_due() => {
                let (campaigns, told) = (self.campaigns.mark(), self.told.mark());
                journal.keep(self.live.save(), campaigns, told)
            }
            _ => Ok(()),
        }
    }
}
