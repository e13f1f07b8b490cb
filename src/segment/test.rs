//! Tests on a value and filters on properties, as written.

use chrono_tz::Tz;

use crate::time::Span;
use crate::value::Scalar;
use crate::window::Window;

/// A test on the value of a property or an attribute.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Test {
    /// What is compared.
    pub comparison: Comparison,
    /// Compare after lower-casing; an error beside comparisons that know no case.
    pub ignore_case: bool,
}

/// What a [`Test`] compares.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Comparison {
    /// Equal.
    Eq(Scalar),
    /// The complement of [`Comparison::Eq`]: a missing value passes.
    Ne(Scalar),
    /// Equal to one of these.
    In(Vec<Scalar>),
    /// The complement of [`Comparison::In`].
    NotIn(Vec<Scalar>),
    /// Greater than a number, string or instant.
    Gt(Scalar),
    /// Greater or equal.
    Gte(Scalar),
    /// Less.
    Lt(Scalar),
    /// Less or equal.
    Lte(Scalar),
    /// Between two of one kind, both inclusive.
    Between(Scalar, Scalar),
    /// Has the text in it.
    Contains(String),
    /// The complement of [`Comparison::Contains`].
    NotContains(String),
    /// Starts with the text.
    StartsWith(String),
    /// Ends with the text.
    EndsWith(String),
    /// Matches the regular expression, unanchored.
    Matches(String),
    /// The complement of [`Comparison::Matches`].
    NotMatches(String),
    /// Is there (`true`), or is missing (`false`).
    Exists(bool),
    /// An instant inside a window, which is not cut at `T`.
    Within(Window),
    /// An instant whose month and day fall on one of the local days from that of `T` to that of `T + next`.
    Anniversary {
        /// How far ahead.
        next: Span,
        /// The zone whose days count.
        tz: Tz,
    },
    /// Some one record of a list of records passes the whole filter.
    AnyElement(Box<Filter>),
}

/// A filter on the properties of an event, or on the fields of a record.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Filter {
    /// One property passes a test.
    Property {
        /// The property.
        name: String,
        /// What it must pass.
        test: Test,
    },
    /// Every one passes.
    All(Vec<Filter>),
    /// Some one passes.
    Any(Vec<Filter>),
    /// It does not pass.
    Not(Box<Filter>),
}

impl Test {
    /// A test that minds case.
    pub fn new(comparison: Comparison) -> Self {
        Self { comparison, ignore_case: false }
    }
}

impl Comparison {
    /// Whether `ignore_case` may stand beside it.
    pub(crate) fn knows_case(&self) -> bool {
        matches!(
            self,
            Self::Eq(_)
                | Self::Ne(_)
                | Self::In(_)
                | Self::NotIn(_)
                | Self::Contains(_)
                | Self::NotContains(_)
                | Self::StartsWith(_)
                | Self::EndsWith(_)
                | Self::Matches(_)
                | Self::NotMatches(_)
        )
    }
}
