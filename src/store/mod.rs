//! Where facts are: the seam between what is asked and what answers.
//!
//! [`EventStore`] is the reading side, [`Ingest`] the writing side. A store of one's own implements five
//! methods of the first and is asked everything through them; the rest of the trait is provided, by a scan
//! written once, and may be overridden by a store that knows better.

mod forward;
mod ingest;
mod memory;
mod scan;

use roaring::RoaringBitmap;

pub use ingest::{BatchError, Ingest, Lenient, Recorded};
pub(crate) use memory::{Known, TOGETHER};
pub use memory::{MemoryStore, MemoryUsage, Snapshot};

pub use crate::plan::StoredWrite;
use crate::plan::{ExactSum, Leaf, Measure, Plan, Properties};
use crate::segment::EventPattern;
use crate::time::Timestamp;

/// A user as a store numbers it: dense, stable for as long as the user is not forgotten.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UserId(pub(crate) u32);

impl UserId {
    /// The user of that number.
    pub const fn new(number: u32) -> Self {
        Self(number)
    }

    /// Its number: the bit it has in every bitmap of its store.
    pub const fn number(self) -> u32 {
        self.0
    }
}

/// Which users a question is about.
///
/// It narrows what a store needs to look at; a store may hand over others all the same.
#[derive(Clone, Copy, Debug)]
pub enum Among<'a> {
    /// All of them.
    Everyone,
    /// Those in the set.
    Users(&'a RoaringBitmap),
    /// This one.
    User(UserId),
}

impl Among<'_> {
    /// The user, where the question is about one.
    pub fn only(&self) -> Option<UserId> {
        match self {
            Self::User(user) => Some(*user),
            Self::Everyone | Self::Users(_) => None,
        }
    }

    /// Whether the question is about this user.
    pub fn contains(&self, user: UserId) -> bool {
        match self {
            Self::Everyone => true,
            Self::Users(users) => users.contains(user.0),
            Self::User(only) => *only == user,
        }
    }
}

/// Which events a scan needs.
///
/// Everything in it narrows: a store may hand over more than is asked for, never less.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct EventQuery<'a> {
    /// The events whose name matches one of these.
    pub events: &'a [EventPattern],
    /// At or after this instant,
    pub from: Timestamp,
    /// and at or before this one.
    pub to: Timestamp,
    /// The only properties that will be looked at.
    pub properties: &'a [&'a str],
    /// Of these users.
    pub among: Among<'a>,
}

impl<'a> EventQuery<'a> {
    /// All events of some names, ever and of everyone, without properties; to be narrowed by its fields.
    ///
    /// ```
    /// use whodid::store::{Among, EventQuery};
    /// use whodid::{Event, EventStore, Ingest, MemoryStore, Timestamp};
    ///
    /// let at: Timestamp = "2026-06-15T12:00:00Z".parse()?;
    /// let mut store = MemoryStore::new();
    /// store.record(Event::new("ada", "purchase", at).with("amount", 30))?;
    /// store.record(Event::new("bob", "purchase", at).with("amount", 20))?;
    ///
    /// let (snapshot, names) = (store.snapshot(), ["purchase".into()]);
    /// let mut query = EventQuery::new(&names);
    /// query.properties = &["amount"];
    /// query.among = Among::User(snapshot.user("ada")?.ok_or("nobody")?);
    /// let mut amounts = Vec::new();
    /// EventStore::events(&snapshot, &query, &mut |_, events| {
    ///     amounts.extend(events.iter().map(|event| format!("{:?}", event.properties.get("amount"))));
    /// })?;
    /// assert_eq!(amounts.len(), 1, "of ada alone");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn new(events: &'a [EventPattern]) -> Self {
        Self { events, from: Timestamp::MIN, to: Timestamp::MAX, properties: &[], among: Among::Everyone }
    }

    /// Whether an event of that name is asked for.
    pub fn names(&self, event: &str) -> bool {
        self.events.iter().any(|pattern| pattern.matches(event))
    }

    /// Whether an event at that instant is asked for.
    pub fn covers(&self, at: Timestamp) -> bool {
        (self.from..=self.to).contains(&at)
    }
}

/// An event as a store hands it over.
#[derive(Clone, Copy)]
pub struct StoredEvent<'a> {
    /// When.
    pub at: Timestamp,
    /// Its name.
    pub name: &'a str,
    /// Its properties.
    pub properties: &'a dyn Properties,
}

