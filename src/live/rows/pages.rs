//! Rows of few cells: a page for 64 users ([`Page`]), and a block for four pages.

use super::arena::{Arena, Bytes};
use super::page::{self, Before, LANES, Page};
use super::{PAGE, TOGETHER, add_room, users};

/// Pages of a block.
const PAGES: usize = TOGETHER / PAGE;
/// Bytes of a unit.
const UNIT: usize = size_of::<Bytes>();

/// The rows of all users; of no more than four cells.
#[derive(Clone, Debug, Default)]
pub(in crate::live) struct Pages {
    /// Lanes of a row: those that some field lies in.
    lanes: usize,
    heads: Vec<Head>,
    arena: Arena<Bytes>,
}

/// Where the pages of a block are.
#[derive(Clone, Copy, Debug, Default)]
struct Head {
    block: u32,
    /// Units of the block.
    units: u16,
    /// Where each page ends. One that has held nothing so far has no bytes.
    ends: [u16; PAGES],
}

impl Pages {
    pub(super) fn new(lanes: usize) -> Self {
        Self { lanes, heads: Vec::new(), arena: Arena::default() }
    }

    pub(super) fn reach(&mut self, users: usize) {
        add_room(&mut self.heads, users.div_ceil(TOGETHER));
    }

    fn head(&self, user: u32) -> Head {
        self.heads.get(user as usize / TOGETHER).copied().unwrap_or_default()
    }

