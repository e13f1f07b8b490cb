//! What questions have made: kept by what it is about, brought forward as facts arrive, bounded by bytes.

use std::hash::Hash;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use hashbrown::HashMap;

/// States of one index that are kept, for snapshots of different ages.
const VERSIONS: usize = 4;

/// Something made from facts, of which one state can share most with the next.
pub(super) trait Index: Clone {
    /// What states share: where it is, and its bytes.
    fn shared(&self) -> (usize, usize);

    /// Bytes of this state alone.
    fn own(&self) -> usize;

    /// Lets go whatever it says about a user.
    fn erase(&mut self, user: u32);

    #[cfg(test)]
    fn says(&self, user: u32) -> bool;
}

/// What becomes of an index when facts have arrived.
pub(super) enum Carried<V> {
    /// It says the same.
    Same,
    /// This is what it says now.
    New(V),
    /// It is made again.
    Lost,
}

/// A state of an index: right for every position of the log in `[from, until]`.
#[derive(Clone, Debug)]
struct Version<V> {
    from: u64,
    until: u64,
    value: Arc<V>,
}

/// The states of one index, by position.
#[derive(Clone, Debug)]
struct Kept<V> {
    versions: Vec<Version<V>>,
    bytes: usize,
    /// When it was last asked for, by the clock of its cache.
    used: u64,
}

/// Indexes of one kind.
#[derive(Debug)]
pub(super) struct Cache<K, V> {
    kept: Mutex<HashMap<K, Kept<V>>>,
    clock: Arc<AtomicU64>,
}

/// Room for a key and what else an entry needs.
const ENTRY: usize = 160;

impl<K: Clone + Eq + Hash, V: Index> Cache<K, V> {
    /// Caches that are bounded together share a clock.
    pub(super) fn new(clock: &Arc<AtomicU64>) -> Self {
        Self { kept: Mutex::default(), clock: Arc::clone(clock) }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<K, Kept<V>>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The index at a position, or the newest before it and until where that is right.
    fn find(&self, key: &K, position: u64) -> Option<(Arc<V>, u64)> {
        let mut kept = self.lock();
        let kept = kept.get_mut(key)?;
        kept.used = self.clock.fetch_add(1, Ordering::Relaxed);
        let newest = kept.versions.iter().rev().find(|version| version.from <= position)?;
        Some((Arc::clone(&newest.value), newest.until.min(position)))
    }

    /// The index at a position: as it is kept, brought forward, or made; whether it takes room that it did not before.
    /// The work is done outside the lock, so that readers never wait for each other's.
    pub(super) fn get(
        &self,
        key: K,
        position: u64,
        carry: impl FnOnce(&V, u64) -> Carried<V>,
        make: impl FnOnce() -> V,
    ) -> (Arc<V>, bool) {
        let value = match self.find(&key, position) {
            Some((value, until)) if until == position => return (value, false),
            Some((value, until)) => match carry(&value, until) {
                Carried::Same => {
                    self.extend(&key, &value, position);
                    return (value, false);
                }
                Carried::New(value) => value,
                Carried::Lost => make(),
            },
            None => make(),
        };
        let value = Arc::new(value);
        self.keep(key, Version { from: position, until: position, value: Arc::clone(&value) });
        (value, true)
    }

    /// The same value is right until a later position.
    fn extend(&self, key: &K, value: &Arc<V>, position: u64) {
        if let Some(kept) = self.lock().get_mut(key) {
            let versions = kept.versions.iter_mut();
            let same = versions.rev().find(|version| Arc::ptr_eq(&version.value, value));
            same.into_iter().for_each(|version| version.until = version.until.max(position));
        }
    }

    fn keep(&self, key: K, version: Version<V>) {
        let mut kept = self.lock();
        let used = self.clock.fetch_add(1, Ordering::Relaxed);
        let kept = kept.entry(key).or_insert(Kept { versions: Vec::new(), bytes: 0, used });
        kept.used = used;
        let place = kept.versions.partition_point(|have| have.from < version.from);
        kept.versions.insert(place, version);
        if kept.versions.len() > VERSIONS {
            kept.versions.remove(0);
        }
        kept.count();
    }

    /// A copy that goes its own way: with the newest states of the indexes whose keys pass.
    pub(super) fn fork(&self, clock: &Arc<AtomicU64>, keep: impl Fn(&K) -> bool) -> Self {
        let newest = |kept: &Kept<V>| {
            let mut kept = kept.clone();
            kept.versions.drain(..kept.versions.len().saturating_sub(1));
            kept.count();
            kept
        };
        let kept = self.lock();
        let kept = kept.iter().filter(|(key, _)| keep(key)).map(|(key, kept)| (key.clone(), newest(kept)));
        Self { kept: Mutex::new(kept.collect()), clock: Arc::clone(clock) }
    }

    #[cfg(test)]
    pub(super) fn all(&self) -> Vec<Arc<V>> {
        self.lock()
            .values()
            .flat_map(|kept| &kept.versions)
            .map(|version| Arc::clone(&version.value))
            .collect()
    }
}

impl<V: Index> Kept<V> {
    fn count(&mut self) {
        let own: usize = self.versions.iter().map(|version| version.value.own() + 64).sum();
        let mut shared: Vec<_> = self.versions.iter().map(|version| version.value.shared()).collect();
        shared.sort_unstable();
        shared.dedup_by_key(|(place, _)| *place);
        self.bytes = ENTRY + own + shared.iter().map(|(_, bytes)| bytes).sum::<usize>();
    }
}

/// A cache of any kind, as far as its room goes.
pub(super) trait Bounded {
    fn bytes(&self) -> usize;

