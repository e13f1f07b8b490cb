//! What is known now: for whom each leaf holds, and who is in each segment.

use roaring::RoaringBitmap;

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

/// Sets a bit of a row.
pub(super) fn set_bit(row: &mut [u64], leaf: u32) {
    if let Some(word) = row.get_mut(leaf as usize / 64) {
        *word |= 1 << (leaf % 64);
    }
}

/// Everything that is kept beyond the store.
#[derive(Clone, Debug, Default)]
pub(super) struct State {
    pub(super) universe: RoaringBitmap,
    pub(super) leaves: LeafBits,
    /// The members of each segment, in the order of the plan.
    pub(super) members: Vec<RoaringBitmap>,
    /// The same, a row of bits a user.
    pub(super) of_user: LeafBits,
}

impl State {
    pub(super) fn set_member(&mut self, user: u32, segment: u32, holds: bool) {
        self.of_user.set(user, segment, holds);
        if let Some(members) = self.members.get_mut(segment as usize) {
            if holds {
                members.insert(user)
            } else {
                members.remove(user)
            };
        }
    }

    /// Replaces the members of all segments.
    pub(super) fn set_members(&mut self, members: Vec<RoaringBitmap>) {
        self.of_user = LeafBits::new(members.len());
        for (segment, members) in (0..).zip(&members) {
            members.iter().for_each(|user| _ = self.of_user.set(user, segment, true));
        }
        self.members = members;
    }

    pub(super) fn memory(&self) -> usize {
        let bitmap = |set: &RoaringBitmap| set.serialized_size() + 64;
        self.leaves.memory()
            + self.of_user.memory()
            + bitmap(&self.universe)
            + self.members.iter().map(bitmap).sum::<usize>()
    }
}
