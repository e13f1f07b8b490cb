//! A row of cells of 32 bits a user. Most cells of most users are 0, and only the others take room.

/// Rows of so many cells are kept whole: to leave cells out would cost more than it saves.
pub(super) const WHOLE: usize = 4;
/// Cells of a chunk of the arena.
const CHUNK: usize = 1 << CHUNK_BITS;
const CHUNK_BITS: u32 = 14;
/// No block.
const NONE: u32 = u32::MAX;

/// The rows of all users.
#[derive(Clone, Debug, Default)]
pub(super) struct Rows {
    cells: usize,
    /// Words of a head; 0: rows are whole.
    stride: usize,
    /// By user: whole rows; or where the block is that holds the cells that are not 0, and, bit by bit, which those are.
    /// A cell that has become 0 may be among them.
    heads: Vec<u32>,
    arena: Arena,
}

impl Rows {
    pub(super) fn new(cells: usize) -> Self {
        let stride = if cells <= WHOLE { 0 } else { 1 + cells.div_ceil(32) };
        Self { cells, stride, heads: Vec::new(), arena: Arena::default() }
    }

    fn words(&self) -> usize {
        if self.stride == 0 { self.cells } else { self.stride }
    }

    /// Makes room for users below this number.
    pub(super) fn reach(&mut self, users: usize) {
        let words = users * self.words();
        if self.heads.len() < words {
            if self.heads.capacity() < words {
                let slack = if self.heads.is_empty() { 0 } else { words / 8 };
                self.heads.reserve_exact(words - self.heads.len() + slack);
            }
            self.heads.resize(words, 0);
        }
    }

    fn head(&self, user: u32) -> &[u32] {
        let start = user as usize * self.words();
        self.heads.get(start..start + self.words()).unwrap_or_default()
    }

    /// Something of what is known of a user, of no meaning: what matters is that it has been looked at.
    pub(super) fn peek(&self, user: u32) -> u32 {
        match self.head(user) {
            [block, mask @ ..] if self.stride > 0 && mask.iter().any(|word| *word != 0) => {
                self.arena.get(*block, 0)
            }
            head => head.first().copied().unwrap_or(0),
        }
    }

    pub(super) fn get(&self, user: u32, cell: u32) -> u32 {
        match self.stride {
            0 => self.head(user).get(cell as usize).copied().unwrap_or(0),
            _ => place(self.head(user), cell).map_or(0, |(block, at)| self.arena.get(block, at)),
        }
    }

    /// Visits a cell of some of 64 users, bit by bit after the first; where it is left out it is 0.
    pub(super) fn visit(&self, first: u32, cell: u32, among: u64, mut visit: impl FnMut(u32, u32)) {
        let (start, words) = (first as usize * self.words(), self.words());
        let heads = self.heads.get(start..).unwrap_or_default();
        let head =
            |user: u32| heads.get(user as usize * words..(user as usize + 1) * words).unwrap_or_default();
        if self.stride == 0 {
            let of = |user| head(user).get(cell as usize).copied().unwrap_or(0);
            users(among).for_each(|user| visit(user, of(user)));
            return;
        }
        let (word, bit) = (1 + cell as usize / 32, cell % 32);
        let is_there = |head: &[u32]| u64::from(head.get(word).is_some_and(|word| word >> bit & 1 == 1));
        let there = (0..64).zip(heads.chunks_exact(words)).map(|(user, head)| is_there(head) << user);
        for user in users(there.fold(0, |all, one| all | one) & among) {
            if let Some((block, at)) = place(head(user), cell) {
                visit(user, self.arena.get(block, at));
            }
        }
    }

    pub(super) fn set(&mut self, user: u32, cell: u32, value: u32) {
        self.reach(user as usize + 1);
        if self.stride == 0 {
            let place = user as usize * self.cells + cell as usize;
            self.heads.get_mut(place).into_iter().for_each(|have| *have = value);
        } else if let Some((block, at)) = place(self.head(user), cell) {
            self.arena.set(block, at, value);
        } else if value != 0 {
            let mut row = Vec::new();
            self.load(user, &mut row);
            row.get_mut(cell as usize).into_iter().for_each(|have| *have = value);
            self.store(user, &row);
        }
    }

