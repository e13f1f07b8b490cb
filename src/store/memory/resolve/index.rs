//! Indexes made for the shape of a leaf when it is first asked, and brought forward as facts arrive.
//!
//! An index says what is so at one position of the log that it follows. While facts only arrive, a snapshot brings
//! the newest index before it forward by what the log has since; sealing and merging change no fact and no index.
//! Erasure does: then the store goes on with indexes of its own ([`Indexes::fork`]), and older snapshots with theirs.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use super::super::attributes::Table;
use super::super::bits::Bits;
use super::super::snapshot::Snapshot;
use super::cache::{Bounded, Cache, Carried, Index, fit};
use super::carried::{Instants, exact};
use super::gaps::Gaps;
use super::instants::Which;
use super::later;
use super::latest::LatestValues;
use super::units::UnitBits;
use crate::plan::bounds::Bounds;
use crate::plan::test::BoundTest;
use crate::time::{Timestamp, Unit};
use chrono_tz::Tz;

/// Bytes that indexes may take in any case.
const FLOOR: usize = 64 << 20;

/// The indexes of a store, shared by its snapshots.
#[derive(Debug)]
pub(crate) struct Indexes {
    /// By names, which instant, and the range counted (to the end of time where no event is later).
    instants: Cache<(Vec<u32>, Which, i64, i64), Instants>,
    /// By names, calendar and bucket.
    units: Cache<(Vec<u32>, Unit, Tz, i32), UnitBits>,
    /// By the names before and after.
    gaps: Cache<(Vec<u32>, Vec<u32>), Gaps>,
    /// By attribute and the last instant counted.
    values: Cache<(String, i64), LatestValues>,
    /// By the last instant counted.
    universes: Cache<i64, Bits>,
    /// Goes up whenever an index is asked for.
    clock: Arc<AtomicU64>,
    /// Bytes that all of them may take.
    limit: AtomicUsize,
}

impl Default for Indexes {
    fn default() -> Self {
        let clock = Arc::default();
        Self {
            instants: Cache::new(&clock),
            units: Cache::new(&clock),
            gaps: Cache::new(&clock),
            values: Cache::new(&clock),
            universes: Cache::new(&clock),
            limit: AtomicUsize::new(FLOOR),
            clock,
        }
    }
}

impl Indexes {
    fn all(&self) -> [&dyn Bounded; 5] {
        [&self.instants, &self.units, &self.gaps, &self.values, &self.universes]
    }

    pub(crate) fn memory(&self) -> usize {
        self.all().iter().map(|cache| cache.bytes()).sum()
    }

    /// They may take so many bytes from now on, and 64 MiB in any case.
    pub(in crate::store::memory) fn bound(&self, bytes: usize) {
        self.limit.store(bytes.max(FLOOR), Ordering::Relaxed);
    }

    /// They may take so many bytes from now on.
    pub(in crate::store::memory) fn bound_exactly(&self, bytes: usize) {
        self.limit.store(bytes, Ordering::Relaxed);
    }

    /// An index, after others have made room for it.
    fn fitting<V>(&self, (index, is_new): (Arc<V>, bool)) -> Arc<V> {
        if is_new {
            fit(&self.all(), self.limit.load(Ordering::Relaxed));
        }
        index
    }

    /// Indexes that go their own way: the newest states, of events of the names that stay as they are.
    pub(in crate::store::memory) fn fork(&self, stays: impl Fn(u32) -> bool) -> Self {
        let clock = Arc::clone(&self.clock);
        let stay = |names: &[u32]| names.iter().all(|name| stays(*name));
        Self {
            instants: self.instants.fork(&clock, |(names, ..)| stay(names)),
            units: self.units.fork(&clock, |(names, ..)| stay(names)),
            gaps: self.gaps.fork(&clock, |(before, after)| stay(before) && stay(after)),
            values: self.values.fork(&clock, |_| true),
            universes: self.universes.fork(&clock, |_| true),
            limit: AtomicUsize::new(self.limit.load(Ordering::Relaxed)),
            clock,
        }
    }

    /// How many there are, and how many say something about a user.
    #[cfg(test)]
    pub(in crate::store::memory) fn saying(&self, user: u32) -> (usize, usize) {
        let each = self.all().map(|cache| cache.saying(user));
        each.into_iter().fold((0, 0), |(all, saying), (a, s)| (all + a, saying + s))
    }

    /// Lets go whatever they say about a user.
    pub(in crate::store::memory) fn erase(&self, user: u32) {
        self.all().iter().for_each(|cache| cache.erase(user));
    }
}

impl Index for Bits {
    fn shared(&self) -> (usize, usize) {
        (0, 0)
    }

    fn own(&self) -> usize {
        self.memory()
    }

    fn erase(&mut self, user: u32) {
        self.remove(user);
    }

    #[cfg(test)]
    fn says(&self, user: u32) -> bool {
        self.contains(user)
    }
}

