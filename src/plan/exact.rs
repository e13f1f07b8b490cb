//! Exact sums: what numbers add up to, as if in rational arithmetic, whatever their order.

use std::cmp::Ordering;
use std::ops::Bound;

use super::wide::{ONE_LIMB, Wide, decode};
use crate::segment::Range;
use crate::value::Number;

/// The exact sum of any `i64`s and finite `f64`s.
///
/// While everything fits it is one `i128` counting units of 2^-64; beyond that, a fixed-point number wide
/// enough for 2^64 of the largest and the smallest floats, times any `i64`.
#[derive(Clone)]
pub struct ExactSum(Repr);

#[derive(Clone, Debug)]
enum Repr {
    Small(i128),
    Wide(Box<Wide>),
}

/// Sums are equal when they are the same number, whatever they were added up from.
impl PartialEq for ExactSum {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for ExactSum {}

impl PartialOrd for ExactSum {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for ExactSum {
    fn cmp(&self, other: &Self) -> Ordering {
        match (&self.0, &other.0) {
            (Repr::Small(a), Repr::Small(b)) => a.cmp(b),
            _ => self.wide().compare(&other.wide()),
        }
    }
}

/// `ExactSum(12.5)`.
impl std::fmt::Debug for ExactSum {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "ExactSum({self})")
    }
}

/// As an integer where it is one that an `i64` holds, else as the nearest `f64`.
impl std::fmt::Display for ExactSum {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.to_number() {
            Number::Int(n) => n.fmt(f),
            Number::Float(x) => x.fmt(f),
        }
    }
}

impl Default for ExactSum {
    fn default() -> Self {
        Self::ZERO
    }
}

impl ExactSum {
    /// The sum of nothing.
    pub(crate) const ZERO: Self = Self(Repr::Small(0));

    /// Whether it is 0.
    pub fn is_zero(&self) -> bool {
        self.compare(Number::Int(0)).is_eq()
    }

    /// Adds a number.
    #[inline]
    pub(crate) fn add(&mut self, n: Number) {
        if let (Repr::Small(sum), Some(units)) = (&mut self.0, units(n))
            && let Some(total) = sum.checked_add(units)
        {
            *sum = total;
        } else {
            self.add_wide(&Wide::of(n));
        }
    }

    /// Takes a number away.
    #[inline]
    pub(crate) fn take(&mut self, n: Number) {
        let mut one = Self::ZERO;
        one.add(n);
        self.add_scaled(-1, &one);
    }

    /// Adds `points` times another sum.
    pub(crate) fn add_scaled(&mut self, points: i64, other: &Self) {
        if let (Repr::Small(sum), Repr::Small(units)) = (&mut self.0, &other.0)
            && let Some(total) = units.checked_mul(points.into()).and_then(|scaled| sum.checked_add(scaled))
        {
            *sum = total;
        } else {
            let mut scaled = other.wide();
            scaled.scale(points.unsigned_abs());
            if points < 0 {
                scaled.negate();
            }
            self.add_wide(&scaled);
        }
    }

    /// Adds `points` times a count.
    pub(crate) fn add_counted(&mut self, points: i64, count: u64) {
        let product = i128::from(points) * i128::from(count);
        if let Repr::Small(sum) = &mut self.0
            && let Some(total) = product.checked_mul(1 << 64).and_then(|units| sum.checked_add(units))
        {
            *sum = total;
        } else {
            let mut wide = Wide::ZERO;
            wide.add_at(ONE_LIMB, product);
            self.add_wide(&wide);
        }
    }

    /// The sum against a number.
    #[inline]
    pub fn compare(&self, bound: Number) -> Ordering {
        self.compare_mean(1, bound)
    }

    /// The sum divided by a count, which is not 0, against a number.
    #[inline]
    pub(crate) fn compare_mean(&self, count: u64, bound: Number) -> Ordering {
        if let (Repr::Small(sum), Some(units)) = (&self.0, units(bound))
            && let Some(total) = units.checked_mul(count.into())
        {
            return sum.cmp(&total);
        }
        let mut total = Wide::of(bound);
        total.scale(count);
        self.wide().compare(&total)
    }

    /// Whether the sum lies in a range.
    pub(crate) fn is_in(&self, range: &Range) -> bool {
        self.mean_is_in(1, range)
    }

    /// Whether the sum divided by a count, which is not 0, lies in a range.
    pub(crate) fn mean_is_in(&self, count: u64, range: &Range) -> bool {
        is_in(range, |bound| self.compare_mean(count, bound))
    }

