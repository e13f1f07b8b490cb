//! Rows of few cells: a page for 64 users ([`Page`]), and a block for four pages.

use super::arena::{Arena, Bytes};
use super::page::{self, Before, LANES, Page, Place};
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

    /// Makes room for rows of so many lanes: of each page the new ones come behind the others.
    pub(super) fn widen(&mut self, lanes: usize) {
        let new = lanes.saturating_sub(self.lanes);
        if new == 0 {
            return;
        }
        self.lanes = lanes;
        let before = std::mem::take(&mut self.arena);
        let mut bytes = Vec::new();
        for head in &mut self.heads {
            let block = before.block(head.block).as_flattened();
            let pages = [0, 1, 2, 3].map(|page| head.bounds(page));
            bytes.clear();
            for (page, (start, end)) in pages.into_iter().enumerate() {
                if let Some((there, rest)) =
                    block.get(start..end).and_then(|page| page.split_at_checked(lanes - new))
                {
                    bytes.extend_from_slice(there);
                    bytes.resize(bytes.len() + new, 0);
                    bytes.extend_from_slice(rest);
                }
                head.ends[page] = u16::try_from(bytes.len()).unwrap_or(u16::MAX);
            }
            *head = Head { block: 0, units: 0, ..*head };
            head.fit(0, &mut self.arena);
            let to = self.arena.block_mut(head.block).as_flattened_mut();
            to.iter_mut().zip(&bytes).for_each(|(to, byte)| *to = *byte);
        }
    }

    pub(super) fn reach(&mut self, users: usize) {
        add_room(&mut self.heads, users.div_ceil(TOGETHER));
    }

    fn head(&self, user: u32) -> Head {
        self.heads.get(user as usize / TOGETHER).copied().unwrap_or_default()
    }

    /// The page of a user and its block, unless it has held nothing so far.
    fn page(&self, user: u32) -> Option<(Page, &[u8])> {
        let head = self.head(user);
        let (there, end) = head.bounds(of_block(user));
        let block = self.arena.block(head.block).as_flattened();
        (there < end).then(|| (Page::of(block, there, self.lanes), block))
    }

    #[inline]
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
        page.map_or([0; N], |(page, block)| page.planes(block, (cell * 4 + shift / 8) as usize, shift % 8))
    }

    /// Changes the bits of a cell that are wanted; tells which are others then.
    pub(super) fn change(&mut self, user: u32, cell: u32, wanted: u32, to: impl FnOnce(u32) -> u32) -> u32 {
        let of_cell = wanted.trailing_zeros() / 8;
        let (lane, first) = (cell as usize * LANES + of_cell as usize, of_cell * 8);
        let known = self.page(user).filter(|_| wanted != 0).map(|(page, block)| {
            let before = page.before(block, lane);
            (page, before, page.bits(block, lane, &mut before.clone(), wanted >> first, user) << first)
        });
        let value = known.map_or(0, |(.., value)| value);
        let flipped = (to(value) ^ value) & wanted;
        if flipped != 0 {
            let (mut page, before) =
                known.map_or_else(|| (self.empty_page(user), (0, 0)), |(page, before, _)| (page, before));
            for bit in users(u64::from(flipped)) {
                page = self.flip(user, page, (lane, bit - first), before);
            }
            if self.arena.is_loose() {
                self.tighten();
            }
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
            let to = self.arena.block_mut(head.block);
            let units = usize::from(head.units).min(block.len()).min(to.len());
            to[..units].copy_from_slice(&block[..units]);
        }
    }

    /// Makes the page of a user, which has held nothing so far.
    fn empty_page(&mut self, user: u32) -> Page {
        self.reach(user as usize + 1);
        let (start, _) = self.head(user).bounds(of_block(user));
        let lanes = self.lanes;
        self.open(user, start, lanes)[start..start + lanes].fill(0);
        Page::of(&[], start, lanes)
    }

    /// Turns a bit around, so many planes from a lane on, before which lies so much; tells how the page is then.
    fn flip(&mut self, user: u32, page: Page, bit: (usize, u32), before: Before) -> Page {
        let block = self.arena.block(self.head(user).block).as_flattened();
        let Place { lane, mask, byte, says } = page.place(block, user, bit, before);
        let (group, plane, bit) = (1 << (user / 8 % 8), 1 << (bit.1 % 8), 1 << (user % 8));
        // Whether the plane comes or goes with its byte.
        let is_whole = says & !group == 0;
        let bytes = 1 + usize::from(is_whole);
        if says & group == 0 {
            let block = self.open(user, byte, bytes);
            if is_whole {
                block.copy_within(mask..byte, mask + 1);
                block[mask] = 0;
                block[lane] |= plane;
            }
            block[mask] |= group;
            block[byte + bytes - 1] = bit;
            return if is_whole { page.with_plane() } else { page };
        }
        let block = self.arena.block_mut(self.head(user).block).as_flattened_mut();
        block[byte] ^= bit;
        if block[byte] != 0 {
            return page;
        }
        block[mask] ^= group;
        if is_whole {
            block[lane] ^= plane;
            block.copy_within(mask + 1..byte, mask);
        }
        self.close(user, byte + 1 - bytes, bytes);
        if is_whole { page.without_plane() } else { page }
    }

    /// Makes room for so many bytes in a page; the block then.
    fn open(&mut self, user: u32, at: usize, bytes: usize) -> &mut [u8] {
        let Some(head) = self.heads.get_mut(user as usize / TOGETHER) else { return &mut [] };
        let total = head.bytes();
        head.grow(of_block(user), bytes as i16);
        head.fit(total, &mut self.arena);
        let block = self.arena.block_mut(head.block).as_flattened_mut();
        block.copy_within(at..total, at + bytes);
        block
    }

    /// Takes so many bytes out of a page.
    fn close(&mut self, user: u32, at: usize, bytes: usize) {
        let Some(head) = self.heads.get_mut(user as usize / TOGETHER) else { return };
        let total = head.bytes();
        head.grow(of_block(user), -(bytes as i16));
        self.arena.block_mut(head.block).as_flattened_mut().copy_within(at + bytes..total, at);
        head.fit(total - bytes, &mut self.arena);
    }

    pub(super) fn load(&self, user: u32, row: &mut Vec<u32>) {
        row.clear();
        row.resize(self.lanes.div_ceil(LANES), 0);
        let Some((page, block)) = self.page(user) else { return };
        let mut before = (0, 0);
        for (cell, first) in row.iter_mut().zip((0..).step_by(LANES)) {
            *cell = page.bits(block, first, &mut before, u32::MAX, user);
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

    /// A page takes so many bytes more, or less.
    fn grow(&mut self, page: usize, bytes: i16) {
        let ends = self.ends.get_mut(page..).unwrap_or_default();
        ends.iter_mut().for_each(|end| *end = end.saturating_add_signed(bytes));
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
