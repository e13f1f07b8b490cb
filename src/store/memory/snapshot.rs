//! The state of the store that readers share.

use std::sync::Arc;

use super::attributes::Attributes;
use super::bits::Bits;
use super::cell::{Cell, Values};
use super::interner::Interner;
use super::log::Log;
use super::part::Part;
use super::resolve::Indexes;
use super::shelf::Shelf;
use super::tail::Tail;
use super::users::Users;
use crate::plan::bounds::Bounds;
use crate::plan::{ScalarRef, ValueRef};
use crate::segment::EventPattern;
use crate::time::Timestamp;
use crate::value::Value;

/// A [`MemoryStore`](super::MemoryStore) as it was when the snapshot was taken.
///
/// A clone is a few pointer copies; it is `Send + Sync`, never waits for the writer and never changes. It is an
/// [`EventStore`](crate::EventStore), and is asked through [`Evaluate`](crate::Evaluate).
#[derive(Clone, Debug, Default)]
pub struct Snapshot {
    pub(super) users: Users,
    /// Names of events.
    pub(super) names: Interner,
    /// Names of properties.
    pub(super) properties: Interner,
    pub(super) values: Values,
    /// By name of the event.
    pub(super) shelves: Arc<Vec<Arc<Shelf>>>,
    pub(super) tail: Tail,
    pub(super) attributes: Attributes,
    /// What retention has dropped, and goes on dropping.
    horizons: Arc<Vec<(EventPattern, i64)>>,
    pub(super) indexes: Arc<Indexes>,
    /// The latest events, in order of arrival.
    pub(super) arrivals: Log<Arrival>,
    /// From this position of them on no user has got events from another: what was is only added to.
    pub(super) moved: u64,
    /// By name: the latest instant of an event there ever was, those apart that were not sealed yet.
    pub(super) latest: Arc<Vec<i64>>,
}

/// An event that arrived, or that a user got from another.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Arrival {
    pub name: u32,
    pub user: u32,
    pub at: i64,
}

impl Arrival {
    /// One that has been erased.
    pub(super) const NONE: Self = Self { name: u32::MAX, user: u32::MAX, at: 0 };
}

impl Snapshot {
    /// The instant before which retention has dropped the events of this name; `None` where it has not.
    pub fn horizon(&self, event: &str) -> Option<Timestamp> {
        let at = self.horizon_of(event);
        (at != i64::MIN).then(|| Timestamp::from_millis(at))
    }

    pub(super) fn horizon_of(&self, event: &str) -> i64 {
        let matching = self.horizons.iter().filter(|(pattern, _)| pattern.matches(event));
        matching.map(|(_, since)| *since).max().unwrap_or(i64::MIN)
    }

    pub(super) fn add_horizon(&mut self, since: i64, events: &[EventPattern]) {
        let horizons = Arc::make_mut(&mut self.horizons);
        for pattern in events {
            match horizons.iter_mut().find(|(have, _)| have == pattern) {
                Some((_, have)) => *have = since.max(*have),
                None => horizons.push((pattern.clone(), since)),
            }
        }
    }

    /// An event is there that was not: indexes are brought forward by it.
    pub(super) fn arrived(&mut self, name: u32, user: u32, at: i64) {
        self.arrivals.push(Arrival { name, user, at });
    }

    /// All events of a user are another's now.
    pub(super) fn all_moved(&mut self) {
        self.moved = self.arrivals.position();
    }

    /// Events of a name up to this instant are sealed.
    pub(super) fn sealed(&mut self, name: u32, at: i64) {
        let latest = Arc::make_mut(&mut self.latest);
        if name as usize >= latest.len() {
            latest.resize(name as usize + 1, i64::MIN);
        }
        if let Some(latest) = latest.get_mut(name as usize) {
            *latest = at.max(*latest);
        }
    }

    /// Goes on with indexes that say nothing of these users, nor of names that do not stay as they are. Older snapshots
    /// keep theirs, for as long as they keep the facts.
    pub(super) fn erase_from_indexes(&mut self, users: &[u32], stays: impl Fn(&Arrival) -> bool) {
        let name_stays = |name| stays(&Arrival { name, at: i64::MIN, ..Arrival::NONE });
        self.indexes = Arc::new(self.indexes.fork(name_stays));
        users.iter().for_each(|user| self.indexes.erase(*user));
        self.arrivals.erase(|event| users.contains(&event.user) || !stays(event), Arrival::NONE);
    }

    /// How many events are held.
    pub fn event_count(&self) -> usize {
        let sealed: usize =
            self.shelves.iter().flat_map(|shelf| shelf.parts()).map(|part| part.events()).sum();
        sealed + self.tail.len()
    }

    /// The high halves of the users' numbers.
    pub(super) fn blocks(&self) -> impl Iterator<Item = u16> + use<> {
        let blocks = self.users.numbers().div_ceil(1 << 16);
        (0..=u16::MAX).take(blocks)
    }

