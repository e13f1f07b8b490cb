//! Calendar units in a time zone: local days by the law, and hours, weeks, months, quarters and years.
//!
//! A local day begins at the first instant whose local date is that date or a later one. So a day is the
//! interval from its start to the start of the next: where the clock goes back over midnight, the repeated
//! time before midnight belongs to the day that has already begun; a date the zone skips is an empty day.
//! Weeks, months, quarters and years are made of whole days.
//!
//! Units are numbered without gaps: day, hour, month, quarter and year 0 begin in UTC at 1970-01-01, week 0
//! on Monday 1969-12-29.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use chrono::{DateTime, Offset, TimeZone};
use chrono_tz::Tz;

use crate::time::{DAY, Timestamp, Unit, civil_from_days, days_from_civil};

const HOUR: i64 = 3_600_000;

/// A stretch of time over which a zone keeps one offset from UTC.
#[derive(Clone, Copy, Debug)]
struct Stretch {
    /// The first instant; `i64::MIN` of the first stretch.
    start: i64,
    /// Local time less UTC, in milliseconds.
    offset: i64,
    /// The latest local date of all time before `start`; `i64::MIN` of the first stretch.
    day_before: i64,
    /// What to add to the local hour since 1970 to number all hours of the zone without gap or repeat.
    hour_shift: i64,
}

impl Stretch {
    fn local(&self, at: i64) -> i64 {
        at.saturating_add(self.offset)
    }

    fn day_of(&self, at: i64) -> i64 {
        self.local(at).div_euclid(DAY).max(self.day_before)
    }

    /// A new stretch begins a new hour: equal local hours of two offsets are two hours.
    fn hour_of(&self, at: i64) -> i64 {
        self.local(at).div_euclid(HOUR) + self.hour_shift
    }
}

/// A time zone as the stretches of its offsets, which answers in a binary search; UTC in arithmetic.
#[derive(Debug)]
pub(crate) struct Zone {
    tz: Tz,
    /// Sorted by start, adjacent offsets different; never empty.
    stretches: Vec<Stretch>,
}

/// Where the zone data has its transitions: the offset before and after is constant.
const DATA_YEARS: (i64, i64) = (1800, 2200);

/// The offset in milliseconds, from the zone data.
fn offset_of(tz: Tz, at: i64) -> i64 {
    let at = at.clamp(Timestamp::MIN.millis(), Timestamp::MAX.millis());
    DateTime::from_timestamp_millis(at).map_or(0, |utc| {
        i64::from(tz.offset_from_utc_datetime(&utc.naive_utc()).fix().local_minus_utc()) * 1_000
    })
}

/// All instants at which the offset changes, with the new offset.
///
/// Looks once a day: no zone ever kept an offset for less (the shortest are weeks).
fn transitions(tz: Tz) -> Vec<(i64, i64)> {
    let day = |year| days_from_civil(year, 1, 1);
    let mut found = Vec::new();
    let mut offset = offset_of(tz, day(DATA_YEARS.0) * DAY);
    for next in day(DATA_YEARS.0)..day(DATA_YEARS.1) {
        let end = (next + 1) * DAY;
        while offset_of(tz, end) != offset {
            let (mut before, mut after) = (next * DAY, end);
            while after - before > 1 {
                let middle = before + (after - before) / 2;
                if offset_of(tz, middle) == offset { before = middle } else { after = middle }
            }
            offset = offset_of(tz, after);
            found.push((after, offset));
        }
    }
    found
}

