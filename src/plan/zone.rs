//! Time zones: offsets from UTC, and local days by the law.
//!
//! A local day begins at the first instant whose local date is that date or a later one. So a day is the
//! interval from its start to the start of the next: where the clock goes back over midnight, the repeated
//! time before midnight belongs to the day that has already begun; a date the zone skips is an empty day.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use chrono::{DateTime, Offset, TimeZone};
use chrono_tz::Tz;

use crate::time::{DAY, Timestamp, days_from_civil};

const HOUR: i64 = 3_600_000;

/// A stretch of time over which a zone keeps one offset from UTC.
#[derive(Clone, Copy, Debug)]
pub(super) struct Stretch {
    /// The first instant; `i64::MIN` of the first stretch.
    pub(super) start: i64,
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

    pub(super) fn day_of(&self, at: i64) -> i64 {
        self.local(at).div_euclid(DAY).max(self.day_before)
    }

    /// A new stretch begins a new hour: equal local hours of two offsets are two hours.
    pub(super) fn hour_of(&self, at: i64) -> i64 {
        self.local(at).div_euclid(HOUR) + self.hour_shift
    }
}

/// A time zone as the stretches of its offsets, which answers in a binary search; UTC in arithmetic.
#[derive(Debug)]
pub(crate) struct Zone {
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
/// Looks every third day: no zone kept an offset for less than six days (Brazil's autumn of 2000, Gaza's to come).
fn transitions(tz: Tz) -> Vec<(i64, i64)> {
    let day = |year| days_from_civil(year, 1, 1);
    let mut found = Vec::new();
    let mut offset = offset_of(tz, day(DATA_YEARS.0) * DAY);
    for next in (day(DATA_YEARS.0)..day(DATA_YEARS.1)).step_by(3) {
        let end = (next + 3) * DAY;
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
        Self { stretches }
    }

    /// The index of the stretch that holds an instant.
    fn index_at(&self, at: i64) -> usize {
        match self.stretches.len() {
            1 => 0,
            _ => self.stretches.partition_point(|s| s.start <= at).saturating_sub(1),
        }
    }

    pub(super) fn stretch_at(&self, at: i64) -> &Stretch {
        &self.stretches[self.index_at(at)]
    }

    /// The stretch that holds an instant, and the first instant of the next.
    pub(super) fn stretch_until(&self, at: i64) -> (Stretch, i64) {
        let index = self.index_at(at);
        let next = self.stretches.get(index + 1);
        (self.stretches[index], next.map_or(i64::MAX, |next| next.start))
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

    /// The first instant of an hour, by the numbers of [`Stretch::hour_of`].
    pub(super) fn hour_start(&self, index: i64) -> i64 {
        let later = self.stretches.partition_point(|s| s.start == i64::MIN || s.hour_of(s.start) <= index);
        let stretch = &self.stretches[later.saturating_sub(1)];
        let local = index.saturating_sub(stretch.hour_shift).saturating_mul(HOUR);
        local.saturating_sub(stretch.offset).max(stretch.start)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::Unit;
    use chrono_tz::TZ_VARIANTS;

    fn at(text: &str) -> i64 {
        text.parse::<Timestamp>().unwrap().millis()
    }

    fn day(text: &str) -> i64 {
        at(&format!("{text}T00:00:00Z")).div_euclid(DAY)
    }

    fn zone(name: &str) -> &'static Zone {
        Zone::of(name.parse().unwrap())
    }

    /// The local date by chrono, as days since 1970.
    fn chrono_date(tz: Tz, at: i64) -> i64 {
        let local = DateTime::from_timestamp_millis(at).unwrap().with_timezone(&tz).date_naive();
        (local - chrono::NaiveDate::default()).num_days()
    }

    #[test]
    fn offsets_are_those_of_the_zone_data() {
        let step = 13 * DAY + 5 * HOUR + 7_919_001; // meets every hour of the day
        let (from, to) = (at("1830-01-01T00:00:00Z"), at("2110-01-01T00:00:00Z"));
        let years = (1..=9_999).step_by(401).map(|year| days_from_civil(year, 6, 15) * DAY);
        let instants: Vec<i64> = (from..to).step_by(step as usize).chain(years).collect();
        for tz in TZ_VARIANTS {
            let zone = Zone::of(tz);
            let far = |a: &Stretch, b: &Stretch| b.start.saturating_sub(a.start) > 6 * DAY;
            assert!(zone.stretches.is_sorted_by(|a, b| far(a, b) && a.offset != b.offset), "{tz}");
            for &at in &instants {
                assert_eq!(zone.local(at) - at, offset_of(tz, at), "{tz} {at}");
            }
        }
    }

    #[test]
    fn days_where_the_clock_jumps() {
        // Samoa had no 30 December 2011: an empty day.
        let apia = zone("Pacific/Apia");
        assert_eq!(apia.day_start(day("2011-12-30")), at("2011-12-30T10:00:00Z"));
        assert_eq!(apia.day_start(day("2011-12-31")), at("2011-12-30T10:00:00Z"));
        assert_eq!(apia.day_of(at("2011-12-30T09:59:59.999Z")), day("2011-12-29"));
        assert_eq!(apia.day_of(at("2011-12-30T10:00:00Z")), day("2011-12-31"));
        // St John's went back from 00:01 to 23:01: 7 November had begun already.
        let st_johns = zone("America/St_Johns");
        assert_eq!(st_johns.day_start(day("2010-11-07")), at("2010-11-07T02:30:00Z"));
        assert_eq!(chrono_date(Tz::America__St_Johns, at("2010-11-07T03:00:00Z")), day("2010-11-06"));
        assert_eq!(st_johns.day_of(at("2010-11-07T03:00:00Z")), day("2010-11-07"));
        // São Paulo went from 24:00 to 01:00.
        let sao_paulo = zone("America/Sao_Paulo");
        assert_eq!(sao_paulo.day_start(day("2017-10-15")), at("2017-10-15T03:00:00Z"));
        assert_eq!(sao_paulo.local(at("2017-10-15T03:00:00Z")).rem_euclid(DAY), HOUR);
        // Kwajalein had no 21 August 1993, Manila no 31 December 1844 (at an offset of -15:56:08).
        let manila = zone("Asia/Manila");
        assert_eq!(manila.day_start(day("1844-12-31")), manila.day_start(day("1845-01-01")));
        let kwajalein = zone("Pacific/Kwajalein");
        assert_eq!(kwajalein.day_start(day("1993-08-21")), kwajalein.day_start(day("1993-08-22")));
    }

    #[test]
    fn an_hour_that_repeats_is_two() {
        let berlin = zone("Europe/Berlin");
        let hour = |text: &str| berlin.unit_of(Unit::Hour, at(text));
        let first = hour("2026-10-25T00:59:59Z"); // 02:59:59 +02:00
        assert_eq!(hour("2026-10-25T00:00:00Z"), first);
        assert_eq!(hour("2026-10-25T01:00:00Z"), first + 1); // 02:00:00 +01:00
        assert_eq!(hour("2026-03-29T01:00:00Z"), hour("2026-03-29T00:59:59Z") + 1); // 03:00 after 01:59
        // At 00:01 an hour breaks off: 00 at -02:30 and 23 at -03:30 share an hour of UTC and are two.
        let st_johns = zone("America/St_Johns");
        let around: Vec<i64> = ["02:29:59Z", "02:30:00Z", "02:30:59Z", "02:31:00Z", "03:29:59Z", "03:30:00Z"]
            .map(|time| st_johns.unit_of(Unit::Hour, at(&format!("2010-11-07T{time}"))))
            .to_vec();
        let base = around[0];
        assert_eq!(around, [base, base + 1, base + 1, base + 2, base + 2, base + 3]);
    }

    #[test]
    fn hours_are_those_of_local_hour_and_offset() {
        for name in
            ["Europe/Berlin", "America/St_Johns", "Asia/Kathmandu", "Australia/Lord_Howe", "Africa/Monrovia"]
        {
            let zone = zone(name);
            let mut last = None;
            for at in (at("1971-12-01T00:00:00Z")..at("1973-02-01T00:00:00Z")).step_by(599_000) {
                let key = (zone.local(at).div_euclid(HOUR), zone.local(at) - at);
                let number = zone.unit_of(Unit::Hour, at);
                if let Some((last_key, last_number)) = last {
                    assert_eq!(key == last_key, number == last_number, "{name} {at}");
                    assert!((0..=1).contains(&(number - last_number)), "{name} {at}");
                }
                last = Some((key, number));
                assert!(
                    zone.unit_start(Unit::Hour, number) <= at && at < zone.unit_start(Unit::Hour, number + 1)
                );
            }
        }
    }

    #[test]
    fn day_starts_agree_with_a_slow_scan() {
        // The last instant before each day's start has an earlier date, and so had all before it.
        let zones =
            ["America/St_Johns", "Pacific/Apia", "America/Sao_Paulo", "Asia/Gaza", "Antarctica/Troll"];
        for (name, zone) in zones.map(|name| (name, zone(name))) {
            let tz: Tz = name.parse().unwrap();
            let (from, to) = (day("2009-12-01"), day("2012-02-01"));
            let mut date = i64::MIN;
            let mut starts = Vec::new(); // the first instant at which each date is reached
            for at in ((from - 2) * DAY..(to + 2) * DAY).step_by(60_000) {
                let now = chrono_date(tz, at);
                if now > date {
                    starts.extend((date.max(from)..now).map(|day| (day + 1, at)));
                    date = now;
                }
                assert_eq!(zone.day_of(at), date, "{tz} {at}");
            }
            for (day, start) in starts.into_iter().filter(|(day, _)| *day > from) {
                assert_eq!(zone.day_start(day), start, "{tz} {day}");
            }
        }
    }
}
