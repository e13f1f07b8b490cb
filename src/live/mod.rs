//! Live segments: membership of a whole catalog, kept current as facts and time arrive.
//!
//! [`Live`] owns a store and a catalog. Facts go in one by one or in batches, time goes in through
//! [`Live::advance`], and out come [`Transition`]s: who entered or left which segment, at which instant, and
//! why. Between calls [`Live::members`] says who is in, and nothing is evaluated for it.
//!
//! # Instants
//! Membership at an instant τ counts every fact of that millisecond, so what changes at τ is known when τ is
//! complete: once a later fact arrives, or [`Live::advance`] is told an instant not before τ, which declares
//! that all instants up to it are complete. Until then a fact of τ waits. So a user has at most one transition
//! a segment and instant, but for what is late. What facts and time change at one instant is told user by user, in the
//! order in which the store met them, and of a user in the order of the catalog; so is what retention changes; what a changed
//! catalog and restoring change, segment by segment. Where many users have facts of one instant, the fact that completes it
//! settles only a few of them, and the facts that follow settle the others ([`Live::settle_at_most`]).
//!
//! What arrives for an instant that is complete already is *late*: a fact, and every merge, erasure and
//! retention. It counts at once, and what it changes is reported at the instant of the engine, marked
//! [`late`](Transition::late).
//!
//! # No timers
//! No fact has a timer. Time changes a leaf only for users with a fact that crosses one of its edges, and the
//! instants of those facts are one range for any stretch of time: [`Live::advance`] looks them up in the store's
//! order by time, and asks again about these users alone, at exactly these instants. What only counts (events, or days
//! with events, in a window that ends now) is not even asked: a small tally a user follows what comes and what goes.

mod algebra;
mod apply;
mod ask;
mod beyond;
mod bitmaps;
mod build;
mod carry;
mod catalog;
mod counts;
mod crossing;
mod cursor;
mod dependent;
mod edge;
mod feed;
mod fields;
mod follow;
mod kept;
mod marks;
mod members;
mod pass;
mod report;
mod retain;
mod rolling;
mod routes;
mod rows;
pub mod rules;
mod saved;
mod settle;
mod shared;
mod sparse;
mod spread;
mod state;
mod sums;
mod timeline;
mod transition;
mod turning;
mod universe;
mod users;
mod watch;
mod words;

use std::sync::Arc;

use roaring::RoaringBitmap;

pub use catalog::Announce;
pub use feed::Feed;
pub use saved::Saved;
pub use transition::{Because, Cause, Changes, Merge, Movement, Transition};

use crate::catalog::Catalog;
use crate::event::IngestError;
use crate::plan::{Plan, PlanError};
use crate::store::{MemoryStore, Snapshot};
use crate::time::{Span, Timestamp};
use algebra::Program;
use ask::Asks;
use bitmaps::Bitmaps;
use carry::Old;
use counts::Counts;
use crossing::{Crossing, Future};
use cursor::Cursor;
use fields::{Fields, Kept};
use pass::Cursors;
use routes::Routes;
use settle::Scratch;
use spread::Spread;
use state::State;
use timeline::Timelines;
use turning::Turns;
use watch::Watches;

/// A leaf of the plan by its index, or a measure by its index behind those of the leaves.
type Question = u32;

