//! What is known now, beyond the store.

use roaring::RoaringBitmap;

use super::beyond::Beyond;
use super::marks::Marks;
use super::rows::Rows;

/// Everything that is kept beyond the store.
#[derive(Clone, Debug, Default)]
pub(super) struct State {
    pub(super) universe: Users,
    /// The tallies and answers of each user.
    pub(super) rows: Rows,
    pub(super) beyond: Beyond,
    /// Of each kind of units that are counted.
    pub(super) marks: Vec<Marks>,
    /// How many members each segment has.
    pub(super) members: Vec<u64>,
}

impl State {
    /// A user entered a segment, or left it.
    pub(super) fn count(&mut self, segment: u32, entered: bool) {
        let Some(members) = self.members.get_mut(segment as usize) else { return };
        *members = if entered { *members + 1 } else { members.saturating_sub(1) };
    }

    pub(super) fn memory(&self) -> usize {
        self.rows.memory()
            + self.beyond.memory()
            + self.universe.memory()
            + self.members.capacity() * 8
            + self.marks.iter().map(Marks::memory).sum::<usize>()
    }
}

/// A set of users as words.
#[derive(Clone, Debug, Default)]
pub(super) struct Users(Vec<u64>);

impl Users {
    pub(super) fn memory(&self) -> usize {
        self.0.capacity() * 8
    }

    /// By 64 users.
    pub(super) fn words(&self) -> &[u64] {
        &self.0
    }

    pub(super) fn contains(&self, user: u32) -> bool {
        self.0.get(user as usize / 64).is_some_and(|word| word >> (user % 64) & 1 == 1)
    }

    pub(super) fn set(&mut self, user: u32, is_in: bool) {
        let word = user as usize / 64;
        if self.0.len() <= word {
            self.0.resize(word + 1, 0);
        }
        if let Some(word) = self.0.get_mut(word) {
            *word = *word & !(1 << (user % 64)) | u64::from(is_in) << (user % 64);
        }
    }
}

impl From<&RoaringBitmap> for Users {
    fn from(set: &RoaringBitmap) -> Self {
        let mut users = Self::default();
        set.iter().for_each(|user| users.set(user, true));
        users
    }
}
