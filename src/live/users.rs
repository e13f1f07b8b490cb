//! A set of users that changes by one at a time.

use roaring::RoaringBitmap;

use super::rows;

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
        rows::add_room(&mut self.0, word + 1);
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