    /// The sum: an integer where it is one that an `i64` holds, else the nearest float.
    pub fn to_number(&self) -> Number {
        self.mean(1)
    }

    /// The sum divided by a count, which is not 0; integer or nearest float like [`Self::to_number`].
    pub(crate) fn mean(&self, count: u64) -> Number {
        if let Repr::Small(units) = self.0 {
            return small_mean(units, count.max(1));
        }
        let mut quotient = self.wide();
        let negative = quotient.is_negative();
        if negative {
            quotient.negate();
        }
        let remainder = quotient.divide(count.max(1));
        if remainder == 0
            && let Some(whole) = quotient.whole()
            && let Ok(n) = i64::try_from(if negative { -whole } else { whole })
        {
            return Number::Int(n);
        }
        let nearest = quotient.nearest(remainder != 0);
        Number::Float(if negative { -nearest } else { nearest })
    }

    fn wide(&self) -> Wide {
        match &self.0 {
            Repr::Small(units) => Wide::of_units(*units),
            Repr::Wide(wide) => (**wide).clone(),
        }
    }

    #[cold]
    fn add_wide(&mut self, more: &Wide) {
        match &mut self.0 {
            Repr::Wide(wide) => wide.add(more),
            Repr::Small(units) => {
                let mut wide = Wide::of_units(*units);
                wide.add(more);
                self.0 = Repr::Wide(Box::new(wide));
            }
        }
    }
}

/// Whether what `compare` compares with a bound lies in a range.
pub(crate) fn is_in(range: &Range, compare: impl Fn(Number) -> Ordering) -> bool {
    let low = match range.low {
        Bound::Unbounded => true,
        Bound::Included(bound) => compare(bound).is_ge(),
        Bound::Excluded(bound) => compare(bound).is_gt(),
    };
    low && match range.high {
        Bound::Unbounded => true,
        Bound::Included(bound) => compare(bound).is_le(),
        Bound::Excluded(bound) => compare(bound).is_lt(),
    }
}

/// The smallest and the largest count of a range, where there is one; `None` where a bound is no whole number, or no
/// count is below it.
pub(crate) fn whole_counts(range: &Range) -> Option<(u64, Option<u64>)> {
    let whole = |bound: Number| u64::try_from(bound.as_i64()?).ok();
    let low = match range.low {
        Bound::Included(low) => whole(low)?,
        Bound::Excluded(low) => whole(low)?.checked_add(1)?,
        Bound::Unbounded => 0,
    };
    let high = match range.high {
        Bound::Included(high) => Some(whole(high)?),
        Bound::Excluded(high) => Some(whole(high)?.checked_sub(1)?),
        Bound::Unbounded => None,
    };
    Some((low, high))
}

/// Units of 2^-64 divided by a count: an integer where it is one, else the nearest float.
fn small_mean(units: i128, count: u64) -> Number {
    let ones = units >> 64;
    if units as u64 == 0 && ones % i128::from(count) == 0 {
        return Number::Int((ones / i128::from(count)) as i64); // 64 bits are left of 128
    }
    // Shifted all the way up, the quotient has more bits than a float: what the division leaves over can be
    // one of those below, and the conversion rounds right. Nothing here is small enough to be subnormal.
    let magnitude = units.unsigned_abs();
    let up = magnitude.leading_zeros();
    let shifted = magnitude << up;
    let sticky = u128::from(!shifted.is_multiple_of(u128::from(count)));
    let quotient = ((shifted / u128::from(count)) | sticky) as f64;
    let scale = f64::from_bits(u64::from(1023 - 64 - up) << 52);
    Number::Float(if units < 0 { -quotient * scale } else { quotient * scale })
}

/// A number in units of 2^-64, where it is a whole number of them and fits.
#[inline]
fn units(n: Number) -> Option<i128> {
    let x = match n {
        Number::Int(n) => return Some(i128::from(n) << 64),
        Number::Float(x) => x,
    };
    let (negative, mantissa, exponent) = decode(x);
    let magnitude = match exponent + 64 {
        _ if mantissa == 0 => 0,
        up @ 0..=73 => i128::from(mantissa) << up, // 53 bits and 73 are 126
        down @ -52..0 if mantissa.trailing_zeros() >= down.unsigned_abs() => i128::from(mantissa >> -down),
        _ => return None,
    };
    Some(if negative { -magnitude } else { magnitude })
}

