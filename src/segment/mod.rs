//! The expression tree of a segment, as people write it: [built](builder), read from
//! [JSON](Segment::from_json), or put together by hand.
//!
//! However it came to be, [`Segment::validate`] says whether it keeps the rules, each [`SegmentError`] names the
//! place, and [`Display`](std::fmt::Display) says in plain English who is meant.
//!
#![doc = include_str!("../../docs/json.md")]
//! # Corners of the JSON
//!
//! [`Segment::from_json`] reads this form exactly; serde reads the same, within the bounds of the library
//! behind it. Where one could read a rule in two ways:
//! - A name may have 512 bytes without the star that makes it a pattern, or the backslash before a literal one.
//! - `from` and `to` of a window are texts; `{"instant":…}` stands where a value does. An object with that one
//!   key is an instant or an error, never a record.
//! - A range is empty when no number is in it, whole or not: `more_than` 3 and `less_than` 4 is a range that no
//!   count meets, and allowed.
//! - A score of nothing is 0.
//! - A text that something is compared with, a pattern too, may have as many bytes as a string value.
//! - A list of filters counts as one filter around its items, as `all` does.

pub mod builder;
mod display;
mod error;
mod pattern;
mod read;
mod test;
mod validate;
mod write;
mod written;

pub use error::SegmentError;
pub(crate) use pattern::compile;
pub use test::{Comparison, Filter, Test};
pub(crate) use validate::{Outline, outline, outline_to_plan};
pub(crate) use written::read_segment;

use crate::time::{Span, Unit};
use crate::value::{Number, Scalar};
use crate::window::Window;
use chrono_tz::Tz;
use std::ops::Bound;

/// Who: an expression that holds or does not hold for each user at an instant.
///
/// What is read from JSON is at most 64 deep. A tree of boxes put together by hand may be deeper: it is an error to ask
/// it, and like any such tree it takes stack to drop, so that one of a million levels is more than a thread has.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Segment {
    /// Every one holds; of none: everyone.
    All(Vec<Segment>),
    /// Some one holds; of none: no one.
    Any(Vec<Segment>),
    /// It does not hold.
    Not(Box<Segment>),
    /// A behaviour holds.
    Did(Did),
    /// Ordered steps happened.
    Sequence(Sequence),
    /// The value of an attribute passes a test.
    Attribute(Attribute),
    /// An attribute changed.
    Changed(Changed),
    /// The user was first seen in the window.
    Seen(Window),
    /// Points add up to a number in a range.
    Score(Score),
    /// The user is in the named segment.
    Segment(String),
    /// The user is on the named static list.
    List(String),
    /// The user falls into a deterministic share of all users.
    Sample(Sample),
}

/// The name of an event in an expression: exact, or a prefix.
///
/// In text, a name ending in `*` is a prefix and a backslash before a final star makes it literal.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum EventPattern {
    /// Exactly this name.
    Name(String),
    /// Every name that starts with this; of the empty text: any event.
    Prefix(String),
}

/// Events of (one of) some names whose properties pass a filter.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct EventMatch {
    /// The names; never empty in a valid segment.
    pub events: Vec<EventPattern>,
    /// What the properties must pass.
    pub filter: Option<Filter>,
}

/// A behaviour: a measure over matching events, held against a range.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Did {
    /// Which events.
    pub events: EventMatch,
    /// When; `None`: ever.
    pub window: Option<Window>,
    /// What is measured and what it must be.
    pub measure: Measure,
    /// The property whose values take the events apart.
    pub same: Option<String>,
}

/// What a behaviour measures, and what the outcome must be.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Measure {
    /// Number of matching events.
    Times(Range),
    /// Exact sum of the numbers in a property.
    Sum {
        /// The property.
        of: String,
        /// What the sum must be.
        range: Range,
    },
    /// Exact mean of the numbers in a property.
    Avg {
        /// The property.
        of: String,
        /// What the mean must be.
        range: Range,
    },
    /// Smallest number in a property.
    Min {
        /// The property.
        of: String,
        /// What it must be.
        range: Range,
    },
    /// Largest number in a property.
    Max {
        /// The property.
        of: String,
        /// What it must be.
        range: Range,
    },
    /// Number of distinct values of a property.
    Distinct {
        /// The property.
        of: String,
        /// What the number must be.
        range: Range,
    },
    /// Number of distinct calendar units with a matching event.
    Active {
        /// Hour, day, week or month.
        unit: Unit,
        /// The zone whose calendar counts.
        tz: Tz,
        /// What the number must be.
        range: Range,
    },
    /// The first matching event ever lies in the window.
    First(Window),
    /// The most recent matching event lies in the window.
    Latest(Window),
    /// A property of the earliest matching event passes the test.
    FirstValue {
        /// The property.
        of: String,
        /// What it must pass.
        test: Test,
    },
    /// A property of the most recent matching event passes the test.
    LatestValue {
        /// The property.
        of: String,
        /// What it must pass.
        test: Test,
    },
}

