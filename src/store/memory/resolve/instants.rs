//! One instant a user: the k-th most recent event of some names, or the first.
//!
//! "At least k in the last 30 days" asks whether the k-th most recent instant lies in the window and looks at
//! nothing else. An instant is kept as a code of 32 bits in two halves, so that a comparison reads two bytes a
//! user and looks at the other two only for users in the unit of the window's edge.

use std::sync::Arc;

use super::super::bits::Bits;
use super::super::kernel;
use super::super::snapshot::Snapshot;
use super::ladder::{self, Ladder};
use super::rows::Rows;
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
#[derive(Clone, Debug)]
pub(super) struct UserInstants {
    base: i64,
    /// A code counts units of `2^shift` ms from the base, from [`FIRST`]; 0 stands for no instant.
    shift: u32,
    /// Users a block.
    room: usize,
    /// By high half of the user; a block without users is empty.
    blocks: Vec<Arc<Halves>>,
    /// Where there are users enough.
    ladder: Option<Ladder>,
    /// The events it was made from.
    rows: usize,
}

/// The first code, whose coarse half is one that no missing instant has.
const FIRST: u32 = 1 << 16;

/// Codes in two halves, dense over a block or of some users of it.
#[derive(Clone, Debug, Default)]
struct Halves {
    /// `None`: one entry for each low half.
    users: Option<Vec<u16>>,
    coarse: Vec<u16>,
    fine: Vec<u16>,
}

/// Where less than one user in so many has an instant, those who have are listed: smaller, but a member costs as
/// much as a word of the dense form.
const SPARSE: usize = 4;

/// What an instant is, held against what a code says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Than {
    Earlier,
    /// In the unit of the code.
    Same,
    Later,
    /// The code stands for none.
    None,
}

impl UserInstants {
    /// From the events of the names in a range.
    pub(super) fn new(store: &Snapshot, names: &[u32], which: Which, range: Bounds) -> Self {
        let rows = Rows::new(store, names, range);
        let buckets = rows.buckets();
        let (base, end) = match (buckets.first(), buckets.last()) {
            (Some(first), Some(last)) => (i64::from(*first) << 32, (i64::from(*last) + 1) << 32),
            _ => (0, 0),
        };
        let shift = (0..32).find(|shift| (end - base) >> shift < i64::from(u32::MAX - FIRST)).unwrap_or(32);
        let mut this =
            Self { base, shift, room: store.room(), blocks: Vec::new(), ladder: None, rows: rows.len() };
        this.blocks = store.blocks().map(|high| Arc::new(this.block(&rows, &buckets, high, which))).collect();
        this.climb();
        this
    }

    /// Makes the ladder, when all codes are there.
    fn climb(&mut self) {
        let all = (0u32..).zip(&self.blocks);
        let units =
            all.flat_map(|(high, block)| block.units().map(move |(low, unit)| (high << 16 | low, unit)));
        let worth = units.clone().nth(ladder::WORTH).is_some();
        self.ladder = worth.then(|| Ladder::new(units, self.words()));
    }

    /// Words of a set of users.
    fn words(&self) -> usize {
        self.blocks.len() * self.room / 64
    }

    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // the shift is chosen so that it fits
    fn code(&self, at: i64) -> u32 {
        ((at - self.base) >> self.shift) as u32 + FIRST
    }

    /// The latest instant that has a code.
    fn highest(&self) -> i64 {
        self.base + (i64::from(u32::MAX - FIRST) << self.shift)
    }