/// Why a live engine refuses a call; nothing has changed then.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum LiveError {
    /// A segment or the catalog cannot be asked.
    #[error(transparent)]
    Plan(#[from] PlanError),
    /// A segment or a list is taken out of the catalog that a segment names.
    #[error("the {what} {name:?} is in use: {path} names it")]
    InUse {
        /// `segment` or `list`.
        what: &'static str,
        /// Its name.
        name: String,
        /// Where it is named: a path in the JSON of the catalog.
        path: String,
    },
    /// A fact is refused.
    #[error(transparent)]
    Ingest(#[from] IngestError),
    /// A fact of a batch is refused, and with it the batch.
    #[error("fact {index} of the batch, of which nothing is kept: {error}")]
    Batch {
        /// The index of the fact in the batch.
        index: usize,
        /// Why it is refused.
        error: IngestError,
    },
    /// A saved state cannot be read.
    #[error("the saved state of a live engine cannot be read: {0}")]
    Saved(String),
    /// An instant lies outside the years 1 to 9999.
    #[error("{0} lies outside the years 1 to 9999")]
    OutOfRange(Timestamp),
}

/// Membership of a catalog of segments, kept current. It holds a [`MemoryStore`] of its own; other stores are asked by
/// [`Evaluate`](crate::Evaluate).
///
/// ```
/// use whodid::{Catalog, Event, Live, MemoryStore, Timestamp, days, did};
///
/// let at: Timestamp = "2026-06-01T12:00:00Z".parse()?;
/// let mut catalog = Catalog::new();
/// catalog.insert("active", did("login").last(days(14)))?;
/// let mut live = Live::new(catalog, MemoryStore::new(), at)?;
///
/// let before = live.record(Event::new("ada", "login", at.plus(days(1))))?;
/// assert!(before.is_empty()); // what changed up to then
/// let entered = live.advance(at.plus(days(1)))?; // that instant is complete
/// assert_eq!(entered[0].to_string(), r#"ada entered active at 2026-06-02T12:00:00Z (event "login")"#);
///
/// assert!(live.next_change().is_some_and(|wake| wake <= at.plus(days(15)))); // never too late
/// let left = live.advance(at.plus(days(30)))?;
/// assert_eq!((left.len(), left[0].at), (1, at.plus(days(15))));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Live {
    catalog: Catalog,
    plan: Plan,
    /// What each segment asks of the answers for a user.
    programs: Vec<Program>,
    names: Vec<Arc<str>>,
    store: MemoryStore,
    /// Up to here everything is settled and reported, but for the instant that is under way.
    now: i64,
    /// Of the last transition.
    sequence: u64,
    watches: Watches,
    routes: Routes,
    counts: Counts,
    fields: Fields,
    asks: Asks,
    cursors: Cursors,
    timelines: Timelines,
    /// Where the turning tests stand.
    turns: Vec<Turns>,
    /// The instant of the latest event that ever came, or one after it.
    last_event: i64,
    /// What waits for the next millisecond to be complete, in order of instant.
    pending: Vec<Crossing>,
    /// What else comes to exist.
    future: Future,
    state: State,
    bitmaps: Bitmaps,
    /// A user who is going, with the external id by which it was known.
    parting: Option<(u32, Arc<str>)>,
    /// Whether many of the latest crossings made transitions, which tell ids.
    telling: bool,
    /// How many transitions the last batch made: the next may make as many.
    of_last_batch: usize,
    /// The instant that is being settled over several calls.
    spread: Spread,
    /// Users that a call settles of it.
    share: usize,
    /// How far ahead facts may be dated.
    ahead: Option<Span>,
    /// Taken while a user is settled.
    scratch: Option<Box<Scratch>>,
    /// Kept for their allocations: what waited, and what crosses edges.
    waited: Vec<Crossing>,
    crossings: Vec<Crossing>,
}

impl Live {
    /// An engine over what a store holds, at an instant. Who is in which segment then is no transition. Facts of
    /// later instants that the store holds already come to exist as time passes.
    ///
    /// # Errors
    /// The catalog cannot be asked, or the instant lies outside the years 1 to 9999.
    pub fn new(catalog: Catalog, store: MemoryStore, now: impl Into<Timestamp>) -> Result<Self, LiveError> {
        let now = in_range(now.into())?;
        let plan = catalog.plan()?;
        let mut live = Self {
            catalog,
            programs: Vec::new(),
            names: Vec::new(),
            plan,
            store,
            now: now.millis(),
            sequence: 0,
            watches: Watches::default(),
            routes: Routes::default(),
            counts: Counts::default(),
            fields: Fields::default(),
            asks: Asks::default(),
            cursors: Cursors::default(),
            timelines: Timelines::default(),
            turns: Vec::new(),
            last_event: i64::MIN,
            pending: Vec::new(),
            future: Future::default(),
            state: State::default(),
            bitmaps: Bitmaps::default(),
            parting: None,
            telling: false,
            of_last_batch: 0,
            spread: Spread::default(),
            share: spread::SHARE,
            ahead: None,
            scratch: None,
            waited: Vec::new(),
            crossings: Vec::new(),
        };
        live.store.keep_index();
        live.last_event = live.store.reading().last_event().unwrap_or(i64::MIN);
        live.prepare(None);
        live.wait_again();
        live.evaluate();
        Ok(live)
    }

    /// How many users at most a single fact settles of an instant that it completes ([`Live::take`] and its siblings): 4, unless
    /// said otherwise.
    ///
    /// Where more users than that change at an instant, the fact that completes it settles only so many, and each fact that
    /// follows at the fact's own instant as many again, so that of a steady stream none waits for the crowd of an earlier
    /// millisecond. The one that settles the last user tells all that the instant changed. Until then [`Live::now`] and all
    /// that is read are just before the instant, and [`Live::next_change`] is the instant itself. A late fact of a user who is
    /// not among them is told at once, before them. A fact of yet another instant settles all the rest first, as every other
    /// call does, about a microsecond a user. With [`usize::MAX`] the fact that completes an instant settles all of it.
    pub fn settle_at_most(mut self, users: usize) -> Self {
        self.share = users.max(1);
        self
    }

