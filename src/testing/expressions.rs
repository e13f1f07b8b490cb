//! Random expressions over every form of the page; all of them valid by themselves.

use proptest::prelude::*;
use proptest::sample::select;

use super::pools::*;
use super::ranges::{counts, ranges};
use super::value_tests::{matches, matches_with_filters, shared, tests, tests_on};
use super::windows::{windows, windows_of_seen};
use crate::segment::{
    Attribute, Changed, Did, Earned, Measure, Measured, Points, Quantity, Sample, Score, Segment, Sequence,
    Step, ThenNot,
};
use crate::time::{Unit, days, months};
use crate::value::{Number, Scalar};

/// An expression that may name some of these segments, and any list.
pub fn segments(named: &'static [&'static str]) -> BoxedStrategy<Segment> {
    let (leaf, measured) = (leaves(named), measured());
    // Level by level rather than `prop_recursive`, which makes all strategies anew for every value.
    (0..3).fold(leaf.clone(), |inner, _| {
        let several = || prop::collection::vec(inner.clone(), 0..4);
        prop_oneof![
            6 => leaf.clone(),
            2 => several().prop_map(Segment::All),
            2 => several().prop_map(Segment::Any),
            2 => inner.clone().prop_map(|e| Segment::Not(Box::new(e))),
            1 => scores(inner.clone(), measured.clone()),
        ]
        .boxed()
    })
}

fn leaves(named: &'static [&'static str]) -> BoxedStrategy<Segment> {
    let references = match named {
        [] => Just(Segment::All(Vec::new())).boxed(),
        // Once in a while one that is not there, or that comes in a circle.
        _ => prop_oneof![40 => names(named), 1 => names(&["nope", "s3"])].prop_map(Segment::Segment).boxed(),
    };
    let lists = prop_oneof![40 => names(&LISTS), 1 => Just("nope".to_owned())];
    prop_oneof![
        10 => dids().prop_map(Segment::Did),
        6 => sequences().prop_map(Segment::Sequence),
        5 => attributes().prop_map(Segment::Attribute),
        3 => changes().prop_map(Segment::Changed),
        2 => windows_of_seen().prop_map(Segment::Seen),
        1 => lists.prop_map(Segment::List),
        1 => samples().prop_map(Segment::Sample),
        2 => references,
    ]
    .boxed()
}

/// A behaviour.
pub fn dids() -> BoxedStrategy<Did> {
    let same = prop_oneof![4 => Just(None), 1 => shared().prop_map(Some)];
    let over_window = (matches(), maybe(windows()), measures(), same);
    let ever =
        (matches(), prop_oneof![windows().prop_map(Measure::First), windows().prop_map(Measure::Latest)]);
    prop_oneof![
        6 => over_window.prop_map(|(events, window, measure, same)| {
            let whole = matches!(measure, Measure::FirstValue { .. } | Measure::LatestValue { .. });
            Did { events, window, measure, same: same.filter(|_| !whole) }
        }),
        1 => ever.prop_map(|(events, measure)| Did { events, window: None, measure, same: None }),
    ]
    .boxed()
}

fn maybe<T: Clone + std::fmt::Debug>(of: impl Strategy<Value = T>) -> impl Strategy<Value = Option<T>> {
    prop_oneof![2 => Just(None), 3 => of.prop_map(Some)]
}

fn rarely<T: Clone + std::fmt::Debug>(of: impl Strategy<Value = T>) -> impl Strategy<Value = Option<T>> {
    prop_oneof![4 => Just(None), 1 => of.prop_map(Some)]
}

fn measures() -> BoxedStrategy<Measure> {
    let numeric = || prop_oneof![4 => Just("amount".to_owned()), 1 => names(&PROPERTIES)];
    let any = || names(&PROPERTIES);
    let tested = |name: &'static str| (Just(name.to_owned()), tests_on(name));
    let tested = || {
        prop_oneof![
            2 => tested("amount"),
            2 => tested("item"),
            1 => tested("coupon"),
            1 => tested("due"),
            1 => (any(), tests()),
        ]
    };
    prop_oneof![
        5 => counts().prop_map(Measure::Times),
        2 => (numeric(), ranges()).prop_map(|(of, range)| Measure::Sum { of, range }),
        1 => (numeric(), ranges()).prop_map(|(of, range)| Measure::Avg { of, range }),
        1 => (numeric(), ranges()).prop_map(|(of, range)| Measure::Min { of, range }),
        1 => (numeric(), ranges()).prop_map(|(of, range)| Measure::Max { of, range }),
        2 => (any(), counts()).prop_map(|(of, range)| Measure::Distinct { of, range }),
        2 => (units(), zones(), counts()).prop_map(|(unit, tz, range)| Measure::Active { unit, tz, range }),
        1 => tested().prop_map(|(of, test)| Measure::FirstValue { of, test }),
        1 => tested().prop_map(|(of, test)| Measure::LatestValue { of, test }),
    ]
    .boxed()
}

