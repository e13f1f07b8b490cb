//! Random tests on values, filters and matches; all of them valid.

use proptest::prelude::*;
use proptest::sample::select;

use super::pools::*;
use super::windows::windows_in_tests;
use crate::segment::{Comparison, EventMatch, Filter, Test};
use crate::value::Scalar;

/// A test on a value: every form there is, but for `any_element`, which [`filters`] add.
pub fn tests() -> BoxedStrategy<Test> {
    prop_oneof![4 => with_case(), 4 => without_case()].boxed()
}

/// The comparisons that may be told to ignore case.
fn with_case() -> impl Strategy<Value = Test> {
    let patterns = || names(&["^p", "a|b", "(?i)pro", "^$", "[A-Z]", "ß", ".", "e$", "\\d", "^É"]);
    let many = || prop::collection::vec(scalars(), 0..4);
    let comparison = prop_oneof![
        scalars().prop_map(Comparison::Eq),
        scalars().prop_map(Comparison::Ne),
        many().prop_map(Comparison::In),
        many().prop_map(Comparison::NotIn),
        texts().prop_map(Comparison::Contains),
        texts().prop_map(Comparison::NotContains),
        texts().prop_map(Comparison::StartsWith),
        texts().prop_map(Comparison::EndsWith),
        patterns().prop_map(Comparison::Matches),
        patterns().prop_map(Comparison::NotMatches),
    ];
    (comparison, prop_oneof![3 => Just(false), 2 => Just(true)])
        .prop_map(|(comparison, ignore_case)| Test { comparison, ignore_case })
}

fn without_case() -> impl Strategy<Value = Test> {
    let comparison = prop_oneof![
        ordered().prop_map(Comparison::Gt),
        ordered().prop_map(Comparison::Gte),
        ordered().prop_map(Comparison::Lt),
        ordered().prop_map(Comparison::Lte),
        between(),
        any::<bool>().prop_map(Comparison::Exists),
        windows_in_tests().prop_map(Comparison::Within),
        windows_in_tests().prop_map(Comparison::Within),
        (spans(), zones()).prop_map(|(next, tz)| Comparison::Anniversary { next, tz }),
    ];
    comparison.prop_map(|comparison| Test { comparison, ignore_case: false })
}

/// A number, a string or an instant.
fn ordered() -> impl Strategy<Value = Scalar> + Clone {
    prop_oneof![
        3 => numbers(),
        2 => texts().prop_map(Scalar::String),
        2 => instants().prop_map(Scalar::Instant),
    ]
}

/// Two of one kind, the lower first.
fn between() -> impl Strategy<Value = Comparison> {
    let pairs = prop_oneof![
        (numbers(), numbers()),
        (texts().prop_map(Scalar::String), texts().prop_map(Scalar::String)),
        (instants().prop_map(Scalar::Instant), instants().prop_map(Scalar::Instant)),
    ];
    pairs.prop_map(|(a, b)| {
        if a.compare(&b).is_some_and(std::cmp::Ordering::is_gt) {
            Comparison::Between(b, a)
        } else {
            Comparison::Between(a, b)
        }
    })
}

/// A filter on properties.
pub fn filters() -> BoxedStrategy<Filter> {
    let on = |name: &'static [&'static str]| {
        (names(name), tests()).prop_map(|(name, test)| Filter::Property { name, test })
    };
    let any_element = nested(on(&FIELDS).boxed()).prop_map(|filter| {
        let comparison = Comparison::AnyElement(Box::new(filter));
        Filter::Property { name: "products".to_owned(), test: Test { comparison, ignore_case: false } }
    });
    nested(prop_oneof![6 => on(&PROPERTIES), 1 => any_element].boxed())
}

/// `all`, `any` and `not` around filters, mostly none.
fn nested(leaf: BoxedStrategy<Filter>) -> BoxedStrategy<Filter> {
    let several = prop::collection::vec(leaf.clone(), 0..3);
    prop_oneof![
        6 => leaf.clone(),
        1 => several.clone().prop_map(Filter::All),
        1 => several.clone().prop_map(Filter::Any),
        1 => leaf.prop_map(|f| Filter::Not(Box::new(f))),
        1 => several.prop_map(|of| Filter::Not(Box::new(Filter::Any(of)))),
    ]
    .boxed()
}

/// Events of (one of) some names, two in three without a filter.
pub fn matches() -> BoxedStrategy<EventMatch> {
    let events = prop_oneof![
        5 => patterns().prop_map(|one| vec![one]),
        1 => prop::collection::vec(patterns(), 2..4),
    ];
    let filter = prop_oneof![4 => Just(None), 2 => filters().prop_map(Some)];
    (events, filter).prop_map(|(events, filter)| EventMatch { events, filter }).boxed()
}

/// A property that events may share.
pub(super) fn shared() -> impl Strategy<Value = String> {
    select(vec!["item", "item", "coupon", "amount"]).prop_map(str::to_owned)
}
