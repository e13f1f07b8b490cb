//! What is known of one user when a leaf is asked about it.

use super::value_ref::{ScalarRef, ValueRef};
use crate::time::Timestamp;

/// An event of a user that matches one of a question's matchers; one that matches two makes two hits.
#[derive(Clone, Copy, Debug)]
pub struct Hit<'a> {
    /// When, in milliseconds since 1970.
    pub(crate) at: i64,
    /// The index of the matcher in the question.
    pub(crate) matcher: u32,
    /// The property that is measured, where the question measures one and the event has it.
    pub(crate) value: Option<ValueRef<'a>>,
    /// The property of `same`, where the question has one and the event has it as one scalar.
    pub(crate) group: Option<ScalarRef<'a>>,
}

/// A write of an attribute as a store hands it over.
#[derive(Clone, Copy, Debug)]
pub struct StoredWrite<'a> {
    /// When.
    pub at: Timestamp,
    /// The value from then on; `None`: removed.
    pub value: Option<ValueRef<'a>>,
}

/// The facts of one user that a question needs; parts that it does not ask for may be left empty.
#[derive(Clone, Copy, Debug, Default)]
pub struct UserFacts<'a> {
    /// When the user was first seen.
    pub(crate) seen: Option<i64>,
    /// The user's own instant that the question's window lies around.
    pub(crate) anchor: Option<i64>,
    /// The events that match, sorted by instant, then by arrival. Later ones than `T` are left alone.
    pub(crate) hits: &'a [Hit<'a>],
    /// All writes of the attribute, sorted by instant, then by arrival.
    pub(crate) writes: &'a [StoredWrite<'a>],
}

/// The hits inside some bounds.
pub(crate) fn inside<'h, 'a>(hits: &'h [Hit<'a>], bounds: super::bounds::Bounds) -> &'h [Hit<'a>] {
    let until = hits.partition_point(|hit| hit.at <= bounds.hi);
    let from = hits.partition_point(|hit| hit.at < bounds.lo);
    hits.get(from..until).unwrap_or_default()
}
