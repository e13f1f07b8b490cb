//! ## Windows

use std::cell::RefCell;
use std::collections::HashMap;

use chrono::{DateTime, Datelike, NaiveDate, NaiveDateTime, Offset, TimeZone};
use chrono_tz::Tz;

use super::Asked;
use super::facts::Person;
use crate::segment::EventMatch;
use crate::time::{Span, Timestamp, Unit};
use crate::value::{Scalar, Value};
use crate::window::{Anchor, Reach, Window};

const MINUTE: i64 = 60_000;
const DAY: i64 = 1440 * MINUTE;

/// Instants in a row, in milliseconds: the first and the last. Nothing where the last lies before the first.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Instants {
    first: i64,
    last: i64,
}

impl Instants {
    pub(super) fn holds(self, at: i64) -> bool {
        self.first <= at && at <= self.last
    }

    /// `(after, upto]`
    fn between(after: i64, upto: i64) -> Self {
        Self { first: after + 1, last: upto }
    }
}

impl Asked<'_> {
    /// The instants of a window; `None` where the user has not got its anchor.
    pub(super) fn instants(&self, window: Option<&Window>, user: &Person<'_>) -> Option<Instants> {
        let instants = match window {
            None => Instants { first: i64::MIN, last: i64::MAX },
            Some(Window::Around { of, before, after }) => {
                let own = self.anchor(of, user)?;
                let first = match before {
                    None => own,
                    Some(Reach::Span(span)) => minus(own, *span),
                    Some(Reach::Ever) => i64::MIN,
                };
                let last = match after {
                    None => own,
                    Some(Reach::Span(span)) => plus(own, *span),
                    Some(Reach::Ever) => i64::MAX,
                };
                Instants { first, last }
            }
            Some(window) => self.uncut(window),
        };
        Some(Instants { last: instants.last.min(self.at), ..instants })
    }

    /// The instants of a window that needs no user, not cut at `T`: as in a test on a value.
    pub(super) fn uncut(&self, window: &Window) -> Instants {
        let at = self.at;
        match window {
            Window::Last(span) => Instants::between(minus(at, *span), at),
            Window::Before(span) => Instants { first: i64::MIN, last: minus(at, *span) },
            Window::Ago { from, to } => Instants::between(minus(at, *from), minus(at, *to)),
            Window::Fixed { from, to } => Instants {
                first: from.map_or(i64::MIN, Timestamp::millis),
                last: to.map_or(i64::MAX, |to| to.millis() - 1),
            },
            Window::Calendar { unit, from, to, tz } => Instants {
                first: self.unit_start(*unit, *from, *tz),
                last: self.unit_start(*unit, to.saturating_sub(1), *tz) - 1,
            },
            Window::Next(span) => Instants::between(at, plus(at, *span)),
            Window::Ahead { from, to } => Instants::between(plus(at, *from), plus(at, *to)),
            Window::Beyond(span) => Instants { first: plus(at, *span) + 1, last: i64::MAX },
            Window::Around { .. } => Instants { first: 0, last: -1 },
        }
    }

    /// The user's own instant.
    fn anchor(&self, of: &Anchor, user: &Person<'_>) -> Option<i64> {
        let event = |wanted: &EventMatch, pick: fn(&[i64]) -> Option<&i64>| {
            let instants: Vec<i64> = self.matching(wanted, user).iter().map(|e| e.at.millis()).collect();
            pick(&instants).copied()
        };
        match of {
            Anchor::Seen => Some(user.seen),
            Anchor::Attribute(name) => match user.value(name, self.at) {
                Some(Value::Scalar(Scalar::Instant(at))) => Some(at.millis()),
                _ => None,
            },
            Anchor::First(wanted) => event(wanted, <[i64]>::first),
            Anchor::Latest(wanted) => event(wanted, <[i64]>::last),
        }
    }

    /// When the unit began (or begins) that lies so many units back from the one `T` lies in.
    fn unit_start(&self, unit: Unit, back: i64, tz: Tz) -> i64 {
        let today = day_of(self.at, tz);
        let month = i64::from(today.year()) * 12 + i64::from(today.month0());
        let day = match unit {
            Unit::Hour | Unit::Day => nth_day(number(today).saturating_sub(back)),
            Unit::Week => nth_day(number(monday(today)).saturating_sub(back.saturating_mul(7))),
            Unit::Month => first_of(month.saturating_sub(back)),
            Unit::Quarter => first_of((month - month.rem_euclid(3)).saturating_sub(back.saturating_mul(3))),
            Unit::Year => first_of((month - month.rem_euclid(12)).saturating_sub(back.saturating_mul(12))),
        };
        day_start(day, tz)
    }
}

