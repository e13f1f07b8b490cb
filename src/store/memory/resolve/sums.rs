//! Sums: added up column by column, in whole grains or in floats, where that is exact or cannot mislead.

use std::ops::Bound;

use super::super::bits::Bits;
use super::super::cell::Cell;
use super::super::column::Column;
use super::super::kernel;
use super::super::snapshot::Snapshot;
use super::scan::{Batch, PartScan, Scan};
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
    let grain = Grain::new(store, scan);
    Some(match grain {
        Some(grain) if grain.of_block < BIAS.into() => in_grains(store, scan, grain.size, &range),
        _ => in_floats(store, scan, &range, grain.is_some_and(|grain| grain.of_all < EXACT), undecided),
    })
}

/// What stands for a sum of 0 in grains, so that sums compare as they are.
const BIAS: u32 = 1 << 31;
/// Whole numbers below this are exact in floats.
const EXACT: f64 = 9_007_199_254_740_992.0;

/// Sums in grains, as whole numbers of 32 bits.
fn in_grains(store: &Snapshot, scan: &Scan<'_>, size: f64, range: &FloatRange) -> Bits {
    #[allow(clippy::cast_possible_truncation)] // fewer than 2^31 grains
    let grains = |cell: Cell| ((float(cell) / size) as i32).cast_unsigned();
    let of_part = |scanned: &PartScan<'_>| -> Vec<u32> {
        scanned.columns[0].map_or(&[][..], Column::dict).iter().map(|&cell| grains(cell)).collect()
    };
    let values: Vec<Vec<u32>> = scan.parts().iter().map(of_part).collect();
    let Some((low, high)) = range.in_grains(size) else { return Bits::none(store.users.numbers()) };
    let scratch = || (vec![BIAS; store.room()], Vec::new());
    store.by_block(scratch, |(sums, inside), high_half, words| {
        sums.fill(BIAS);
        let sums = &mut sums[..];
        scan.block(high_half, &mut |batch| match batch {
            Batch::Part { index, scanned, rows, users, mask } => {
                let Some(values) = values.get(*index) else { return };
                scanned.for_each_code(
                    rows,
                    users,
                    *mask,
                    #[inline(always)]
                    |user, code| sums[user] = sums[user].wrapping_add(values[code]),
                );
            }
            Batch::Tail(hits) => hits.iter().for_each(|hit| {
                sums[hit.low()] = sums[hit.low()].wrapping_add(grains(hit.cells[0]));
            }),
        });
        inside.clear();
        kernel::between(sums, low, high, inside);
        words.copy_from_slice(inside);
    })
}

/// Sums in floats.
fn in_floats(
    store: &Snapshot,
    scan: &Scan<'_>,
    range: &FloatRange,
    exact: bool,
    undecided: impl Fn(u32) -> bool + Sync,
) -> Bits {
    let floats = |scanned: &PartScan<'_>| scanned.columns[0].map_or(Vec::new(), floats);
    let floats: Vec<Vec<f64>> = scan.parts().iter().map(floats).collect();
    let scratch = || (vec![0.0; store.room()], vec![0.0; if exact { 0 } else { store.room() }]);
    store.by_block(scratch, |(sums, sizes), high, words| {
        sums.fill(0.0);
        if !exact {
            sizes.fill(0.0);
        }
        let mut rows = 0usize;
        let (sums, sizes) = (&mut sums[..], &mut sizes[..]);
        scan.block(high, &mut |batch| match batch {
            Batch::Part { index, scanned, rows: of_part, users, mask } => {
                rows += users.len();
                let Some(floats) = floats.get(*index) else { return };
                scanned.for_each_code(
                    of_part,
                    users,
                    *mask,
                    #[inline(always)]
                    |user, code| add(sums, sizes, exact, user, floats[code]),
                );
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
    })
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

/// The power of two of which all numbers of a scan are whole multiples, and how many of it they can add up to, in
/// whatever order.
#[derive(Clone, Copy)]
struct Grain {
    size: f64,
    /// Of all rows together.
    of_all: f64,
    /// Of the rows of one block.
    of_block: f64,
}

impl Grain {
    /// `None` where there is none, or a number is no float.
    #[allow(clippy::cast_precision_loss)]
    fn new(store: &Snapshot, scan: &Scan<'_>) -> Option<Self> {
        let (mut size, mut largest) = (1.0f64, 0.0f64);
        let mut fits = |cell: Cell| {
            let Some(number) = cell.number() else { return true };
            let x = number.as_f64();
            if Number::Float(x) != number {
                return false;
            }
            largest = largest.max(x.abs());
            while (x / size).fract() != 0.0 && size > 1e-9 {
                size /= 2.0;
            }
            (x / size).fract() == 0.0
        };
        let dict = |scanned: &PartScan<'_>| scanned.columns[0].map_or(&[][..], Column::dict).to_vec();
        let all_fit = scan.tail().iter().all(|hit| fits(hit.cells[0]))
            && scan.parts().iter().flat_map(dict).all(&mut fits);
        let tail = scan.tail().len();
        let rows = tail + scan.parts().iter().map(|scanned| scanned.part.len()).sum::<usize>();
        let of_block = |high: u16| -> usize {
            let blocks = scan.parts().iter().filter_map(|scanned| scanned.part.block(high));
            blocks.map(|block| block.rows().len()).sum()
        };
        let of_block = tail + store.blocks().map(of_block).max().unwrap_or(0);
        let most = |rows: usize| largest / size * rows as f64;
        all_fit.then(|| Self { size, of_all: most(rows), of_block: most(of_block) })
    }
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

    /// The first and the last biased sum in grains of a size; `None` where no sum is inside.
    fn in_grains(&self, size: f64) -> Option<(u32, u32)> {
        let low = match self.low {
            Bound::Included(x) => (x / size).ceil(),
            Bound::Excluded(x) => (x / size).floor() + 1.0,
            Bound::Unbounded => f64::NEG_INFINITY,
        };
        let high = match self.high {
            Bound::Included(x) => (x / size).floor(),
            Bound::Excluded(x) => (x / size).ceil() - 1.0,
            Bound::Unbounded => f64::INFINITY,
        };
        let bias = f64::from(BIAS);
        if low > high || low >= bias || high < -bias {
            return None;
        }
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // a float saturates
        let biased = |grains: f64| (grains + bias) as u32;
        Some((biased(low), biased(high)))
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
