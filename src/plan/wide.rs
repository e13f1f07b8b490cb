//! A fixed-point number as wide as sums of floats can need.

use std::cmp::Ordering;

use crate::value::Number;

/// A finite float as an integer times a power of two: negative, integer, exponent.
pub(super) fn decode(x: f64) -> (bool, u64, i32) {
    let bits = x.to_bits();
    let (exponent, fraction) = ((bits >> 52 & 0x7ff) as i32, bits & ((1 << 52) - 1));
    let mantissa = if exponent == 0 { fraction } else { fraction | 1 << 52 };
    (bits >> 63 == 1, mantissa, exponent.max(1) - 1075)
}

/// Least units of a [`Wide`]: 2^-1088, a whole number of limbs below the least float, 2^-1074.
const POINT: i32 = 1088;
/// The limb that counts ones.
pub(super) const ONE_LIMB: usize = 17;
/// Up to 2^1216 ones: the largest float is below 2^1024, 2^64 of them below 2^1088, times an `i64` below
/// 2^1151; a score adds up at most 2^14 of those.
const LIMBS: usize = 36;

/// A fixed-point number in two's complement, least limb first.
#[derive(Clone, Debug)]
pub(super) struct Wide([u64; LIMBS]);

impl Wide {
    pub(super) const ZERO: Self = Self([0; LIMBS]);

    pub(super) fn of_units(units: i128) -> Self {
        let mut wide = Self::ZERO;
        wide.add_at(ONE_LIMB - 1, units);
        wide
    }

    pub(super) fn of(n: Number) -> Self {
        let mut wide = Self::ZERO;
        match n {
            Number::Int(n) => wide.add_at(ONE_LIMB, n.into()),
            Number::Float(x) => {
                let (negative, mantissa, exponent) = decode(x);
                let shift = (exponent + POINT).unsigned_abs();
                let part = i128::from(mantissa) << (shift % 64);
                wide.add_at(shift as usize / 64, if negative { -part } else { part });
            }
        }
        wide
    }

    /// Adds an integer times 2^(64 `limb`) of the least unit.
    pub(super) fn add_at(&mut self, limb: usize, n: i128) {
        let sign = if n < 0 { u64::MAX } else { 0 };
        let mut parts = [n as u64, (n >> 64) as u64].into_iter();
        let mut carry = false;
        for have in self.0.iter_mut().skip(limb) {
            (*have, carry) = have.carrying_add(parts.next().unwrap_or(sign), carry);
        }
    }

    pub(super) fn add(&mut self, other: &Self) {
        let mut carry = false;
        for (have, more) in self.0.iter_mut().zip(&other.0) {
            (*have, carry) = have.carrying_add(*more, carry);
        }
    }

    pub(super) fn negate(&mut self) {
        let mut carry = true;
        for have in &mut self.0 {
            (*have, carry) = (!*have).carrying_add(0, carry);
        }
    }

    pub(super) fn is_negative(&self) -> bool {
        self.0[LIMBS - 1] >> 63 == 1
    }

    /// Multiplies; in two's complement the low limbs of the product do not ask for the sign.
    pub(super) fn scale(&mut self, factor: u64) {
        let mut carry = 0;
        for have in &mut self.0 {
            let product = u128::from(*have) * u128::from(factor) + carry;
            *have = product as u64;
            carry = product >> 64;
        }
    }

    pub(super) fn compare(&self, other: &Self) -> Ordering {
        let sign = other.is_negative().cmp(&self.is_negative());
        sign.then_with(|| self.0.iter().rev().cmp(other.0.iter().rev()))
    }

    /// Divides a number that is not negative and answers the remainder.
    pub(super) fn divide(&mut self, by: u64) -> u64 {
        let mut remainder = 0;
        for have in self.0.iter_mut().rev() {
            let part = u128::from(remainder) << 64 | u128::from(*have);
            *have = (part / u128::from(by)) as u64;
            remainder = (part % u128::from(by)) as u64;
        }
        remainder
    }

    /// A number that is not negative, where it is whole and below 2^64.
    pub(super) fn whole(&self) -> Option<i128> {
        let (below, above) = (&self.0[..ONE_LIMB], &self.0[ONE_LIMB + 1..]);
        below.iter().chain(above).all(|limb| *limb == 0).then(|| self.0[ONE_LIMB].into())
    }

    fn bit(&self, index: usize) -> bool {
        self.0[index / 64] >> (index % 64) & 1 == 1
    }

    /// The float nearest to a number that is not negative and, with `more`, a little above what is stored;
    /// ties go to the even one, and what is above every float to the largest.
    pub(super) fn nearest(&self, more: bool) -> f64 {
        let Some(top) = (0..LIMBS * 64).rev().find(|i| self.bit(*i)) else { return 0.0 };
        // The place of the float's last bit: 52 below its first, but never below 2^-1074.
        let mut last = top.saturating_sub(52).max(14);
        let mut mantissa = (last..=top).rev().fold(0_u64, |m, i| m << 1 | u64::from(self.bit(i)));
        let sticky = more || (0..last - 1).any(|i| self.bit(i));
        if self.bit(last - 1) && (sticky || mantissa & 1 == 1) {
            mantissa += 1;
            if mantissa == 1 << 53 {
                (mantissa, last) = (mantissa >> 1, last + 1);
            }
        }
        match mantissa >> 52 {
            0 => f64::from_bits(mantissa),
            _ if last - 13 >= 0x7ff => f64::MAX,
            _ => f64::from_bits((last as u64 - 13) << 52 | mantissa & ((1 << 52) - 1)),
        }
    }
}
