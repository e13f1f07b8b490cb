//! A persistent hash table: many small tables behind pointers, copied one by one as the writer touches them.

use std::hash::BuildHasher;
use std::sync::Arc;

use foldhash::fast::RandomState;
use hashbrown::HashTable;
use hashbrown::hash_table::Entry;

/// Tables; a power of two. A million entries make tables of a thousand.
const SHARDS: usize = 1024;

/// A hash table of small entries whose clone is a pointer copy.
#[derive(Clone, Debug)]
pub(crate) struct Shards<E> {
    shards: Arc<Vec<Arc<HashTable<E>>>>,
    hasher: RandomState,
}

impl<E: Clone> Default for Shards<E> {
    fn default() -> Self {
        let empty = Arc::new(HashTable::new());
        Self { shards: Arc::new(vec![empty; SHARDS]), hasher: RandomState::default() }
    }
}

impl<E: Clone> Shards<E> {
    pub(crate) fn hash<K: std::hash::Hash + ?Sized>(&self, key: &K) -> u64 {
        self.hasher.hash_one(key)
    }

    fn shard(hash: u64) -> usize {
        // hashbrown takes its tag from the top seven bits and its position from the bottom ones
        (hash >> 40) as usize % SHARDS
    }

    pub(crate) fn find(&self, hash: u64, is_it: impl FnMut(&E) -> bool) -> Option<&E> {
        self.shards[Self::shard(hash)].find(hash, is_it)
    }

    fn table(&mut self, hash: u64) -> &mut HashTable<E> {
        Arc::make_mut(&mut Arc::make_mut(&mut self.shards)[Self::shard(hash)])
    }

    pub(crate) fn find_mut(&mut self, hash: u64, is_it: impl FnMut(&E) -> bool) -> Option<&mut E> {
        self.table(hash).find_mut(hash, is_it)
    }

    /// The place of an entry, there or not; `rehash` gives any entry's hash again.
    pub(crate) fn entry(
        &mut self,
        hash: u64,
        is_it: impl FnMut(&E) -> bool,
        rehash: impl Fn(&RandomState, &E) -> u64,
    ) -> Entry<'_, E> {
        let hasher = self.hasher.clone();
        self.table(hash).entry(hash, is_it, move |e| rehash(&hasher, e))
    }

    /// Adds an entry that is not there; `rehash` gives any entry's hash again.
    pub(crate) fn insert(&mut self, hash: u64, entry: E, rehash: impl Fn(&RandomState, &E) -> u64) {
        let hasher = self.hasher.clone();
        self.table(hash).insert_unique(hash, entry, |e| rehash(&hasher, e));
    }

    pub(crate) fn remove(&mut self, hash: u64, is_it: impl FnMut(&E) -> bool) -> Option<E> {
        match self.table(hash).find_entry(hash, is_it) {
            Ok(found) => Some(found.remove().0),
            Err(_) => None,
        }
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &E> {
        self.shards.iter().flat_map(|shard| shard.iter())
    }

    pub(crate) fn memory(&self) -> usize {
        self.shards.iter().map(|s| s.allocation_size() + size_of::<HashTable<E>>() + 16).sum::<usize>()
            + SHARDS * 8
    }
}
