//! What tallies count beyond the greatest number that a row can tell: few users have so many.

use foldhash::HashMap;

/// By user and group.
#[derive(Clone, Debug, Default)]
pub(super) struct Beyond(HashMap<(u32, u32), u32>);

impl Beyond {
    pub(super) fn get(&self, user: u32, group: u32) -> u32 {
        self.0.get(&(user, group)).copied().unwrap_or(0)
    }

    pub(super) fn set(&mut self, user: u32, group: u32, count: u32) {
        match count {
            0 => _ = self.0.remove(&(user, group)),
            _ => _ = self.0.insert((user, group), count),
        }
    }

    /// The same of other groups, where `place` tells.
    pub(super) fn carried(self, place: impl Fn(u32) -> Option<u32>) -> Self {
        let counts =
            self.0.into_iter().filter_map(|((user, group), count)| Some(((user, place(group)?), count)));
        Self(counts.collect())
    }

    pub(super) fn memory(&self) -> usize {
        // A byte of control each.
        self.0.capacity() * (size_of::<((u32, u32), u32)>() + 1) * 8 / 7
    }
}
