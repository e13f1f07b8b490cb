//! Rows of many cells: a block a user, of the cells that are not 0.

use super::arena::Arena;
use super::{add_room, users};

/// Users that are looked ahead at together.
const AT_ONCE: usize = 32;
/// Cells of a line of a processor's cache.
const LINE: u32 = 16;

/// The rows of all users.
#[derive(Clone, Debug, Default)]
pub(in crate::live) struct Blocks {
    cells: usize,
    /// By user: where the block is that holds the cells that are not 0, and, bit by bit, which those are. A cell that
    /// has become 0 may be among them.
    heads: Vec<u32>,
    arena: Arena<u32>,
}

impl Blocks {
    pub(super) fn new(cells: usize) -> Self {
        Self { cells, heads: Vec::new(), arena: Arena::default() }
    }

    /// Words of a head.
    fn stride(&self) -> usize {
        1 + self.cells.div_ceil(32)
    }

    /// Makes room for rows of so many cells.
    pub(super) fn widen(&mut self, cells: usize) {
        let before = self.stride();
        self.cells = cells;
        let after = self.stride();
        if after == before {
            return;
        }
        let heads = std::mem::take(&mut self.heads);
        self.heads.reserve_exact(heads.len() / before * after);
        for head in heads.chunks(before) {
            self.heads.extend_from_slice(head);
            self.heads.resize(self.heads.len() + after - before, 0);
        }
    }

    pub(super) fn reach(&mut self, users: usize) {
        let words = users * self.stride();
        add_room(&mut self.heads, words);
    }

    fn head(&self, user: u32) -> &[u32] {
        let start = user as usize * self.stride();
        self.heads.get(start..start + self.stride()).unwrap_or_default()
    }

    pub(super) fn peek(&self, users: &[u32]) -> u32 {
        let mut seen = 0;
        for users in users.chunks(AT_ONCE) {
            let mut blocks = [0; AT_ONCE];
            let heads = users.iter().map(|user| self.head(*user).first().copied().unwrap_or(0));
            blocks.iter_mut().zip(heads).for_each(|(block, head)| *block = head);
            // The first two lines of a processor's cache, of whoever has no block those of another.
            let lines = |block: &u32| self.arena.get(*block, 0) ^ self.arena.get(*block, LINE);
            seen = blocks[..users.len()].iter().fold(seen, |seen, block| seen ^ lines(block));
        }
        seen
    }

    pub(super) fn visit(&self, first: u32, cell: u32, among: u64, mut visit: impl FnMut(u32, u32)) {
        let (start, words) = (first as usize * self.stride(), self.stride());
        let heads = self.heads.get(start..).unwrap_or_default();
        let head =
            |user: u32| heads.get(user as usize * words..(user as usize + 1) * words).unwrap_or_default();
        let (word, bit) = (1 + cell as usize / 32, cell % 32);
        let is_there = |head: &[u32]| u64::from(head.get(word).is_some_and(|word| word >> bit & 1 == 1));
        let there = (0..64).zip(heads.chunks_exact(words)).map(|(user, head)| is_there(head) << user);
        for user in users(there.fold(0, |all, one| all | one) & among) {
            if let Some((block, at)) = place(head(user), cell) {
                visit(user, self.arena.get(block, at));
            }
        }
    }

    /// Changes a cell; tells which bits are others then.
    pub(super) fn change(&mut self, user: u32, cell: u32, to: impl FnOnce(u32) -> u32) -> u32 {
        let place = place(self.head(user), cell);
        let before = place.map_or(0, |(block, at)| self.arena.get(block, at));
        let after = to(before);
        match place {
            _ if after == before => {}
            Some((block, at)) => self.arena.set(block, at, after),
            None => self.add(user, cell, after),
        }
        before ^ after
    }

    /// Puts in a cell that has been left out.
    fn add(&mut self, user: u32, cell: u32, value: u32) {
        let mut row = Vec::new();
        self.load(user, &mut row);
        row.get_mut(cell as usize).into_iter().for_each(|have| *have = value);
        self.store(user, &row);
    }

    pub(super) fn load(&self, user: u32, row: &mut Vec<u32>) {
        row.clear();
        row.resize(self.cells, 0);
        let [block, mask @ ..] = self.head(user) else { return };
        for (cell, value) in bits(mask).zip(self.arena.block(*block)) {
            row.get_mut(cell).into_iter().for_each(|have| *have = *value);
        }
    }

    pub(super) fn store(&mut self, user: u32, row: &[u32]) {
        self.reach(user as usize + 1);
        let (start, words) = (user as usize * self.stride(), self.stride());
        let Some(head) = self.heads.get_mut(start..start + words) else { return };
        let [block, mask @ ..] = head else { return };
        let has_room =
            |(cell, _): &(usize, &u32)| mask.get(cell / 32).is_some_and(|word| word >> (cell % 32) & 1 == 1);
        let not_zero = || row.iter().enumerate().filter(|(_, value)| **value != 0);
        if !not_zero().all(|one| has_room(&one)) {
            self.arena.free(*block, size(bits(mask).count()));
            mask.fill(0);
            for (cell, _) in not_zero() {
                mask.get_mut(cell / 32).into_iter().for_each(|word| *word |= 1 << (cell % 32));
            }
            *block = self.arena.take(size(bits(mask).count()));
        }
        for (at, cell) in (0..).zip(bits(mask)) {
            self.arena.set(*block, at, row.get(cell).copied().unwrap_or(0));
        }
    }

    /// Sets the rows of users from one on, who have none so far.
    pub(super) fn fill(&mut self, first: u32, rows: &[u32]) {
        for (user, row) in (first..).zip(rows.chunks(self.cells.max(1))) {
            if row.iter().any(|cell| *cell != 0) {
                self.store(user, row);
            }
        }
    }

    pub(super) fn memory(&self) -> usize {
        self.heads.capacity() * 4 + self.arena.memory()
    }
}

/// The size of a block for so many cells: few sizes, so that blocks are used again.
fn size(cells: usize) -> usize {
    match cells {
        0..8 => cells,
        8..32 => cells.next_multiple_of(2),
        _ => cells.next_multiple_of(8),
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

/// The places of the bits that are set.
fn bits(mask: &[u32]) -> impl Iterator<Item = usize> {
    mask.iter().enumerate().flat_map(|(place, word)| {
        std::iter::successors(Some(*word), |rest| Some(rest & rest.wrapping_sub(1)))
            .take_while(|rest| *rest != 0)
            .map(move |rest| place * 32 + rest.trailing_zeros() as usize)
    })
}
