//! Windows of time, as written; [`crate::plan`] turns them into ranges of instants at an instant `T`.

use chrono_tz::Tz;

use crate::segment::EventMatch;
use crate::time::{Span, Timestamp, Unit};

/// A window of time, relative to the instant of evaluation unless it is fixed.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Window {
    /// `(T − span, T]`
    Last(Span),
    /// Everything up to and including `T − span`.
    Before(Span),
    /// `(T − from, T − to]`; `from` is the longer.
    Ago {
        /// The longer span.
        from: Span,
        /// The shorter span.
        to: Span,
    },
    /// `[from, to)`, fixed; at least one of the two.
    Fixed {
        /// The first instant inside.
        from: Option<Timestamp>,
        /// The first instant no longer inside.
        to: Option<Timestamp>,
    },
    /// Whole calendar units, from `from` back to `to` back; 0 is the current one, negative ones are to come.
    Calendar {
        /// The unit.
        unit: Unit,
        /// How many units back the first is; not less than `to`.
        from: i64,
        /// How many units back the last is.
        to: i64,
        /// The zone whose days count.
        tz: Tz,
    },
    /// `[a − before, a + after]` around the user's own instant `a`.
    Around {
        /// The user's own instant.
        of: Anchor,
        /// How far it reaches back; `None`: not at all.
        before: Option<Reach>,
        /// How far it reaches ahead; `None`: not at all.
        after: Option<Reach>,
    },
    /// `(T, T + span]`; only in a test on an instant.
    Next(Span),
    /// `(T + from, T + to]`, `to` the longer; only in a test on an instant.
    Ahead {
        /// The shorter span.
        from: Span,
        /// The longer span.
        to: Span,
    },
    /// Everything later than `T + span`; only in a test on an instant.
    Beyond(Span),
}

/// How far a window around an anchor reaches on one side.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Reach {
    /// By a span.
    Span(Span),
    /// All of it.
    Ever,
}

/// A user's own instant.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Anchor {
    /// When the user was first seen.
    Seen,
    /// The value of an attribute at `T`, an instant.
    Attribute(String),
    /// The user's first such event ever, up to `T`.
    First(Box<EventMatch>),
    /// The user's most recent such event ever, up to `T`.
    Latest(Box<EventMatch>),
}