    /// Refuses facts that are dated later than a span from the instant up to which all is complete, as
    /// [`IngestError::TooFarAhead`]; unless this is said, none are. It is for services that let time pass by their own clock
    /// ([`Live::advance`]): to them the clock of a phone that runs a year ahead must not make that year pass. Neither this nor
    /// [`Live::settle_at_most`] is part of what is saved.
    ///
    /// ```
    /// use whodid::{Catalog, Event, IngestError, Live, LiveError, MemoryStore, Timestamp, days, minutes};
    ///
    /// let now: Timestamp = "2026-06-15T12:00:00Z".parse()?;
    /// let mut live = Live::new(Catalog::new(), MemoryStore::new(), now)?.ahead_at_most(minutes(5));
    /// assert!(live.record(Event::new("ada", "login", now.plus(minutes(5)))).is_ok());
    /// let refused = live.record(Event::new("ada", "login", now.plus(days(365))));
    /// assert!(matches!(refused, Err(LiveError::Ingest(IngestError::TooFarAhead { .. }))));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn ahead_at_most(mut self, span: Span) -> Self {
        self.ahead = Some(span);
        self
    }

    /// Makes what follows from the plan. Where another was asked before, tells which of its fields are asked for again;
    /// with the answers of the segments that have changed.
    fn prepare(&mut self, before: Option<(&Old, &[Option<RoaringBitmap>])>) -> Kept {
        self.names = self.plan.segments().map(Arc::from).collect();
        self.watches = Watches::of(&self.plan);
        self.counts = Counts::of(&self.plan);
        let kept = before.map(|(old, answers)| old.kept((&self.plan, &self.counts), &self.names, answers));
        let beside = kept.as_ref().and_then(|kept| Fields::after(kept, &self.plan, &self.counts));
        let stay = beside.is_some();
        self.fields = beside.unwrap_or_else(|| Fields::of(&self.plan, &self.counts));
        let program = |(place, root)| {
            let is_measured = self.fields.of_segment(place).is_some();
            Program::of(&self.plan, root, is_measured, &self.fields)
        };
        self.programs = (0..).zip(self.plan.roots()).map(program).collect();
        self.routes = Routes::of(&self.plan, &self.programs, &self.watches, &self.counts);
        self.asks = Asks::of(&self.plan, &self.counts);
        self.timelines.prepare(&self.watches.edges, self.store.reading());
        self.cursors = self.cursors_now();
        let (store, now) = (self.store.reading(), self.now);
        let turns = self.watches.turning.iter().map(|(turning, _)| Turns::new(turning, store, now));
        self.turns = turns.collect();
        Kept { stay, ..kept.unwrap_or_default() }
    }

    /// Where the edges stand now.
    fn cursors_now(&self) -> Cursors {
        let facts = (self.store.reading(), &self.timelines);
        let cursor = |(place, watch): (usize, &watch::Watch)| {
            let mut cursor = Cursor::new(&watch.edge, self.now, place);
            cursor.prepare(watch, self.now, facts);
            cursor
        };
        Cursors::new(self.watches.edges.iter().enumerate().map(cursor).collect())
    }

    /// The instant up to which everything is settled and reported.
    pub fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.told_to())
    }

    /// The catalog as it stands.
    pub fn catalog(&self) -> &Catalog {
        &self.catalog
    }

    /// The store as it is now, facts that wait for their instant included.
    pub fn snapshot(&self) -> Snapshot {
        self.store.snapshot()
    }

    /// The sequence number of the last transition; 0 before the first.
    pub fn sequence(&self) -> u64 {
        self.sequence
    }

    /// Lets time pass up to an instant, which declares that all instants up to it are complete: facts that
    /// arrive for them afterwards are late. Tells what changes on the way, in order of instant. An instant not
    /// later than [`Live::now`] changes nothing.
    ///
    /// # Errors
    /// The instant lies outside the years 1 to 9999.
    pub fn advance(&mut self, to: impl Into<Timestamp>) -> Result<Changes, LiveError> {
        let to = in_range(to.into())?;
        let mut changes = Changes::default();
        if to.millis() > self.told_to() {
            self.finish(&mut changes.transitions);
        }
        self.pass(to.millis(), &mut changes.transitions);
        Ok(changes)
    }

    /// When the passing of time may next change something: never later than it does, but perhaps earlier.
    /// `None`: never, unless facts arrive. Facts that wait for their instant are counted in. As each event leaves some window a
    /// while after it came, it is seldom further away than the shortest span that segments ask about.
    pub fn next_change(&self) -> Option<Timestamp> {
        Some(Timestamp::from_millis(self.next_due())).filter(|at| at.in_range())
    }

    /// Bytes that the engine holds beyond the store.
    pub fn memory_usage(&self) -> usize {
        let turns: usize = self.turns.iter().map(Turns::memory).sum();
        let crossings = [&self.pending, &self.waited, &self.crossings].map(Vec::capacity);
        self.state.memory()
            + self.bitmaps.memory()
            + self.fields.memory()
            + self.routes.memory()
            + self.asks.memory()
            + self.cursors.memory()
            + turns
            + self.timelines.memory()
            + self.spread.memory()
            + self.future.memory()
            + crossings.iter().sum::<usize>() * size_of::<Crossing>()
    }
}

fn in_range(at: Timestamp) -> Result<Timestamp, LiveError> {
    if at.in_range() { Ok(at) } else { Err(LiveError::OutOfRange(at)) }
}
