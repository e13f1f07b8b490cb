//! Indexes made for the shape of a leaf when it is first asked, and kept while what they were made from stays
//! the same.

use std::hash::Hash;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use hashbrown::HashMap;

use super::super::attributes::Table;
use super::super::bits::Bits;
use super::super::snapshot::Snapshot;
use super::gaps::Gaps;
use super::instants::{UserInstants, Which};
use super::latest::LatestValues;
use super::units::UnitBits;
use crate::plan::bounds::Bounds;
use crate::time::{Timestamp, Unit};
use chrono_tz::Tz;

/// All of time.
pub(super) const EVER: Bounds = Bounds { lo: i64::MIN, hi: i64::MAX };

/// Indexes that are kept at once, a kind, before all of that kind are let go.
const KEPT: usize = 512;

/// Something made from parts of the store, by what it is about.
#[derive(Debug)]
struct Cache<K, V> {
    made: Mutex<HashMap<K, Made<V>>>,
}

#[derive(Debug)]
struct Made<V> {
    /// Of what it was made from.
    versions: Vec<u64>,
    value: Arc<V>,
}

impl<K, V> Default for Cache<K, V> {
    fn default() -> Self {
        Self { made: Mutex::new(HashMap::new()) }
    }
}

impl<K: Eq + Hash, V> Cache<K, V> {
    fn lock(&self) -> MutexGuard<'_, HashMap<K, Made<V>>> {
        self.made.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Made outside the lock: readers never wait for each other's work.
    fn get(&self, key: K, versions: Vec<u64>, make: impl FnOnce() -> V) -> Arc<V> {
        if let Some(made) = self.lock().get(&key).filter(|made| made.versions == versions) {
            return Arc::clone(&made.value);
        }
        let value = Arc::new(make());
        let mut all = self.lock();
        if all.len() >= KEPT {
            all.clear();
        }
        all.insert(key, Made { versions, value: Arc::clone(&value) });
        value
    }

    /// Lets go what was made from other versions than these, looking outside the lock as well.
    fn keep(&self, versions: impl Fn(&K) -> Vec<u64>) {
        let mut all = std::mem::take(&mut *self.lock());
        all.retain(|key, made| made.versions == versions(key));
        let mut now = self.lock();
        for (key, made) in all {
            now.entry(key).or_insert(made);
        }
    }

    fn memory(&self, of: impl Fn(&V) -> usize) -> usize {
        self.lock().values().map(|made| of(&made.value)).sum()
    }
}

/// The indexes of a store, shared by its snapshots.
#[derive(Debug, Default)]
pub(crate) struct Indexes {
    /// By names, which instant, and the range counted (to the end of time where no sealed event is later).
    instants: Cache<(Vec<u32>, Which, i64, i64), UserInstants>,
    /// By names, calendar and bucket.
    units: Cache<(Vec<u32>, Unit, Tz, i32), UnitBits>,
    /// By the names before and after.
    gaps: Cache<(Vec<u32>, Vec<u32>), Gaps>,
    /// By attribute and the last instant counted.
    values: Cache<(String, i64), LatestValues>,
    /// By the last instant counted.
    universes: Cache<i64, Bits>,
}

impl Indexes {
    pub(crate) fn memory(&self) -> usize {
        self.instants.memory(UserInstants::memory)
            + self.units.memory(UnitBits::memory)
            + self.gaps.memory(Gaps::memory)
            + self.values.memory(LatestValues::memory)
            + self.universes.memory(Bits::memory)
    }
}

impl Snapshot {
    /// The parts of some names that can hold instants of the range, by their ids.
    fn versions(&self, names: &[u32], range: Bounds) -> Vec<u64> {
        let shelves = names.iter().filter_map(|&name| self.shelves.get(name as usize));
        shelves.flat_map(|shelf| shelf.parts_between(range.lo, range.hi)).map(|part| part.id()).collect()
    }

    fn unit_versions(&self, names: &[u32], bucket: i32) -> (Vec<u64>, Bounds) {
        let start = i64::from(bucket) << 32;
        let range = Bounds { lo: start, hi: start + 0xffff_ffff };
        let mut versions = self.versions(names, range);
        versions.push(self.room() as u64);
        (versions, range)
    }

    fn gap_versions(&self, before: &[u32], after: &[u32]) -> Vec<u64> {
        [before, after].map(|names| self.versions(names, EVER)).concat()
    }

    fn value_versions(&self, table: &Table) -> Vec<u64> {
        vec![table.version(), self.users.numbers() as u64]
    }

    /// Lets go all indexes that were made from what is no longer so: of erased facts none may stay in memory.
    /// Older snapshots that still ask make theirs again.
    pub(in crate::store::memory) fn let_go_indexes(&self) {
        let Indexes { instants, units, gaps, values, universes } = &*self.indexes;
        instants.keep(|(names, _, lo, hi)| self.versions(names, Bounds { lo: *lo, hi: *hi }));
        units.keep(|(names, _, _, bucket)| self.unit_versions(names, *bucket).0);
        gaps.keep(|(before, after)| self.gap_versions(before, after));
        let of_table = |name: &str| self.attributes.table(name).map(|table| self.value_versions(table));
        values.keep(|(attribute, _)| of_table(attribute).unwrap_or_default());
        universes.keep(|_| vec![self.users.version()]);
    }

    /// The latest instant of a sealed event of the names.
    fn last_instant(&self, names: &[u32]) -> i64 {
        let shelves = names.iter().filter_map(|&name| self.shelves.get(name as usize));
        shelves.filter_map(|shelf| shelf.last_instant()).max().unwrap_or(i64::MIN)
    }

    /// One instant a user, from the sealed events of the names in a range.
    pub(super) fn instants(&self, names: &[u32], which: Which, range: Bounds) -> Arc<UserInstants> {
        let hi = if range.hi >= self.last_instant(names) { i64::MAX } else { range.hi };
        let range = Bounds { hi, ..range };
        let make = || UserInstants::new(self, names, which, range);
        self.indexes.instants.get((names.to_vec(), which, range.lo, hi), self.versions(names, range), make)
    }

    /// Who was active in each whole unit, from the sealed events of the names in one bucket.
    pub(super) fn unit_bits(&self, names: &[u32], unit: Unit, tz: Tz, bucket: i32) -> Arc<UnitBits> {
        let (versions, range) = self.unit_versions(names, bucket);
        let make = || UnitBits::new(self, names, unit, tz, range);
        self.indexes.units.get((names.to_vec(), unit, tz, bucket), versions, make)
    }

    /// How long after each sealed event of some names the next of some others comes.
    pub(super) fn gaps(&self, before: &[u32], after: &[u32]) -> Arc<Gaps> {
        let make = || Gaps::new(self, before, after);
        self.indexes.gaps.get((before.to_vec(), after.to_vec()), self.gap_versions(before, after), make)
    }

    /// The value of an attribute of every user at an instant.
    pub(super) fn latest_values(&self, attribute: &str, at: i64) -> Option<Arc<LatestValues>> {
        let table = self.attributes.table(attribute)?;
        let until = if table.last_at().is_none_or(|last| at >= last) { i64::MAX } else { at };
        let make = || LatestValues::new(table, self.users.numbers(), until);
        Some(self.indexes.values.get((attribute.to_owned(), until), self.value_versions(table), make))
    }

    /// The universe at an instant.
    pub(in crate::store::memory) fn everyone(&self, at: Timestamp) -> Arc<Bits> {
        let at = if at.millis() >= self.users.last_seen() { i64::MAX } else { at.millis() };
        self.indexes.universes.get(at, vec![self.users.version()], || self.users.universe(at))
    }
}