    fn len(&self) -> usize;

    /// When the index was asked for that has not been for longest.
    fn oldest(&self) -> Option<u64>;

    /// Lets that one go.
    fn let_go_oldest(&self);

    /// Lets go whatever is said about a user.
    fn erase(&self, user: u32);

    /// How many states there are, and how many say something about a user.
    #[cfg(test)]
    fn saying(&self, user: u32) -> (usize, usize);
}

impl<K: Clone + Eq + Hash, V: Index> Bounded for Cache<K, V> {
    fn bytes(&self) -> usize {
        self.lock().values().map(|kept| kept.bytes).sum()
    }

    fn len(&self) -> usize {
        self.lock().len()
    }

    fn oldest(&self) -> Option<u64> {
        self.lock().values().map(|kept| kept.used).min()
    }

    fn let_go_oldest(&self) {
        let mut kept = self.lock();
        let oldest = kept.iter().min_by_key(|(_, kept)| kept.used).map(|(key, _)| key.clone());
        let gone = oldest.and_then(|key| kept.remove(&key));
        drop(kept);
        drop(gone); // outside the lock: it may be large
    }

    fn erase(&self, user: u32) {
        for kept in self.lock().values_mut() {
            // of older states no later snapshot has need
            kept.versions.drain(..kept.versions.len().saturating_sub(1));
            kept.versions.iter_mut().for_each(|version| Arc::make_mut(&mut version.value).erase(user));
            kept.count();
        }
    }

    #[cfg(test)]
    fn saying(&self, user: u32) -> (usize, usize) {
        let all = self.all();
        (all.len(), all.iter().filter(|index| index.says(user)).count())
    }
}

/// Lets indexes go, those not asked for longest first, until the others fit; one stays in any case.
pub(super) fn fit(caches: &[&dyn Bounded], limit: usize) {
    let mut bytes: usize = caches.iter().map(|cache| cache.bytes()).sum();
    while bytes > limit && caches.iter().map(|cache| cache.len()).sum::<usize>() > 1 {
        let oldest = caches.iter().filter_map(|cache| Some((cache.oldest()?, *cache)));
        let mut by_age: Vec<_> = oldest.collect();
        by_age.sort_unstable_by_key(|(used, _)| *used);
        let Some((_, cache)) = by_age.first() else { return };
        let before = cache.bytes();
        cache.let_go_oldest();
        let freed = before - cache.bytes().min(before);
        if freed == 0 {
            return;
        }
        bytes = bytes.saturating_sub(freed);
    }
}