    /// How many users a block holds at the most: whole words, and no more than there are.
    pub(super) fn room(&self) -> usize {
        self.users.numbers().next_multiple_of(64).clamp(64, 1 << 16)
    }

    /// A set of users made block by block, on all cores where the feature `parallel` is on; `scratch` makes what
    /// one worker reuses.
    pub(super) fn by_block<S>(
        &self,
        scratch: impl Fn() -> S + Send + Sync,
        decide: impl Fn(&mut S, u16, &mut [u64]) + Send + Sync,
    ) -> Bits {
        let room = self.room() / 64;
        let mut words = vec![0; self.blocks().count() * room];
        #[cfg(not(feature = "parallel"))]
        {
            let mut scratch = scratch();
            for (high, words) in (0..=u16::MAX).zip(words.chunks_mut(room)) {
                decide(&mut scratch, high, words);
            }
        }
        #[cfg(feature = "parallel")]
        {
            use rayon::prelude::*;
            let blocks = (0..=u16::MAX).into_par_iter().zip(words.par_chunks_mut(room));
            blocks.for_each_init(scratch, |scratch, (high, words)| decide(scratch, high, words));
        }
        Bits::from_words(words)
    }

    /// Visits the numbers of the event names that match one of the patterns.
    pub(super) fn for_each_name(&self, patterns: &[EventPattern], mut visit: impl FnMut(u32)) {
        match patterns {
            [EventPattern::Name(exact)] => self.names.find(exact).into_iter().for_each(visit),
            _ => {
                let matches = |name: &str| patterns.iter().any(|pattern| pattern.matches(name));
                let matching = self.names.iter().filter(|(_, name)| matches(name));
                matching.for_each(|(number, _)| visit(number));
            }
        }
    }

    /// The numbers of the event names that match one of the patterns.
    pub(super) fn matching_names(&self, patterns: &[EventPattern]) -> Vec<u32> {
        let mut names = Vec::new();
        self.for_each_name(patterns, |name| names.push(name));
        names
    }

    /// The parts of a name that can hold instants between two, both included.
    pub(super) fn parts(&self, name: u32, lo: i64, hi: i64) -> &[Arc<Part>] {
        self.shelves.get(name as usize).map_or(&[], |shelf| shelf.parts_between(lo, hi))
    }

    /// Those of some names, name by name.
    pub(super) fn parts_of_names<'a>(
        &'a self,
        names: &[u32],
        Bounds { lo, hi }: Bounds,
    ) -> impl Iterator<Item = &'a Part> {
        names.iter().flat_map(move |&name| self.parts(name, lo, hi)).map(AsRef::as_ref)
    }

    /// Those of a name that may hold events of a user.
    pub(super) fn parts_of_user(&self, name: u32, user: u32, lo: i64, hi: i64) -> &[Arc<Part>] {
        let shelf = self.shelves.get(name as usize).filter(|shelf| shelf.may_hold(user));
        shelf.map_or(&[], |shelf| shelf.parts_between(lo, hi))
    }

    /// How many events of a name a user has within the bounds; where there are more than enough, so many or more.
    pub(super) fn count_of(&self, name: u32, user: u32, bounds: Bounds, enough: u64) -> u64 {
        // a window that is empty at this T has its ends the wrong way round
        if bounds.is_empty() {
            return 0;
        }
        let most = usize::try_from(enough).unwrap_or(usize::MAX);
        let mut count = self.tail.rows_of(name, user, bounds).take(most).count();
        for part in self.parts_of_user(name, user, bounds.lo, bounds.hi).iter().rev() {
            if count as u64 >= enough {
                break;
            }
            count += part.rows_inside(user, bounds).len();
        }
        count as u64
    }

    /// The value of a cell, borrowed.
    pub(super) fn value(&self, cell: Cell) -> Option<ValueRef<'_>> {
        let scalar = match cell {
            Cell::Missing => return None,
            Cell::Bool(b) => ScalarRef::Bool(b),
            Cell::Int(n) => ScalarRef::Int(n),
            Cell::Float(x) => ScalarRef::Float(x),
            Cell::Instant(at) => ScalarRef::Instant(at),
            Cell::Text(text) => ScalarRef::Str(self.values.text(text)),
            Cell::Many(list) => {
                return match self.values.list(list)? {
                    Value::List(many) => Some(ValueRef::List(many)),
                    Value::Records(records) => Some(ValueRef::Records(records)),
                    Value::Scalar(one) => Some(ValueRef::from(one)),
                };
            }
        };
        Some(ValueRef::Scalar(scalar))
    }

    /// The same, where it is one scalar.
    pub(super) fn scalar(&self, cell: Cell) -> Option<ScalarRef<'_>> {
        match self.value(cell)? {
            ValueRef::Scalar(one) => Some(one),
            ValueRef::List(_) | ValueRef::Records(_) => None,
        }
    }
}
