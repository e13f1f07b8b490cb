//! Dates of the proleptic Gregorian calendar, and steps of months.

/// Milliseconds in a day of 24 hours.
pub(crate) const DAY: i64 = 86_400_000;

/// Days since 1970-01-01 of a proleptic Gregorian date; `day` may run over.
///
/// Source: H. Hinnant, "chrono-Compatible Low-Level Date Algorithms", `days_from_civil`.
pub(crate) fn days_from_civil(year: i64, month: u32, day: u32) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let day_of_year = i64::from((153 * ((month + 9) % 12) + 2) / 5 + day) - 1;
    era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719_468
}

/// Year, month (1 to 12) and day (1 to 31) of a day since 1970-01-01.
///
/// Source: as for [`days_from_civil`], `civil_from_days`.
pub(crate) fn civil_from_days(days: i64) -> (i64, u32, u32) {
    let shifted = days + 719_468;
    let era = shifted.div_euclid(146_097);
    let day_of_era = shifted.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    (year, month.unsigned_abs() as u32, day.unsigned_abs() as u32)
}

/// How many days a month has.
pub(crate) fn days_in_month(year: i64, month: u32) -> u32 {
    match month {
        4 | 6 | 9 | 11 => 30,
        2 if year.rem_euclid(4) == 0 && (year.rem_euclid(100) != 0 || year.rem_euclid(400) == 0) => 29,
        2 => 28,
        _ => 31,
    }
}

/// Where so many months on lead.
pub(crate) enum MonthStep {
    /// The same day and time of day.
    Day(i64),
    /// The month lacks the day: the first millisecond of the next one.
    Lacking(i64),
}

impl MonthStep {
    /// The last millisecond of a month that lacks the day.
    pub(super) fn millis(self) -> i64 {
        match self {
            Self::Day(at) => at,
            Self::Lacking(next) => next.saturating_sub(1),
        }
    }
}

pub(crate) fn step_months(at: i64, months: i64) -> MonthStep {
    if months == 0 {
        return MonthStep::Day(at);
    }
    let (year, month, day) = civil_from_days(at.div_euclid(DAY));
    let index = year * 12 + i64::from(month) - 1 + months;
    let (year, month) = (index.div_euclid(12), index.rem_euclid(12).unsigned_abs() as u32 + 1);
    let last = days_in_month(year, month);
    if day > last {
        MonthStep::Lacking((days_from_civil(year, month, last) + 1).saturating_mul(DAY))
    } else {
        MonthStep::Day(
            days_from_civil(year, month, day).saturating_mul(DAY).saturating_add(at.rem_euclid(DAY)),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn civil_dates_agree_with_chrono() {
        let epoch = chrono::NaiveDate::from_ymd_opt(1970, 1, 1).unwrap();
        for days in (-800_000..2_900_000).step_by(97) {
            let date = epoch + chrono::TimeDelta::days(days);
            let (year, month, day) = civil_from_days(days);
            let want = chrono::NaiveDate::from_ymd_opt(i32::try_from(year).unwrap(), month, day);
            assert_eq!(Some(date), want);
            assert_eq!(days_from_civil(year, month, day), days);
        }
    }
}
