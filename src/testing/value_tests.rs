//! Random tests on values, filters and matches; all of them valid.

use proptest::prelude::*;
use proptest::sample::select;

use super::pools::*;
use super::windows::windows_in_tests;
use crate::segment::{Comparison, EventMatch, Filter, Test};
use crate::value::Scalar;

/// A test on a value: every form there is, but for `any_element`, which [`filters`] add.
pub fn tests() -> BoxedStrategy<Test> {
    prop_oneof![1 => on_numbers(), 1 => on_texts(texts().boxed()), 1 => on_instants(), 1 => on_any()].boxed()
}

/// A test on the property, field or attribute of a name, mostly one that its usual values can pass.
pub(super) fn tests_on(name: &str) -> BoxedStrategy<Test> {
    let usual = match name {
        "amount" | "score" | "price" => on_numbers(),
        "item" | "sku" => on_texts(names(&["a", "b"]).boxed()),
        "plan" => on_texts(names(&["free", "pro", "Pro"]).boxed()),
        "coupon" | "tags" => on_texts(texts().boxed()),
        _ => on_instants(),
    };
    prop_oneof![6 => usual, 1 => tests()].boxed()
}

fn plain(comparison: Comparison) -> Test {
    Test { comparison, ignore_case: false }
}

/// The comparisons that know an order, and those that every value knows.
fn on_ordered(of: BoxedStrategy<Scalar>) -> impl Strategy<Value = Comparison> {
    prop_oneof![
        1 => of.clone().prop_map(Comparison::Gt),
        1 => of.clone().prop_map(Comparison::Gte),
        1 => of.clone().prop_map(Comparison::Lt),
        1 => of.clone().prop_map(Comparison::Lte),
        2 => (of.clone(), of.clone()).prop_map(|(a, b)| between(a, b)),
        2 => on_equal(of),
    ]
}

fn on_equal(of: BoxedStrategy<Scalar>) -> impl Strategy<Value = Comparison> {
    let many = || prop::collection::vec(of.clone(), 0..4);
    prop_oneof![
        of.clone().prop_map(Comparison::Eq),
        of.clone().prop_map(Comparison::Ne),
        many().prop_map(Comparison::In),
        many().prop_map(Comparison::NotIn),
        any::<bool>().prop_map(Comparison::Exists),
    ]
}

fn on_numbers() -> BoxedStrategy<Test> {
    on_ordered(numbers().boxed()).prop_map(plain).boxed()
}

/// Windows and anniversaries before all.
fn on_instants() -> BoxedStrategy<Test> {
    prop_oneof![
        4 => windows_in_tests().prop_map(Comparison::Within),
        2 => (spans(), zones()).prop_map(|(next, tz)| Comparison::Anniversary { next, tz }),
        2 => on_ordered(instants().prop_map(Scalar::Instant).boxed()),
    ]
    .prop_map(plain)
    .boxed()
}

/// Operands of every kind, and of two in one list.
fn on_any() -> BoxedStrategy<Test> {
    let folded = |(comparison, ignore_case)| {
        let knows_case = !matches!(comparison, Comparison::Exists(_));
        Test { comparison, ignore_case: ignore_case && knows_case }
    };
    (on_equal(scalars().boxed()), any::<bool>()).prop_map(folded).boxed()
}

/// The comparisons of texts, two in five without regard to case.
fn on_texts(of: BoxedStrategy<String>) -> BoxedStrategy<Test> {
    let patterns = || names(&["^p", "a|b", "(?i)pro", "^$", "[A-Z]", "ß", ".", "e$", "\\d", "^É"]);
    let scalar = || of.clone().prop_map(Scalar::String).boxed();
    let folding = prop_oneof![
        1 => of.clone().prop_map(Comparison::Contains),
        1 => of.clone().prop_map(Comparison::NotContains),
        1 => of.clone().prop_map(Comparison::StartsWith),
        1 => of.clone().prop_map(Comparison::EndsWith),
        1 => patterns().prop_map(Comparison::Matches),
        1 => patterns().prop_map(Comparison::NotMatches),
        3 => on_equal(scalar()),
    ];
    let folding = (folding, prop_oneof![3 => Just(false), 2 => Just(true)]).prop_map(|(comparison, fold)| {
        let knows_case = !matches!(comparison, Comparison::Exists(_));
        Test { comparison, ignore_case: fold && knows_case }
    });
    prop_oneof![4 => folding, 1 => on_ordered(scalar()).prop_map(plain)].boxed()
}

/// Between two of one kind, the lower first.
fn between(a: Scalar, b: Scalar) -> Comparison {
    if a.compare(&b).is_some_and(std::cmp::Ordering::is_gt) {
        Comparison::Between(b, a)
    } else {
        Comparison::Between(a, b)
    }
}

/// A filter on properties.
pub fn filters() -> BoxedStrategy<Filter> {
    let on = |name: &'static str| {
        let property = |test| Filter::Property { name: name.to_owned(), test };
        tests_on(name).prop_map(property).boxed()
    };
    let fields = nested(prop_oneof![on("sku"), on("price"), on("ends")].boxed()).prop_map(|filter| {
        let test = plain(Comparison::AnyElement(Box::new(filter)));
        Filter::Property { name: "products".to_owned(), test }
    });
    nested(
        prop_oneof![3 => on("amount"), 3 => on("item"), 1 => on("coupon"), 1 => on("due"), 1 => fields]
            .boxed(),
    )
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

/// Events of (one of) some names, most without a filter.
pub fn matches() -> BoxedStrategy<EventMatch> {
    matches_with_filters(2)
}

/// Events of (one of) some names, so many sevenths of them with a filter.
pub(super) fn matches_with_filters(sevenths: u32) -> BoxedStrategy<EventMatch> {
    let events = prop_oneof![
        6 => patterns().prop_map(|one| vec![one]),
        1 => prop::collection::vec(patterns(), 2..4),
    ];
    let filter = prop_oneof![7 - sevenths => Just(None), sevenths => filters().prop_map(Some)];
    (events, filter).prop_map(|(events, filter)| EventMatch { events, filter }).boxed()
}

/// A property that events may share.
pub(super) fn shared() -> impl Strategy<Value = String> {
    select(vec!["item", "item", "coupon", "amount"]).prop_map(str::to_owned)
}