#[cfg(test)]
mod tests {
    use super::*;
    use num_bigint::BigInt;
    use num_rational::BigRational;
    use num_traits::{FromPrimitive, Signed, Zero};
    use proptest::prelude::*;

    fn rational(n: Number) -> BigRational {
        match n {
            Number::Int(n) => BigRational::from_integer(n.into()),
            Number::Float(x) => BigRational::from_float(x).unwrap(),
        }
    }

    fn sum(numbers: &[Number]) -> ExactSum {
        let mut sum = ExactSum::ZERO;
        numbers.iter().for_each(|n| sum.add(*n));
        sum
    }

    fn floats(numbers: &[f64]) -> ExactSum {
        sum(&numbers.iter().map(|x| Number::Float(*x)).collect::<Vec<_>>())
    }

    #[test]
    fn small_sums_are_exact() {
        let tenths = floats(&[0.1; 10]);
        assert!(matches!(tenths.0, Repr::Small(_)));
        // Ten of the float next to 0.1 are a little more than 1.
        assert_eq!(tenths.compare(Number::Int(1)), Ordering::Greater);
        assert_eq!(tenths.to_number(), Number::Float(1.0));
        assert_eq!(floats(&[0.1, 0.2]).compare(Number::Float(0.3)), Ordering::Greater);
        assert_eq!(floats(&[1.5, 2.5]).to_number(), Number::Int(4));
        assert_eq!(floats(&[-0.0]).compare(Number::Int(0)), Ordering::Equal);
        assert_eq!(floats(&[1.0, 2.0]).mean(2), Number::Float(1.5));
        assert_eq!(floats(&[-7.0, 1.0]).mean(3), Number::Int(-2));
    }

    #[test]
    fn what_floats_would_lose_is_kept() {
        let lost = floats(&[1e308, 1.0, -1e308, 5e-324]);
        assert!(matches!(lost.0, Repr::Wide(_)));
        assert_eq!(lost.compare(Number::Int(1)), Ordering::Greater);
        assert_eq!(lost.to_number(), Number::Float(1.0));
        let ints = sum(&[Number::Int(i64::MAX), Number::Int(i64::MAX), Number::Int(2)]);
        assert_eq!(ints.compare(Number::Float(18_446_744_073_709_551_616.0)), Ordering::Equal);
        assert_eq!(ints.to_number(), Number::Float(18_446_744_073_709_551_616.0));
        assert_eq!(ints.mean(2), Number::Float(9_223_372_036_854_775_808.0));
        let least = sum(&[Number::Int(i64::MIN)]);
        assert_eq!(least.to_number(), Number::Int(i64::MIN));
        assert_eq!(floats(&[f64::MAX, f64::MAX]).compare(Number::Float(f64::MAX)), Ordering::Greater);
    }

    #[test]
    fn sums_round_to_the_nearest_float() {
        let shown = |numbers: &[f64], count| floats(numbers).mean(count).as_f64();
        assert_eq!(shown(&[5e-324], 2), 0.0); // a tie goes to the even one
        assert_eq!(shown(&[5e-324, 5e-324, 5e-324], 2), 1e-323);
        assert_eq!(shown(&[f64::MAX, f64::MAX], 1), f64::MAX);
        assert_eq!(shown(&[f64::MAX, f64::MAX], 2), f64::MAX);
        assert_eq!(shown(&[9_007_199_254_740_992.0, 1.0, 0.5], 1), 9_007_199_254_740_994.0);
        assert_eq!(shown(&[1.0], 3), 1.0 / 3.0);
        assert_eq!(shown(&[-1e-300], 7), -1e-300 / 7.0);
    }

    #[test]
    fn ranges_hold_at_their_ends() {
        let range = |low, high| Range { low, high };
        let three = sum(&[Number::Int(3)]);
        let (at, above) = (Bound::Included(Number::Int(3)), Bound::Excluded(Number::Float(3.0)));
        assert!(three.is_in(&range(at, Bound::Unbounded)) && three.is_in(&range(Bound::Unbounded, at)));
        assert!(
            !three.is_in(&range(above, Bound::Unbounded)) && !three.is_in(&range(Bound::Unbounded, above))
        );
        assert!(three.mean_is_in(2, &range(Bound::Included(Number::Float(1.5)), above)));
    }

