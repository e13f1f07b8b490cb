//! A row of cells of 32 bits a user. Most of most rows is 0, and only the rest takes room.

mod arena;
mod blocks;
mod page;
mod pages;

use blocks::Blocks;
use pages::Pages;

/// Rows of so many cells are kept in pages.
pub(super) const FEW: usize = 4;
/// Users of a page.
pub(super) const PAGE: usize = 64;
/// Users whose rows are filled at once.
pub(super) const TOGETHER: usize = 4 * PAGE;

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

    /// Makes room for rows of which so many bits are used, no fewer than before; says no where they have to be laid out anew.
    pub(super) fn widen(&mut self, bits: usize) -> bool {
        match (self, bits.div_ceil(32)) {
            (Self::Pages(rows), 0..=FEW) => rows.widen(bits.div_ceil(8)),
            (Self::Blocks(rows), cells) => rows.widen(cells),
            (Self::Pages(_), _) => return false,
        }
        true
    }

    /// Makes room for users below this number.
    pub(super) fn reach(&mut self, users: usize) {
        match self {
            Self::Pages(rows) => rows.reach(users),
            Self::Blocks(rows) => rows.reach(users),
        }
    }

    /// Something of what is known of some users, of no meaning: what matters is that it has been looked at.
    pub(super) fn peek(&self, users: &[u32]) -> u32 {
        match self {
            Self::Pages(rows) => users.iter().fold(0, |seen, user| seen ^ rows.peek(*user)),
            Self::Blocks(rows) => rows.peek(users),
        }
    }

    /// For 64 users from a multiple of it on: of each bit of a cell from one on, which of those asked about have it. Of
    /// others it may say it or not.
    pub(super) fn planes<const N: usize>(
        &self,
        first: u32,
        (cell, shift): (u32, u32),
        among: u64,
    ) -> [u64; N] {
        match self {
            Self::Pages(rows) => rows.planes(first, cell, shift),
            Self::Blocks(rows) => {
                let mut planes = [0; N];
                rows.visit(first, cell, among, |user, value| {
                    for (bit, plane) in (shift..).zip(&mut planes) {
                        *plane |= u64::from(value >> bit & 1) << user;
                    }
                });
                planes
            }
        }
    }

    /// Sets the rows of some users, from a multiple of [`TOGETHER`] on, who have none so far.
    pub(super) fn fill(&mut self, first: u32, of_users: &[u32]) {
        match self {
            Self::Pages(rows) => rows.fill(first, of_users),
            Self::Blocks(rows) => rows.fill(first, of_users),
        }
    }

    /// Changes bits of a cell that are wanted, of which others may be told and are not to be changed; tells which bits are
    /// others then.
    pub(super) fn change(&mut self, user: u32, cell: u32, wanted: u32, to: impl FnOnce(u32) -> u32) -> u32 {
        match self {
            Self::Pages(rows) => rows.change(user, cell, wanted, to),
            Self::Blocks(rows) => rows.change(user, cell, to),
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
        self.change(user, cell, u32::MAX, |_| row.get(cell as usize).copied().unwrap_or(0));
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
pub(super) fn add_room<T: Clone + Default>(words: &mut Vec<T>, to: usize) {
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

    /// Bits of a cell to change, or the whole row.
    fn wanted() -> impl Strategy<Value = Option<u32>> {
        prop::sample::select(vec![
            None,
            Some(u32::MAX),
            Some(0x0ff0_00f0),
            Some(0xf0),
            Some(0xf000_0000),
            Some(0),
        ])
    }

    proptest! {
        #[test]
        fn rows_hold_what_was_put_into_them(
            bits in prop::sample::select(vec![0_usize, 1, 8, 9, 32, 81, 96, 97, 128, 129, 160, 1_000, 1_024, 1_056, 2_240]),
            changes in prop::collection::vec((0..130_u32, 0..70_u32, value(), wanted()), 0..600),
        ) {
            let cells = bits.div_ceil(32);
            let mut rows = Rows::new(bits);
            let mut model = vec![vec![0_u32; cells]; 192];
            let mut row = Vec::new();
            for (user, cell, value, wanted) in changes {
                if bits == 0 {
                    break;
                }
                let cell = cell % cells as u32;
                let used = (bits - cell as usize * 32).div_ceil(8).min(4) as u32 * 8;
                let value = value & u32::MAX >> (32 - used);
                let old = model[user as usize][cell as usize];
                rows.load(user, &mut row);
                prop_assert_eq!(&row, &model[user as usize]);
                let new = match wanted {
                    Some(wanted) => old & !wanted | value & wanted,
                    None => value,
                };
                model[user as usize][cell as usize] = new;
                if let Some(wanted) = wanted {
                    let flipped = rows.change(user, cell, wanted, |says| {
                        assert_eq!(says & wanted, old & wanted);
                        says & !wanted | value & wanted
                    });
                    prop_assert_eq!(flipped, old ^ new);
                } else {
                    row[cell as usize] = value;
                    rows.store(user, &row);
                }
                rows.peek(&[user]);
            }
            for (user, expected) in (0..).zip(&model) {
                rows.load(user, &mut row);
                prop_assert_eq!(&row, expected);
            }
            let firsts = [0, 64, 128];
            let places = (0..cells as u32 * 8).flat_map(|place| firsts.map(|first| ((place / 8, place % 8 * 4), first)));
            for ((cell, shift), first) in places {
                let among = 0x5a_ffff_0f0f;
                let planes: [u64; 4] = rows.planes(first, (cell, shift), among);
                let of = |bit: u32| model[first as usize..][..64].iter().rev().fold(0, |plane, row| {
                    plane << 1 | u64::from(row[cell as usize] >> bit & 1)
                });
                let expected = (shift..shift + 4).map(|bit| of(bit) & among);
                prop_assert_eq!(planes.map(|plane| plane & among).to_vec(), expected.collect::<Vec<_>>());
            }
            // As they are when they are written at once.
            let mut filled = Rows::new(bits);
            filled.fill(0, &model.concat());
            for user in 0..192 {
                rows.load(user, &mut row);
                let mut again = Vec::new();
                filled.load(user, &mut again);
                prop_assert_eq!(&row, &again);
            }
        }
    }

    proptest! {
        #[test]
        fn rows_are_as_they_were_when_there_is_room_for_more(
            (before, after) in prop::sample::select(vec![
                (0_usize, 1_usize), (1, 8), (8, 9), (9, 128), (97, 104), (128, 129), (129, 160), (1_000, 1_024), (1_024, 1_056), (1_056, 4_000),
            ]),
            changes in prop::collection::vec((0..600_u32, 0..70_u32, value()), 0..300),
        ) {
            let (mut rows, mut row) = (Rows::new(before), Vec::new());
            let mut model = vec![vec![0_u32; after.div_ceil(32)]; 640];
            let change = |rows: &mut Rows, model: &mut Vec<Vec<u32>>, bits: usize, (user, cell, value): (u32, u32, u32)| {
                let cell = cell % bits.div_ceil(32).max(1) as u32;
                let used = bits.saturating_sub(cell as usize * 32).div_ceil(8).min(4) as u32 * 8;
                if used > 0 {
                    let value = value & u32::MAX >> (32 - used);
                    model[user as usize][cell as usize] = value;
                    rows.change(user, cell, u32::MAX, |_| value);
                }
            };
            let (first, second) = changes.split_at(changes.len() / 2);
            first.iter().for_each(|one| change(&mut rows, &mut model, before, *one));
            prop_assert_eq!(rows.widen(after), before.div_ceil(32) > FEW || after.div_ceil(32) <= FEW);
            if before.div_ceil(32) <= FEW && after.div_ceil(32) > FEW {
                return Ok(());
            }
            second.iter().for_each(|one| change(&mut rows, &mut model, after, *one));
            for (user, expected) in (0..).zip(&model) {
                rows.load(user, &mut row);
                prop_assert_eq!(&row, expected);
            }
        }
    }

    /// A bit that was not asked for was told once.
    #[test]
    fn a_plane_is_told_apart_from_its_neighbours() {
        let mut rows = Rows::new(1);
        rows.change(72, 0, u32::MAX, |_| 2);
        assert_eq!([0, 1, 2].map(|bit| rows.planes::<1>(64, (0, bit), u64::MAX)), [[0], [1 << 8], [0]]);
        assert_eq!(rows.planes(64, (0, 0), u64::MAX), [0, 1 << 8, 0, 0]);
        assert_eq!(rows.planes(64, (0, 4), u64::MAX), [0; 4]);
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
                rows.change(user, 63, u32::MAX, |_| 1);
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
