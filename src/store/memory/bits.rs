//! Sets of users as plain words: what leaves are computed in; roaring only at the edge.

use roaring::RoaringBitmap;

use super::kernel;
use super::roaring::to_roaring;

/// A set of users; bit `u % 64` of word `u / 64` is user `u`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Bits {
    words: Vec<u64>,
}

impl Bits {
    /// No one, with room for so many users.
    pub(crate) fn none(users: usize) -> Self {
        Self { words: vec![0; users.div_ceil(64)] }
    }

    /// The users whose bits are set in the words.
    pub(crate) fn from_words(words: Vec<u64>) -> Self {
        Self { words }
    }

    pub(crate) fn from_roaring(users: usize, bitmap: &RoaringBitmap) -> Self {
        let mut bits = Self::none(users);
        bitmap.iter().for_each(|user| bits.insert(user));
        bits
    }

    pub(crate) fn words(&self) -> &[u64] {
        &self.words
    }

    pub(crate) fn words_mut(&mut self) -> &mut [u64] {
        &mut self.words
    }

    pub(crate) fn contains(&self, user: u32) -> bool {
        self.words.get(user as usize / 64).is_some_and(|word| word >> (user % 64) & 1 == 1)
    }

    /// Adds a user, where there is room for it.
    pub(crate) fn insert(&mut self, user: u32) {
        if let Some(word) = self.words.get_mut(user as usize / 64) {
            *word |= 1 << (user % 64);
        }
    }

    pub(crate) fn remove(&mut self, user: u32) {
        if let Some(word) = self.words.get_mut(user as usize / 64) {
            *word &= !(1 << (user % 64));
        }
    }

    /// Makes room for so many users at least.
    pub(crate) fn grow(&mut self, users: usize) {
        let words = users.div_ceil(64).max(self.words.len());
        self.words.resize(words, 0);
    }

    pub(crate) fn set(&mut self, user: u32, member: bool) {
        if member { self.insert(user) } else { self.remove(user) }
    }

    pub(crate) fn and(&mut self, other: &Self) {
        kernel::and(&mut self.words, &other.words);
        let shared = self.words.len().min(other.words.len());
        self.words[shared..].fill(0);
    }

    pub(crate) fn or(&mut self, other: &Self) {
        if self.words.len() < other.words.len() {
            self.words.resize(other.words.len(), 0);
        }
        kernel::or(&mut self.words, &other.words);
    }

    pub(crate) fn and_not(&mut self, other: &Self) {
        kernel::and_not(&mut self.words, &other.words);
    }

    pub(crate) fn len(&self) -> u64 {
        kernel::count(&self.words)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = u32> + '_ {
        self.words.iter().zip((0u32..).step_by(64)).flat_map(|(&word, base)| {
            std::iter::successors((word != 0).then_some(word), |w| Some(w & (w - 1)).filter(|w| *w != 0))
                .map(move |w| base + w.trailing_zeros())
        })
    }

    /// In one conversion, container by container.
    pub(crate) fn to_roaring(&self) -> RoaringBitmap {
        to_roaring(&self.words)
    }

    pub(crate) fn memory(&self) -> usize {
        self.words.capacity() * 8
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn goes_to_roaring_and_back() {
        let users = [0u32, 1, 63, 64, 1000, 65_535, 65_536, 131_000];
        let mut bits = Bits::none(131_072);
        users.iter().for_each(|&user| bits.insert(user));
        let bitmap = bits.to_roaring();
        assert!(bitmap.iter().eq(users));
        assert_eq!(Bits::from_roaring(131_072, &bitmap), bits);
        assert!(bits.iter().eq(users));
        bits.remove(64);
        assert!(!bits.contains(64) && bits.contains(63));
        assert_eq!(bits.len(), 7);
    }

    #[test]
    fn sets_of_different_room_combine() {
        let (mut a, mut b) = (Bits::none(64), Bits::none(128));
        a.insert(3);
        b.insert(3);
        b.insert(100);
        let mut both = b.clone();
        both.and(&a);
        assert!(both.iter().eq([3]));
        a.or(&b);
        assert!(a.iter().eq([3, 100]));
        a.and_not(&both);
        assert!(a.iter().eq([100]));
    }
}
