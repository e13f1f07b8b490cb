//! One instant a user: the k-th most recent event of some names, or the first.
//!
//! "At least k in the last 30 days" asks whether the k-th most recent instant lies in the window and looks at
//! nothing else. An instant is kept as a code of 32 bits in two halves, so that a comparison reads two bytes a
//! user and looks at the other two only for users in the unit of the window's edge.

use super::super::bits::Bits;
use super::super::kernel;
use super::super::part::Part;
use super::super::snapshot::Snapshot;
use crate::plan::bounds::Bounds;

/// Which instant of a user is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Which {
    /// The earliest.
    First,
    /// The k-th most recent.
    Latest(u32),
}

/// One instant for each user that has it.
#[derive(Debug)]
pub(super) struct UserInstants {
    base: i64,
    /// A code counts units of `2^shift` ms from the base, from [`FIRST`]; 0 stands for no instant.
    shift: u32,
    /// Users a block.
    room: usize,
    /// By high half of the user; a block without users is empty.
    blocks: Vec<Halves>,
}

/// The first code, whose coarse half is one that no missing instant has.
const FIRST: u32 = 1 << 16;

/// Codes in two halves, dense over a block or of some users of it.
#[derive(Debug, Default)]
struct Halves {
    /// `None`: one entry for each low half.
    users: Option<Vec<u16>>,
    coarse: Vec<u16>,
    fine: Vec<u16>,
}

/// Where less than one user in so many has an instant, those who have are listed: smaller, but a member costs as
/// much as a word of the dense form.
const SPARSE: usize = 4;

impl UserInstants {
    /// From the sealed events of the names in a range.
    pub(super) fn new(store: &Snapshot, names: &[u32], which: Which, range: Bounds) -> Self {
        let shelves = names.iter().filter_map(|&name| store.shelves.get(name as usize));
        let parts = shelves.flat_map(|shelf| shelf.parts_between(range.lo, range.hi));
        let mut parts: Vec<&Part> = parts.map(AsRef::as_ref).collect();
        parts.sort_by_key(|part| part.bucket());
        let (base, end) = match (parts.first(), parts.last()) {
            (Some(first), Some(last)) => (first.span().0, last.span().1),
            _ => (0, 0),
        };
        let shift = (0..32).find(|shift| (end - base) >> shift < i64::from(u32::MAX - FIRST)).unwrap_or(32);
        let mut this = Self { base, shift, room: store.room(), blocks: Vec::new() };
        if which != Which::First {
            parts.reverse();
        }
        this.blocks = store.blocks().map(|high| this.block(&parts, high, which, range)).collect();
        this
    }

    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // the shift is chosen so that it fits
    fn code(&self, at: i64) -> u32 {
        ((at - self.base) >> self.shift) as u32 + FIRST
    }

    /// Goes through the buckets from one end of time, counting down for each user.
    fn block(&self, parts: &[&Part], high: u16, which: Which, range: Bounds) -> Halves {
        let mut rows = Vec::new();
        let room = self.room;
        let mut codes = vec![0u32; room];
        let mut met = vec![0u32; room];
        let wanted = if let Which::Latest(k) = which { k } else { 1 };
        for same in parts.chunk_by(|a, b| a.bucket() == b.bucket()) {
            rows.clear();
            for part in same {
                let Some(block) = part.block(high) else { continue };
                let users = &part.users()[block.rows()];
                let of_part = users.iter().zip(block.rows()).map(|(&low, row)| (low, part.at(row)));
                rows.extend(of_part.filter(|(_, at)| range.contains(*at)));
            }
            if same.len() > 1 && wanted > 1 {
                rows.sort_unstable();
            }
            let mut meet = |&(low, at): &(u16, i64)| {
                let (met, code) = (&mut met[usize::from(low)], &mut codes[usize::from(low)]);
                if wanted == 1 {
                    // parts of one bucket come in no order of time
                    let this = self.code(at);
                    let better = if which == Which::First { this < *code } else { this > *code };
                    if *met == 0 || (*met == 1 && better && same.len() > 1) {
                        *code = this;
                    }
                    *met = 1;
                } else {
                    *met += 1;
                    if *met == wanted {
                        *code = self.code(at);
                    }
                }
            };
            match which {
                Which::First => rows.iter().for_each(&mut meet),
                Which::Latest(_) => rows.iter().rev().for_each(&mut meet),
            }
        }
        Halves::new(&codes)
    }