impl Zone {
    /// The zone of that name, looked up once and kept.
    pub(crate) fn of(tz: Tz) -> &'static Self {
        static KNOWN: Mutex<Option<HashMap<Tz, &'static Zone>>> = Mutex::new(None);
        let mut known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
        // Leaked, but once a zone: there are some six hundred of a few kilobytes each.
        known.get_or_insert_default().entry(tz).or_insert_with(|| Box::leak(Box::new(Self::read(tz))))
    }

    fn read(tz: Tz) -> Self {
        let first =
            Stretch { start: i64::MIN, offset: offset_of(tz, i64::MIN), day_before: i64::MIN, hour_shift: 0 };
        let mut stretches = vec![first];
        let mut last = first;
        for (start, offset) in if tz == Tz::UTC { Vec::new() } else { transitions(tz) } {
            let mut next = Stretch { start, offset, day_before: last.day_of(start - 1), hour_shift: 0 };
            next.hour_shift = last.hour_of(start - 1) + 1 - next.hour_of(start);
            stretches.push(next);
            last = next;
        }
        Self { tz, stretches }
    }

    /// Its name.
    pub(crate) fn tz(&self) -> Tz {
        self.tz
    }

    /// The index of the stretch that holds an instant.
    fn index_at(&self, at: i64) -> usize {
        match self.stretches.len() {
            1 => 0,
            _ => self.stretches.partition_point(|s| s.start <= at).saturating_sub(1),
        }
    }

    fn stretch_at(&self, at: i64) -> &Stretch {
        &self.stretches[self.index_at(at)]
    }

    /// The wall clock at an instant, as milliseconds since 1970-01-01T00:00 on that clock.
    pub(crate) fn local(&self, at: i64) -> i64 {
        self.stretch_at(at).local(at)
    }

    /// The local day (days since 1970-01-01) that an instant belongs to: the latest whose start it has reached.
    pub(crate) fn day_of(&self, at: i64) -> i64 {
        self.stretch_at(at).day_of(at)
    }

    /// The first instant whose local date is that of the day or later.
    pub(crate) fn day_start(&self, day: i64) -> i64 {
        // The first stretch in which the date is reached: the one before the first that has it behind.
        let later = self.stretches.partition_point(|s| s.day_before < day);
        let stretch = &self.stretches[later.saturating_sub(1)];
        day.saturating_mul(DAY).saturating_sub(stretch.offset).max(stretch.start)
    }

    /// The number of the unit that an instant belongs to.
    pub(crate) fn unit_of(&self, unit: Unit, at: i64) -> i64 {
        unit_at(unit, self.stretch_at(at), at)
    }

    /// The first instant of a unit, which is never later than that of the next.
    pub(crate) fn unit_start(&self, unit: Unit, index: i64) -> i64 {
        match unit {
            Unit::Hour => self.hour_start(index),
            _ => self.day_start(first_day(unit, index)),
        }
    }

    fn hour_start(&self, index: i64) -> i64 {
        let later = self.stretches.partition_point(|s| s.start == i64::MIN || s.hour_of(s.start) <= index);
        let stretch = &self.stretches[later.saturating_sub(1)];
        let local = index.saturating_sub(stretch.hour_shift).saturating_mul(HOUR);
        local.saturating_sub(stretch.offset).max(stretch.start)
    }

    /// Numbers the units of many instants, quickest where neighbours are close.
    pub(crate) fn units(&'static self, unit: Unit) -> Units {
        Units { zone: self, unit, stretch: self.stretches[0], end: i64::MIN }
    }
}

/// The number of the unit that an instant belongs to.
pub(crate) fn unit_of(at: i64, unit: Unit, tz: Tz) -> i64 {
    Zone::of(tz).unit_of(unit, at)
}

/// Numbers the units of many instants: remembers the stretch of the last one.
#[derive(Clone, Debug)]
pub(crate) struct Units {
    zone: &'static Zone,
    unit: Unit,
    stretch: Stretch,
    /// The first instant after the remembered stretch.
    end: i64,
}

impl Units {
    /// The number of the unit that an instant belongs to.
    #[inline]
    pub(crate) fn of(&mut self, at: i64) -> i64 {
        if at < self.stretch.start || at >= self.end {
            let index = self.zone.index_at(at);
            self.stretch = self.zone.stretches[index];
            self.end = self.zone.stretches.get(index + 1).map_or(i64::MAX, |next| next.start);
        }
        unit_at(self.unit, &self.stretch, at)
    }
}

#[inline]
fn unit_at(unit: Unit, stretch: &Stretch, at: i64) -> i64 {
    match unit {
        Unit::Hour => stretch.hour_of(at),
        _ => unit_of_day(unit, stretch.day_of(at)),
    }
}

/// The unit, of a day or longer, that a day belongs to.
fn unit_of_day(unit: Unit, day: i64) -> i64 {
    let month = || {
        let (year, month, _) = civil_from_days(day);
        (year - 1970) * 12 + i64::from(month) - 1
    };
    match unit {
        Unit::Hour | Unit::Day => day,
        Unit::Week => (day + 3).div_euclid(7), // 1970-01-01 was a Thursday
        Unit::Month => month(),
        Unit::Quarter => month().div_euclid(3),
        Unit::Year => month().div_euclid(12),
    }
}

/// The first day of a unit of a day or longer.
fn first_day(unit: Unit, index: i64) -> i64 {
    // Far enough out that every instant an `i64` can hold is on this side, near enough not to overflow.
    let index = index.clamp(-1 << 42, 1 << 42);
    let month = |index: i64| {
        let month = index.rem_euclid(12).unsigned_abs() as u32 + 1;
        days_from_civil(1970 + index.div_euclid(12), month, 1)
    };
    match unit {
        Unit::Hour | Unit::Day => index,
        Unit::Week => index * 7 - 3,
        Unit::Month => month(index),
        Unit::Quarter => month(index * 3),
        Unit::Year => month(index * 12),
    }
}
