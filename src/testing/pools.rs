//! The few names, values, spans and instants that random scenarios are made of.
//!
//! Few on purpose: facts must meet the edges of windows, each other, and the operands of tests.

use chrono_tz::Tz;
use proptest::prelude::*;
use proptest::sample::select;

use crate::segment::EventPattern;
use crate::time::{Span, Timestamp, days, hours, millis, months, weeks, years};
use crate::value::{Record, Scalar, Value};

/// The usual instant of evaluation: 2026-06-15T12:00:00Z.
pub(super) const USUAL: Timestamp = Timestamp(1_781_524_800_000);

/// Other instants of evaluation, each at something that calendars trip over.
const OTHERS: [i64; 14] = [
    1_774_785_600_000, // 2026-03-29T12:00:00Z: February lacks the day a month before; Berlin springs forward
    1_774_958_400_000, // 2026-03-31T12:00:00Z: the day before 1 April
    1_772_323_199_999, // 2026-02-28T23:59:59.999Z
    1_709_208_000_000, // 2024-02-29T12:00:00Z: a leap day
    1_761_442_200_000, // 2025-10-26T01:30:00Z: the second 02:30 of that day in Berlin
    1_289_097_090_000, // 2010-11-07T02:31:30Z: St John's, set back over midnight
    1_325_239_200_000, // 2011-12-30T10:00:00Z: Apia, a skipped day
    1_541_300_400_000, // 2018-11-04T03:00:00Z: São Paulo, a day without a midnight
    1_781_481_600_000, // 2026-06-15T00:00:00Z: a Monday's first instant
    1_767_225_600_000, // 2026-01-01T00:00:00Z: a year's first instant
    1_789_300_800_000, // 2026-09-13T12:00:00Z: later than most facts
    -62_135_596_800_000, // the first instant there is
    253_402_300_799_999, // the last instant there is
    0,
];

const ZONES: [Tz; 8] = [
    Tz::UTC,
    Tz::Europe__Berlin,
    Tz::America__New_York,
    Tz::Asia__Kolkata,
    Tz::America__St_Johns,
    Tz::Pacific__Apia,
    Tz::America__Sao_Paulo,
    Tz::Australia__Lord_Howe,
];

/// A time zone: UTC as often as all others together.
pub(super) fn zones() -> impl Strategy<Value = Tz> + Clone {
    prop_oneof![Just(Tz::UTC), select(&ZONES[..])]
}

/// Spans: the usual ones, those that cross each other (30d, 1mo), and the absurd.
pub(super) fn spans() -> impl Strategy<Value = Span> + Clone {
    // Often one of few, so that events lie just so far apart, and from the instant of evaluation.
    let beloved = vec![hours(1), days(1), days(7), days(30)];
    let short = vec![millis(1), hours(1), hours(12), days(1), days(3)];
    let usual = vec![weeks(1), days(14), days(29), days(30), days(31), days(60), days(90)];
    let calendar =
        vec![months(1), months(2), months(12), years(1), months(1) + days(1), years(1) + months(1)];
    let absurd = vec![years(3000), years(10_000), days(1_000_000)];
    prop_oneof![
        16 => select(beloved),
        5 => select(short),
        10 => select(usual),
        5 => select(calendar),
        1 => select(absurd),
    ]
}

/// Instants of evaluation.
pub(super) fn instants_of_evaluation() -> impl Strategy<Value = Timestamp> + Clone {
    prop_oneof![
        4 => Just(USUAL),
        2 => select(&OTHERS[..]).prop_map(Timestamp::from_millis),
        1 => instants(),
    ]
}

/// Instants of facts: on the edges of the usual windows or a millisecond beside them, and anywhere near.
pub(super) fn instants() -> BoxedStrategy<Timestamp> {
    let edge =
        (base(), spans(), beside(), any::<bool>(), 0..8u8).prop_map(|(t, span, by, midnight, ahead)| {
            let at = if ahead == 0 { t.plus(span) } else { t.minus(span) };
            let day = if midnight { at.millis().rem_euclid(86_400_000) } else { 0 };
            at.millis() - day + by
        });
    let near =
        (base(), -100i64..20, 0..86_400_000i64).prop_map(|(t, d, ms)| t.millis() + d * 86_400_000 + ms);
    let tied = select(vec![0, 3_600_000, 86_400_000, 7 * 86_400_000, 30 * 86_400_000]);
    let tied = tied.prop_map(|ago: i64| USUAL.millis() - ago);
    prop_oneof![6 => edge, 2 => near, 2 => tied]
        .prop_map(|ms| Timestamp(ms).clamp(Timestamp::MIN, Timestamp::MAX))
        .boxed()
}

/// An instant that facts and questions are placed around.
fn base() -> impl Strategy<Value = Timestamp> + Clone {
    prop_oneof![6 => Just(USUAL), 1 => select(&OTHERS[..]).prop_map(Timestamp::from_millis)]
}

/// Just so, or a millisecond beside it.
pub(super) fn beside() -> impl Strategy<Value = i64> + Clone {
    prop_oneof![3 => Just(0), 1 => Just(-1), 1 => Just(1)]
}

