//! Who is in each segment: bits that lie together by 64 users, so that what changes for one user is near.

use roaring::RoaringBitmap;

/// Users of a block.
const BLOCK: u32 = 64;

/// The members of some segments.
#[derive(Clone, Debug, Default)]
pub(super) struct Members {
    /// By block, and therein by segment.
    words: Vec<u64>,
    segments: usize,
}

impl Members {
    pub(super) fn new(segments: usize) -> Self {
        Self { words: Vec::new(), segments }
    }

    /// Makes room for users below this number.
    pub(super) fn reach(&mut self, users: usize) {
        let words = users.div_ceil(BLOCK as usize) * self.segments;
        if self.words.len() < words {
            self.words.resize(words, 0);
        }
    }

    fn place(&self, segment: u32, user: u32) -> usize {
        (user / BLOCK) as usize * self.segments + segment as usize
    }

    /// The first word of a user's block.
    pub(super) fn peek(&self, user: u32) -> u64 {
        self.words.get(self.place(0, user)).copied().unwrap_or(0)
    }

    pub(super) fn contains(&self, segment: u32, user: u32) -> bool {
        let word = self.words.get(self.place(segment, user));
        word.is_some_and(|word| word >> (user % BLOCK) & 1 == 1)
    }

    /// Puts a user in, or out.
    pub(super) fn set(&mut self, segment: u32, user: u32, holds: bool) {
        self.reach(user as usize + 1);
        let (place, mask) = (self.place(segment, user), 1_u64 << (user % BLOCK));
        if let Some(word) = self.words.get_mut(place) {
            *word = if holds { *word | mask } else { *word & !mask };
        }
    }

    fn column(&self, segment: u32) -> impl Iterator<Item = u64> {
        self.words.iter().skip(segment as usize).step_by(self.segments.max(1)).copied()
    }

    /// The members of a segment.
    pub(super) fn of(&self, segment: u32) -> RoaringBitmap {
        let bytes: Vec<u8> = self.column(segment).flat_map(u64::to_le_bytes).collect();
        RoaringBitmap::from_lsb0_bytes(0, &bytes)
    }

    /// How many they are.
    pub(super) fn count(&self, segment: u32) -> u64 {
        self.column(segment).map(|word| u64::from(word.count_ones())).sum()
    }

    /// Replaces the members of a segment.
    pub(super) fn fill(&mut self, segment: u32, members: &RoaringBitmap) {
        self.reach(members.max().map_or(0, |last| last as usize + 1));
        self.words.iter_mut().skip(segment as usize).step_by(self.segments.max(1)).for_each(|word| *word = 0);
        members.iter().for_each(|user| self.set(segment, user, true));
    }

    /// All of these.
    pub(super) fn of_all(members: &[RoaringBitmap]) -> Self {
        let mut all = Self::new(members.len());
        let last = members.iter().filter_map(RoaringBitmap::max).max();
        all.reach(last.map_or(0, |last| last as usize + 1));
        (0..).zip(members).for_each(|(segment, members)| all.fill(segment, members));
        all
    }

    pub(super) fn memory(&self) -> usize {
        self.words.capacity() * 8
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn columns_are_sets(
            start in prop::collection::vec(prop::collection::btree_set(0..300_u32, 0..40), 1..5),
            changes in prop::collection::vec((0..5_u32, 0..400_u32, any::<bool>()), 0..60),
        ) {
            let mut sets: Vec<RoaringBitmap> = start.into_iter().map(|set| set.into_iter().collect()).collect();
            let mut members = Members::of_all(&sets);
            for (segment, user, holds) in changes {
                let segment = segment % sets.len() as u32;
                members.set(segment, user, holds);
                let set = &mut sets[segment as usize];
                if holds { set.insert(user) } else { set.remove(user) };
                prop_assert_eq!(members.contains(segment, user), holds);
            }
            for (segment, set) in (0..).zip(&sets) {
                prop_assert_eq!(&members.of(segment), set);
                prop_assert_eq!(members.count(segment), set.len());
            }
        }
    }
}
