//! A page: of each bit of a row, which of 64 users have it.
//!
//! That is a *plane*, a word of 8 bytes, and most bytes of most planes are 0: a mask tells which are not, and only those
//! are kept. Of the planes that are not all 0 a page tells which those are, bit by bit (a byte for 8 planes: a *lane*), then
//! their masks, then their bytes.

use super::users;

/// Lanes of a cell.
pub(super) const LANES: usize = 4;
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

/// Where in a block a page tells which planes are there, their masks, and their bytes.
#[derive(Clone, Copy)]
pub(super) struct Page {
    lanes: usize,
    there: usize,
    masks: usize,
    bytes: usize,
}

/// The place of a user's bit in a block, whether it is there or would have to be put in.
pub(super) struct Place {
    pub(super) lane: usize,
    pub(super) mask: usize,
    pub(super) byte: usize,
    /// What the mask says; 0 where the plane is not there.
    pub(super) says: u8,
}

/// How many planes lie before a lane, and how many bytes.
pub(super) type Before = (usize, usize);

impl Page {
    /// The page of rows of so many lanes that starts there.
    #[inline]
    pub(super) fn of(block: &[u8], there: usize, lanes: usize) -> Self {
        let masks = there + lanes;
        Self { lanes, there, masks, bytes: masks + ones_of(block, there, lanes) }
    }

    /// The same with one plane more.
    pub(super) fn with_plane(self) -> Self {
        Self { bytes: self.bytes + 1, ..self }
    }

    /// The same with one plane less.
    pub(super) fn without_plane(self) -> Self {
        Self { bytes: self.bytes - 1, ..self }
    }

    #[inline]
    fn mask(&self, block: &[u8], plane: usize) -> u8 {
        block.get(self.masks + plane).copied().unwrap_or(0)
    }

    #[inline]
    pub(super) fn before(&self, block: &[u8], lane: usize) -> Before {
        let planes = ones_of(block, self.there, lane);
        (planes, ones_of(block, self.masks, planes))
    }

    /// Visits the planes that are there of up to four lanes, as far as some are wanted: the bit of each, its mask, and where
    /// its bytes are. So many planes and bytes lie before the first lane; goes on behind the last that is visited.
    fn walk(
        &self,
        block: &[u8],
        lane: usize,
        (planes, bytes): &mut Before,
        wanted: u32,
        mut visit: impl FnMut(u32, u8, usize),
    ) {
        let lanes = self.lanes.saturating_sub(lane).min(LANES);
        let reach = u64::MAX >> wanted.leading_zeros() >> 32;
        let there = first_of(word(block, self.there + lane), lanes) & reach;
        for plane in users(there) {
            let mask = self.mask(block, *planes);
            visit(plane, mask, self.bytes + *bytes);
            *planes += 1;
            *bytes += ones(mask);
        }
    }

    /// The bits of a user that are wanted, of up to four lanes, and some others.
    #[inline]
    pub(super) fn bits(&self, block: &[u8], lane: usize, before: &mut Before, wanted: u32, user: u32) -> u32 {
        let (group, mut value) = (user / 8 % 8, 0);
        self.walk(block, lane, before, wanted, |plane, mask, at| {
            // Looked at in any case: whether it is the user's, no processor guesses.
            let byte = block.get(at + ones(mask & ((1 << group) - 1))).copied().unwrap_or(0);
            value |= u32::from(mask >> group & byte >> (user % 8) & 1) << plane;
        });
        value
    }

    /// The planes of some bits of a lane.
    pub(super) fn planes<const N: usize>(&self, block: &[u8], lane: usize, shift: u32) -> [u64; N] {
        let mut words = [0; N];
        let mut before = self.before(block, lane);
        self.walk(block, lane, &mut before, ((1 << N) - 1) << shift, |plane, mask, at| {
            if let Some(word) = words.get_mut(plane.wrapping_sub(shift) as usize) {
                *word = spread(mask, block.get(at..).unwrap_or_default());
            }
        });
        words
    }

    /// Where a user's bit is, so many planes from a lane on, before which lies so much.
    #[inline]
    pub(super) fn place(
        &self,
        block: &[u8],
        user: u32,
        (first, bit): (usize, u32),
        (planes, bytes): Before,
    ) -> Place {
        let there = word(block, self.there + first);
        let between = (there & ((1 << bit) - 1)).count_ones() as usize;
        let says = if there >> bit & 1 == 1 { self.mask(block, planes + between) } else { 0 };
        let bytes = bytes + ones_of(block, self.masks + planes, between);
        let byte = self.bytes + bytes + ones(says & ((1 << (user / 8 % 8)) - 1));
        let (lane, mask) = (self.there + first + bit as usize / 8, self.masks + planes + between);
        Place { lane, mask, byte, says }
    }
}

/// Writes a page.
pub(super) fn write(rows: &[u32], cells: usize, lanes: usize, out: &mut Vec<u8>) {
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

/// The bits that are set in some bytes.
#[inline]
fn ones_of(block: &[u8], mut from: usize, mut count: usize) -> usize {
    let mut ones = 0;
    while count > 0 {
        let of_bytes = ones_by_byte(first_of(word(block, from), count));
        ones += (of_bytes.wrapping_mul(0x0101_0101_0101_0101) >> 56) as usize;
        (from, count) = (from + 8, count.saturating_sub(8));
    }
    ones
}

/// The bits that are set in each byte.
fn ones_by_byte(word: u64) -> u64 {
    let word = word - (word >> 1 & 0x5555_5555_5555_5555);
    let word = (word & 0x3333_3333_3333_3333) + (word >> 2 & 0x3333_3333_3333_3333);
    (word + (word >> 4)) & 0x0f0f_0f0f_0f0f_0f0f
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
