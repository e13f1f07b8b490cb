//! The writing side of a store.

use std::borrow::Cow;

use crate::event::{AttributeWrite, Event, Fact, IngestError};
use crate::segment::EventPattern;
use crate::time::Timestamp;
use crate::value::Value;

/// What became of a fact that was not refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Recorded {
    /// It is kept.
    New,
    /// An event of this id had arrived before: it was dropped without a trace.
    Duplicate,
    /// It is older than what [`Ingest::retain`] keeps: it was dropped and counted, and registered no user.
    BeforeHorizon,
}

/// A batch was refused: which fact, and why. Nothing of the batch is kept.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error("fact {index} of the batch, of which nothing is kept: {error}")]
pub struct BatchError<E: std::fmt::Display> {
    /// The index of the fact in the batch.
    pub index: usize,
    /// Why it was refused.
    pub error: E,
}

/// What became of a batch whose good facts were kept.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Lenient {
    /// How many facts are kept.
    pub new: u64,
    /// How many were events whose id had arrived before.
    pub duplicates: u64,
    /// How many were events older than what is kept.
    pub before_horizon: u64,
    /// The index of each fact that was refused, and why.
    pub refused: Vec<(usize, IngestError)>,
}

impl Lenient {
    /// Counts one more fact that was not refused.
    pub fn count(&mut self, recorded: Recorded) {
        match recorded {
            Recorded::New => self.new += 1,
            Recorded::Duplicate => self.duplicates += 1,
            Recorded::BeforeHorizon => self.before_horizon += 1,
        }
    }
}

/// Takes facts in: the writing side of a store, apart from [`EventStore`](super::EventStore) so that what only
/// reads never needs `&mut`.
///
/// # Contract
/// - Every fact is checked ([`Event::check`] and its siblings) before anything else is looked at; of a refused
///   one nothing is kept, and it uses no event id.
/// - External ids resolve through merges, in every method.
/// - Arrival is the order of the calls. It decides which of two events of one id is kept, and breaks ties
///   of instants; nothing else.
pub trait Ingest {
    /// What can go wrong: a fact is refused, or writing fails.
    type Error: From<IngestError> + std::fmt::Display;

    /// Takes an event in.
    ///
    /// Its id is looked up first among all that ever arrived, whatever the user ([`Recorded::Duplicate`]), then
    /// its instant is held against the horizons ([`Recorded::BeforeHorizon`], which uses no id).
    fn record(&mut self, event: Event) -> Result<Recorded, Self::Error>;

    /// Takes a write of an attribute in.
    fn write(&mut self, write: AttributeWrite) -> Result<(), Self::Error>;

    /// Takes in that a user exists since an instant.
    fn register(&mut self, user: &str, seen: Timestamp) -> Result<(), Self::Error>;

    /// The external id that an id names: that of the user it was merged into, perhaps by a chain, and else itself,
    /// also where no fact of it is known.
    ///
    /// Importers ask it of every message that may merge, so it should be a lookup.
    fn current_id<'a>(&'a self, id: &'a str) -> Result<Cow<'a, str>, Self::Error>;

    /// Makes all facts of `from` facts of `into`, in their original order of arrival, and `from` a name of
    /// `into` from then on. An unknown `from` only lends its name; an unknown `into` is no user by this.
    ///
    /// # Errors
    /// [`IngestError::MergedIntoItself`] where both are one user already.
    fn merge(&mut self, from: &str, into: &str) -> Result<(), Self::Error>;

    /// Erases a user: its facts, and the ids merged into it, also where it has no facts. Event ids stay used, until
    /// a horizon passes the instants of their events. Of an unknown id nothing is done.
    fn forget(&mut self, user: &str) -> Result<(), Self::Error>;

    /// Drops the events with `at < since` whose name matches one of the patterns, and those that arrive later;
    /// their ids are let go. When users were first seen does not change. Tells how many were dropped. It cannot be undone: what
    /// arrives later and is older is dropped, too.
    ///
    /// # Errors
    /// [`IngestError::OutOfRange`] where the instant lies outside the years 1 to 9999: nothing is dropped.
    fn retain(&mut self, since: Timestamp, events: &[EventPattern]) -> Result<u64, Self::Error>;

    /// Takes a fact of any kind in.
    fn take(&mut self, fact: Fact) -> Result<Recorded, Self::Error> {
        match fact {
            Fact::Event(event) => self.record(event),
            Fact::Attribute(write) => self.write(write).map(|()| Recorded::New),
            Fact::User { id, seen } => self.register(&id, seen).map(|()| Recorded::New),
        }
    }

    /// Takes a batch in, all of it or nothing, and tells what became of each fact.
    ///
    /// As provided it checks all facts before it takes the first: a store that can fail later than that
    /// overrides it, so that nothing of a failed batch is kept.
    ///
    /// # Errors
    /// The first fact that is refused, by its index.
    fn take_all(&mut self, facts: Vec<Fact>) -> Result<Vec<Recorded>, BatchError<Self::Error>> {
        for (index, fact) in facts.iter().enumerate() {
            fact.check().map_err(|error| BatchError { index, error: error.into() })?;
        }
        let take = |(index, fact)| self.take(fact).map_err(|error| BatchError { index, error });
        facts.into_iter().enumerate().map(take).collect()
    }

    /// Takes the good facts of a batch in and reports the bad ones.
    ///
    /// # Errors
    /// Where writing fails; what came before is kept.
    fn take_good(&mut self, facts: Vec<Fact>) -> Result<Lenient, Self::Error> {
        let mut report = Lenient::default();
        for (index, fact) in facts.into_iter().enumerate() {
            match fact.check() {
                Ok(()) => report.count(self.take(fact)?),
                Err(error) => report.refused.push((index, error)),
            }
        }
        Ok(report)
    }

    /// Sets an attribute from an instant on: [`Ingest::write`] in fewer words.
    fn set(
        &mut self,
        user: &str,
        attribute: &str,
        value: impl Into<Value>,
        at: impl Into<Timestamp>,
    ) -> Result<(), Self::Error>
    where
        Self: Sized,
    {
        self.write(AttributeWrite::set(user, attribute, value, at))
    }

    /// Removes an attribute from an instant on: [`Ingest::write`] in fewer words.
    fn unset(&mut self, user: &str, attribute: &str, at: impl Into<Timestamp>) -> Result<(), Self::Error>
    where
        Self: Sized,
    {
        self.write(AttributeWrite::removed(user, attribute, at))
    }
}
