//! A set of users that only grows, and takes room for those who are in it.

use super::rows;

/// Users that share a byte.
const BYTE: u32 = 8;
/// Users of a run, and runs of a page.
const RUN: u32 = 64 * BYTE;
const RUNS: usize = 8;
/// Users of a page.
const PAGE: u32 = RUN * RUNS as u32;
/// Bytes by which a page grows.
const ROOM: usize = 16;
/// Bytes of a page from which on all of them are there: what they take is little, and none has to be moved any more.
const MANY: usize = 3 * PAGE as usize / BYTE as usize / 4;
/// One in each 16 bits.
const ONES: u128 = 0x0001_0001_0001_0001_0001_0001_0001_0001;

/// A set of users, page by page.
#[derive(Clone, Debug, Default)]
pub(super) struct Sparse(Vec<Page>);

/// Bits of users, of which only bytes that are not 0 are there.
#[derive(Clone, Debug, Default)]
struct Page {
    /// By run: bit by bit which of its bytes are there.
    masks: [u64; RUNS],
    /// By run, 16 bits each: where its bytes start.
    starts: u128,
    bytes: Vec<u8>,
}

impl Sparse {
    pub(super) fn contains(&self, user: u32) -> bool {
        let page = self.0.get((user / PAGE) as usize);
        page.and_then(|page| page.byte(user)).is_some_and(|byte| byte & bit(user) != 0)
    }

    /// Puts a user in; tells whether it has not been in.
    pub(super) fn insert(&mut self, user: u32) -> bool {
        let page = (user / PAGE) as usize;
        rows::add_room(&mut self.0, page + 1);
        self.0.get_mut(page).is_some_and(|page| page.insert(user))
    }

    pub(super) fn memory(&self) -> usize {
        let bytes: usize = self.0.iter().map(|page| page.bytes.capacity()).sum();
        self.0.capacity() * size_of::<Page>() + bytes
    }
}

impl Page {
    /// The run of a user, where its byte is or would be, and the bit of the mask that tells which.
    fn place(&self, user: u32) -> (usize, usize, u64) {
        let (run, there) = ((user % PAGE / RUN) as usize, 1_u64 << (user % RUN / BYTE));
        let below = (self.masks[run] & (there - 1)).count_ones();
        let start = (self.starts >> (16 * run)) as u16;
        (run, usize::from(start) + below as usize, there)
    }

    fn byte(&self, user: u32) -> Option<u8> {
        let (run, at, there) = self.place(user);
        self.bytes.get(at).copied().filter(|_| self.masks[run] & there != 0)
    }

    fn insert(&mut self, user: u32) -> bool {
        let (run, at, there) = self.place(user);
        if self.masks[run] & there == 0 {
            if self.bytes.len() == MANY {
                self.spread();
                return self.insert(user);
            }
            if self.bytes.len() == self.bytes.capacity() {
                self.bytes.reserve_exact(ROOM);
            }
            self.bytes.insert(at, bit(user));
            self.masks[run] |= there;
            // Those after it start one later.
            self.starts += ONES << (16 * run) << 16;
            return true;
        }
        self.bytes.get_mut(at).is_some_and(|byte| {
            let is_new = *byte & bit(user) == 0;
            *byte |= bit(user);
            is_new
        })
    }

    /// Makes all bytes.
    fn spread(&mut self) {
        let byte = |user| self.byte(user).unwrap_or(0);
        let bytes = (0..PAGE).step_by(BYTE as usize).map(byte).collect();
        let starts = (0..RUNS as u128).fold(0, |starts, run| starts | (run * 64) << (16 * run));
        *self = Self { masks: [u64::MAX; RUNS], starts, bytes };
    }
}

/// The bit of a user in its byte.
fn bit(user: u32) -> u8 {
    1 << (user % BYTE)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    proptest! {
        /// Few of many, and so many that most bytes are full.
        #[test]
        fn whoever_was_put_in_is_in(
            users in prop_oneof![
                prop::collection::vec(0..3 * PAGE, 0..600),
                prop::collection::vec(PAGE - 700..PAGE + 900, 0..4_000),
            ],
        ) {
            let (mut set, mut model) = (Sparse::default(), BTreeSet::new());
            for user in users {
                prop_assert_eq!(set.insert(user), model.insert(user));
            }
            prop_assert!((0..4 * PAGE).all(|user| set.contains(user) == model.contains(&user)));
        }
    }

    #[test]
    fn few_users_take_little_room() {
        let mut set = Sparse::default();
        (0..40_000_u64).for_each(|n| _ = set.insert((n * 2_654_435_761 % 1_000_003) as u32));
        assert!(set.memory() < 70_000, "{}", set.memory());
        (0..1_000_003).for_each(|user| _ = set.insert(user));
        assert!(set.memory() < 160_000, "{}", set.memory());
    }
}