    fn any_number() -> impl Strategy<Value = Number> {
        use prop::num::f64::{NEGATIVE, NORMAL, POSITIVE, SUBNORMAL, ZERO};
        let edges = vec![i64::MIN, i64::MAX, 0, 1, -1, 1 << 53, (1 << 62) + 1];
        let fractions =
            vec![f64::MAX, -f64::MAX, f64::MIN_POSITIVE, 5e-324, 0.1, -0.3, 2f64.powi(62), 2f64.powi(-64)];
        prop_oneof![
            any::<i64>().prop_map(Number::Int),
            prop::sample::select(edges).prop_map(Number::Int),
            prop::sample::select(fractions).prop_map(Number::Float),
            (-100_000_i64..100_000).prop_map(|cents| Number::Float(cents as f64 / 100.0)),
            (POSITIVE | NEGATIVE | NORMAL | SUBNORMAL | ZERO).prop_map(Number::Float),
        ]
    }

    /// Whether no float is nearer to the exact value, and the shown one is an integer where that is exact.
    fn is_nearest(shown: Number, exact: &BigRational) -> bool {
        match shown {
            Number::Int(n) => *exact == BigRational::from_integer(n.into()),
            Number::Float(x) => {
                let whole = exact.is_integer() && i64::try_from(exact.to_integer()).is_ok();
                let distance = |x: f64| (BigRational::from_float(x).unwrap() - exact).abs();
                let neighbours = [x.next_up(), x.next_down()].into_iter().filter(|x| x.is_finite());
                let mut nearer = neighbours.filter(|other| {
                    let (here, there) = (distance(x), distance(*other));
                    there < here || there == here && x.to_bits() & 1 == 1
                });
                !whole && nearer.next().is_none()
            }
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(1_000))]

        #[test]
        fn sums_are_those_of_rationals(
            numbers in prop::collection::vec(any_number(), 0..12),
            bound in any_number(),
            count in prop_oneof![1_u64..20, any::<u64>().prop_map(|n| n.max(1))],
        ) {
            let exact: BigRational = numbers.iter().map(|n| rational(*n)).sum();
            let total = sum(&numbers);
            prop_assert_eq!(total.compare(bound), exact.cmp(&rational(bound)));
            let mean = &exact / BigRational::from_u64(count).unwrap();
            prop_assert_eq!(total.compare_mean(count, bound), mean.cmp(&rational(bound)));
            prop_assert!(is_nearest(total.to_number(), &exact), "{:?} for {}", total.to_number(), exact);
            prop_assert!(is_nearest(total.mean(count), &mean), "{:?} for {}", total.mean(count), mean);
            // Against the sum itself, where a number can say it.
            if let Some(at) = [total.to_number()].into_iter().find(|n| rational(*n) == exact) {
                prop_assert_eq!(total.compare(at), Ordering::Equal);
            }
        }

        #[test]
        fn order_is_irrelevant(numbers in prop::collection::vec(any_number(), 0..12), turn in 0_usize..12) {
            let mut turned = numbers.clone();
            turned.rotate_left(turn.min(numbers.len()));
            turned.reverse();
            prop_assert_eq!(sum(&numbers).to_number(), sum(&turned).to_number());
        }

        #[test]
        fn what_is_taken_away_has_never_been_there(
            stays in prop::collection::vec(any_number(), 0..6),
            goes in prop::collection::vec(any_number(), 0..6),
        ) {
            let mut total = sum(&goes);
            stays.iter().for_each(|n| total.add(*n));
            goes.iter().rev().for_each(|n| total.take(*n));
            prop_assert_eq!(total, sum(&stays));
        }

        #[test]
        fn scores_are_those_of_rationals(
            terms in prop::collection::vec((any::<i64>(), any_number(), any_number()), 0..5),
            counts in prop::collection::vec((any::<i64>(), any::<u64>()), 0..5),
            bound in any_number(),
        ) {
            let (mut score, mut exact) = (ExactSum::ZERO, BigRational::zero());
            for (points, a, b) in terms {
                score.add_scaled(points, &sum(&[a, b]));
                exact += BigRational::from_integer(points.into()) * (rational(a) + rational(b));
            }
            for (points, count) in counts {
                score.add_counted(points, count);
                exact += BigRational::from_integer(BigInt::from(points) * BigInt::from(count));
            }
            prop_assert_eq!(score.compare(bound), exact.cmp(&rational(bound)));
            if exact.abs() <= rational(Number::Float(f64::MAX)) {
                prop_assert!(is_nearest(score.to_number(), &exact));
            }
        }
    }
}