/// Instants as values: on the edges of windows that look ahead, and birthdays as well, leap days among them.
pub(super) fn instants_in_values() -> BoxedStrategy<Timestamp> {
    let ahead = (base(), spans(), beside()).prop_map(|(t, span, by)| t.plus(span).millis() + by);
    let days = prop_oneof![3 => -1..3i64, 1 => Just(7), 1 => Just(30), 1 => -400..400i64];
    let birthday = (base(), 0..60u32, days, 0..86_400_000i64).prop_map(|(t, age, days, ms)| {
        let day = t.minus(years(age)).millis() + days * 86_400_000;
        day - day.rem_euclid(86_400_000) + ms
    });
    let leap_day = select(vec![951_782_400_000i64, 1_709_164_800_000, -58_060_800_000]);
    let leap_day = (leap_day, 0..86_400_000i64).prop_map(|(day, ms)| day + ms);
    let millis = prop_oneof![3 => ahead, 3 => birthday, 1 => leap_day];
    let value = millis.prop_map(|ms| Timestamp(ms).clamp(Timestamp::MIN, Timestamp::MAX));
    prop_oneof![2 => value, 1 => instants()].boxed()
}

pub(super) const USERS: [&str; 9] = ["u0", "u0", "u1", "u1", "u2", "u2", "u3", "ü4", "anon"];
const EVENTS: [&str; 9] = ["view", "view", "view", "cart", "cart", "buy", "email_open", "email_click", "5*"];
pub(super) const PROPERTIES: [&str; 5] = ["amount", "item", "coupon", "due", "products"];
pub(super) const FIELDS: [&str; 3] = ["sku", "price", "ends"];
pub(super) const ATTRIBUTES: [&str; 5] = ["plan", "score", "ends", "born", "tags"];
pub(super) const SEGMENTS: [&str; 4] = ["s0", "s1", "s2", "s3"];
pub(super) const LISTS: [&str; 2] = ["vip", "staff"];

/// One of some names.
pub(super) fn names(of: &'static [&'static str]) -> impl Strategy<Value = String> + Clone {
    select(of).prop_map(str::to_owned)
}

/// Names of events as facts have them.
pub(super) fn event_names() -> impl Strategy<Value = String> + Clone {
    names(&EVENTS)
}

/// Names of events as expressions have them.
pub(super) fn patterns() -> impl Strategy<Value = EventPattern> + Clone {
    let prefixes = names(&["", "", "", "email_", "email", "b", "5", "nothing"]);
    prop_oneof![
        6 => event_names().prop_map(EventPattern::Name),
        2 => prefixes.prop_map(EventPattern::Prefix),
    ]
}

/// Scalars of every kind, many of them equal or nearly so.
pub(super) fn scalars() -> impl Strategy<Value = Scalar> + Clone {
    let numbers = numbers();
    let instants = instants().prop_map(Scalar::Instant);
    prop_oneof![
        6 => numbers.clone(),
        6 => texts().prop_map(Scalar::String),
        1 => any::<bool>().prop_map(Scalar::Bool),
        2 => instants,
    ]
}

/// Texts that differ in case, in accents, and hardly at all.
pub(super) fn texts() -> impl Strategy<Value = String> + Clone {
    names(&[
        "a", "A", "b", "c", "", "abc", "pro", "Pro", "free", "é", "É", "Straße", "STRASSE", "7", "true", "İ",
    ])
}

/// Numbers that are equal across kinds, that floats cannot tell apart, and that do not add up in floats.
pub(super) fn numbers() -> impl Strategy<Value = Scalar> + Clone {
    let whole = vec![0, 1, 2, 3, 5, 7, 50, 100, -1, -5];
    let large = vec![9_007_199_254_740_992, 9_007_199_254_740_993, i64::MAX, i64::MIN];
    let floats = vec![0.0, 1.0, 7.0, 0.1, 0.2, 0.3, 2.5, 99.99, -1.5];
    let far = vec![9_007_199_254_740_992.0, 1e16, -1e16, 9_223_372_036_854_775_808.0, 1e300, -1e300, 5e-324];
    prop_oneof![
        6 => select(whole).prop_map(Scalar::Int),
        1 => select(large).prop_map(Scalar::Int),
        4 => select(floats).prop_map(Scalar::Float),
        1 => select(far).prop_map(Scalar::Float),
    ]
}

/// Values of every kind.
pub(super) fn values() -> BoxedStrategy<Value> {
    let list = prop::collection::vec(scalars(), 0..4).prop_map(Value::List);
    prop_oneof![8 => scalars().prop_map(Value::Scalar), 2 => list, 1 => records()].boxed()
}

/// Lists of records; never an empty one, which JSON cannot tell from an empty list.
pub(super) fn records() -> impl Strategy<Value = Value> + Clone {
    let field = (names(&FIELDS), prop_oneof![numbers(), texts().prop_map(Scalar::String), scalars()]);
    let record = prop::collection::vec(field, 0..3).prop_map(|fields| {
        fields.into_iter().fold(Record::new(), |record, (name, value)| record.with(name, value))
    });
    prop::collection::vec(record, 1..3).prop_map(Value::Records)
}
