//! The in-memory store: columnar, indexed, with snapshots that cost a pointer copy.
//!
//! An event lands in the [`tail`], in order of arrival. When the tail is full it is *sealed*: sorted into parts
//! of one name and one bucket of time each ([`part`]), which lie on the [`shelf`] of their name and are merged
//! there, a logarithm of times in an event's life and a slice at a time ([`merges`]). Everything is behind pointers
//! that a [`Snapshot`] shares, and the writer copies what it changes while a snapshot still holds it.

mod answer;
mod attributes;
mod bits;
mod by_time;
mod cell;
mod chunked;
mod column;
mod event_ids;
mod held;
#[cfg(test)]
mod held_tests;
mod ingest;
mod interner;
mod kernel;
mod log;
mod merges;
mod merging;
mod names;
mod order;
mod part;
#[cfg(test)]
mod part_tests;
mod read;
mod resolve;
mod roaring;
mod shards;
mod shelf;
mod slots;
mod snapshot;
mod tail;
mod tail_index;
mod ties;
mod usage;
mod users;

pub(crate) use ingest::Known;
pub use snapshot::Snapshot;
pub use usage::MemoryUsage;
pub(crate) use users::TOGETHER;

use std::sync::Arc;

use crate::event::IngestError;
use cell::Cell;
use event_ids::EventIds;
use held::Held;
use merges::Merges;
use part::Row;
use tail::OwnedRow;

/// Events the tail holds before it is sealed, unless the caller says otherwise.
const TAIL: usize = 1 << 13;

/// The in-memory store: takes facts in, and hands out [`Snapshot`]s that are asked.
///
/// One writer owns it; a snapshot is a pointer copy, `Send + Sync`, and stays exactly as it was while facts go
/// on arriving. Facts live in memory only.
///
/// ```
/// use whodid::{did, days, Event, Evaluate, Ingest, MemoryStore, Timestamp};
///
/// let now: Timestamp = "2026-06-15T12:00:00Z".parse()?;
/// let mut store = MemoryStore::new();
/// store.record(Event::new("ada", "login", now.minus(days(3))))?;
/// store.record(Event::new("bob", "login", now.minus(days(40))))?;
///
/// let snapshot = store.snapshot();
/// let members = snapshot.members(&did("login").last(days(30)), now)?;
/// assert_eq!(members.ids().collect::<Vec<_>>(), ["ada"]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct MemoryStore {
    /// What snapshots share.
    state: Snapshot,
    ids: EventIds,
    held: Held,
    merges: Merges,
    /// The next place in the order of arrival; from 1.
    arrival: u64,
    /// The latest instant of an event so far: a later one is the first of its millisecond.
    latest: i64,
    /// Events dropped by retention, at arrival or later.
    dropped: u64,
    /// Events the tail holds before it is sealed.
    seal_after: usize,
    /// Bytes that indexes may take; `None`: twice as many as the sealed events.
    index_limit: Option<usize>,
    /// The user of the last fact that was kept, and when it was first seen before that.
    touched: (u32, Option<i64>),
    /// The cells of the event at hand, kept for its allocation.
    cells: Vec<(u32, Cell)>,
}

impl Default for MemoryStore {
    fn default() -> Self {
        Self::new()
    }
}

impl MemoryStore {
    /// An empty store.
    pub fn new() -> Self {
        Self {
            state: Snapshot::default(),
            ids: EventIds::default(),
            held: Held::default(),
            merges: Merges::default(),
            arrival: 1,
            latest: i64::MIN,
            dropped: 0,
            seal_after: TAIL,
            index_limit: None,
            touched: (0, None),
            cells: Vec::new(),
        }
    }

    /// Seals after so many events instead of 8 192, at least 1: fewer make the longest pause of ingestion
    /// shorter and the average event dearer. No answer depends on it.
    #[must_use]
    pub fn seal_after(mut self, events: usize) -> Self {
        self.seal_after = events.max(1);
        self
    }

    /// Lets the indexes that questions make take so many bytes, instead of twice as many as the sealed events and
    /// 64 MiB in any case. Those not asked for longest are let go first, and made again when they are asked for; one
    /// stays in any case. No answer depends on it.
    #[must_use]
    pub fn index_limit(mut self, bytes: usize) -> Self {
        self.index_limit = Some(bytes);
        self.state.indexes.bound_exactly(bytes);
        self
    }

    /// The store as it is now: a few pointer copies, whatever its size.
    pub fn snapshot(&self) -> Snapshot {
        self.state.clone()
    }

    /// How many events retention has dropped so far, those that arrived too old included.
    pub fn dropped(&self) -> u64 {
        self.dropped
    }

    /// What the store holds in memory.
    pub fn memory_usage(&self) -> MemoryUsage {
        let state = self.state.memory_usage();
        MemoryUsage {
            event_ids: self.ids.memory(),
            instants: state.instants + self.merges.memory(),
            dictionary: state.dictionary + self.held.memory(),
            ..state
        }
    }

    /// Seals the tail and merges the parts of each name and bucket into one, without the rows of users who are
    /// gone. Never needed for correctness; a good end of a bulk load. Linear in the events held.
    pub fn compact(&mut self) {
        self.seal();
        self.merges = Merges::default();
        let users = &self.state.users;
        for shelf in Arc::make_mut(&mut self.state.shelves) {
            Arc::make_mut(shelf).compact(&|user| users.is_alive(user));
        }
    }

