//! Distinct values, where few are asked for: the first ones of each user are remembered, and no more.

use hashbrown::HashMap;

use super::super::bits::Bits;
use super::super::cell::Cell;
use super::super::column::Codes;
use super::super::snapshot::Snapshot;
use super::asked::Asked;
use super::counts::{Thresholds, by_recency, thresholds};
use super::scan::{Batch, Scan, for_each};
use crate::segment::Range;

/// Most values that are remembered a user.
const MOST: u64 = 8;

/// Numbers the values of a property over all parts; equal values are equal cells.
#[derive(Clone, Default)]
struct Numbering {
    numbers: HashMap<(u8, u64), u32>,
}

/// No value.
const MISSING: u32 = u32::MAX;

impl Numbering {
    /// `None` for a list, which is more than one value.
    fn number(&mut self, cell: Cell) -> Option<u32> {
        let key = match cell {
            Cell::Missing => return Some(MISSING),
            Cell::Bool(b) => (0, u64::from(b)),
            Cell::Int(n) => (1, n.cast_unsigned()),
            Cell::Float(x) => (2, x.to_bits()),
            Cell::Text(text) => (3, u64::from(text)),
            Cell::Instant(at) => (4, at.cast_unsigned()),
            Cell::Many(_) => return None,
        };
        let next = u32::try_from(self.numbers.len()).ok()?;
        Some(*self.numbers.entry(key).or_insert(next))
    }
}

/// The users whose number of distinct values lies in the range; `None` where this way is not for it.
pub(super) fn distinct(asked: &Asked<'_>, scan: &Scan<'_>, range: &Range) -> Option<Bits> {
    let store = asked.store;
    let Thresholds { low, above } = thresholds(range);
    let most = usize::try_from(above.max(low).unwrap_or(0)).ok().filter(|&most| most as u64 <= MOST)?;
    if most == 0 {
        let mut bits = Bits::none(store.users.numbers());
        bits.words_mut().fill(if above == Some(0) { 0 } else { !0 });
        return Some(bits);
    }
    let mut numbering = Numbering::default();
    let mut maps: Vec<Vec<u32>> = Vec::new();
    for scanned in scan.parts() {
        let dict = scanned.columns[0].map_or(&[][..], |column| column.dict());
        maps.push(dict.iter().map(|&cell| numbering.number(cell)).collect::<Option<_>>()?);
    }
    let tail: Vec<u32> =
        scan.tail().iter().map(|hit| numbering.number(hit.cells[0])).collect::<Option<_>>()?;
    let candidates = candidates(asked, low);
    let counting = Counting { scan, maps, tail, candidates, low, above };
    Some(match most {
        0..=2 => counting.with::<2>(store, most),
        3..=4 => counting.with::<4>(store, most),
        _ => counting.with::<8>(store, most),
    })
}

/// Everything that counting needs.
struct Counting<'a> {
    scan: &'a Scan<'a>,
    /// By part: the numbers of the values of its dictionary.
    maps: Vec<Vec<u32>>,
    /// The numbers of the values of the tail.
    tail: Vec<u32>,
    candidates: Option<Bits>,
    low: Option<u64>,
    above: Option<u64>,
}

impl Counting<'_> {
    /// Remembers up to `most` values a user, in places for `N`.
    fn with<const N: usize>(&self, store: &Snapshot, most: usize) -> Bits {
        let scratch = || (vec![[MISSING; N]; store.room()], vec![0u8; store.room()]);
        store.by_block(scratch, |(seen, counts), high, words| {
            seen.fill([MISSING; N]);
            counts.fill(0);
            let candidates =
                self.candidates.as_ref().map(|bits| &bits.words()[usize::from(high) * store.room() / 64..]);
            let mut user = Meeting { candidates, most, seen, counts };
            self.scan.block(high, &mut |batch| match batch {
                Batch::Part { index, scanned, rows, users, mask } => {
                    let (Some(column), Some(map)) = (scanned.columns[0], self.maps.get(*index)) else {
                        return;
                    };
                    macro_rules! meet_all {
                        ($codes:expr) => {{
                            let codes = &$codes[rows.clone()];
                            for_each(
                                *mask,
                                users.len(),
                                #[inline(always)]
                                |i| {
                                    user.meets(usize::from(users[i]), map[codes[i] as usize]);
                                },
                            );
                        }};
                    }
                    match column.codes() {
                        Codes::U8(codes) => meet_all!(codes),
                        Codes::U16(codes) => meet_all!(codes),
                        Codes::U32(codes) => meet_all!(codes),
                    }
                }
                Batch::Tail(hits) => hits.iter().for_each(|hit| {
                    let place = self.scan.tail().element_offset(hit);
                    let number = place.and_then(|i| self.tail.get(i)).copied();
                    user.meets(hit.low(), number.unwrap_or(MISSING));
                }),
            });
            set_in_range(user.counts, self.low, self.above, words);
        })
    }
}

/// The values met so far by the users of a block.
struct Meeting<'a, const N: usize> {
    candidates: Option<&'a [u64]>,
    most: usize,
    seen: &'a mut [[u32; N]],
    counts: &'a mut [u8],
}

impl<const N: usize> Meeting<'_, N> {
    #[inline(always)]
    fn meets(&mut self, low: usize, number: u32) {
        let asked = self.candidates.is_none_or(|words| words[low / 64] >> (low % 64) & 1 == 1);
        let (seen, count) = (&mut self.seen[low], &mut self.counts[low]);
        // all places are compared, and one is written, so that there is nothing to predict
        let mut known = number == MISSING;
        for have in seen.iter() {
            known |= *have == number;
        }
        let is_new = asked & !known & (usize::from(*count) < self.most);
        let place = &mut seen[usize::from(*count) % N];
        *place = if is_new { number } else { *place };
        *count += u8::from(is_new);
    }
}

/// Those who have enough events at all, where that spares looking at the values of many.
fn candidates(asked: &Asked<'_>, low: Option<u64>) -> Option<Bits> {
    let (enough, store) = (low.filter(|&low| low > 1 && !asked.is_filtered())?, asked.store);
    let mut candidates = by_recency(asked, u32::try_from(enough).ok()?);
    candidates.grow(store.room() * store.blocks().count());
    Some(candidates)
}

/// Sets the bits of the counts that are at least `low` and below `above`.
pub(super) fn set_in_range(counts: &[u8], low: Option<u64>, above: Option<u64>, words: &mut [u64]) {
    let low = low.map_or(0, |low| u8::try_from(low).unwrap_or(u8::MAX));
    let high = above.map_or(u8::MAX, |above| u8::try_from(above.saturating_sub(1)).unwrap_or(u8::MAX));
    let mut inside = Vec::with_capacity(words.len());
    super::super::kernel::between(counts, low, high, &mut inside);
    words.iter_mut().zip(inside).for_each(|(word, inside)| *word = inside);
}