    /// The page of a user, unless it has held nothing so far.
    fn page(&self, user: u32) -> Option<Page<'_>> {
        let head = self.head(user);
        let (there, end) = head.bounds(of_block(user));
        (there < end).then(|| Page::of(self.arena.block(head.block).as_flattened(), there, self.lanes))
    }

    pub(super) fn peek(&self, user: u32) -> u32 {
        // The lines of a processor's cache that a page lies in, without a question that has to wait for an answer.
        let head = self.head(user);
        let (start, _) = head.bounds(of_block(user));
        let block = self.arena.block(head.block).as_flattened();
        let lines = [start, start + 64, start + 128].map(|at| block.get(at).copied().map_or(0, u32::from));
        lines.into_iter().fold(0, |seen, one| seen ^ one)
    }

    /// The planes of some bits of a cell, the lowest first, for 64 users.
    pub(super) fn planes<const N: usize>(&self, first: u32, cell: u32, shift: u32) -> [u64; N] {
        let page = self.page(first);
        page.map_or([0; N], |page| page.planes((cell * 4 + shift / 8) as usize, shift % 8))
    }

    /// Changes the bits of a cell that are wanted; tells which are others then.
    pub(super) fn change(&mut self, user: u32, cell: u32, wanted: u32, to: impl FnOnce(u32) -> u32) -> u32 {
        let first = wanted.trailing_zeros() / 8 * 8;
        let plane = (cell * 32 + first) as usize;
        let page = self.page(user).filter(|_| wanted != 0);
        let before = page.map(|page| page.before(plane / 8)).unwrap_or_default();
        let value =
            page.map_or(0, |page| page.bits(plane / 8, &mut before.clone(), wanted >> first, user) << first);
        let flipped = (to(value) ^ value) & wanted;
        self.reach(user as usize + 1);
        for bit in users(u64::from(flipped)) {
            let (plane, is_first) = ((cell * 32 + bit) as usize, bit / 8 == first / 8);
            self.flip(user, plane, is_first.then_some(before));
        }
        if self.arena.is_loose() {
            self.tighten();
        }
        flipped
    }

    /// Lays all blocks side by side again: those that have grown leave room that is too small for others.
    fn tighten(&mut self) {
        let before = std::mem::take(&mut self.arena);
        for head in &mut self.heads {
            let block = before.block(head.block);
            *head = Head { block: 0, units: 0, ..*head };
            head.fit(0, &mut self.arena);
            let units = usize::from(head.units);
            self.arena
                .block_mut(head.block)
                .iter_mut()
                .zip(block)
                .take(units)
                .for_each(|(to, unit)| *to = *unit);
        }
    }

    /// Turns a bit around, making a page of what has held nothing so far; how much lies before its lane may be known.
    fn flip(&mut self, user: u32, plane: usize, before: Option<Before>) {
        let (start, end) = self.head(user).bounds(of_block(user));
        if start == end {
            (0..self.lanes).for_each(|_| self.insert(user, start, 0));
        }
        let place =
            |page: Page<'_>| page.place(user, plane, before.unwrap_or_else(|| page.before(plane / 8)));
        let Some(place) = self.page(user).and_then(place) else { return };
        let (group, bit) = (1 << (user / 8 % 8), 1 << (user % 8));
        if place.says & group == 0 {
            self.insert(user, place.byte, bit);
            if place.says == 0 {
                self.insert(user, place.mask, group);
                self.flip_bits(user, place.lane, 1 << (plane % 8));
            } else {
                self.flip_bits(user, place.mask, group);
            }
        } else if self.flip_bits(user, place.byte, bit) == 0 {
            self.remove(user, place.byte);
            if self.flip_bits(user, place.mask, group) == 0 {
                self.remove(user, place.mask);
                self.flip_bits(user, place.lane, 1 << (plane % 8));
            }
        }
    }

    /// Turns bits of a byte around; tells what it says then.
    fn flip_bits(&mut self, user: u32, at: usize, bits: u8) -> u8 {
        let block = self.arena.block_mut(self.head(user).block).as_flattened_mut();
        let Some(byte) = block.get_mut(at) else { return 0 };
        *byte ^= bits;
        *byte
    }

    /// Puts a byte into a page.
    fn insert(&mut self, user: u32, at: usize, value: u8) {
        let Some(head) = self.heads.get_mut(user as usize / TOGETHER) else { return };
        let total = head.bytes();
        head.ends[of_block(user)..].iter_mut().for_each(|end| *end += 1);
        head.fit(total, &mut self.arena);
        let bytes = self.arena.block_mut(head.block).as_flattened_mut();
        bytes.copy_within(at..total, at + 1);
        bytes.get_mut(at).into_iter().for_each(|byte| *byte = value);
    }

    /// Takes a byte out of a page.
    fn remove(&mut self, user: u32, at: usize) {
        let Some(head) = self.heads.get_mut(user as usize / TOGETHER) else { return };
        let total = head.bytes();
        head.ends[of_block(user)..].iter_mut().for_each(|end| *end -= 1);
        self.arena.block_mut(head.block).as_flattened_mut().copy_within(at + 1..total, at);
        head.fit(total - 1, &mut self.arena);
    }

    pub(super) fn load(&self, user: u32, row: &mut Vec<u32>) {
        row.clear();
        row.resize(self.lanes.div_ceil(LANES), 0);
        let Some(page) = self.page(user) else { return };
        let mut before = (0, 0);
        for (cell, first) in row.iter_mut().zip((0..).step_by(LANES)) {
            *cell = page.bits(first, &mut before, u32::MAX, user);
        }
    }

    pub(super) fn store(&mut self, user: u32, row: &[u32]) {
        for (cell, value) in (0..).zip(row) {
            self.change(user, cell, u32::MAX, |_| *value);
        }
    }

    /// Sets the rows of users from one on, those of all the pages of a block, who have none so far.
    pub(super) fn fill(&mut self, first: u32, rows: &[u32]) {
        let cells = self.lanes.div_ceil(LANES);
        let (mut head, mut bytes) = (Head::default(), Vec::new());
        for (place, rows) in rows.chunks(PAGE * cells.max(1)).enumerate() {
            page::write(rows, cells, self.lanes, &mut bytes);
            head.ends
                .iter_mut()
                .skip(place)
                .for_each(|end| *end = u16::try_from(bytes.len()).unwrap_or(u16::MAX));
        }
        head.fit(0, &mut self.arena);
        let block = self.arena.block_mut(head.block).as_flattened_mut();
        block.iter_mut().zip(&bytes).for_each(|(to, byte)| *to = *byte);
        self.reach(first as usize + TOGETHER);
        self.heads.get_mut(first as usize / TOGETHER).into_iter().for_each(|to| *to = head);
    }

    pub(super) fn memory(&self) -> usize {
        self.heads.capacity() * size_of::<Head>() + self.arena.memory()
    }
}

impl Head {
    /// Where a page starts and ends.
    fn bounds(&self, page: usize) -> (usize, usize) {
        let end = |page: usize| self.ends.get(page).copied().map_or(0, usize::from);
        (page.checked_sub(1).map_or(0, end), end(page))
    }

    /// Bytes that are in the block.
    fn bytes(&self) -> usize {
        usize::from(self.ends[PAGES - 1])
    }

    /// Moves so many bytes to another block, where the one is too small or too large.
    fn fit(&mut self, bytes: usize, arena: &mut Arena<Bytes>) {
        let (needed, units) = (self.bytes().div_ceil(UNIT), usize::from(self.units));
        if units == needed || units == needed + 1 {
            return;
        }
        let larger = !arena.has_free(needed) && arena.has_free(needed + 1);
        let taken = needed + usize::from(larger);
        let block = if taken == 0 { 0 } else { arena.take(taken) };
        arena.copy(self.block, block, bytes.div_ceil(UNIT));
        arena.free(self.block, units);
        (self.block, self.units) = (block, u16::try_from(taken).unwrap_or(0));
    }
}

/// The page of its block that a user is in.
fn of_block(user: u32) -> usize {
    user as usize / PAGE % PAGES
}