thread_local! {
    /// When local days begin, as far as worked out.
    static DAY_STARTS: RefCell<HashMap<(Tz, NaiveDate), i64>> = RefCell::default();
}

/// The local day an instant lies in: the last one that has begun.
pub(super) fn day_of(at: i64, tz: Tz) -> NaiveDate {
    let today = number(local(at, tz).0.date());
    let mut candidates = (today - 2..=today + 2).rev().map(nth_day);
    candidates.find(|day| day_start(*day, tz) <= at).unwrap_or_else(|| nth_day(today))
}

/// The first instant that has the date; of a date that the zone skips, the first that has a later one.
///
/// Looks at every minute around, then at every second of the one before: no clock has ever been set for
/// less.
pub(super) fn day_start(day: NaiveDate, tz: Tz) -> i64 {
    if let Some(known) = DAY_STARTS.with_borrow(|known| known.get(&(tz, day)).copied()) {
        return known;
    }
    let midnight = number(day) * DAY;
    let has_come = |at: &i64| local(*at, tz).0.date() >= day;
    let minutes = (-27 * 60..27 * 60).map(|minute| midnight + minute * MINUTE);
    let minute = minutes.into_iter().find(has_come).unwrap_or(midnight);
    let seconds = (-60..=0).map(|second| minute + second * 1000);
    let start = seconds.into_iter().find(has_come).unwrap_or(minute);
    DAY_STARTS.with_borrow_mut(|known| known.insert((tz, day), start));
    start
}

/// What the clock on the wall shows at an instant, and the seconds it is ahead of UTC.
pub(super) fn local(at: i64, tz: Tz) -> (NaiveDateTime, i32) {
    let utc = DateTime::from_timestamp_millis(at).unwrap_or_default().naive_utc();
    let there = tz.from_utc_datetime(&utc);
    (there.naive_local(), there.offset().fix().local_minus_utc())
}

/// The Monday of the week a day lies in.
pub(super) fn monday(day: NaiveDate) -> NaiveDate {
    nth_day(number(day) - i64::from(day.weekday().num_days_from_monday()))
}

/// Days since 1 January 1970.
pub(super) fn number(day: NaiveDate) -> i64 {
    (day - NaiveDate::default()).num_days()
}

/// The day so many days after 1 January 1970; no farther than 20 000 years or so, where nothing is left to
/// compare it with.
pub(super) fn nth_day(number: i64) -> NaiveDate {
    let days = number.clamp(-9_000_000, 9_000_000);
    NaiveDate::default().checked_add_signed(chrono::Duration::days(days)).unwrap_or_default()
}

/// The first day of a month, counted from January of the year 0; no farther than 25 000 years or so.
fn first_of(month: i64) -> NaiveDate {
    let month = month.clamp(-300_000, 300_000);
    date(month, 1).unwrap_or_default()
}

/// A day of a month, counted from January of the year 0, where the month has it.
fn date(month: i64, day: u32) -> Option<NaiveDate> {
    let year = i32::try_from(month.div_euclid(12)).ok()?;
    let month = u32::try_from(month.rem_euclid(12)).ok()? + 1;
    NaiveDate::from_ymd_opt(year, month, day)
}

