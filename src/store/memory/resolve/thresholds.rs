//! The counts that a range of numbers holds.

use std::ops::Bound;

use super::super::kernel;
use crate::segment::Range;
use crate::value::Number;

/// A range of counts.
#[derive(Clone, Copy)]
pub(super) struct Thresholds {
    /// The least count inside; `None`: 0.
    pub low: Option<u64>,
    /// The least count above; `None`: none is.
    pub above: Option<u64>,
}

impl Thresholds {
    pub(super) fn of(range: &Range) -> Self {
        // the least count that is at least, or more than, a number
        let least = |n: Number, more: bool| {
            let whole = match n {
                Number::Int(n) => u64::try_from(n).ok().map(|n| n + u64::from(more)),
                Number::Float(x) if x < 0.0 => None,
                #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
                // saturates far above any count
                Number::Float(x) if more => Some((x.floor() as u64).saturating_add(1)),
                #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
                Number::Float(x) => Some(x.ceil() as u64),
            };
            whole.unwrap_or(0)
        };
        let low = match range.low {
            Bound::Unbounded => 0,
            Bound::Included(n) => least(n, false),
            Bound::Excluded(n) => least(n, true),
        };
        let above = match range.high {
            Bound::Unbounded => None,
            Bound::Included(n) => Some(least(n, true)),
            Bound::Excluded(n) => Some(least(n, false)),
        };
        Self { low: (low > 0).then_some(low), above }
    }

    /// The count from which on more makes no difference; `None`: none does.
    pub(super) fn most(self) -> Option<u64> {
        self.above.max(self.low)
    }

    pub(super) fn contain(self, count: u64) -> bool {
        self.low.is_none_or(|low| count >= low) && self.above.is_none_or(|above| count < above)
    }

    /// Sets the bits of the counts that lie inside, and of no others.
    pub(super) fn set(self, counts: &[u8], words: &mut [u64]) {
        let low = self.low.map_or(0, |low| u8::try_from(low).unwrap_or(u8::MAX));
        let high =
            self.above.map_or(u8::MAX, |above| u8::try_from(above.saturating_sub(1)).unwrap_or(u8::MAX));
        let mut inside = Vec::with_capacity(words.len());
        kernel::between(counts, low, high, &mut inside);
        words.iter_mut().zip(inside).for_each(|(word, inside)| *word = inside);
    }
}