fn units() -> impl Strategy<Value = Unit> {
    select(vec![Unit::Hour, Unit::Day, Unit::Week, Unit::Month])
}

/// Ordered steps; fewer filters and longer spans than elsewhere, or hardly any chain would be whole.
pub fn sequences() -> BoxedStrategy<Sequence> {
    let matches = || matches_with_filters(1);
    let gaps = || prop_oneof![select(vec![days(1), days(7), days(30), months(1), days(90)]), spans()];
    let opening = matches().prop_map(|events| Step { events, within: None, after: None, without: None });
    let later = (matches(), rarely(gaps()), rarely(spans()), rarely(matches()))
        .prop_map(|(events, within, after, without)| Step { events, within, after, without });
    let steps = (opening, prop::collection::vec(later, 0..3)).prop_map(|(opening, later)| {
        let mut steps = vec![opening];
        steps.extend(later);
        steps
    });
    let then_not = rarely((matches(), spans()).prop_map(|(events, within)| ThenNot { events, within }));
    (
        steps,
        prop_oneof![2 => Just(None), 1 => gaps().prop_map(Some)],
        rarely(windows()),
        then_not,
        rarely(shared()),
    )
        .prop_map(|(steps, within, window, then_not, same)| Sequence {
            steps,
            within,
            window,
            then_not,
            same,
        })
        .boxed()
}

fn attributes() -> BoxedStrategy<Attribute> {
    let tested = |name: &'static str| (Just(name.to_owned()), tests_on(name));
    let tested = prop_oneof![tested("plan"), tested("score"), tested("ends"), tested("born"), tested("tags")];
    (tested, rarely(spans())).prop_map(|((name, test), held)| Attribute { name, test, held }).boxed()
}

fn changes() -> BoxedStrategy<Changed> {
    let plans = || {
        let plans = select(vec!["free", "pro", "Pro"]).prop_map(Scalar::from);
        rarely(prop_oneof![2 => plans, 1 => scalars()])
    };
    (names(&ATTRIBUTES), plans(), plans(), maybe(windows()))
        .prop_map(|(name, from, to, window)| Changed { name, from, to, window })
        .boxed()
}

fn scores(of: BoxedStrategy<Segment>, measured: BoxedStrategy<Measured>) -> BoxedStrategy<Segment> {
    let points = prop_oneof![8 => -3..4i64, 1 => Just(i64::MAX), 1 => Just(i64::MIN)];
    let earned = prop_oneof![of.prop_map(Earned::If), measured.prop_map(Earned::Per)];
    let one = (points, earned).prop_map(|(points, earned)| Points { points, earned });
    let range = prop_oneof![2 => counts(), 1 => ranges()];
    (prop::collection::vec(one, 0..4), range)
        .prop_map(|(of, range)| Segment::Score(Score { of, range }))
        .boxed()
}

/// A measured number.
pub fn measured() -> BoxedStrategy<Measured> {
    let quantity = prop_oneof![
        Just(Quantity::Times),
        names(&PROPERTIES).prop_map(Quantity::Sum),
        Just(Quantity::Sum("amount".to_owned())),
        names(&PROPERTIES).prop_map(Quantity::Distinct),
        (units(), zones()).prop_map(|(unit, tz)| Quantity::Active { unit, tz }),
    ];
    (matches(), maybe(windows()), quantity)
        .prop_map(|(events, window, quantity)| Measured { events, window, quantity })
        .boxed()
}

fn samples() -> impl Strategy<Value = Sample> {
    let bound = prop_oneof![
        (0..=100i64).prop_map(Number::Int),
        (0..=1000u16).prop_map(|tenths| Number::Float(f64::from(tenths) / 10.0)),
    ];
    (names(&["", "s1", "spring"]), bound.clone(), bound).prop_map(|(salt, a, b)| Sample {
        salt,
        from: a.min(b),
        to: a.max(b),
    })
}
