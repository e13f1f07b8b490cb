//! Sums: added up in floats, column by column, where that is exact or cannot mislead.

use std::ops::Bound;

use super::super::bits::Bits;
use super::super::cell::Cell;
use super::super::column::{Codes, Column};
use super::super::kernel;
use super::super::snapshot::Snapshot;
use super::scan::{Batch, PartScan, Scan, for_each};
use crate::segment::Range;
use crate::value::Number;

/// The users whose sum lies in the range. `undecided` answers for one whose float sum is too close to a bound to
/// tell; `None` where a bound is no float.
pub(super) fn summed(
    store: &Snapshot,
    scan: &Scan<'_>,
    range: &Range,
    undecided: impl Fn(u32) -> bool + Sync,
) -> Option<Bits> {
    let range = FloatRange::new(range)?;
    let exact = is_exact(scan);
    let floats = |scanned: &PartScan<'_>| scanned.columns[0].map_or(Vec::new(), floats);
    let floats: Vec<Vec<f64>> = scan.parts().iter().map(floats).collect();
    let scratch = || (vec![0.0; store.room()], vec![0.0; if exact { 0 } else { store.room() }]);
    Some(store.by_block(scratch, |(sums, sizes), high, words| {
        sums.fill(0.0);
        if !exact {
            sizes.fill(0.0);
        }
        let mut rows = 0usize;
        let (sums, sizes) = (&mut sums[..], &mut sizes[..]);
        scan.block(high, &mut |batch| match batch {
            Batch::Part { index, scanned, rows: of_part, users, mask } => {
                rows += users.len();
                let (Some(column), Some(floats)) = (scanned.columns[0], floats.get(*index)) else { return };
                macro_rules! add_all {
                    ($codes:expr) => {{
                        let codes = &$codes[of_part.clone()];
                        for_each(
                            *mask,
                            users.len(),
                            #[inline(always)]
                            |i| {
                                add(sums, sizes, exact, usize::from(users[i]), floats[codes[i] as usize]);
                            },
                        );
                    }};
                }
                match column.codes() {
                    Codes::U8(codes) => add_all!(codes),
                    Codes::U16(codes) => add_all!(codes),
                    Codes::U32(codes) => add_all!(codes),
                }
            }
            Batch::Tail(hits) => {
                rows += hits.len();
                hits.iter().for_each(|hit| add(sums, sizes, exact, hit.low(), float(hit.cells[0])));
            }
        });
        if exact {
            range.decide(sums, words);
            return;
        }
        // Each addition and each conversion is off by at most one part in 2^53 of what has been added up so far.
        #[allow(clippy::cast_precision_loss)]
        let relative = (rows + 2) as f64 * f64::EPSILON;
        for (low, (sum, size)) in (0u32..).zip(sums.iter().zip(sizes.iter())) {
            let off = size * relative;
            let member = match (range.contains(sum - off), range.contains(sum + off)) {
                (a, b) if a == b && range.is_beside(sum - off, sum + off) => a,
                _ => undecided(u32::from(high) << 16 | low),
            };
            words[low as usize / 64] |= u64::from(member) << (low % 64);
        }
    }))
}

#[inline(always)]
fn add(sums: &mut [f64], sizes: &mut [f64], exact: bool, low: usize, x: f64) {
    sums[low] += x;
    if !exact {
        sizes[low] += x.abs();
    }
}

/// The dictionary of a column as floats, 0 for what is no number.
fn floats(column: &Column) -> Vec<f64> {
    column.dict().iter().map(|&cell| float(cell)).collect()
}

fn float(cell: Cell) -> f64 {
    cell.number().map_or(0.0, Number::as_f64)
}

/// Whether every sum of numbers of the scan is exact in floats, in whatever order: all are whole multiples of one
/// power of two, and all of them together stay below 2^53 of it.
fn is_exact(scan: &Scan<'_>) -> bool {
    let (mut unit, mut largest, mut rows) = (1.0f64, 0.0f64, 0usize);
    let mut fits = |cell: Cell| {
        let Some(number) = cell.number() else { return true };
        let x = number.as_f64();
        if Number::Float(x) != number {
            return false;
        }
        largest = largest.max(x.abs());
        while (x / unit).fract() != 0.0 && unit > 1e-9 {
            unit /= 2.0;
        }
        (x / unit).fract() == 0.0
    };
    let mut all_fit = scan.tail().iter().all(|hit| fits(hit.cells[0]));
    rows += scan.tail().len();
    for scanned in scan.parts() {
        rows += scanned.part.len();
        all_fit =
            all_fit && scanned.columns[0].is_none_or(|column| column.dict().iter().all(|&cell| fits(cell)));
    }
    #[allow(clippy::cast_precision_loss)]
    let total = largest / unit * rows as f64;
    all_fit && total < 9_007_199_254_740_992.0
}

/// A range of floats.
struct FloatRange {
    low: Bound<f64>,
    high: Bound<f64>,
}

impl FloatRange {
    /// `None` where a bound is not exactly a float.
    fn new(range: &Range) -> Option<Self> {
        let float = |bound: Bound<Number>| match bound {
            Bound::Included(n) if Number::Float(n.as_f64()) == n => Some(Bound::Included(n.as_f64())),
            Bound::Excluded(n) if Number::Float(n.as_f64()) == n => Some(Bound::Excluded(n.as_f64())),
            Bound::Unbounded => Some(Bound::Unbounded),
            _ => None,
        };
        Some(Self { low: float(range.low)?, high: float(range.high)? })
    }

    fn contains(&self, x: f64) -> bool {
        std::ops::RangeBounds::contains(&(self.low, self.high), &x)
    }

    /// Whether no bound lies between the two, nor at them.
    fn is_beside(&self, from: f64, to: f64) -> bool {
        [self.low, self.high].iter().all(|bound| match bound {
            Bound::Included(x) | Bound::Excluded(x) => *x < from || to < *x,
            Bound::Unbounded => true,
        })
    }

    /// Sets the bits of the sums inside, which fill whole words.
    fn decide(&self, sums: &[f64], words: &mut [u64]) {
        let lo = match self.low {
            Bound::Included(x) => x,
            Bound::Excluded(x) => x.next_up(),
            Bound::Unbounded => f64::NEG_INFINITY,
        };
        let hi = match self.high {
            Bound::Included(x) => x,
            Bound::Excluded(x) => x.next_down(),
            Bound::Unbounded => f64::INFINITY,
        };
        kernel::floats_between(sums, lo, hi, words);
    }
}
