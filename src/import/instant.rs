//! Instants as senders write them: looser than the law's own texts, exact to the millisecond.

use super::json::{Json, Kind};
use crate::time::Timestamp;

/// From this number on it counts milliseconds, below it seconds.
const FIRST_MILLIS: i64 = 100_000_000_000;

/// An instant of the years 1 to 9999 from a text or a number; `None` where it is neither or malformed.
///
/// A text of digits alone is no instant: `"20130101"` would be an hour in 1970 if it were.
pub(crate) fn from_json(json: Json<'_>) -> Option<Timestamp> {
    match json.kind() {
        Kind::String(text) => from_text(&text),
        Kind::Whole(text) | Kind::Number(text) => from_number(text),
        _ => None,
    }
}

/// RFC 3339, also with a blank for the `T`, or a date alone, which is its midnight in UTC.
pub(crate) fn from_text(text: &str) -> Option<Timestamp> {
    if text.len() == 10 {
        return format!("{text}T00:00:00Z").parse().ok();
    }
    if text.as_bytes().get(10) == Some(&b' ') {
        let mut strict = text.to_owned();
        strict.replace_range(10..11, "T");
        return strict.parse().ok();
    }
    text.parse().ok()
}

/// Unix seconds or, from 10^11 on, milliseconds; fractions are floored to the millisecond, exactly.
pub(crate) fn from_number(text: &str) -> Option<Timestamp> {
    let whole = floor_shifted(text, 0)?;
    let millis = if whole < FIRST_MILLIS { floor_shifted(text, 3)? } else { whole };
    in_range(millis)
}

/// Those many milliseconds since 1970, where that is in the years 1 to 9999.
pub(crate) fn in_range(millis: i64) -> Option<Timestamp> {
    Some(Timestamp::from_millis(millis)).filter(|at| at.in_range())
}

/// The floor of a JSON number times `10^shift`, in decimal: no float comes between. `None` beyond an `i64`.
pub(crate) fn floor_shifted(text: &str, shift: i32) -> Option<i64> {
    let (mantissa, exponent) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
    let (negative, digits) = mantissa.strip_prefix('-').map_or((false, mantissa), |rest| (true, rest));
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    // An exponent beyond an `i32` is as good as one of a few thousand: 0, next to 0, or out of range.
    let exponent = exponent.parse().unwrap_or(if exponent.starts_with('-') { -100_000 } else { 100_000 });
    let places = i32::try_from(fraction.len()).ok()?;
    let mut power = i32::checked_add(exponent, shift)?.checked_sub(places)?;
    // As many digits as an `i128` holds; those behind them only say whether the rest is 0.
    let (mut value, mut rest) = (0i128, false);
    for digit in whole.bytes().chain(fraction.bytes()).map(|b| i128::from(b.wrapping_sub(b'0'))) {
        if value < i128::MAX / 20 {
            value = value * 10 + digit;
        } else {
            rest |= digit != 0;
            power = power.saturating_add(1);
        }
    }
    if value == 0 {
        return Some(0);
    }
    let ten = |power: i32| 10i128.checked_pow(power.unsigned_abs());
    let value = if power >= 0 {
        value.checked_mul(ten(power)?)?
    } else {
        let divisor = ten(power).unwrap_or(i128::MAX);
        rest |= value % divisor != 0;
        value / divisor
    };
    i64::try_from(if negative { -value - i128::from(rest) } else { value }).ok()
}

#[cfg(test)]
mod tests {
    use super::super::json::Document;
    use super::*;

    fn read(json: &str) -> Option<String> {
        let mut document = Document::default();
        from_json(document.read(json).unwrap().root()).map(|at| at.to_string())
    }

    #[test]
    fn texts() {
        for (text, want) in [
            ("2015-02-23T22:28:55.387Z", "2015-02-23T22:28:55.387Z"),
            ("2015-02-23t22:28:55z", "2015-02-23T22:28:55Z"),
            ("2015-02-23 22:28:55Z", "2015-02-23T22:28:55Z"),
            ("2015-02-23 22:28:55.9+01:00", "2015-02-23T21:28:55.900Z"),
            ("2015-02-23T22:28:55.123456789123Z", "2015-02-23T22:28:55.123Z"),
            ("1969-12-31T23:59:59.9999Z", "1969-12-31T23:59:59.999Z"),
            ("2015-02-23", "2015-02-23T00:00:00Z"),
            ("0001-01-01", "0001-01-01T00:00:00Z"),
        ] {
            assert_eq!(read(&format!("{text:?}")).as_deref(), Some(want), "{text}");
        }
    }

    #[test]
    fn malformed_texts() {
        for text in [
            "",
            " ",
            "x",
            "2015-02-23T22:28:55",
            "2015-02-23T22:28",
            "2015-02-30",
            "2015-2-3",
            "20150223",
            "1424730535",
            "2015-02-23T24:00:00Z",
            "2015-02-23T22:28:60Z",
            "2015-02-23T22:28:55.Z",
            "2015-02-23T22:28:55+0100",
            " 2015-02-23",
            "2015-02-23 ",
            "2015-02-23  22:28:55Z",
            "Mon Feb 23 2015",
            "0000-01-01",
            "2015-02-2é",
            "ééééé é",
        ] {
            assert_eq!(read(&format!("{text:?}")), None, "{text}");
        }
        for json in ["true", "[]", "{}", "[1]"] {
            assert_eq!(read(json), None, "{json}");
        }
    }

    #[test]
    fn numbers() {
        for (json, want) in [
            ("0", Some("1970-01-01T00:00:00Z")),
            ("-1", Some("1969-12-31T23:59:59Z")),
            ("-0.0001", Some("1969-12-31T23:59:59.999Z")),
            ("1424730535", Some("2015-02-23T22:28:55Z")),
            ("1424730535.387", Some("2015-02-23T22:28:55.387Z")),
            ("1424730535.3879999999999999999999999999999999999999", Some("2015-02-23T22:28:55.387Z")),
            ("1.424730535387e9", Some("2015-02-23T22:28:55.387Z")),
            ("1.424730535387E+12", Some("2015-02-23T22:28:55.387Z")),
            ("1424730535387", Some("2015-02-23T22:28:55.387Z")),
            ("1424730535387.9", Some("2015-02-23T22:28:55.387Z")),
            ("99999999999.9999", Some("5138-11-16T09:46:39.999Z")),
            ("100000000000", Some("1973-03-03T09:46:40Z")),
            ("-62135596800", Some("0001-01-01T00:00:00Z")),
            ("-62135596801", None),
            ("253402300799999", Some("9999-12-31T23:59:59.999Z")),
            ("253402300800000", None),
            ("1e400", None),
            ("1e99999999999", None),
            ("-1e30", None),
            ("0e99999999999", Some("1970-01-01T00:00:00Z")),
            ("1e-99999999999", Some("1970-01-01T00:00:00Z")),
            ("-1e-99999999999", Some("1969-12-31T23:59:59.999Z")),
            ("99999999999999999999999999999999999999999999", None),
        ] {
            assert_eq!(read(json).as_deref(), want, "{json}");
        }
    }
}
