//! Anniversaries: whether the month and day of an instant come up soon.

use crate::plan::bounds::{first_reaching_ahead, plus};
use crate::plan::calendar::Zone;
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