/// An instant plus a span: months and years first, then the rest.
pub(super) fn plus(at: i64, span: Span) -> i64 {
    months_on(at, months(span)).saturating_add_unsigned(span.millis)
}

/// An instant minus a span: months and years first, then the rest.
pub(super) fn minus(at: i64, span: Span) -> i64 {
    months_on(at, -months(span)).saturating_sub_unsigned(span.millis)
}

fn months(span: Span) -> i64 {
    i64::from(span.years) * 12 + i64::from(span.months)
}

/// The same day and time of day some months on; where that month lacks the day, its last millisecond.
fn months_on(at: i64, months: i64) -> i64 {
    let today = nth_day(at.div_euclid(DAY));
    let month = i64::from(today.year()) * 12 + i64::from(today.month0()) + months;
    match date(month, today.day()) {
        Some(day) => number(day) * DAY + at.rem_euclid(DAY),
        None => number(first_of(month + 1)) * DAY - 1,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> i64 {
        text.parse::<Timestamp>().expect("an instant").millis()
    }

    fn starts(zone: &str, date: &str, expected: &str) {
        let (day, tz) = (date.parse().expect("a date"), zone.parse().expect("a zone"));
        assert_eq!(day_start(day, tz), at(expected), "{date} in {zone}");
    }

    #[test]
    fn days_begin_at_the_first_instant_with_their_date() {
        starts("UTC", "2026-06-15", "2026-06-15T00:00:00Z");
        starts("Europe/Berlin", "2026-03-29", "2026-03-28T23:00:00Z");
        starts("Europe/Berlin", "2026-03-30", "2026-03-29T22:00:00Z");
        // The clock went back over midnight, and the day had begun.
        starts("America/St_Johns", "2010-11-07", "2010-11-07T02:30:00Z");
        // A day without a midnight.
        starts("America/Sao_Paulo", "2018-11-04", "2018-11-04T03:00:00Z");
        // A date that was skipped begins, empty, with the next one.
        starts("Pacific/Apia", "2011-12-30", "2011-12-30T10:00:00Z");
        starts("Pacific/Apia", "2011-12-31", "2011-12-30T10:00:00Z");
        // Local mean time, off by seconds.
        starts("Africa/Monrovia", "1971-01-01", "1971-01-01T00:44:30Z");
    }

    #[test]
    fn an_instant_lies_in_the_last_day_that_has_begun() {
        let day = |zone: &str, text| day_of(at(text), zone.parse().expect("a zone")).to_string();
        assert_eq!(day("America/St_Johns", "2010-11-07T02:31:30Z"), "2010-11-07");
        assert_eq!(day("Pacific/Apia", "2011-12-30T09:59:59.999Z"), "2011-12-29");
        assert_eq!(day("Pacific/Apia", "2011-12-30T10:00:00Z"), "2011-12-31");
    }

    #[test]
    fn months_step_to_the_same_day_or_the_end_of_the_month() {
        let month = Span { years: 0, months: 1, millis: 0 };
        let year = Span { years: 1, months: 1, millis: 86_400_000 };
        for (from, span, less, more) in [
            ("2026-03-28T12:00:00Z", month, "2026-02-28T12:00:00Z", "2026-04-28T12:00:00Z"),
            ("2026-03-31T12:00:00Z", month, "2026-02-28T23:59:59.999Z", "2026-04-30T23:59:59.999Z"),
            ("2024-03-29T12:00:00Z", month, "2024-02-29T12:00:00Z", "2024-04-29T12:00:00Z"),
            ("2026-03-29T12:00:00Z", year, "2025-02-27T23:59:59.999Z", "2027-04-30T12:00:00Z"),
            ("2026-01-15T00:00:00Z", month, "2025-12-15T00:00:00Z", "2026-02-15T00:00:00Z"),
        ] {
            assert_eq!((minus(at(from), span), plus(at(from), span)), (at(less), at(more)), "{from}");
        }
    }
}