/// Reads facts: the one thing that evaluation asks of a store.
///
/// # Contract
/// A store that implements this is a set of users, each with an external id, an instant at which it was first
/// seen, its events and the history of its attributes. All methods see one state of it: an implementation
/// over something that changes must not be changed while it is borrowed (which Rust sees to for `&mut`
/// writers), and one over a database answers from one transaction if others write to it.
///
/// - Users who were forgotten, and ids that were merged away, are handed over by no method.
/// - Facts of a merged user belong to the user it was merged into, in their original order of arrival.
/// - The instant a user was first seen is that of its earliest fact or registration, those of users merged
///   into it included; neither retention nor a removed attribute changes it.
/// - What an argument asks for narrows the answer: more users, events or instants than asked for may be
///   handed over (evaluation looks again), fewer never.
/// - A visitor is called at most once for each user. Users come in any order.
/// - Nothing reads a clock: facts later than any `at` are facts like others.
///
/// # Object safety
/// The trait is object-safe: visitors are `&mut dyn FnMut`, so that a backend can choose its store at run time
/// (`Box<dyn EventStore<Error = E>>` is an [`EventStore`] itself), and the reading methods with generics live
/// in [`Evaluate`](crate::Evaluate), which every store has. One dynamic call a user costs nothing beside
/// reading the user's events.
///
/// `whodid::testing::conformance` (feature `testing`) tests this contract and nothing else.
pub trait EventStore {
    /// What can go wrong while reading; [`Infallible`](std::convert::Infallible) where nothing can.
    type Error;

    /// The user with that external id, which may be one merged into it; `None` where there is none.
    ///
    /// Called once for an id on a static list or a question about one user: should be a lookup.
    fn user(&self, id: &str) -> Result<Option<UserId>, Self::Error>;

    /// The external ids of these users, as far as they are users of the store; in any order.
    fn ids(&self, users: &RoaringBitmap, visit: &mut dyn FnMut(UserId, &str)) -> Result<(), Self::Error>;

    /// When each user was first seen.
    fn seen(&self, among: Among<'_>, visit: &mut dyn FnMut(UserId, Timestamp)) -> Result<(), Self::Error>;

    /// The events asked for, one call for each user that has some: all of them, sorted by instant, and by
    /// arrival where that is one.
    fn events(
        &self,
        query: &EventQuery<'_>,
        visit: &mut dyn FnMut(UserId, &[StoredEvent<'_>]),
    ) -> Result<(), Self::Error>;

    /// The writes of one attribute, one call for each user that has some: all of them, whatever their
    /// instant, sorted by instant, and by arrival where that is one.
    fn writes(
        &self,
        attribute: &str,
        among: Among<'_>,
        visit: &mut dyn FnMut(UserId, &[StoredWrite<'_>]),
    ) -> Result<(), Self::Error>;

    /// The users first seen at or before the instant.
    fn universe(&self, at: Timestamp) -> Result<RoaringBitmap, Self::Error> {
        scan::universe(self, at, Among::Everyone)
    }

    /// For each leaf the users of the universe at `at` for whom it holds, in the order of the leaves.
    ///
    /// The answer is exact for the users asked about and holds no others. As provided: one scan for the batch.
    fn resolve(
        &self,
        leaves: &[&Leaf],
        at: Timestamp,
        among: Among<'_>,
    ) -> Result<Vec<RoaringBitmap>, Self::Error> {
        scan::resolve(self, leaves, at, among)
    }

    /// The measured numbers, one call for each user of the universe at `at` for whom some is not 0, with the
    /// numbers in the order of the measures; users of whom all are 0 may be visited as well. As provided: one
    /// scan for the batch.
    fn numbers(
        &self,
        measures: &[&Measure],
        at: Timestamp,
        among: Among<'_>,
        visit: &mut dyn FnMut(UserId, &[ExactSum]),
    ) -> Result<(), Self::Error> {
        scan::numbers(self, measures, at, among, visit)
    }

    /// The members of each segment of a plan, in its order.
    ///
    /// As provided: set algebra over [`resolve`](Self::resolve) and [`numbers`](Self::numbers). A store that
    /// has its own sets overrides it and folds the plan over them.
    fn answer(
        &self,
        plan: &Plan,
        at: Timestamp,
        among: Among<'_>,
    ) -> Result<Vec<RoaringBitmap>, Self::Error> {
        crate::eval::answer(self, plan, at, among)
    }

    /// How many members each segment of a plan has. As provided: what [`answer`](Self::answer) answers, counted.
    fn answer_counts(&self, plan: &Plan, at: Timestamp) -> Result<Vec<u64>, Self::Error> {
        Ok(self.answer(plan, at, Among::Everyone)?.iter().map(RoaringBitmap::len).collect())
    }

    /// Whether a user is a member of each segment of a plan. As provided: [`answer`](Self::answer) among this one.
    fn answer_user(&self, plan: &Plan, user: UserId, at: Timestamp) -> Result<Vec<bool>, Self::Error> {
        let sets = self.answer(plan, at, Among::User(user))?;
        Ok(sets.iter().map(|set| set.contains(user.number())).collect())
    }
}

pub(crate) use scan::universe as universe_among;
