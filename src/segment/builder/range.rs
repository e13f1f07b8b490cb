//! Ranges of numbers, each call narrowing what was said before.

use std::cmp::Ordering;
use std::ops::Bound;

use crate::segment::Range;
use crate::value::Number;

impl Range {
    /// Every number; not valid by itself.
    const ALL: Self = Self { low: Bound::Unbounded, high: Bound::Unbounded };

    /// This number or more.
    pub fn at_least(n: impl Into<Number>) -> Self {
        Self { low: Bound::Included(n.into()), ..Self::ALL }
    }

    /// This number or less.
    pub fn at_most(n: impl Into<Number>) -> Self {
        Self { high: Bound::Included(n.into()), ..Self::ALL }
    }

    /// Above this number.
    pub fn more_than(n: impl Into<Number>) -> Self {
        Self { low: Bound::Excluded(n.into()), ..Self::ALL }
    }

    /// Below this number.
    pub fn less_than(n: impl Into<Number>) -> Self {
        Self { high: Bound::Excluded(n.into()), ..Self::ALL }
    }

    /// This number.
    pub fn exactly(n: impl Into<Number>) -> Self {
        let n = n.into();
        Self { low: Bound::Included(n), high: Bound::Included(n) }
    }

    /// From the first to the second, both inclusive.
    pub fn between(low: impl Into<Number>, high: impl Into<Number>) -> Self {
        Self { low: Bound::Included(low.into()), high: Bound::Included(high.into()) }
    }

    /// The numbers in both.
    pub(super) fn and(self, other: Self) -> Self {
        Self {
            low: tighter(self.low, other.low, Ordering::Greater),
            high: tighter(self.high, other.high, Ordering::Less),
        }
    }
}

/// The tighter of two bounds, `inner` being the order that lies further inside. What is no number stays, to be refused.
fn tighter(a: Bound<Number>, b: Bound<Number>, inner: Ordering) -> Bound<Number> {
    let number = |bound| match bound {
        Bound::Included(n) | Bound::Excluded(n) => Some(n),
        Bound::Unbounded => None,
    };
    let (Some(x), Some(y)) = (number(a), number(b)) else {
        return if number(a).is_some() { a } else { b };
    };
    let keep_a = if x.is_finite() && y.is_finite() {
        x.cmp(&y) == inner || x == y && matches!(a, Bound::Excluded(_))
    } else {
        !x.is_finite()
    };
    if keep_a { a } else { b }
}

/// The methods that hold a number against a range, for a builder with a `ranged` that takes one.
macro_rules! range_methods {
    ([$($generics:tt)*] $from:ty, $number:ty => $to:ty) => {
        /// Ranges; a second one narrows the first.
        impl<$($generics)*> $from {
            /// This number or more.
            pub fn at_least(self, n: $number) -> $to {
                self.ranged($crate::segment::Range::at_least(n))
            }

            /// This number or less.
            pub fn at_most(self, n: $number) -> $to {
                self.ranged($crate::segment::Range::at_most(n))
            }

            /// Above this number.
            pub fn more_than(self, n: $number) -> $to {
                self.ranged($crate::segment::Range::more_than(n))
            }

            /// Below this number.
            pub fn less_than(self, n: $number) -> $to {
                self.ranged($crate::segment::Range::less_than(n))
            }

            /// This number.
            pub fn exactly(self, n: $number) -> $to {
                self.ranged($crate::segment::Range::exactly(n))
            }

            /// From the first to the second, both inclusive.
            pub fn between(self, low: $number, high: $number) -> $to {
                self.ranged($crate::segment::Range::between(low, high))
            }
        }
    };
}

pub(super) use range_methods;
