//! Random ranges, all of which some number meets.

use std::ops::Bound::{self, Excluded, Included, Unbounded};

use proptest::prelude::*;
use proptest::sample::select;

use super::pools::numbers;
use crate::segment::Range;
use crate::value::Number;

/// A range of counts; one in twelve of large ones.
pub fn counts() -> BoxedStrategy<Range> {
    let count = prop_oneof![11 => 0..4i64, 1 => select(vec![15, 16, 17, 40, 100, 255, 256])];
    (count, 0..3i64, 0..8u8)
        .prop_map(|(n, more, form)| range(Number::Int(n), Number::Int(n + more), form))
        .boxed()
}

/// A range of any numbers.
pub fn ranges() -> BoxedStrategy<Range> {
    let number = || numbers().prop_map(|s| s.number().unwrap_or(Number::Int(0)));
    (number(), number(), 0..8u8).prop_map(|(a, b, form)| range(a.min(b), a.max(b), form)).boxed()
}

fn range(low: Number, high: Number, form: u8) -> Range {
    let of = |low: Bound<Number>, high: Bound<Number>| Range { low, high };
    match form {
        0 | 1 => of(Included(low), Unbounded),
        2 => of(Unbounded, Included(low)),
        3 => of(Excluded(low), Unbounded),
        4 => of(Unbounded, Excluded(low)),
        5 => of(Included(low), Included(low)),
        6 if low < high => of(Excluded(low), Included(high)),
        7 if low < high => of(Included(low), Excluded(high)),
        _ => of(Included(low), Included(high)),
    }
}
