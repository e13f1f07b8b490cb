//! Rows of few cells: a page for 64 users, of the bytes that are not 0.
//!
//! Which bytes those are say the masks of its head: one for each byte of a row (a *lane*), with a bit for each user. The
//! bytes lie in a block, lane by lane, so that one is found by counting the bits of one mask below that of its user.

use super::arena::{Arena, Bytes};
use super::{add_room, users};

/// Users of a page.
const USERS: usize = 64;
/// Lanes of a cell.
const LANES: usize = 4;
/// Bits of the number that tells where the bytes of a lane start: before the last of 16 lanes come 960 at most.
const BITS: usize = 10;
/// Such numbers in a word.
const STARTS: usize = 6;
/// One in each of them.
const ONES: u64 = 0x0004_0100_4010_0401;
/// Bytes of a unit.
const UNIT: usize = size_of::<Bytes>();

/// The rows of all users; of no more than four cells.
#[derive(Clone, Debug, Default)]
pub(in crate::live) struct Pages {
    /// Lanes of a row: those that some field lies in.
    lanes: usize,
    /// Words of a head before its masks.
    before: usize,
    /// Words of a head.
    stride: usize,
    /// By page: where its block is, where each lane starts in it, and the mask of each lane.
    heads: Vec<u64>,
    arena: Arena<Bytes>,
}

impl Pages {
    pub(super) fn new(lanes: usize) -> Self {
        let before = 1 + lanes.div_ceil(STARTS);
        Self { lanes, before, stride: before + lanes, heads: Vec::new(), arena: Arena::default() }
    }

    pub(super) fn reach(&mut self, users: usize) {
        let words = users.div_ceil(USERS) * self.stride;
        add_room(&mut self.heads, words);
    }

    fn head(&self, user: u32) -> &[u64] {
        let start = user as usize / USERS * self.stride;
        self.heads.get(start..start + self.stride).unwrap_or_default()
    }

    /// The bytes of a block, and what follows it.
    fn bytes(&self, block: u32) -> &[u8] {
        self.arena.block(block).as_flattened()
    }

    pub(super) fn peek(&self, user: u32) -> u32 {
        // The lines of a processor's cache that a page lies in, without a question that has to wait for an answer.
        let head = self.head(user);
        let bytes = self.bytes(Place::of(head).block);
        let of_head = [8, self.stride.saturating_sub(1)].map(|at| head.get(at).copied().unwrap_or(0) as u32);
        let of_block = [0, 64, 128].map(|at| bytes.get(at).copied().map_or(0, u32::from));
        of_head.into_iter().chain(of_block).fold(0, |seen, one| seen ^ one)
    }

    pub(super) fn get(&self, user: u32, cell: u32) -> u32 {
        let head = self.head(user);
        let first = cell as usize * LANES;
        let masks = head.get(self.before + first..).unwrap_or_default();
        let mut value = 0;
        for (lane, mask) in masks.iter().enumerate().take(LANES) {
            if mask >> (user % 64) & 1 == 1 {
                let at = start(head, first + lane) + below(*mask, user);
                let byte = self.bytes(Place::of(head).block).get(at).copied().unwrap_or(0);
                value |= u32::from(byte) << (lane * 8);
            }
        }
        value
    }

    /// Only that byte of the cell is told.
    pub(super) fn visit(
        &self,
        first: u32,
        (cell, byte): (u32, u32),
        among: u64,
        mut visit: impl FnMut(u32, u32),
    ) {
        let head = self.head(first);
        let lane = cell as usize * LANES + byte as usize;
        let mask = head.get(self.before + lane).copied().unwrap_or(0);
        let bytes = self.bytes(Place::of(head).block).get(start(head, lane)..).unwrap_or_default();
        for (user, value) in users(mask).zip(bytes) {
            if among >> user & 1 == 1 {
                visit(user, u32::from(*value) << (byte * 8));
            }
        }
    }

    /// Sets a cell that has been `before`.
    pub(super) fn replace(&mut self, user: u32, cell: u32, before: u32, after: u32) {
        self.reach(user as usize + 1);
        let mut differs = before ^ after;
        while differs != 0 {
            let byte = differs.trailing_zeros() / 8;
            differs &= !(0xff << (byte * 8));
            self.put(user, cell as usize * LANES + byte as usize, (after >> (byte * 8)) as u8);
        }
    }

