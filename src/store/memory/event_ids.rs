//! The ids of events that have arrived: one space for the whole store.

use std::hash::BuildHasher;

use foldhash::fast::RandomState;
use hashbrown::HashTable;

use super::chunked::Texts;

/// Which event took an id, as far as retention needs to know it.
#[derive(Clone, Copy, Debug)]
struct Taken {
    name: u32,
    at: i64,
}

/// The ids in use. Only the writer has it; no snapshot needs it.
#[derive(Debug, Default)]
pub(crate) struct EventIds {
    texts: Texts,
    taken: Vec<Taken>,
    index: HashTable<u32>,
    hasher: RandomState,
}

impl EventIds {
    pub(crate) fn contains(&self, id: &str) -> bool {
        self.index.find(self.hasher.hash_one(id), |&i| self.texts.get(i) == Some(id)).is_some()
    }

    /// Takes an id that is free.
    pub(crate) fn take(&mut self, id: &str, name: u32, at: i64) {
        let number = u32::try_from(self.taken.len()).unwrap_or(u32::MAX);
        self.texts.push(id);
        self.taken.push(Taken { name, at });
        let (texts, hasher) = (&self.texts, &self.hasher);
        let rehash = |&i: &u32| hasher.hash_one(texts.get(i).unwrap_or_default());
        self.index.insert_unique(hasher.hash_one(id), number, rehash);
    }

    /// Lets go the ids of events that are dropped.
    pub(crate) fn retain(&mut self, keep: impl Fn(u32, i64) -> bool) {
        let mut kept = Self { hasher: self.hasher.clone(), ..Self::default() };
        for (i, taken) in (0u32..).zip(&self.taken) {
            if let Some(id) = self.texts.get(i).filter(|_| keep(taken.name, taken.at)) {
                kept.take(id, taken.name, taken.at);
            }
        }
        *self = kept;
    }

    pub(crate) fn memory(&self) -> usize {
        self.texts.memory() + self.taken.capacity() * size_of::<Taken>() + self.index.allocation_size()
    }
}
