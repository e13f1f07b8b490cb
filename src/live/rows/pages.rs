//! Rows of few cells: of each bit of a row, which of 64 users have it.
//!
//! That is a *plane*, a word of 8 bytes, and most bytes of most planes are 0: a mask tells which are not, and only those
//! are kept. A *page* holds the planes of 64 users that are not all 0: which those are, bit by bit (a byte for 8 planes: a
//! *lane*), their masks, and their bytes, one after the other. Four pages share a block.

use super::arena::{Arena, Bytes};
use super::{PAGE, add_room, users};

/// Pages of a block.
const PAGES: usize = 4;
/// Lanes of a cell.
const LANES: usize = 4;
/// Planes of the largest row.
const PLANES: usize = super::FEW * 32;
/// The bits of each byte: not every processor that this is built for counts them.
const ONES: [u8; 256] = {
    let mut ones = [0; 256];
    let mut byte = 1;
    while byte < 256 {
        ones[byte] = ones[byte / 2] + (byte % 2) as u8;
        byte += 1;
    }
    ones
};
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

/// What is kept of a page: where in a block it tells which planes are there, their masks, and their bytes.
#[derive(Clone, Copy)]
struct Page<'a> {
    block: &'a [u8],
    lanes: usize,
    there: usize,
    masks: usize,
    bytes: usize,
}

/// The place of a user's bit in a block, whether it is there or would have to be put in.
struct Place {
    lane: usize,
    mask: usize,
    byte: usize,
    /// What the mask says; 0 where the plane is not there.
    says: u8,
}

impl Pages {
    pub(super) fn new(lanes: usize) -> Self {
        Self { lanes, heads: Vec::new(), arena: Arena::default() }
    }

    pub(super) fn reach(&mut self, users: usize) {
        add_room(&mut self.heads, users.div_ceil(PAGE * PAGES));
    }

    fn head(&self, user: u32) -> Head {
        self.heads.get(user as usize / (PAGE * PAGES)).copied().unwrap_or_default()
    }

    /// The page of a user, unless it has held nothing so far.
    fn page(&self, user: u32) -> Option<Page<'_>> {
        let head = self.head(user);
        let (there, end) = head.bounds(of_block(user));
        let block = self.arena.block(head.block).as_flattened();
        let masks = there + self.lanes;
        let bytes = masks + ones_of(block, there, self.lanes);
        (there < end).then_some(Page { block, lanes: self.lanes, there, masks, bytes })
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
        let mut words = [0; N];
        let Some(page) = self.page(first) else { return words };
        let (lane, shift) = ((cell * 4 + shift / 8) as usize, shift % 8);
        page.walk(lane, &mut page.before(lane), ((1 << N) - 1) << shift, |plane, mask, at| {
            if let Some(word) = words.get_mut((plane - shift) as usize) {
                *word = spread(mask, page.block.get(at..).unwrap_or_default());
            }
        });
        words
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

