//! What is known now: for whom each leaf holds, and who is in each segment.

use roaring::RoaringBitmap;

use super::marks::Marks;
use super::members::Members;
use super::tallies::Tallies;

/// Answers to leaves, a row of bits a user: what one fact or one instant changes lies together.
#[derive(Clone, Debug, Default)]
pub(super) struct LeafBits {
    words: Vec<u64>,
    /// Words a user.
    stride: usize,
}

impl LeafBits {
    pub(super) fn new(leaves: usize) -> Self {
        Self { words: Vec::new(), stride: leaves.div_ceil(64).max(1) }
    }

    /// Makes room for users below this number.
    pub(super) fn reach(&mut self, users: usize) {
        if self.words.len() < users * self.stride {
            self.words.resize(users * self.stride, 0);
        }
    }

    /// The bits of a user.
    pub(super) fn row(&self, user: u32) -> &[u64] {
        let start = user as usize * self.stride;
        self.words.get(start..start + self.stride).unwrap_or_default()
    }

    pub(super) fn row_mut(&mut self, user: u32) -> &mut [u64] {
        let start = user as usize * self.stride;
        self.words.get_mut(start..start + self.stride).unwrap_or_default()
    }

    pub(super) fn get(&self, user: u32, leaf: u32) -> bool {
        bit(self.row(user), leaf)
    }

    /// Sets a bit; tells whether it was another.
    pub(super) fn set(&mut self, user: u32, leaf: u32, holds: bool) -> bool {
        self.reach(user as usize + 1);
        let (word, mask) = (user as usize * self.stride + leaf as usize / 64, 1_u64 << (leaf % 64));
        let Some(word) = self.words.get_mut(word) else { return false };
        let before = *word & mask != 0;
        *word = if holds { *word | mask } else { *word & !mask };
        before != holds
    }

    /// The bits of other leaves, each the one that is named of these, or unset.
    pub(super) fn carried(&self, from: &[Option<u32>]) -> Self {
        let mut carried = Self::new(from.len());
        let users = self.words.len() / self.stride.max(1);
        carried.reach(users);
        // Those that keep their place go word by word.
        let mut in_place = vec![0_u64; carried.stride.min(self.stride)];
        let mut moved = Vec::new();
        for (to, from) in (0..).zip(from).filter_map(|(to, from)| Some((to, (*from)?))) {
            match in_place.get_mut(to as usize / 64) {
                Some(mask) if to == from => *mask |= 1 << (to % 64),
                _ => moved.push((to, from)),
            }
        }
        for (old, new) in
            self.words.chunks_exact(self.stride).zip(carried.words.chunks_exact_mut(carried.stride))
        {
            for ((new, old), mask) in new.iter_mut().zip(old).zip(&in_place) {
                *new = old & mask;
            }
            for (to, _) in moved.iter().filter(|(_, from)| bit(old, *from)) {
                if let Some(word) = new.get_mut(*to as usize / 64) {
                    *word |= 1 << (to % 64);
                }
            }
        }
        carried
    }

    pub(super) fn memory(&self) -> usize {
        self.words.capacity() * 8
    }
}

/// A bit of a row.
pub(super) fn bit(row: &[u64], leaf: u32) -> bool {
    row.get(leaf as usize / 64).is_some_and(|word| word >> (leaf % 64) & 1 == 1)
}

/// Sets a bit of a row; tells whether it was another.
pub(super) fn put(row: &mut [u64], place: u32, holds: bool) -> bool {
    let Some(word) = row.get_mut(place as usize / 64) else { return false };
    let before = *word >> (place % 64) & 1 == 1;
    *word = *word & !(1 << (place % 64)) | u64::from(holds) << (place % 64);
    before != holds
}

/// Everything that is kept beyond the store.
#[derive(Clone, Debug, Default)]
pub(super) struct State {
    pub(super) universe: Users,
    pub(super) leaves: LeafBits,
    pub(super) tallies: Tallies,
    pub(super) marks: Vec<Marks>,
    pub(super) members: Members,
}

impl State {
    /// Makes room for a user.
    pub(super) fn reach(&mut self, user: u32) {
        let users = user as usize + 1;
        self.leaves.reach(users);
        self.tallies.reach(users);
        self.members.reach(users);
    }

    /// Something of what is known of a user, of no meaning: what matters is that it has been looked at.
    pub(super) fn peek(&self, user: u32, group: u32) -> u64 {
        let row = self.leaves.row(user);
        let ends = row.first().copied().unwrap_or(0) ^ row.last().copied().unwrap_or(0);
        ends ^ u64::from(self.tallies.peek(user, group)) ^ self.members.peek(user)
    }

    /// Forgets what is known of a user but membership.
    pub(super) fn clear(&mut self, user: u32) {
        self.universe.set(user, false);
        self.leaves.row_mut(user).fill(0);
        self.tallies.row_mut(user).fill(0);
    }

    pub(super) fn memory(&self) -> usize {
        self.leaves.memory()
            + self.tallies.memory()
            + self.universe.memory()
            + self.members.memory()
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

    pub(super) fn contains(&self, user: u32) -> bool {
        bit(&self.0, user)
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