/// A range of numbers: a lower and an upper bound, at least one of the two.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Range {
    /// The lower bound.
    pub low: Bound<Number>,
    /// The upper bound.
    pub high: Bound<Number>,
}

/// Ordered steps, each strictly later than the one before.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Sequence {
    /// At least one; the first has neither `within` nor `after` nor `without`.
    pub steps: Vec<Step>,
    /// Longest span from the first step to the last.
    pub within: Option<Span>,
    /// When the steps happened; `None`: ever.
    pub window: Option<Window>,
    /// What must not follow the last step.
    pub then_not: Option<ThenNot>,
    /// The property that all of them share.
    pub same: Option<String>,
}

/// One step of a sequence.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Step {
    /// Which events.
    pub events: EventMatch,
    /// No later than this after the step before.
    pub within: Option<Span>,
    /// No earlier than this after the step before.
    pub after: Option<Span>,
    /// What must not come strictly between the step before and this one.
    pub without: Option<EventMatch>,
}

/// What must not follow a sequence, and by when.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ThenNot {
    /// Which events.
    pub events: EventMatch,
    /// The deadline, counted from the last step.
    pub within: Span,
}

/// The value of an attribute passes a test, perhaps for some time already.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Attribute {
    /// The attribute.
    pub name: String,
    /// What its value must pass.
    pub test: Test,
    /// Throughout the last such span.
    pub held: Option<Span>,
}

/// A write that changed an attribute.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Changed {
    /// The attribute.
    pub name: String,
    /// The value before; `None`: anything, or nothing.
    pub from: Option<Scalar>,
    /// The value after; `None`: anything, or removed.
    pub to: Option<Scalar>,
    /// When; `None`: ever.
    pub window: Option<Window>,
}

/// Points that add up to a number in a range.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Score {
    /// What earns points.
    pub of: Vec<Points>,
    /// What the total must be.
    pub range: Range,
}

/// Points, and what earns them.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Points {
    /// How many; may be negative.
    pub points: i64,
    /// What earns them.
    pub earned: Earned,
}

/// What earns points in a score.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Earned {
    /// Once, when the expression holds.
    If(Segment),
    /// Times a measured number.
    Per(Measured),
}

/// A measured number of a user: a behaviour without its range.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Measured {
    /// Which events.
    pub events: EventMatch,
    /// When; `None`: ever.
    pub window: Option<Window>,
    /// What is measured.
    pub quantity: Quantity,
}

/// What a [`Measured`] measures.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Quantity {
    /// Number of matching events.
    Times,
    /// Exact sum of the numbers in a property.
    Sum(String),
    /// Number of distinct values of a property.
    Distinct(String),
    /// Number of distinct calendar units with a matching event.
    Active {
        /// Hour, day, week or month.
        unit: Unit,
        /// The zone whose calendar counts.
        tz: Tz,
    },
}

/// A deterministic share of all users: `from ≤ bucket < to`, in percent.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Sample {
    /// What sets one split apart from another.
    pub salt: String,
    /// The first bucket inside, in percent.
    pub from: Number,
    /// The first bucket no longer inside, in percent.
    pub to: Number,
}

impl EventPattern {
    /// Whether an event of this name is meant.
    pub fn matches(&self, name: &str) -> bool {
        match self {
            Self::Name(exact) => exact == name,
            Self::Prefix(prefix) => name.starts_with(prefix.as_str()),
        }
    }
}

impl From<&str> for EventPattern {
    /// Reads the text form: a final `*` makes a prefix, `\*` at the end a literal star.
    fn from(text: &str) -> Self {
        match (text.strip_suffix("\\*"), text.strip_suffix('*')) {
            (Some(start), _) => Self::Name(format!("{start}*")),
            (None, Some(prefix)) => Self::Prefix(prefix.to_owned()),
            (None, None) => Self::Name(text.to_owned()),
        }
    }
}

impl std::fmt::Display for EventPattern {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Prefix(prefix) => write!(f, "{prefix}*"),
            Self::Name(name) => match name.strip_suffix('*') {
                Some(start) => write!(f, "{start}\\*"),
                None => f.write_str(name),
            },
        }
    }
}