impl Snapshot {
    /// The events of some names in a range since a position of the log, as user and instant, sorted; `None` where it
    /// does not reach back so far.
    pub(super) fn events_since(
        &self,
        position: u64,
        names: &[u32],
        range: Bounds,
    ) -> Option<Vec<(u32, i64)>> {
        let mut asked = vec![false; self.names.len()];
        names.iter().filter_map(|name| asked.get_mut(*name as usize).map(|asked| *asked = true)).count();
        let is_asked = |name: u32| asked.get(name as usize).copied().unwrap_or(false);
        let arrived = self.arrivals.since(position)?;
        let arrived = arrived.filter(|event| is_asked(event.name) && range.contains(event.at));
        let mut arrived: Vec<_> = arrived.map(|event| (event.user, event.at)).collect();
        arrived.sort_unstable();
        Some(arrived)
    }

    /// The latest instant of an event of the names, or one after it.
    pub(super) fn last_instant(&self, names: &[u32]) -> i64 {
        let last = names.iter().filter_map(|&name| self.latest.get(name as usize));
        let sealed = last.copied().max().unwrap_or(i64::MIN);
        sealed.max(self.tail.instants().map_or(i64::MIN, |(_, last)| last))
    }

    /// The users of whom one instant, among their events of the names in a range, lies in the bounds.
    pub(super) fn instants_within(&self, names: &[u32], which: Which, range: Bounds, bounds: Bounds) -> Bits {
        let later = if range.hi >= self.last_instant(names) {
            Some(Vec::new())
        } else {
            later::few_after(self, names, range.hi)
        };
        // whoever has an event after the range is asked for alone, so that all ends of it share one index
        let hi = if later.is_some() { i64::MAX } else { range.hi };
        let about = (names, which, Bounds { hi, ..range });
        let index = self.indexes.instants.get(
            (names.to_vec(), which, range.lo, hi),
            self.arrivals.position(),
            |index, since| index.carried(self, about, since),
            || Instants::new(self, about),
        );
        let mut bits = self.indexes.fitting(index).within(self, about, bounds);
        for user in later.unwrap_or_default() {
            let at = exact(self, (names, which, range), user, None);
            bits.set(user, at.is_some_and(|at| bounds.contains(at)));
        }
        bits
    }

    /// Who was active in each whole unit, from the events of the names in one bucket.
    pub(super) fn unit_bits(&self, names: &[u32], unit: Unit, tz: Tz, bucket: i32) -> Arc<UnitBits> {
        let about = (names, unit, tz, bucket);
        let index = self.indexes.units.get(
            (names.to_vec(), unit, tz, bucket),
            self.arrivals.position(),
            |index, since| index.carried(self, about, since),
            || UnitBits::new(self, about),
        );
        self.indexes.fitting(index)
    }

    /// How long after each event of some names the next of some others comes.
    pub(super) fn gaps(&self, before: &[u32], after: &[u32]) -> Arc<Gaps> {
        let index = self.indexes.gaps.get(
            (before.to_vec(), after.to_vec()),
            self.arrivals.position(),
            |index, since| index.carried(self, (before, after), since),
            || Gaps::new(self, (before, after)),
        );
        self.indexes.fitting(index)
    }

    /// The users of whom the value of an attribute at an instant passes a test; `None` where nobody ever had one.
    pub(super) fn with_value(&self, attribute: &str, at: i64, test: &BoundTest<'_>) -> Option<Bits> {
        let table = self.attributes.table(attribute)?;
        // whoever has a write after the instant is asked for alone, so that all instants share one index
        let later: Option<Vec<u32>> = table.few_after(at).map(Iterator::collect);
        let until = if later.is_some() { i64::MAX } else { at };
        let mut bits = self.values_until(attribute, table, until).passing(self, test);
        for user in later.unwrap_or_default() {
            bits.set(user, test.passes(self.value(table.value_of(user, at))));
        }
        Some(bits)
    }

    /// The value of an attribute of every user at an instant, or after all writes.
    pub(super) fn values_until(&self, attribute: &str, table: &Table, until: i64) -> Arc<LatestValues> {
        let users = self.users.numbers();
        let index = self.indexes.values.get(
            (attribute.to_owned(), until),
            table.log().position(),
            |index, since| index.carried(table, users, until, since),
            || LatestValues::new(table, users, until),
        );
        self.indexes.fitting(index)
    }

    /// The universe at an instant.
    pub(in crate::store::memory) fn everyone(&self, at: Timestamp) -> Arc<Bits> {
        let at = if at.millis() >= self.users.last_seen() { i64::MAX } else { at.millis() };
        let carry = |bits: &Bits, since| match self.users.log().since(since) {
            Some(changed) => {
                let mut bits = bits.clone();
                bits.grow(self.users.numbers());
                let known = |user| self.users.first_seen(user).is_some_and(|seen| seen <= at);
                changed.for_each(|user| bits.set(user, known(user)));
                Carried::New(bits)
            }
            None => Carried::Lost,
        };
        let index =
            self.indexes.universes.get(at, self.users.log().position(), carry, || self.users.universe(at));
        self.indexes.fitting(index)
    }
}
