//! Where expressions stop growing.
//!
//! An expression deeper than the limit is refused whatever becomes of it, so it stops growing: joined with
//! anything it stays itself. That bounds every recursion over what is built here.

use crate::limits::MAX_DEPTH;
use crate::segment::{Comparison, Earned, Filter, Score, Segment};

/// Whether an expression is deeper than the limit, by its forms alone.
pub(super) fn too_deep(segment: &Segment) -> bool {
    deeper(segment, MAX_DEPTH)
}

/// Whether a filter is deeper than the limit.
pub(super) fn filter_too_deep(filter: &Filter) -> bool {
    filter_deeper(filter, MAX_DEPTH)
}

fn deeper(segment: &Segment, limit: usize) -> bool {
    let Some(below) = limit.checked_sub(1) else { return true };
    match segment {
        Segment::All(inner) | Segment::Any(inner) => inner.iter().any(|s| deeper(s, below)),
        Segment::Not(inner) => deeper(inner, below),
        Segment::Score(Score { of, .. }) => {
            of.iter().any(|points| matches!(&points.earned, Earned::If(s) if deeper(s, below)))
        }
        _ => false,
    }
}

fn filter_deeper(filter: &Filter, limit: usize) -> bool {
    let Some(below) = limit.checked_sub(1) else { return true };
    match filter {
        Filter::All(inner) | Filter::Any(inner) => inner.iter().any(|f| filter_deeper(f, below)),
        Filter::Not(inner) => filter_deeper(inner, below),
        Filter::Property { test, .. } => match &test.comparison {
            Comparison::AnyElement(inner) => filter_deeper(inner, below),
            _ => false,
        },
    }
}
