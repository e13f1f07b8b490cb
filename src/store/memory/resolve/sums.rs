//! Sums: added up in floats, column by column, where that is exact or cannot mislead.

use std::ops::Bound;

use super::super::bits::Bits;
use super::super::cell::Cell;
use super::super::column::Column;
use super::super::snapshot::Snapshot;
use super::scan::{Scan, Values};
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
    let scratch = || (vec![0.0; store.room()], vec![0.0; store.room()]);
    Some(store.by_block(scratch, |(sums, sizes), high, words| {
        sums.fill(0.0);
        if !exact {
            sizes.fill(0.0);
        }
        let mut rows = 0usize;
        scan.block(high, &mut |batch| {
            rows += batch.users.len();
            let numbers = Numbers::new(batch.values[0]);
            batch.for_each(|row| {
                let (low, x) = (usize::from(batch.users[row]), numbers.get(row));
                sums[low] += x;
                if !exact {
                    sizes[low] += x.abs();
                }
            });
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

/// The numbers of a batch as floats, 0 where there is none.
enum Numbers<'a> {
    Dictionary { column: &'a Column, start: usize, floats: Vec<f64> },
    Values(Values<'a>),
}

impl<'a> Numbers<'a> {
    fn new(values: Values<'a>) -> Self {
        match values {
            Values::Column { column, start } => {
                let floats = column.dict().iter().map(|&cell| float(cell)).collect();
                Self::Dictionary { column, start, floats }
            }
            other => Self::Values(other),
        }
    }

    #[inline(always)]
    fn get(&self, row: usize) -> f64 {
        match self {
            Self::Dictionary { column, start, floats } => floats[column.codes().get(start + row) as usize],
            Self::Values(values) => float(values.get(row)),
        }
    }
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
    let all_fit = scan.dictionaries().all(|(dict, len)| {
        rows += len;
        dict.iter().all(|&cell| fits(cell))
    }) && scan.tail_cells().all(|cell| {
        rows += 1;
        fits(cell)
    });
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

    /// Sets the bits of the sums inside.
    fn decide(&self, sums: &[f64], words: &mut [u64]) {
        for (word, sums) in words.iter_mut().zip(sums.chunks(64)) {
            let mut inside = [0u8; 64];
            inside.iter_mut().zip(sums).for_each(|(inside, &sum)| *inside = u8::from(self.contains(sum)));
            let bits = inside.iter().enumerate().map(|(i, &inside)| u64::from(inside) << i);
            *word = bits.fold(0, |word, bit| word | bit);
        }
    }
}
