//! The users that are there.

use super::rows;
use roaring::RoaringBitmap;

/// All users below a number, but for few: numbers are given in order, and whoever is there mostly stays.
#[derive(Clone, Debug, Default)]
pub(super) struct Universe {
    end: u32,
    absent: RoaringBitmap,
    /// Bit by bit, of which of [`SOME`] users some are or have been absent: of most all are there.
    thinned: Vec<u64>,
}

/// Users of a bit.
const SOME: u32 = 64;

impl Universe {
    pub(super) fn contains(&self, user: u32) -> bool {
        let (word, bit) = bit_of(user);
        let is_thinned = self.thinned.get(word).is_some_and(|some| some & bit != 0);
        user < self.end && !(is_thinned && self.absent.contains(user))
    }

    pub(super) fn set(&mut self, user: u32, is_there: bool) {
        if !is_there {
            let gone = (user < self.end).then_some(user);
            self.absent.extend(gone);
            self.thin(gone);
        } else if user < self.end {
            self.absent.remove(user);
        } else {
            self.absent.insert_range(self.end..user);
            self.thin((self.end..user).step_by(SOME as usize).chain((self.end..user).next_back()));
            self.end = user.saturating_add(1);
        }
    }

    fn thin(&mut self, users: impl IntoIterator<Item = u32>) {
        for user in users {
            let (word, bit) = bit_of(user);
            rows::add_room(&mut self.thinned, word + 1);
            self.thinned[word] |= bit;
        }
    }

    /// By 64 users, in order.
    pub(super) fn words(&self) -> impl Iterator<Item = u64> {
        (0..self.end).step_by(64).map(|first| {
            let last = (self.end - 1).min(first | 63);
            let absent = self.absent.range(first..=last);
            absent.fold(u64::MAX >> (first + 63 - last), |there, user| there & !(1 << (user - first)))
        })
    }

    pub(super) fn memory(&self) -> usize {
        self.absent.serialized_size() + self.thinned.capacity() * size_of::<u64>()
    }
}

impl From<&RoaringBitmap> for Universe {
    fn from(there: &RoaringBitmap) -> Self {
        let end = there.max().map_or(0, |last| last.saturating_add(1));
        let mut absent = RoaringBitmap::new();
        absent.insert_range(0..end);
        absent -= there;
        let mut universe = Self { end, ..Self::default() };
        universe.thin(&absent);
        Self { absent, ..universe }
    }
}

/// The word of a user's bit, and the bit.
fn bit_of(user: u32) -> (usize, u64) {
    let some = user / SOME;
    ((some / u64::BITS) as usize, 1 << (some % u64::BITS))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    proptest! {
        #[test]
        fn whoever_comes_is_there_until_it_goes(
            before in prop::collection::btree_set(0..300_u32, 0..200),
            changes in prop::collection::vec((0..400_u32, any::<bool>()), 0..300),
        ) {
            let mut universe = Universe::from(&before.iter().copied().collect::<RoaringBitmap>());
            let mut model: BTreeSet<u32> = before;
            for (user, comes) in changes {
                universe.set(user, comes);
                _ = if comes { model.insert(user) } else { model.remove(&user) };
            }
            prop_assert!((0..500).all(|user| universe.contains(user) == model.contains(&user)));
            let words: Vec<u64> = universe.words().collect();
            let is_in = |user: u32| words.get(user as usize / 64).is_some_and(|word| word >> (user % 64) & 1 == 1);
            prop_assert!((0..500).all(|user| is_in(user) == model.contains(&user)));
        }
    }
}