    fn user(&mut self, id: &str) -> Result<u32, IngestError> {
        self.state.users.intern(id).map_err(|users::Full| IngestError::TooManyUsers)
    }

    fn saw(&mut self, user: u32, at: i64) {
        self.touched = (user, self.state.users.first_seen(user));
        self.state.users.saw(user, at);
    }

    fn next_arrival(&mut self) -> u64 {
        self.arrival += 1;
        self.arrival - 1
    }

    fn event_name(&mut self, name: &str) -> u32 {
        let number = self.state.names.intern(name);
        if number as usize >= self.state.shelves.len() {
            Arc::make_mut(&mut self.state.shelves).push(Arc::default());
        }
        number
    }

    /// Adds a checked event that is no duplicate and not before its horizon.
    fn keep(&mut self, user: u32, name: u32, at: i64) {
        let arrival = self.next_arrival();
        let tie = if at > self.latest { 0 } else { arrival };
        self.latest = self.latest.max(at);
        self.saw(user, at);
        self.state.arrived(name, user, at);
        self.state.tail.push(name, Row { user, at, tie, properties: &self.cells });
        if self.state.tail.len() >= self.seal_after {
            self.seal();
        }
        let Snapshot { users, shelves, .. } = &mut self.state;
        self.merges.advance(shelves, &|user| users.is_alive(user));
    }

    /// Moves the tail into parts.
    fn seal(&mut self) {
        let tail = std::mem::take(&mut self.state.tail);
        let order = tail.order();
        let mut rows = Vec::new();
        for same in order.chunk_by(|a, b| a.name == b.name) {
            rows.clear();
            rows.extend(same.iter().map(|place| tail.row(*place)));
            let Some(name) = same.first().map(|place| place.name) else { continue };
            self.state.sealed(name, rows.iter().map(|row| row.at).max().unwrap_or(i64::MIN));
            let shelves = Arc::make_mut(&mut self.state.shelves);
            if let Some(shelf) = shelves.get_mut(name as usize) {
                let buckets = Arc::make_mut(shelf).seal(&rows);
                buckets.into_iter().for_each(|bucket| self.merges.add(name, bucket));
            }
        }
        self.state.tail = tail.emptied();
        let shelves = &self.state.shelves;
        if self.state.tail.is_indexed() {
            // Here, where it takes longer in any case.
            let now = part::bucket_of(self.latest);
            let parts = shelves.iter().flat_map(|shelf| shelf.parts());
            parts.filter(|part| part.bucket() >= now - 1).for_each(|part| part.order_by_time());
        }
        if self.index_limit.is_none() {
            let parts = shelves.iter().flat_map(|shelf| shelf.parts());
            self.state.indexes.bound(2 * parts.map(|part| part.memory().0).sum::<usize>());
        }
    }

    /// Wipes the sealed events of a user who is gone.
    fn wipe(&mut self, user: u32) {
        let shelves = Arc::make_mut(&mut self.state.shelves);
        for (name, shelf) in (0u32..).zip(shelves).filter(|(_, shelf)| shelf.holds(user)) {
            let thin = Arc::make_mut(shelf).wipe(user);
            thin.into_iter().for_each(|bucket| self.merges.add(name, bucket));
        }
    }

    /// Erases what the sealed events say of a user who is gone, and have said of those merged into it.
    fn erase(&mut self, user: u32, all: &[u32]) {
        let Snapshot { users, shelves, .. } = &mut self.state;
        self.merges.finish_with(user, all, shelves, &|user| users.is_alive(user));
        self.wipe(user);
        let shelves = Arc::make_mut(&mut self.state.shelves);
        for shelf in shelves.iter_mut().filter(|shelf| shelf.tells_of(all)) {
            Arc::make_mut(shelf).sweep(all);
        }
    }

    /// Copies of the sealed events of a user.
    fn copy_sealed(&self, user: u32) -> Vec<OwnedRow> {
        let copies = |(name, shelf): (u32, &Arc<shelf::Shelf>)| shelf.copy_rows(name, user);
        (0u32..).zip(self.state.shelves.iter()).flat_map(copies).collect()
    }

    /// Facts that held these cells are gone; erases what no other fact holds.
    fn release(&mut self, cells: impl IntoIterator<Item = Cell>) {
        for cell in cells {
            if self.held.release(cell) {
                self.state.values.erase(cell);
            }
        }
    }

    fn move_events(&mut self, from: u32, into: u32) {
        for (name, at) in self.state.tail.merge(from, into) {
            self.state.arrived(name, into, at);
        }
        let moved = self.copy_sealed(from);
        if !moved.is_empty() {
            self.merges.wipe(from, &self.state.shelves);
            self.wipe(from);
        }
        for OwnedRow { name, at, tie, properties } in &moved {
            self.state.arrived(*name, into, *at);
            self.state.tail.push(*name, Row { user: into, at: *at, tie: *tie, properties });
        }
        self.state.all_moved();
        if self.state.tail.len() >= self.seal_after {
            self.seal();
        }
    }
}

// Asked as it is now.
crate::store::forward::forward!([] MemoryStore, Snapshot, self => self.state);
