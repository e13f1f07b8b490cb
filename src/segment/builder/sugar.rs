//! What people say often, expanded at once into the law's forms.

use super::attribute::seen;
use super::did::{Behavior, Ungrouped};
use super::measure::Quantified;
use super::ops::all;
use super::score::{at_least, score};
use super::windows::{Ever, Windowed};
use crate::limits::MAX_NODES;
use crate::segment::{Measured, Segment};
use crate::time::Span;

/// Who is known for at least so long: first seen at or before `T − span`.
///
/// ```
/// # use whodid::{days, did, known_for, seen, segment::Segment};
/// let silent = did("*").not_in_last(days(14)) & known_for(days(30));
/// assert_eq!(known_for(days(30)), Segment::from(seen().before(days(30))));
/// # let _ = silent;
/// ```
pub fn known_for(span: Span) -> Segment {
    seen().before(span).into()
}

/// So many times the span, part by part, at most to what a part can hold.
fn times(span: Span, n: u32) -> Span {
    Span {
        years: span.years.saturating_mul(n),
        months: span.months.saturating_mul(n),
        millis: span.millis.saturating_mul(n.into()),
    }
}

/// What people say often; each expands at once into the law's forms.
///
/// ```
/// # use whodid::{at_least, days, did, weeks};
/// let login = || did("login");
/// assert_eq!(login().not_in_last(days(14)), !login().last(days(14)));
/// assert_eq!(login().lapsed(days(30)), login().before(days(30)) & !login().last(days(30)));
/// assert_eq!(
///     login().at_least(3).stopped(days(30)),
///     login().at_least(3).ago(days(60), days(30)) & !login().at_least(3).last(days(30)),
/// );
/// assert_eq!(
///     login().restarted(weeks(1)),
///     login().last(weeks(1)) & !login().ago(weeks(2), weeks(1)) & login().before(weeks(2)),
/// );
/// assert_eq!(
///     login().regularly(2, 3, weeks(1)),
///     at_least(2, (login().last(weeks(1)), login().ago(weeks(2), weeks(1)), login().ago(weeks(3), weeks(2)))),
/// );
/// ```
impl<M: Clone, S: Clone> Behavior<M, Ever, S>
where
    Behavior<M, Windowed, S>: Into<Segment>,
{
    /// Has not done it in the last such span; those who were not there yet count too.
    ///
    /// `did("login").not_in_last(days(14)) & known_for(days(14))` leaves out whoever could not have done it.
    pub fn not_in_last(self, span: Span) -> Segment {
        !self.last(span)
    }

    /// Has not done it in the last such span, though known for at least that long.
    pub fn absent_for(self, span: Span) -> Segment {
        known_for(span) & self.not_in_last(span)
    }

    /// Lapsed: did it before, but not in the last such span.
    pub fn lapsed(self, span: Span) -> Segment {
        self.clone().before(span) & self.not_in_last(span)
    }

    /// Stopped: did it in the span before the last one, but not in the last one.
    pub fn stopped(self, span: Span) -> Segment {
        self.clone().ago(times(span, 2), span) & self.not_in_last(span)
    }

    /// Restarted: did it in the last such span, not in the one before, but before that.
    pub fn restarted(self, span: Span) -> Segment {
        let two = times(span, 2);
        all((self.clone().last(span), !self.clone().ago(two, span), self.before(two)))
    }

    /// Regularly: did it in at least `k` of the last `n` periods of such a span, the latest ending at `T`.
    ///
    /// In calendar units it is a measure: `did("login").active_weeks().at_least(3).previous(4, Unit::Week)`.
    pub fn regularly(self, k: u32, n: u32, period: Span) -> Segment {
        // One more than the limit is refused as surely as any number more.
        let periods = (0..n).take(MAX_NODES + 1).map(|i| match i {
            0 => self.clone().last(period).into(),
            _ => self.clone().ago(times(period, i + 1), times(period, i)).into(),
        });
        at_least(k, periods.collect::<Vec<Segment>>())
    }
}

/// What people say often of a number; each expands at once into the law's forms.
impl<M: Quantified + Clone> Behavior<M, Ever, Ungrouped> {
    /// Fell to a fraction: in the last such span at most `numerator / denominator` of what it was in the span
    /// before, in which it was above 0. Compared exactly.
    ///
    /// A denominator of 0 is refused when the segment is validated.
    ///
    /// ```
    /// # use whodid::{days, did, score};
    /// let used = || did("feature_used");
    /// assert_eq!(
    ///     used().fell_to(1, 3, days(30)),
    ///     score().per(1, used().ago(days(60), days(30))).more_than(0)
    ///         & score().per(3, used().last(days(30))).per(-1, used().ago(days(60), days(30))).at_most(0),
    /// );
    /// assert!(used().fell_to(1, 0, days(30)).validate().is_err());
    /// ```
    pub fn fell_to(self, numerator: u32, denominator: u32, span: Span) -> Segment {
        let now: Measured = self.clone().last(span).into();
        let before: Measured = self.ago(times(span, 2), span).into();
        let fell = score().per(denominator.into(), now).per(-i64::from(numerator), before.clone());
        let fell = match denominator {
            // Nothing over 0 is a number, and no number is above 0 and below it.
            0 => fell.between(1, -1),
            _ => fell.at_most(0),
        };
        score().per(1, before).more_than(0) & fell
    }
}
