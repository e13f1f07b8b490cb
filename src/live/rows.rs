//! A row of cells of 32 bits a user. Most of most rows is 0, and only the rest takes room.

mod arena;
mod blocks;
mod pages;

use blocks::Blocks;
use pages::Pages;

/// Rows of so many cells are kept in pages.
pub(super) const FEW: usize = 4;

/// The rows of all users.
#[derive(Clone, Debug)]
pub(super) enum Rows {
    Pages(Pages),
    Blocks(Blocks),
}

impl Default for Rows {
    fn default() -> Self {
        Self::new(0)
    }
}

impl Rows {
    /// Rows of cells of which so many bits are used, the lowest of each cell first.
    pub(super) fn new(bits: usize) -> Self {
        match bits.div_ceil(32) {
            0..=FEW => Self::Pages(Pages::new(bits.div_ceil(8))),
            cells => Self::Blocks(Blocks::new(cells)),
        }
    }

    /// Makes room for users below this number.
    pub(super) fn reach(&mut self, users: usize) {
        match self {
            Self::Pages(rows) => rows.reach(users),
            Self::Blocks(rows) => rows.reach(users),
        }
    }

    /// Something of what is known of a user, of no meaning: what matters is that it has been looked at.
    pub(super) fn peek(&self, user: u32) -> u32 {
        match self {
            Self::Pages(rows) => rows.peek(user),
            Self::Blocks(rows) => rows.peek(user),
        }
    }

    pub(super) fn get(&self, user: u32, cell: u32) -> u32 {
        match self {
            Self::Pages(rows) => rows.get(user, cell),
            Self::Blocks(rows) => rows.get(user, cell),
        }
    }

    /// Visits a byte of a cell of some of 64 users, bit by bit after the first, a multiple of 64; where it is left out it
    /// is 0. What else is in the cell may be told or not.
    pub(super) fn visit(&self, first: u32, place: (u32, u32), among: u64, visit: impl FnMut(u32, u32)) {
        match self {
            Self::Pages(rows) => rows.visit(first, place, among, visit),
            Self::Blocks(rows) => rows.visit(first, place.0, among, visit),
        }
    }

    pub(super) fn set(&mut self, user: u32, cell: u32, value: u32) {
        self.replace(user, cell, self.get(user, cell), value);
    }

    /// Sets a cell that has been `before`.
    pub(super) fn replace(&mut self, user: u32, cell: u32, before: u32, after: u32) {
        match self {
            Self::Pages(rows) => rows.replace(user, cell, before, after),
            Self::Blocks(rows) => rows.set(user, cell, after),
        }
    }

    /// The cells of a user.
    pub(super) fn load(&self, user: u32, row: &mut Vec<u32>) {
        match self {
            Self::Pages(rows) => rows.load(user, row),
            Self::Blocks(rows) => rows.load(user, row),
        }
    }

    /// Replaces a cell of a user by that of a row.
    pub(super) fn store_cell(&mut self, user: u32, cell: u32, row: &[u32]) {
        self.set(user, cell, row.get(cell as usize).copied().unwrap_or(0));
    }

    /// Replaces the cells of a user.
    pub(super) fn store(&mut self, user: u32, row: &[u32]) {
        match self {
            Self::Pages(rows) => rows.store(user, row),
            Self::Blocks(rows) => rows.store(user, row),
        }
    }

    pub(super) fn memory(&self) -> usize {
        match self {
            Self::Pages(rows) => rows.memory(),
            Self::Blocks(rows) => rows.memory(),
        }
    }
}

/// Makes a list at least so long, of zeros, with some slack where it has been made before.
pub(super) fn add_room<T: Copy + Default>(words: &mut Vec<T>, to: usize) {
    if words.len() < to {
        if words.capacity() < to {
            let slack = if words.is_empty() { 0 } else { to / 8 };
            words.reserve_exact(to - words.len() + slack);
        }
        words.resize(to, T::default());
    }
}

