//! Calendar units in a time zone: hours, days, weeks, months, quarters and years.
//!
//! Weeks, months, quarters and years are made of whole days (see [`Zone`]); a new hour begins with the local
//! hour and with a change of the offset.
//!
//! Units are numbered without gaps: day, hour, month, quarter and year 0 begin in UTC at 1970-01-01, week 0
//! on Monday 1969-12-29.

use crate::plan::zone::Stretch;
pub(crate) use crate::plan::zone::Zone;
use crate::time::{Unit, civil_from_days, days_from_civil};

impl Zone {
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

    /// Numbers the units of many instants, quickest where neighbours are close.
    pub(crate) fn units(&'static self, unit: Unit) -> Units {
        let (stretch, end) = self.stretch_until(i64::MAX);
        Units { zone: self, unit, stretch, end }
    }
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
            (self.stretch, self.end) = self.zone.stretch_until(at);
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::{DAY, Timestamp};
    use chrono_tz::TZ_VARIANTS;
    use chrono_tz::Tz;
    use proptest::prelude::*;

    fn at(text: &str) -> i64 {
        text.parse::<Timestamp>().unwrap().millis()
    }

    fn zone(name: &str) -> &'static Zone {
        Zone::of(name.parse().unwrap())
    }

    #[test]
    fn units_begin_where_people_think() {
        let utc = Zone::of(Tz::UTC);
        let start = |unit, text: &str| utc.unit_start(unit, utc.unit_of(unit, at(text)));
        for (unit, want) in [
            (Unit::Hour, "2026-06-17T15:00:00Z"),
            (Unit::Day, "2026-06-17T00:00:00Z"),
            (Unit::Week, "2026-06-15T00:00:00Z"),
            (Unit::Month, "2026-06-01T00:00:00Z"),
            (Unit::Quarter, "2026-04-01T00:00:00Z"),
            (Unit::Year, "2026-01-01T00:00:00Z"),
        ] {
            assert_eq!(start(unit, "2026-06-17T15:16:17.018Z"), at(want), "{unit:?}");
            assert_eq!(start(unit, want), at(want), "{unit:?}");
        }
        assert_eq!(start(Unit::Week, "0001-01-03T00:00:00Z"), at("0001-01-01T00:00:00Z"));
        assert_eq!(utc.unit_of(Unit::Year, at("1969-12-31T23:59:59Z")), -1);
    }

    #[test]
    fn nothing_panics_at_the_ends_of_time() {
        let units = [Unit::Hour, Unit::Day, Unit::Week, Unit::Month, Unit::Quarter, Unit::Year];
        for zone in ["UTC", "America/New_York", "Pacific/Apia"].map(zone) {
            for unit in units {
                for at in [i64::MIN, i64::MIN + 1, i64::MAX - 1, i64::MAX] {
                    zone.units(unit).of(at);
                    let index = zone.unit_of(unit, at);
                    assert!(zone.unit_start(unit, index) <= at.max(i64::MIN + DAY));
                    assert!(zone.unit_start(unit, i64::MIN) <= zone.unit_start(unit, i64::MAX));
                }
            }
        }
    }

    fn any_unit() -> impl Strategy<Value = Unit> {
        prop::sample::select(vec![Unit::Hour, Unit::Day, Unit::Week, Unit::Month, Unit::Quarter, Unit::Year])
    }

    proptest! {
        #[test]
        fn a_unit_is_the_interval_between_starts(
            tz in prop::sample::select(TZ_VARIANTS.to_vec()),
            unit in any_unit(),
            at in prop_oneof![
                Timestamp::MIN.millis()..=Timestamp::MAX.millis(),
                -4_000_000_000_000_i64..4_200_000_000_000,
            ],
        ) {
            let zone = Zone::of(tz);
            let index = zone.unit_of(unit, at);
            prop_assert!(zone.unit_start(unit, index) <= at);
            prop_assert!(at < zone.unit_start(unit, index + 1));
            prop_assert_eq!(zone.units(unit).of(at), index);
        }

        #[test]
        fn units_remembers_only_what_is_true(
            tz in prop::sample::select(TZ_VARIANTS.to_vec()),
            unit in any_unit(),
            instants in prop::collection::vec(-4_000_000_000_000_i64..4_200_000_000_000, 1..20),
        ) {
            let zone = Zone::of(tz);
            let mut units = zone.units(unit);
            for at in instants {
                prop_assert_eq!(units.of(at), zone.unit_of(unit, at));
            }
        }
    }
}