    /// The users whose instant lies in the bounds. `exact` tells the instant of a user where the code cannot.
    pub(super) fn within(&self, bounds: Bounds, exact: impl Fn(u32) -> Option<i64>) -> Bits {
        let mut words = vec![0; self.blocks.len() * self.room / 64];
        let lowest = bounds.lo.max(self.base);
        let highest = bounds.hi.min(self.base + (i64::from(u32::MAX - FIRST) << self.shift));
        if lowest <= highest {
            let (lo, hi) = (self.code(lowest), self.code(highest));
            // whether an edge unit lies only partly inside
            let part = |edge: i64| self.shift > 0 && (edge - self.base) & ((1 << self.shift) - 1) != 0;
            let (cut_lo, cut_hi) = (part(lowest), part(highest + 1));
            for (high, (block, words)) in
                (0u32..).zip(self.blocks.iter().zip(words.chunks_mut(self.room / 64)))
            {
                block.within((lo, cut_lo), (hi, cut_hi), words, |low, code| {
                    (code != lo || !cut_lo) && (code != hi || !cut_hi)
                        || exact(high << 16 | u32::from(low)).is_some_and(|at| bounds.contains(at))
                });
            }
        }
        Bits::from_words(words)
    }

    pub(super) fn memory(&self) -> usize {
        let block = |b: &Halves| {
            (b.coarse.capacity() + b.fine.capacity() + b.users.as_ref().map_or(0, Vec::capacity)) * 2
        };
        self.blocks.iter().map(block).sum::<usize>() + self.blocks.capacity() * size_of::<Halves>()
    }
}

impl Halves {
    #[allow(clippy::cast_possible_truncation)] // halves
    fn new(codes: &[u32]) -> Self {
        let some = codes.iter().filter(|&&code| code != 0).count();
        let dense = some * SPARSE >= codes.len();
        let keep = |&(_, &code): &(u16, &u32)| dense || code != 0;
        let kept: Vec<(u16, &u32)> = (0u16..=u16::MAX).zip(codes).filter(keep).collect();
        let users = (!dense).then(|| kept.iter().map(|(low, _)| *low).collect());
        let coarse = kept.iter().map(|(_, code)| (**code >> 16) as u16).collect();
        let fine = kept.iter().map(|(_, code)| **code as u16).collect();
        Self { users, coarse, fine }
    }

    /// Sets the bits of the users whose code lies in `[lo, hi]` and, at an edge, passes.
    #[allow(clippy::cast_possible_truncation)] // halves
    fn within(
        &self,
        (lo, cut_lo): (u32, bool),
        (hi, cut_hi): (u32, bool),
        words: &mut [u64],
        passes: impl Fn(u16, u32) -> bool,
    ) {
        let (low, high) = ((lo >> 16) as u16, (hi >> 16) as u16);
        let mut mask = Vec::with_capacity(self.coarse.len().div_ceil(64));
        kernel::between(&self.coarse, low, high, &mut mask);
        let mut edge = Vec::with_capacity(mask.len());
        // an edge unit that is all inside needs no second look
        let look_low = cut_lo || lo & 0xffff != 0;
        let look_high = cut_hi || hi & 0xffff != 0xffff;
        for unit in
            [(low, look_low), (high, look_high)].into_iter().filter_map(|(unit, look)| look.then_some(unit))
        {
            edge.clear();
            kernel::between(&self.coarse, unit, unit, &mut edge);
            kernel::for_each_bit(&edge, |i| {
                let code = u32::from(unit) << 16 | u32::from(self.fine[i]);
                let user = self.users.as_ref().map_or(i as u16, |users| users[i]);
                if code < lo || code > hi || !passes(user, code) {
                    mask[i / 64] &= !(1 << (i % 64));
                }
            });
        }
        match &self.users {
            None => kernel::or(words, &mask),
            Some(users) => kernel::for_each_bit(&mask, |i| {
                let low = usize::from(users[i]);
                words[low / 64] |= 1 << (low % 64);
            }),
        }
    }
}