    /// Turns a bit around; how much lies before its lane may be known.
    fn flip(&mut self, user: u32, plane: usize, before: Option<(usize, usize)>) {
        let (group, bit) = (1 << (user / 8 % 8), 1 << (user % 8));
        let Some(place) = self.place(user, plane, before) else { return };
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

    /// Where a user's bit is; a page that has held nothing is made.
    fn place(&mut self, user: u32, plane: usize, before: Option<(usize, usize)>) -> Option<Place> {
        let (start, end) = self.head(user).bounds(of_block(user));
        if start == end {
            (0..self.lanes).for_each(|_| self.insert(user, start, 0));
        }
        let page = self.page(user)?;
        let (lane, bit) = (plane / 8, plane % 8);
        let there = page.block.get(page.there + lane).copied()?;
        let mut before = before.unwrap_or_else(|| page.before(lane));
        page.walk(lane, &mut before, (1 << bit) - 1, |_, _, _| ());
        let (planes, bytes) = before;
        let says = if there >> bit & 1 == 1 { page.mask(planes) } else { 0 };
        let byte = page.bytes + bytes + ones(says & ((1 << (user / 8 % 8)) - 1));
        Some(Place { lane: page.there + lane, mask: page.masks + planes, byte, says })
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
        let Some(head) = self.heads.get_mut(user as usize / (PAGE * PAGES)) else { return };
        let total = head.bytes();
        head.ends[of_block(user)..].iter_mut().for_each(|end| *end += 1);
        head.fit(total, &mut self.arena);
        let bytes = self.arena.block_mut(head.block).as_flattened_mut();
        bytes.copy_within(at..total, at + 1);
        bytes.get_mut(at).into_iter().for_each(|byte| *byte = value);
    }

    /// Takes a byte out of a page.
    fn remove(&mut self, user: u32, at: usize) {
        let Some(head) = self.heads.get_mut(user as usize / (PAGE * PAGES)) else { return };
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
        for (page, rows) in rows.chunks(PAGE * cells.max(1)).enumerate() {
            write(rows, cells, self.lanes, &mut bytes);
            head.ends
                .iter_mut()
                .skip(page)
                .for_each(|end| *end = u16::try_from(bytes.len()).unwrap_or(u16::MAX));
        }
        head.fit(0, &mut self.arena);
        let block = self.arena.block_mut(head.block).as_flattened_mut();
        block.iter_mut().zip(&bytes).for_each(|(to, byte)| *to = *byte);
        self.reach(first as usize + PAGE * PAGES);
        self.heads.get_mut(first as usize / (PAGE * PAGES)).into_iter().for_each(|to| *to = head);
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

impl Page<'_> {
    fn mask(&self, plane: usize) -> u8 {
        self.block.get(self.masks + plane).copied().unwrap_or(0)
    }

    /// How many planes lie before a lane, and how many bytes.
    fn before(&self, lane: usize) -> (usize, usize) {
        let planes = ones_of(self.block, self.there, lane);
        (planes, ones_of(self.block, self.masks, planes))
    }

    /// Visits those planes that are wanted, and are there, of up to four lanes: the bit of each, its mask, and where its
    /// bytes are. So many planes and bytes lie before the first lane; goes on behind the last that is wanted.
    fn walk(
        &self,
        lane: usize,
        (planes, bytes): &mut (usize, usize),
        wanted: u32,
        mut visit: impl FnMut(u32, u8, usize),
    ) {
        let lanes = self.lanes.saturating_sub(lane).min(LANES);
        let reach = u64::MAX >> wanted.leading_zeros() >> 32;
        let there = first_of(word(self.block, self.there + lane), lanes) & reach;
        for plane in users(there) {
            let mask = self.mask(*planes);
            if wanted >> plane & 1 == 1 {
                visit(plane, mask, self.bytes + *bytes);
            }
            *planes += 1;
            *bytes += ones(mask);
        }
    }

    /// The bits of a user that are wanted, of up to four lanes.
    fn bits(&self, lane: usize, before: &mut (usize, usize), wanted: u32, user: u32) -> u32 {
        let (group, mut value) = (user / 8 % 8, 0);
        self.walk(lane, before, wanted, |plane, mask, at| {
            if mask >> group & 1 == 1 {
                let byte = self.block.get(at + ones(mask & ((1 << group) - 1))).copied().unwrap_or(0);
                value |= u32::from(byte >> (user % 8) & 1) << plane;
            }
        });
        value
    }
}

/// Writes a page.
fn write(rows: &[u32], cells: usize, lanes: usize, out: &mut Vec<u8>) {
    let mut planes = [0_u64; PLANES];
    for (user, row) in rows.chunks(cells.max(1)).enumerate() {
        for (value, first) in row.iter().zip((0..).step_by(32)) {
            for bit in users(u64::from(*value)) {
                planes.get_mut(first + bit as usize).into_iter().for_each(|plane| *plane |= 1 << user);
            }
        }
    }
    let there = planes
        .chunks(8)
        .take(lanes)
        .map(|lane| (0..).zip(lane).fold(0, |there, (plane, word)| there | u8::from(*word != 0) << plane));
    out.extend(there);
    let words = || planes.iter().map(|plane| plane.to_le_bytes()).filter(|word| *word != [0; 8]);
    out.extend(
        words()
            .map(|word| (0..).zip(word).fold(0, |mask, (group, byte)| mask | u8::from(byte != 0) << group)),
    );
    out.extend(words().flatten().filter(|byte| *byte != 0));
}

/// The page of its block that a user is in.
fn of_block(user: u32) -> usize {
    user as usize / PAGE % PAGES
}

/// The plane of a mask and the bytes that follow.
fn spread(mask: u8, bytes: &[u8]) -> u64 {
    if let (u8::MAX, Some(all)) = (mask, bytes.first_chunk()) {
        return u64::from_le_bytes(*all);
    }
    let groups = users(u64::from(mask)).zip(bytes);
    groups.fold(0, |word, (group, byte)| word | u64::from(*byte) << (group * 8))
}

/// The bits that are set.
fn ones(byte: u8) -> usize {
    usize::from(ONES[usize::from(byte)])
}

/// The bits that are set in some bytes, of which there are 128 at most.
fn ones_of(block: &[u8], from: usize, count: usize) -> usize {
    let mut of_bytes = 0;
    for at in (0..count).step_by(8) {
        let mut word = first_of(word(block, from + at), count - at);
        word -= word >> 1 & 0x5555_5555_5555_5555;
        word = (word & 0x3333_3333_3333_3333) + (word >> 2 & 0x3333_3333_3333_3333);
        of_bytes += (word + (word >> 4)) & 0x0f0f_0f0f_0f0f_0f0f;
    }
    let of_pairs = (of_bytes & 0x00ff_00ff_00ff_00ff) + (of_bytes >> 8 & 0x00ff_00ff_00ff_00ff);
    (of_pairs.wrapping_mul(0x0001_0001_0001_0001) >> 48) as usize
}

/// Eight bytes; what is behind the end is 0.
fn word(block: &[u8], at: usize) -> u64 {
    let rest = block.get(at..).unwrap_or_default();
    rest.first_chunk().map_or_else(
        || rest.iter().rev().fold(0, |word, byte| word << 8 | u64::from(*byte)),
        |word| u64::from_le_bytes(*word),
    )
}

/// The first bytes of a word.
fn first_of(word: u64, bytes: usize) -> u64 {
    match bytes {
        0 => 0,
        1..8 => word & u64::MAX >> (64 - bytes * 8),
        _ => word,
    }
}