/// The bits that are set.
fn users(word: u64) -> impl Iterator<Item = u32> {
    std::iter::successors(Some(word), |rest| Some(rest & rest.wrapping_sub(1)))
        .take_while(|rest| *rest != 0)
        .map(u64::trailing_zeros)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// A value of a cell: often 0, often small, and sometimes of any bytes.
    fn value() -> impl Strategy<Value = u32> {
        prop_oneof![
            Just(0),
            1..3_u32,
            any::<u32>(),
            (any::<u32>(), any::<u32>()).prop_map(|(a, b)| a & b & 0xff00_ff00)
        ]
    }

    proptest! {
        #[test]
        fn rows_hold_what_was_put_into_them(
            bits in prop::sample::select(vec![0_usize, 1, 8, 9, 32, 81, 96, 97, 128, 129, 160, 1_000, 1_024, 1_056, 2_240]),
            changes in prop::collection::vec((0..130_u32, 0..70_u32, value(), any::<bool>()), 0..600),
        ) {
            let cells = bits.div_ceil(32);
            let mut rows = Rows::new(bits);
            let mut model = vec![vec![0_u32; cells]; 192];
            let mut row = Vec::new();
            for (user, cell, value, whole) in changes {
                if bits == 0 {
                    break;
                }
                let cell = cell % cells as u32;
                let used = (bits - cell as usize * 32).div_ceil(8).min(4) as u32 * 8;
                let value = value & u32::MAX >> (32 - used);
                model[user as usize][cell as usize] = value;
                if whole {
                    rows.load(user, &mut row);
                    row[cell as usize] = value;
                    rows.store(user, &row);
                } else {
                    rows.set(user, cell, value);
                }
                rows.peek(user);
                prop_assert_eq!(rows.get(user, cell), value);
            }
            for (user, expected) in (0..).zip(&model) {
                rows.load(user, &mut row);
                prop_assert_eq!(&row, expected);
                let one_by_one: Vec<u32> = (0..cells as u32).map(|cell| rows.get(user, cell)).collect();
                prop_assert_eq!(&one_by_one, expected);
            }
            let firsts = [0, 64, 128];
            let places = (0..cells as u32 * 4).flat_map(|byte| firsts.map(|first| ((byte / 4, byte % 4), first)));
            for (place, first) in places {
                let of_byte = |cell: u32| cell >> (place.1 * 8) & 0xff;
                let (mut seen, among) = (vec![0; 64], 0x5a_ffff_0f0f);
                rows.visit(first, place, among, |user, cell| seen[user as usize] = of_byte(cell));
                let expected = (0..64).map(|user| match among >> user & 1_u64 {
                    0 => 0,
                    _ => of_byte(model[first as usize + user][place.0 as usize]),
                });
                prop_assert_eq!(seen, expected.collect::<Vec<_>>());
            }
        }
    }

    #[test]
    fn room_is_used_again() {
        let mut rows = Rows::new(64 * 32);
        let row = |cells: usize| (0..64).map(|cell| u32::from(cell < cells)).collect::<Vec<_>>();
        rows.reach(1_000);
        let mut held = 0;
        for round in 0..10 {
            for user in 0..1_000 {
                rows.store(user, &row(1));
                rows.store(user, &row(1 + (user as usize + round) % 60));
                rows.store(user, &row(60));
                rows.store(user, &row(0));
                // What has become 0 is let go when the row needs another room.
                rows.set(user, 63, 1);
                rows.store(user, &row(0));
            }
            held = if round == 0 { rows.memory() } else { held };
        }
        assert!(rows.memory() <= held + 4 * arena::CHUNK * 4, "{} and then {}", held, rows.memory());
    }

    #[test]
    fn pages_grow_and_shrink() {
        let mut rows = Rows::new(96);
        rows.reach(64 * 100);
        let empty = rows.memory();
        assert!(empty < 64 * 100 * 2, "{empty}");
        let mut full = 0;
        for round in 0..10 {
            for user in 0..64 * 100 {
                rows.store(user, &[u32::MAX, 0x1200_0034 + round, u32::MAX]);
            }
            full = if round == 0 { rows.memory() } else { full };
            for user in 0..64 * 100 {
                rows.store(user, &[0, 0, u32::from(user % 8 == 0)]);
            }
        }
        assert!(full < 64 * 100 * 13 + 2 * arena::CHUNK * 8, "{full}");
        assert!(rows.memory() <= full + 2 * arena::CHUNK * 8, "{full} and then {}", rows.memory());
    }
}
