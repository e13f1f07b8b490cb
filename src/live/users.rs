//! A set of users for a moment.

use super::rows;

/// A set of users, a bit each.
#[derive(Debug, Default)]
pub(super) struct Users(Vec<u64>);

impl Users {
    /// Puts a user in; tells whether it has not been in.
    pub(super) fn insert(&mut self, user: u32) -> bool {
        let (word, bit) = (user as usize / 64, 1 << (user % 64));
        rows::add_room(&mut self.0, word + 1);
        self.0.get_mut(word).is_some_and(|word| {
            let is_new = *word & bit == 0;
            *word |= bit;
            is_new
        })
    }
}