    /// Sets a byte.
    fn put(&mut self, user: u32, lane: usize, value: u8) {
        let (begin, words, before) = (user as usize / USERS * self.stride, self.stride, self.before);
        let Some(head) = self.heads.get_mut(begin..begin + words) else { return };
        let Some(mask) = head.get(before + lane).copied() else { return };
        let (bit, mut place) = (1 << (user % 64), Place::of(head));
        let (at, total) = (start(head, lane) + below(mask, user), usize::from(place.bytes));
        match (mask & bit != 0, value) {
            (false, 0) => return,
            (true, 0) => {
                let bytes = self.arena.block_mut(place.block).as_flattened_mut();
                bytes.copy_within(at + 1..total, at);
                place.bytes -= 1;
                place.fit(total - 1, &mut self.arena);
            }
            (is_there, _) => {
                if !is_there {
                    place.bytes += 1;
                    place.fit(total, &mut self.arena);
                }
                let bytes = self.arena.block_mut(place.block).as_flattened_mut();
                if !is_there {
                    bytes.copy_within(at..total, at + 1);
                }
                bytes.get_mut(at).into_iter().for_each(|byte| *byte = value);
                if is_there {
                    return;
                }
            }
        }
        place.put(head);
        head.get_mut(before + lane).into_iter().for_each(|mask| *mask ^= bit);
        move_starts(head.get_mut(1..before).unwrap_or_default(), lane, value != 0);
    }

    pub(super) fn load(&self, user: u32, row: &mut Vec<u32>) {
        row.clear();
        row.resize(self.lanes.div_ceil(LANES), 0);
        let head = self.head(user);
        let masks = head.get(self.before..).unwrap_or_default();
        let bit = |mask: &u64| (mask >> (user % 64)) as u32 & 1;
        let there = (0..).zip(masks).fold(0, |lanes, (lane, mask)| lanes | bit(mask) << lane);
        let bytes = self.bytes(Place::of(head).block);
        for lane in users(u64::from(there)).map(|lane| lane as usize) {
            let at = start(head, lane) + masks.get(lane).map_or(0, |mask| below(*mask, user));
            if let (Some(cell), Some(byte)) = (row.get_mut(lane / LANES), bytes.get(at)) {
                *cell |= u32::from(*byte) << (lane % LANES * 8);
            }
        }
    }

    pub(super) fn store(&mut self, user: u32, row: &[u32]) {
        for (cell, value) in (0..).zip(row) {
            self.replace(user, cell, self.get(user, cell), *value);
        }
    }

    pub(super) fn memory(&self) -> usize {
        self.heads.capacity() * 8 + self.arena.memory()
    }
}

/// The block of a page.
#[derive(Clone, Copy, Debug, Default)]
struct Place {
    block: u32,
    /// Units of the block.
    units: u16,
    /// Bytes that are in it.
    bytes: u16,
}

impl Place {
    fn of(head: &[u64]) -> Self {
        let word = head.first().copied().unwrap_or(0);
        Self { block: word as u32, units: (word >> 32) as u16, bytes: (word >> 48) as u16 }
    }

    fn put(self, head: &mut [u64]) {
        let word = u64::from(self.bytes) << 48 | u64::from(self.units) << 32 | u64::from(self.block);
        head.first_mut().into_iter().for_each(|place| *place = word);
    }

    /// Moves so many bytes to another block, where the one is too small or too large.
    fn fit(&mut self, bytes: usize, arena: &mut Arena<Bytes>) {
        let (needed, units) = (usize::from(self.bytes).div_ceil(UNIT), usize::from(self.units));
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

/// Where the bytes of a lane start.
fn start(head: &[u64], lane: usize) -> usize {
    let starts = head.get(1 + lane / STARTS).copied().unwrap_or(0);
    (starts >> (lane % STARTS * BITS)) as usize & ((1 << BITS) - 1)
}

/// A lane has one byte more, or one less: those after it start one later, or one earlier.
fn move_starts(starts: &mut [u64], lane: usize, more: bool) {
    for (word, first) in starts.iter_mut().zip((0..).step_by(STARTS)) {
        let up_to = (lane + 1).saturating_sub(first).min(STARTS);
        let ones = ONES << (up_to * BITS) & ((1 << (STARTS * BITS)) - 1);
        *word = if more { word.wrapping_add(ones) } else { word.wrapping_sub(ones) };
    }
}

/// How many users have a byte in a lane that come before one.
fn below(mask: u64, user: u32) -> usize {
    (mask & ((1 << (user % 64)) - 1)).count_ones() as usize
}
