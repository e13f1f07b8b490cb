//! The engine as a store that is written to, so that importers can feed it.

use std::borrow::Cow;

use super::transition::Changes;
use super::{Live, LiveError};
use crate::event::{AttributeWrite, Event};
use crate::segment::EventPattern;
use crate::store::{Ingest, Recorded};
use crate::time::Timestamp;

/// A live engine as an [`Ingest`]: whatever writes to stores feeds it, and what that changes adds up. It is told once: who
/// lets it go without [`Feed::into_changes`], also on an error, never hears of it.
///
/// ```
/// use whodid::{Catalog, Event, Ingest, Live, MemoryStore, Timestamp, did};
/// let at: Timestamp = "2026-06-15T12:00:00Z".parse()?;
/// let mut catalog = Catalog::new();
/// catalog.insert("buyers", did("purchase"))?;
/// let mut live = Live::new(catalog, MemoryStore::new(), at)?;
/// let mut feed = live.feed();
/// feed.record(Event::new("ada", "purchase", at))?; // of an instant that is complete: late
/// assert_eq!(feed.into_changes()[0].to_string(), r#"ada entered buyers at 2026-06-15T12:00:00Z (event "purchase", late)"#);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Feed<'l> {
    live: &'l mut Live,
    changes: Changes,
}

impl Live {
    /// The engine as a store that is written to.
    #[must_use = "transitions are told once"]
    pub fn feed(&mut self) -> Feed<'_> {
        Feed { live: self, changes: Changes::default() }
    }
}

impl Feed<'_> {
    /// What has changed so far, in order.
    pub fn changes(&self) -> &Changes {
        &self.changes
    }

    /// What has changed, in order.
    pub fn into_changes(self) -> Changes {
        self.changes
    }

    fn keep(&mut self, changes: Changes) -> Recorded {
        let recorded = changes.recorded().unwrap_or(Recorded::New);
        self.changes.add(changes);
        recorded
    }
}

impl Ingest for Feed<'_> {
    type Error = LiveError;

    fn record(&mut self, event: Event) -> Result<Recorded, LiveError> {
        let changes = self.live.record(event)?;
        Ok(self.keep(changes))
    }

    fn write(&mut self, write: AttributeWrite) -> Result<(), LiveError> {
        let changes = self.live.write(write)?;
        self.keep(changes);
        Ok(())
    }

    fn register(&mut self, user: &str, seen: Timestamp) -> Result<(), LiveError> {
        let changes = self.live.register(user, seen)?;
        self.keep(changes);
        Ok(())
    }

    fn current_id<'a>(&'a self, id: &'a str) -> Result<Cow<'a, str>, LiveError> {
        Ok(self.live.store.current_id(id)?)
    }

    fn merge(&mut self, from: &str, into: &str) -> Result<(), LiveError> {
        let changes = self.live.merge(from, into)?;
        self.keep(changes);
        Ok(())
    }

    fn forget(&mut self, user: &str) -> Result<(), LiveError> {
        let changes = self.live.forget(user)?;
        self.keep(changes);
        Ok(())
    }

    fn retain(&mut self, since: Timestamp, events: &[EventPattern]) -> Result<u64, LiveError> {
        let before = self.live.store.dropped();
        let changes = self.live.retain(since, events)?;
        self.keep(changes);
        Ok(self.live.store.dropped() - before)
    }
}