    /// The cells of a user.
    pub(super) fn load(&self, user: u32, row: &mut Vec<u32>) {
        row.clear();
        if self.stride == 0 {
            row.extend_from_slice(self.head(user));
        }
        row.resize(self.cells, 0);
        if self.stride > 0 {
            let [block, mask @ ..] = self.head(user) else { return };
            for (cell, value) in bits(mask).zip(self.arena.block(*block)) {
                row.get_mut(cell).into_iter().for_each(|have| *have = *value);
            }
        }
    }

    /// Replaces a cell of a user by that of a row.
    pub(super) fn store_cell(&mut self, user: u32, cell: u32, row: &[u32]) {
        self.set(user, cell, row.get(cell as usize).copied().unwrap_or(0));
    }

    /// Replaces the cells of a user.
    pub(super) fn store(&mut self, user: u32, row: &[u32]) {
        self.reach(user as usize + 1);
        let (start, words) = (user as usize * self.words(), self.words());
        let Some(head) = self.heads.get_mut(start..start + words) else { return };
        if self.stride == 0 {
            head.iter_mut().zip(row).for_each(|(cell, value)| *cell = *value);
            return;
        }
        let [block, mask @ ..] = head else { return };
        let has_room =
            |(cell, _): &(usize, &u32)| mask.get(cell / 32).is_some_and(|word| word >> (cell % 32) & 1 == 1);
        let not_zero = || row.iter().enumerate().filter(|(_, value)| **value != 0);
        if !not_zero().all(|one| has_room(&one)) {
            self.arena.free(*block, bits(mask).count());
            mask.fill(0);
            for (cell, _) in not_zero() {
                mask.get_mut(cell / 32).into_iter().for_each(|word| *word |= 1 << (cell % 32));
            }
            *block = self.arena.take(bits(mask).count());
        }
        for (at, cell) in (0..).zip(bits(mask)) {
            self.arena.set(*block, at, row.get(cell).copied().unwrap_or(0));
        }
    }

    pub(super) fn memory(&self) -> usize {
        self.heads.capacity() * 4 + self.arena.memory()
    }
}

/// Where in the arena a cell lies that is not left out.
fn place(head: &[u32], cell: u32) -> Option<(u32, u32)> {
    let [block, mask @ ..] = head else { return None };
    let word = mask.get(cell as usize / 32).copied()?;
    let below = mask.get(..cell as usize / 32)?.iter().map(|word| word.count_ones()).sum::<u32>();
    let bit = 1_u32 << (cell % 32);
    (word & bit != 0).then(|| (*block, below + (word & (bit - 1)).count_ones()))
}

/// The bits that are set.
fn users(word: u64) -> impl Iterator<Item = u32> {
    std::iter::successors(Some(word), |rest| Some(rest & rest.wrapping_sub(1)))
        .take_while(|rest| *rest != 0)
        .map(u64::trailing_zeros)
}

/// The places of the bits that are set.
fn bits(mask: &[u32]) -> impl Iterator<Item = usize> {
    mask.iter().enumerate().flat_map(|(place, word)| {
        std::iter::successors(Some(*word), |rest| Some(rest & rest.wrapping_sub(1)))
            .take_while(|rest| *rest != 0)
            .map(move |rest| place * 32 + rest.trailing_zeros() as usize)
    })
}

/// Blocks of cells, in chunks so that none is ever moved to make room.
#[derive(Clone, Debug, Default)]
struct Arena {
    chunks: Vec<Vec<u32>>,
    /// By size: the latest block that is free; each begins with the one before it.
    free: Vec<u32>,
}

