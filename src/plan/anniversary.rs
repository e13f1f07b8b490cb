//! Anniversaries: whether the month and day of an instant come up soon.

use crate::plan::bounds::plus;
use crate::plan::calendar::Zone;
use crate::plan::presence::first_reaching_ahead;
use crate::time::{DAY, Span, civil_from_days, days_from_civil, days_in_month};

/// The local days from that of `T` to that of `T + next`, for any `T`.
#[derive(Clone, Debug)]
pub(crate) struct Anniversary {
    pub(crate) next: Span,
    pub(crate) zone: &'static Zone,
}

/// The months and days on which an anniversary falls at one `T`.
#[derive(Clone, Debug)]
pub(crate) struct MonthDays {
    zone: &'static Zone,
    /// One bit for each month and day, at `month * 32 + day`.
    bits: [u64; 7],
}

impl Anniversary {
    /// First and last day.
    fn days(&self, t: i64) -> (i64, i64) {
        (self.zone.day_of(t), self.zone.day_of(plus(t, self.next)))
    }

    pub(crate) fn at(&self, t: i64) -> MonthDays {
        let (first, last) = self.days(t);
        let mut days = MonthDays { zone: self.zone, bits: [0; 7] };
        // Any 366 days in a row hold every anniversary.
        for day in first..=last.min(first.saturating_add(366)) {
            let (year, month, day) = civil_from_days(day);
            days.set(month, day);
            if (month, day) == (2, 28) && days_in_month(year, 2) == 28 {
                days.set(2, 29);
            }
        }
        days
    }

    /// The next `T` after `t` at which the outcome for an instant may be another; never too late.
    pub(crate) fn next_change(&self, instant: i64, t: i64) -> i64 {
        let (month, day) = month_day(self.zone, instant);
        let (first, last) = self.days(t);
        let year = civil_from_days(first).0;
        let on = |year| days_from_civil(year, month, day.min(days_in_month(year, month)));
        let next = if on(year) >= first { on(year) } else { on(year + 1) };
        if next <= last {
            self.zone.day_start(next + 1)
        } else {
            first_reaching_ahead(self.next, self.zone.day_start(next))
        }
    }
}

impl MonthDays {
    fn set(&mut self, month: u32, day: u32) {
        let bit = (month * 32 + day) as usize;
        self.bits[bit / 64] |= 1 << (bit % 64);
    }

    /// Whether an instant's month and day, as on the wall clock, are among them.
    pub(crate) fn contains(&self, instant: i64) -> bool {
        let (month, day) = month_day(self.zone, instant);
        let bit = (month * 32 + day) as usize;
        self.bits[bit / 64] >> (bit % 64) & 1 == 1
    }
}

fn month_day(zone: &Zone, instant: i64) -> (u32, u32) {
    let (_, month, day) = civil_from_days(zone.local(instant).div_euclid(DAY));
    (month, day)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::{Timestamp, days, hours, months};

    fn at(text: &str) -> i64 {
        text.parse::<Timestamp>().unwrap().millis()
    }

    fn falls(next: Span, tz: &str, t: &str, instant: &str) -> bool {
        let anniversary = Anniversary { next, zone: Zone::of(tz.parse().unwrap()) };
        anniversary.at(at(t)).contains(at(instant))
    }

    #[test]
    fn birthdays_come_up_by_local_days() {
        let in_a_week = |instant| falls(days(7), "UTC", "2026-06-17T15:00:00Z", instant);
        assert!(in_a_week("1990-06-17T00:00:00Z") && in_a_week("2030-06-24T23:59:59Z"));
        assert!(!in_a_week("1990-06-16T23:59:59Z") && !in_a_week("1990-06-25T00:00:00Z"));
        // The day of T and that of the instant are those of the zone.
        let in_berlin = |t, instant| falls(hours(1), "Europe/Berlin", t, instant);
        assert!(in_berlin("2026-06-17T22:00:00Z", "1990-06-17T22:00:00Z")); // both on 18 June
        assert!(!in_berlin("2026-06-17T22:00:00Z", "1990-06-17T21:59:59Z"));
        assert!(in_berlin("2026-06-17T21:00:00Z", "1990-06-18T12:00:00Z")); // an hour on it is 18 June
        assert!(falls(days(3), "UTC", "2026-12-30T00:00:00Z", "1990-01-02T00:00:00Z"));
    }

    #[test]
    fn a_leap_day_is_28_february_in_common_years() {
        let today = |t, instant| falls(hours(1), "UTC", t, instant);
        let leapling = "2000-02-29T12:00:00Z";
        assert!(today("2026-02-28T12:00:00Z", leapling) && !today("2026-03-01T00:00:00Z", leapling));
        assert!(today("2028-02-29T12:00:00Z", leapling) && !today("2028-02-28T12:00:00Z", leapling));
        assert!(today("2028-02-28T12:00:00Z", "2001-02-28T00:00:00Z"));
        assert!(!today("2028-02-29T12:00:00Z", "2001-02-28T00:00:00Z"));
        assert!(falls(days(366), "UTC", "2027-03-01T00:00:00Z", leapling));
    }

    #[test]
    fn the_wall_clock_decides_where_the_day_has_begun_already() {
        // St John's repeated the end of 6 November 2010 after 7 November had begun.
        let repeated = "2010-11-07T03:00:00Z"; // 23:30 on 6 November on the wall
        assert!(falls(hours(1), "America/St_Johns", "2026-11-06T15:00:00Z", repeated));
        assert!(!falls(hours(1), "America/St_Johns", "2026-11-07T15:00:00Z", repeated));
        assert!(!falls(hours(1), "America/St_Johns", repeated, "1990-11-06T15:00:00Z"));
        assert!(falls(hours(1), "America/St_Johns", repeated, "1990-11-07T15:00:00Z"));
    }

    #[test]
    fn the_next_change_is_when_it_begins_or_ends() {
        let week = Anniversary { next: days(7), zone: Zone::of(chrono_tz::UTC) };
        let birthday = at("1990-06-24T12:00:00Z");
        assert_eq!(week.next_change(birthday, at("2026-06-16T15:00:00Z")), at("2026-06-17T00:00:00Z"));
        assert_eq!(week.next_change(birthday, at("2026-06-17T00:00:00Z")), at("2026-06-25T00:00:00Z"));
        assert_eq!(week.next_change(birthday, at("2026-06-25T00:00:00Z")), at("2027-06-17T00:00:00Z"));
        let month = Anniversary { next: months(1), zone: Zone::of(chrono_tz::UTC) };
        assert_eq!(
            month.next_change(at("2000-02-29T00:00:00Z"), at("2026-01-15T00:00:00Z")),
            at("2026-01-28T00:00:00Z")
        );
    }
}