    /// Goes through the buckets from one end of time, counting down for each user.
    fn block(&self, all: &Rows<'_>, buckets: &[i32], high: u16, which: Which) -> Halves {
        let mut rows = Vec::new();
        let room = self.room;
        let mut codes = vec![0u32; room];
        let mut met = vec![0u32; room];
        let wanted = if let Which::Latest(k) = which { k } else { 1 };
        let mut take = |bucket: i32| {
            let unsorted = all.of(bucket, high, &mut rows);
            if unsorted && wanted > 1 {
                // stable, since it merges what is sorted
                rows.sort();
            }
            let mut meet = |&(low, at): &(u16, i64)| {
                let (met, code) = (&mut met[usize::from(low)], &mut codes[usize::from(low)]);
                if wanted == 1 {
                    // parts of one bucket come in no order of time
                    let this = self.code(at);
                    let better = if which == Which::First { this < *code } else { this > *code };
                    if *met == 0 || (*met == 1 && better && unsorted) {
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
        };
        match which {
            Which::First => buckets.iter().for_each(|bucket| take(*bucket)),
            Which::Latest(_) => buckets.iter().rev().for_each(|bucket| take(*bucket)),
        }
        Halves::new(&codes)
    }

    /// The events it was made from.
    pub(super) fn rows(&self) -> usize {
        self.rows
    }

    /// How an instant compares with that of a user.
    pub(super) fn compare(&self, user: u32, at: i64) -> Than {
        let block = self.blocks.get((user >> 16) as usize);
        let Some(code) = block.map(|block| block.get(user)).filter(|code| *code != 0) else {
            return Than::None;
        };
        match ((at - self.base) >> self.shift).cmp(&i64::from(code - FIRST)) {
            std::cmp::Ordering::Less => Than::Earlier,
            std::cmp::Ordering::Equal => Than::Same,
            std::cmp::Ordering::Greater => Than::Later,
        }
    }

    /// The earliest that the instant of a user can be.
    pub(super) fn at_least(&self, user: u32) -> Option<i64> {
        let code = self.blocks.get((user >> 16) as usize)?.get(user);
        (code != 0).then(|| self.base + (i64::from(code - FIRST) << self.shift))
    }

    /// The same with other instants of some users, sorted by user; `None` where there is no place for them.
    pub(super) fn with(&self, others: &[(u32, i64)]) -> Option<Self> {
        let mut this = self.clone();
        if others.iter().any(|(_, at)| *at < self.base || *at > self.highest()) {
            return None;
        }
        for of_block in others.chunk_by(|(a, _), (b, _)| a >> 16 == b >> 16) {
            let codes = of_block.iter().map(|(user, at)| (*user, self.code(*at)));
            let block = this.blocks.get_mut((of_block.first()?.0 >> 16) as usize)?;
            Arc::make_mut(block).set(codes, self.room)?;
        }
        this.climb();
        Some(this)
    }

    /// Lets a user have no instant.
    pub(super) fn erase(&mut self, user: u32) {
        let block = self.blocks.get_mut((user >> 16) as usize).filter(|block| block.get(user) != 0);
        let Some(block) = block else { return };
        if let Some(ladder) = &mut self.ladder {
            ladder.erase(user, coarse(block.get(user)));
        }
        Arc::make_mut(block).erase(user);
    }

    /// The users whose instant lies in the bounds. `exact` tells the instant of a user where the code cannot.
    pub(super) fn within(&self, bounds: Bounds, exact: impl Fn(u32) -> Option<i64>) -> Bits {
        let mut words = vec![0; self.words()];
        let lowest = bounds.lo.max(self.base);
        let highest = bounds.hi.min(self.highest());
        if lowest <= highest {
            let (lo, hi) = (self.code(lowest), self.code(highest));
            // whether an edge unit lies only partly inside
            let part = |edge: i64| self.shift > 0 && (edge - self.base) & ((1 << self.shift) - 1) != 0;
            let (cut_lo, cut_hi) = (part(lowest), part(highest + 1));
            let edges = Edges { lo, hi, cut_lo, cut_hi };
            let inside = |user| exact(user).is_some_and(|at| bounds.contains(at));
            if let Some(ladder) = &self.ladder {
                ladder.within(coarse(lo), coarse(hi), &mut words);
                for user in edges.units().flat_map(|unit| ladder.of(unit)) {
                    let code = self.blocks.get((user >> 16) as usize).map_or(0, |block| block.get(user));
                    if !edges.passes(code, || inside(user)) {
                        words[user as usize / 64] &= !(1 << (user % 64));
                    }
                }
                return Bits::from_words(words);
            }
            for (high, (block, words)) in
                (0u32..).zip(self.blocks.iter().zip(words.chunks_mut(self.room / 64)))
            {
                block.within(&edges, words, |low| inside(high << 16 | u32::from(low)));
            }
        }
        Bits::from_words(words)
    }

    pub(super) fn memory(&self) -> usize {
        let block = |b: &Arc<Halves>| {
            (b.coarse.capacity() + b.fine.capacity() + b.users.as_ref().map_or(0, Vec::capacity)) * 2
        };
        let halves = size_of::<Halves>() + 24;
        let ladder = self.ladder.as_ref().map_or(0, Ladder::memory);
        self.blocks.iter().map(block).sum::<usize>() + self.blocks.len() * halves + ladder
    }
}

/// The coarse half of a code: the unit it lies in.
#[allow(clippy::cast_possible_truncation)] // the half
fn coarse(code: u32) -> u16 {
    (code >> 16) as u16
}

/// The first and the last code inside, and whether only a part of what they stand for is.
struct Edges {
    lo: u32,
    hi: u32,
    cut_lo: bool,
    cut_hi: bool,
}

impl Edges {
    /// The units that need a second look: not those that are all inside.
    fn units(&self) -> impl Iterator<Item = u16> + use<> {
        let look_low = self.cut_lo || self.lo & 0xffff != 0;
        let look_high =
            (self.cut_hi || self.hi & 0xffff != 0xffff) && !(look_low && coarse(self.lo) == coarse(self.hi));
        let [low, high] =
            [(self.lo, look_low), (self.hi, look_high)].map(|(code, look)| look.then_some(coarse(code)));
        low.into_iter().chain(high)
    }

    /// Whether a code of such a unit is inside; `exactly` tells where it cannot say.
    fn passes(&self, code: u32, exactly: impl FnOnce() -> bool) -> bool {
        let is_cut = (self.cut_lo && code == self.lo) || (self.cut_hi && code == self.hi);
        (self.lo..=self.hi).contains(&code) && (!is_cut || exactly())
    }
}

impl Halves {
    /// The low halves of the users who have an instant, with its unit.
    fn units(&self) -> impl Iterator<Item = (u32, u16)> + Clone {
        let low = |place: usize| match &self.users {
            None => place as u32,
            Some(users) => u32::from(users[place]),
        };
        let units = self.coarse.iter().enumerate().filter(|(_, unit)| **unit != 0);
        units.map(move |(place, unit)| (low(place), *unit))
    }

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

    /// Where the code of a user is.
    #[allow(clippy::cast_possible_truncation)] // the low half
    fn place(&self, user: u32) -> Option<usize> {
        match &self.users {
            None => Some(usize::from(user as u16)).filter(|place| *place < self.coarse.len()),
            Some(users) => users.binary_search(&(user as u16)).ok(),
        }
    }

    /// The code of a user; 0 where there is none.
    fn get(&self, user: u32) -> u32 {
        let code = |place: usize| u32::from(self.coarse[place]) << 16 | u32::from(self.fine[place]);
        self.place(user).map_or(0, code)
    }

    /// Sets the codes of users; `None` where there is no place for one.
    #[allow(clippy::cast_possible_truncation)] // halves
    fn set(&mut self, codes: impl Iterator<Item = (u32, u32)> + Clone, room: usize) -> Option<()> {
        let low = |user: u32| usize::from(user as u16);
        if codes.clone().any(|(user, _)| low(user) >= room) {
            return None;
        }
        if codes.clone().any(|(user, _)| self.place(user).is_none()) {
            let mut all = vec![0; room];
            self.users.iter().flatten().for_each(|user| all[usize::from(*user)] = self.get((*user).into()));
            codes.for_each(|(user, code)| all[low(user)] = code);
            *self = Self::new(&all);
            return Some(());
        }
        for (user, code) in codes {
            let place = self.place(user)?;
            (self.coarse[place], self.fine[place]) = ((code >> 16) as u16, code as u16);
        }
        Some(())
    }

    fn erase(&mut self, user: u32) {
        if let Some(place) = self.place(user) {
            (self.coarse[place], self.fine[place]) = (0, 0);
        }
    }

    /// Sets the bits of the users whose code is inside; `exactly` tells where the code cannot.
    #[allow(clippy::cast_possible_truncation)] // halves
    fn within(&self, edges: &Edges, words: &mut [u64], exactly: impl Fn(u16) -> bool) {
        let mut mask = Vec::with_capacity(self.coarse.len().div_ceil(64));
        kernel::between(&self.coarse, coarse(edges.lo), coarse(edges.hi), &mut mask);
        let mut edge = Vec::with_capacity(mask.len());
        for unit in edges.units() {
            edge.clear();
            kernel::between(&self.coarse, unit, unit, &mut edge);
            kernel::for_each_bit(&edge, |i| {
                let code = u32::from(unit) << 16 | u32::from(self.fine[i]);
                let user = self.users.as_ref().map_or(i as u16, |users| users[i]);
                if !edges.passes(code, || exactly(user)) {
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