impl Arena {
    /// The cells of a block for so many: few sizes, so that blocks are used again.
    fn size(cells: usize) -> usize {
        match cells {
            0..8 => cells,
            8..32 => cells.next_multiple_of(2),
            _ => cells.next_multiple_of(8),
        }
    }

    /// A block from its start to the end of its chunk.
    fn block(&self, block: u32) -> &[u32] {
        let chunk = self.chunks.get(block as usize >> CHUNK_BITS);
        chunk.and_then(|chunk| chunk.get(block as usize % CHUNK..)).unwrap_or_default()
    }

    fn get(&self, block: u32, at: u32) -> u32 {
        self.block(block).get(at as usize).copied().unwrap_or(0)
    }

    fn set(&mut self, block: u32, at: u32, value: u32) {
        let chunk = self.chunks.get_mut(block as usize >> CHUNK_BITS);
        let cell = chunk.and_then(|chunk| chunk.get_mut(block as usize % CHUNK + at as usize));
        cell.into_iter().for_each(|cell| *cell = value);
    }

    /// A block for so many cells, whose content says nothing.
    fn take(&mut self, cells: usize) -> u32 {
        let size = Self::size(cells);
        if let Some(block) = self.free.get(size).copied().filter(|block| *block != NONE) {
            self.free[size] = self.get(block, 0);
            return block;
        }
        let room = |chunk: &Vec<u32>| chunk.capacity() - chunk.len() >= size;
        if !self.chunks.last().is_some_and(room) {
            self.chunks.push(Vec::with_capacity(size.max(CHUNK)));
        }
        let chunk = self.chunks.len() - 1;
        let at = self.chunks[chunk].len();
        self.chunks[chunk].resize(at + size, 0);
        u32::try_from(chunk << CHUNK_BITS | at).unwrap_or(NONE)
    }

    fn free(&mut self, block: u32, cells: usize) {
        let size = Self::size(cells);
        if size == 0 {
            return;
        }
        if self.free.len() <= size {
            self.free.resize(size + 1, NONE);
        }
        let before = std::mem::replace(&mut self.free[size], block);
        self.set(block, 0, before);
    }

    fn memory(&self) -> usize {
        self.chunks.iter().map(|chunk| chunk.capacity() * 4 + 24).sum::<usize>() + self.free.capacity() * 4
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn rows_hold_what_was_put_into_them(
            cells in prop::sample::select(vec![0_usize, 1, 3, 4, 5, 31, 32, 33, 70]),
            changes in prop::collection::vec((0..40_u32, 0..70_u32, 0..3_u32, any::<bool>()), 0..200),
        ) {
            let mut rows = Rows::new(cells);
            let mut model = vec![vec![0_u32; cells]; 40];
            let mut row = Vec::new();
            for (user, cell, value, whole) in changes.into_iter().filter(|(_, cell, ..)| (*cell as usize) < cells) {
                model[user as usize][cell as usize] = value;
                if whole {
                    rows.load(user, &mut row);
                    row[cell as usize] = value;
                    rows.store(user, &row);
                } else {
                    rows.set(user, cell, value);
                }
            }
            for (user, expected) in (0..).zip(&model) {
                rows.load(user, &mut row);
                prop_assert_eq!(&row, expected);
                let one_by_one: Vec<u32> = (0..cells as u32).map(|cell| rows.get(user, cell)).collect();
                prop_assert_eq!(&one_by_one, expected);
            }
            for cell in 0..cells as u32 {
                let (mut seen, among) = (vec![0; 40], 0x5a_ffff_0f0f);
                rows.visit(0, cell, among, |user, value| seen[user as usize] = value);
                let expected = (0..).zip(&model).map(|(user, row)| {
                    if among >> user & 1_u64 == 1 { row[cell as usize] } else { 0 }
                });
                prop_assert_eq!(seen, expected.collect::<Vec<_>>());
            }
        }
    }

    #[test]
    fn room_is_used_again() {
        let mut rows = Rows::new(64);
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
        assert!(rows.memory() <= held + 4 * CHUNK * 4, "{} and then {}", held, rows.memory());
    }
}
