//! The ids of events that have arrived: one space for the whole store.

use super::chunked::{Chunked, Texts};
use super::shards::Shards;

/// Which event took an id, as far as retention needs to know it.
#[derive(Clone, Copy, Debug)]
struct Taken {
    name: u32,
    at: i64,
}

/// An id by its number, with some bits of its hash: so that a table which grows looks at no text.
#[derive(Clone, Copy, Debug)]
struct Id {
    number: u32,
    bits: u32,
}

/// Spreads the bits of a hash that an [`Id`] keeps.
fn spread(bits: u32) -> u64 {
    u64::from(bits).wrapping_mul(0x9e37_79b9_7f4a_7c15)
}

/// The ids in use, in tables that grow one by one. Only the writer has them; no snapshot needs them.
#[derive(Debug, Default)]
pub(crate) struct EventIds {
    texts: Texts,
    taken: Chunked<Taken>,
    index: Shards<Id>,
}

impl EventIds {
    #[allow(clippy::cast_possible_truncation)] // some bits
    fn bits(&self, id: &str) -> u32 {
        self.index.hash(id) as u32
    }

    pub(crate) fn contains(&self, id: &str) -> bool {
        let bits = self.bits(id);
        let is_it = |have: &Id| have.bits == bits && self.texts.get(have.number) == Some(id);
        self.index.find(spread(bits), is_it).is_some()
    }

    /// Takes an id that is free.
    pub(crate) fn take(&mut self, id: &str, name: u32, at: i64) {
        let (bits, number) = (self.bits(id), u32::try_from(self.taken.len()).unwrap_or(u32::MAX));
        self.texts.push(id);
        self.taken.push(Taken { name, at });
        self.index.insert(spread(bits), Id { number, bits }, |_, id| spread(id.bits));
    }

    /// Lets go the ids of events that are dropped.
    pub(crate) fn retain(&mut self, keep: impl Fn(u32, i64) -> bool) {
        let mut kept = Self::default();
        for (i, taken) in (0u32..).zip(self.taken.iter()) {
            if let Some(id) = self.texts.get(i).filter(|_| keep(taken.name, taken.at)) {
                kept.take(id, taken.name, taken.at);
            }
        }
        *self = kept;
    }

    pub(crate) fn memory(&self) -> usize {
        self.texts.memory() + self.taken.memory() + self.index.memory()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_stay_taken_until_they_are_let_go() {
        let mut ids = EventIds::default();
        for i in 0..5_000u32 {
            let id = format!("id {i}");
            assert!(!ids.contains(&id));
            ids.take(&id, i % 3, i.into());
        }
        assert!((0..5_000).all(|i| ids.contains(&format!("id {i}"))) && !ids.contains("id"));
        ids.retain(|name, at| name == 1 || at >= 4_000);
        let left: Vec<u32> = (0..5_000).filter(|i| ids.contains(&format!("id {i}"))).collect();
        assert!(left.into_iter().eq((0..5_000).filter(|i| i % 3 == 1 || *i >= 4_000)));
    }
}
