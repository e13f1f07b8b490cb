//! Distinct values, where few are asked for: the first ones of each user are remembered, and no more.

use hashbrown::HashMap;

use super::super::bits::Bits;
use super::super::cell::Cell;
use super::super::kernel;
use super::super::snapshot::Snapshot;
use super::asked::Asked;
use super::scan::{Batch, Scan};
use super::thresholds::Thresholds;
use crate::segment::Range;

/// Most values that are remembered a user.
const MOST: u8 = 8;

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
    let thresholds = Thresholds::of(range);
    let most = u8::try_from(thresholds.most().unwrap_or(0)).ok().filter(|&most| most <= MOST)?;
    if most == 0 {
        let mut bits = Bits::none(store.users.numbers());
        bits.words_mut().fill(if thresholds.above == Some(0) { 0 } else { !0 });
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
    let candidates = candidates(asked, thresholds.low);
    let counting = Counting { scan, maps, tail, candidates, thresholds };
    Some(match most {
        _ if numbering.numbers.len() >= 0xffff => counting.with::<[u32; MOST as usize]>(store, most),
        0..=4 => counting.with::<u64>(store, most),
        _ => counting.with::<u128>(store, most),
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
    thresholds: Thresholds,
}

/// The values that a user has shown, up to as many as decide.
trait Shown: Copy + Send {
    /// None yet: every place holds [`MISSING`], which is therefore never new.
    const NONE: Self;
    fn holds(self, number: u32) -> bool;
    /// With one more; the oldest goes where there is no place.
    fn and(self, number: u32) -> Self;
}

/// Places of 16 bits in one word, compared all at once.
macro_rules! packed {
    ($word:ty) => {
        impl Shown for $word {
            const NONE: Self = !0;

            #[inline(always)]
            fn holds(self, number: u32) -> bool {
                const ONES: $word = <$word>::MAX / 0xffff;
                // a place of the difference is 0 where it is the same
                let difference = self ^ (ONES * <$word>::from(number & 0xffff));
                difference.wrapping_sub(ONES) & !difference & (ONES << 15) != 0
            }

            #[inline(always)]
            fn and(self, number: u32) -> Self {
                self << 16 | <$word>::from(number & 0xffff)
            }
        }
    };
}

packed!(u64);
packed!(u128);

/// Places for numbers of any size.
impl Shown for [u32; MOST as usize] {
    const NONE: Self = [MISSING; MOST as usize];

    #[inline(always)]
    fn holds(self, number: u32) -> bool {
        self.iter().fold(false, |held, &have| held | (have == number))
    }

    #[inline(always)]
    fn and(mut self, number: u32) -> Self {
        self.rotate_right(1);
        self[0] = number;
        self
    }
}

impl Counting<'_> {
    /// Goes through the rows twice: at most so many as decide of each user and part come first, which is enough for
    /// nearly everyone, and the others only count for those who are left.
    fn with<V: Shown>(&self, store: &Snapshot, most: u8) -> Bits {
        let room = store.room();
        let scratch = || (vec![V::NONE; room], vec![0u8; room], Vec::new());
        store.by_block(scratch, |(shown, counts, rows), high, words| {
            shown.fill(V::NONE);
            let candidates = self
                .candidates
                .as_ref()
                .map(|bits| &bits.words()[usize::from(high) * room / 64..][..room / 64]);
            // of those who are no candidates nothing is asked
            counts.fill(if candidates.is_some() { most } else { 0 });
            kernel::for_each_bit(candidates.unwrap_or_default(), |low| counts[low] = 0);
            let mut users = Meeting { most, shown, counts };
            for last in [true, false] {
                self.scan.block(high, &mut |batch| self.meet(batch, last, rows, &mut users));
            }
            self.thresholds.set(users.counts, words);
            candidates.into_iter().for_each(|candidates| kernel::and(words, candidates));
        })
    }

    /// Meets the rows of a batch: the last ones of each user, or the others.
    fn meet<V: Shown>(&self, batch: &Batch<'_>, last: bool, rows: &mut Vec<u64>, met: &mut Meeting<'_, V>) {
        match batch {
            Batch::Part { index, scanned, rows: of_part, users, mask } => {
                let Some(map) = self.maps.get(*index) else { return };
                rows.clear();
                kernel::differs_from(users, usize::from(met.most), rows);
                if !last {
                    rows.iter_mut().for_each(|word| *word = !*word);
                    kernel::end_with(rows, users.len());
                }
                mask.iter().for_each(|mask| kernel::and(rows, mask));
                scanned.for_each_code(
                    of_part,
                    users,
                    Some(rows),
                    #[inline(always)]
                    |user, code| {
                        if last || met.asks(user) {
                            met.meets(user, map[code]);
                        }
                    },
                );
            }
            Batch::Tail(hits) if last => hits.iter().for_each(|hit| {
                let place = self.scan.tail().element_offset(hit);
                let number = place.and_then(|i| self.tail.get(i)).copied();
                met.meets(hit.low(), number.unwrap_or(MISSING));
            }),
            Batch::Tail(_) => {}
        }
    }
}

/// The values met so far by the users of a block.
struct Meeting<'a, V> {
    most: u8,
    shown: &'a mut [V],
    counts: &'a mut [u8],
}

impl<V: Shown> Meeting<'_, V> {
    /// Whether more values of a user could change anything.
    #[inline(always)]
    fn asks(&self, low: usize) -> bool {
        self.counts[low] < self.most
    }

    #[inline(always)]
    fn meets(&mut self, low: usize, number: u32) {
        let (shown, count) = (&mut self.shown[low], &mut self.counts[low]);
        // no branch: there is nothing to predict
        let is_new = (*count < self.most) & !shown.holds(number);
        *shown = if is_new { shown.and(number) } else { *shown };
        *count += u8::from(is_new);
    }
}

/// Those who have enough events at all, where that spares looking at the values of many.
fn candidates(asked: &Asked<'_>, low: Option<u64>) -> Option<Bits> {
    let (enough, store) = (low.filter(|&low| low > 1 && !asked.is_filtered())?, asked.store);
    let mut candidates = asked.by_recency(u32::try_from(enough).ok()?);
    candidates.grow(store.room() * store.blocks().count());
    Some(candidates)
}
