//! Tests on a value, ready to run: patterns compiled, operands prepared, windows resolved once a `T`.

use std::ops::Bound;
use std::sync::Arc;

use regex::Regex;

use crate::plan::anniversary::Anniversary;
use crate::plan::bounds::Bounds;
use crate::plan::calendar::Zone;
use crate::plan::filter::{FilterBody, fields_of};
use crate::plan::moving::{Moving, Resolved, resolve};
use crate::plan::text::{TextTest, lower};
use crate::plan::value_ref::{ScalarRef, ScalarSet, ValueRef};
use crate::segment::{Comparison, Test, compile};
use crate::value::Scalar;
use crate::window::Window;

/// A [`Test`] ready to be resolved at any `T`.
#[derive(Clone, Debug)]
pub(crate) struct CompiledTest {
    body: TestBody,
    moving: Vec<Moving>,
}

/// A test at one `T`.
#[derive(Clone, Debug)]
pub(crate) struct BoundTest<'a> {
    body: &'a TestBody,
    resolved: Resolved,
}

impl CompiledTest {
    /// Prepares a test.
    ///
    /// # Errors
    /// A bad regular expression, which validation refuses before.
    pub(crate) fn new(test: &Test) -> Result<Self, regex::Error> {
        let mut moving = Vec::new();
        Ok(Self { body: TestBody::new(test, &mut moving)?, moving })
    }

    /// The test at `T`.
    pub(crate) fn at(&self, t: i64) -> BoundTest<'_> {
        BoundTest { body: &self.body, resolved: resolve(&self.moving, t) }
    }

    /// Whether a value, or its absence, passes at `T`.
    #[cfg(test)]
    pub(crate) fn passes(&self, value: Option<ValueRef<'_>>, t: i64) -> bool {
        self.at(t).passes(value)
    }

    /// Whether the outcome depends on `T`.
    pub(crate) fn depends_on_time(&self) -> bool {
        !self.moving.is_empty()
    }

    /// The next `T` after `t` at which the outcome for the value may be another: never later than it is, but
    /// perhaps earlier. `None`: at no later `T`.
    pub(crate) fn next_change(&self, value: Option<ValueRef<'_>>, t: i64) -> Option<i64> {
        self.body.next_change(&self.moving, value, t)
    }
}

impl BoundTest<'_> {
    /// Whether a value, or its absence, passes.
    #[inline]
    pub(crate) fn passes(&self, value: Option<ValueRef<'_>>) -> bool {
        self.body.passes(&self.resolved, value)
    }
}

/// A test whose moving parts are kept elsewhere.
#[derive(Clone, Debug)]
pub(crate) struct TestBody {
    positive: Positive,
    /// The complement of the positive test is meant.
    negated: bool,
}

/// The positive tests: a missing value passes none of them.
#[derive(Clone, Debug)]
enum Positive {
    Exists,
    /// A list of records with one that passes.
    AnyElement(Box<FilterBody>),
    /// A scalar, or a list with one, that passes.
    Scalar(ScalarTest),
}

#[derive(Clone, Debug)]
enum ScalarTest {
    Eq(Scalar),
    In(ScalarSet),
    Between(Bound<Scalar>, Bound<Scalar>),
    /// Text, lower-cased where the case is ignored.
    Text(TextTest, String),
    /// The same, and the value is to be lower-cased.
    Folded(TextTest, String),
    FoldedIn(ScalarSet),
    Matches(Arc<Regex>),
    Fixed(Bounds),
    /// The place of the [`Moving`] part.
    Moving(usize),
}

impl TestBody {
    pub(crate) fn new(test: &Test, moving: &mut Vec<Moving>) -> Result<Self, regex::Error> {
        use Comparison as C;
        let fold = test.ignore_case;
        let scalar = match &test.comparison {
            C::Exists(there) => return Ok(Self { positive: Positive::Exists, negated: !there }),
            C::AnyElement(filter) => {
                let positive = Positive::AnyElement(Box::new(FilterBody::new(filter, moving)?));
                return Ok(Self { positive, negated: false });
            }
            C::Eq(Scalar::String(s)) | C::Ne(Scalar::String(s)) if fold => text(TextTest::Equals, s, fold),
            C::Eq(one) | C::Ne(one) => ScalarTest::Eq(one.clone()),
            C::In(many) | C::NotIn(many) if fold => ScalarTest::FoldedIn(set(many.iter().map(folded))),
            C::In(many) | C::NotIn(many) => ScalarTest::In(set(many.iter().cloned())),
            C::Gt(low) => ScalarTest::Between(Bound::Excluded(low.clone()), Bound::Unbounded),
            C::Gte(low) => ScalarTest::Between(Bound::Included(low.clone()), Bound::Unbounded),
            C::Lt(high) => ScalarTest::Between(Bound::Unbounded, Bound::Excluded(high.clone())),
            C::Lte(high) => ScalarTest::Between(Bound::Unbounded, Bound::Included(high.clone())),
            C::Between(low, high) => {
                ScalarTest::Between(Bound::Included(low.clone()), Bound::Included(high.clone()))
            }
            C::Contains(s) | C::NotContains(s) => text(TextTest::Contains, s, fold),
            C::StartsWith(s) => text(TextTest::StartsWith, s, fold),
            C::EndsWith(s) => text(TextTest::EndsWith, s, fold),
            C::Matches(pattern) | C::NotMatches(pattern) => ScalarTest::Matches(compile(pattern, fold)?),
            C::Within(window @ Window::Fixed { .. }) => ScalarTest::Fixed(Bounds::of_values(window, 0)),
            C::Within(window) => place(moving, Moving::Within(window.clone())),
            C::Anniversary { next, tz } => {
                place(moving, Moving::Anniversary(Anniversary { next: *next, zone: Zone::of(*tz) }))
            }
        };
        let negated =
            matches!(test.comparison, C::Ne(_) | C::NotIn(_) | C::NotContains(_) | C::NotMatches(_));
        Ok(Self { positive: Positive::Scalar(scalar), negated })
    }

    #[inline]
    pub(crate) fn passes(&self, resolved: &Resolved, value: Option<ValueRef<'_>>) -> bool {
        let positive = match (&self.positive, value) {
            (_, None) => false,
            (Positive::Exists, Some(_)) => true,
            (Positive::AnyElement(filter), Some(ValueRef::Records(records))) => {
                records.iter().any(|record| filter.passes(resolved, &fields_of(filter, record)))
            }
            (Positive::AnyElement(_), Some(_)) => false,
            (Positive::Scalar(test), Some(value)) => value.any_scalar(|one| test.passes(resolved, one)),
        };
        positive != self.negated
    }

    pub(crate) fn next_change(&self, moving: &[Moving], value: Option<ValueRef<'_>>, t: i64) -> Option<i64> {
        let mut next: Option<i64> = None;
        let mut sooner = |then: Option<i64>| next = next.into_iter().chain(then).min();
        match (&self.positive, value?) {
            (Positive::AnyElement(filter), ValueRef::Records(records)) => {
                for record in records {
                    sooner(filter.next_change(moving, &fields_of(filter, record), t));
                }
            }
            (Positive::Scalar(ScalarTest::Moving(place)), value) => {
                let moving = moving.get(*place)?;
                value.any_scalar(|one| {
                    if let ScalarRef::Instant(at) = one {
                        sooner(moving.next_change(at, t));
                    }
                    false
                });
            }
            _ => {}
        }
        next
    }
}

impl ScalarTest {
    fn passes(&self, resolved: &Resolved, value: ScalarRef<'_>) -> bool {
        match (self, value) {
            (Self::Eq(one), value) => value == one.into(),
            (Self::In(many), value) => many.contains(value),
            (Self::FoldedIn(many), ScalarRef::Str(s)) => many.contains(ScalarRef::Str(&lower(s))),
            (Self::FoldedIn(many), value) => many.contains(value),
            (Self::Between(low, high), value) => lies_between(value, low, high),
            (Self::Text(test, text), ScalarRef::Str(s)) => test.passes(s, text),
            (Self::Folded(test, text), ScalarRef::Str(s)) => test.passes_folded(s, text),
            (Self::Matches(regex), ScalarRef::Str(s)) => regex.is_match(s),
            (Self::Fixed(bounds), ScalarRef::Instant(at)) => bounds.contains(at),
            (Self::Moving(place), ScalarRef::Instant(at)) => {
                resolved.get(*place).is_some_and(|instants| instants.contains(at))
            }
            _ => false,
        }
    }
}

fn lies_between(value: ScalarRef<'_>, low: &Bound<Scalar>, high: &Bound<Scalar>) -> bool {
    let against = |bound: &Scalar| value.compare(bound.into());
    let above = match low {
        Bound::Unbounded => true,
        Bound::Included(low) => against(low).is_some_and(|order| order.is_ge()),
        Bound::Excluded(low) => against(low).is_some_and(|order| order.is_gt()),
    };
    above
        && match high {
            Bound::Unbounded => true,
            Bound::Included(high) => against(high).is_some_and(|order| order.is_le()),
            Bound::Excluded(high) => against(high).is_some_and(|order| order.is_lt()),
        }
}

/// Notes a moving part and refers to it.
fn place(moving: &mut Vec<Moving>, part: Moving) -> ScalarTest {
    moving.push(part);
    ScalarTest::Moving(moving.len() - 1)
}

fn text(test: TextTest, text: &str, fold: bool) -> ScalarTest {
    if fold { ScalarTest::Folded(test, lower(text)) } else { ScalarTest::Text(test, text.to_owned()) }
}

fn folded(one: &Scalar) -> Scalar {
    match one {
        Scalar::String(s) => Scalar::String(lower(s)),
        other => other.clone(),
    }
}

fn set(scalars: impl Iterator<Item = Scalar>) -> ScalarSet {
    let mut set = ScalarSet::default();
    scalars.for_each(|one| set.insert((&one).into()));
    set
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::segment::Filter;
    use crate::time::{Timestamp, days, months};
    use crate::value::{Record, Value};
    use proptest::prelude::*;

    fn compile(comparison: Comparison, ignore_case: bool) -> CompiledTest {
        CompiledTest::new(&Test { comparison, ignore_case }).unwrap()
    }

    fn passes(comparison: Comparison, value: impl Into<Value>) -> bool {
        compile(comparison, false).passes(Some((&value.into()).into()), 0)
    }

    fn passes_folded(comparison: Comparison, value: &str) -> bool {
        compile(comparison, true).passes(Some(ScalarRef::Str(value).into()), 0)
    }

    fn at(text: &str) -> i64 {
        text.parse::<Timestamp>().unwrap().millis()
    }

    fn instant(text: &str) -> Value {
        Value::from(text.parse::<Timestamp>().unwrap())
    }

    use Comparison as C;

    #[test]
    fn kinds_are_neither_equal_nor_ordered() {
        assert!(passes(C::Eq(1.into()), 1.0) && passes(C::In(vec!["a".into(), 1.into()]), 1.0));
        assert!(!passes(C::Eq("1".into()), 1) && !passes(C::Eq(true.into()), 1));
        assert!(passes(C::Gt(9_007_199_254_740_992.0.into()), 9_007_199_254_740_993_i64));
        assert!(
            !passes(C::Gte(1.into()), "2") && !passes(C::Lt(1.into()), "0") && !passes(C::Lt("b".into()), 1)
        );
        assert!(
            passes(C::Lt("b".into()), "a")
                && passes(C::Lte("a".into()), "a")
                && passes(C::Gt("Z".into()), "a")
        );
        assert!(passes(C::Between(1.into(), 2.into()), 2.0) && !passes(C::Between(1.into(), 2.into()), 2.5));
        assert!(!passes(C::Contains("1".into()), 1));
    }

    #[test]
    fn missing_values_pass_complements_only() {
        let missing = |comparison| compile(comparison, false).passes(None, 0);
        assert!(!missing(C::Eq(1.into())) && !missing(C::Exists(true)) && !missing(C::Lt(1.into())));
        assert!(missing(C::Ne(1.into())) && missing(C::NotIn(vec![])) && missing(C::Exists(false)));
        assert!(missing(C::NotContains("a".into())) && missing(C::NotMatches("a".into())));
        assert!(!passes(C::Exists(false), 1) && passes(C::Exists(true), Value::List(vec![])));
        assert!(!passes(C::In(vec![]), 1) && passes(C::NotIn(vec![]), 1));
    }

    #[test]
    fn a_list_passes_with_one_element_and_fails_complements_with_it() {
        let list = || vec!["red", "green"];
        assert!(passes(C::Eq("red".into()), list()) && !passes(C::Ne("red".into()), list()));
        assert!(passes(C::Contains("ree".into()), list()) && !passes(C::Contains("dg".into()), list()));
        assert!(passes(C::Ne("blue".into()), list()) && passes(C::Ne("blue".into()), Value::List(vec![])));
        let records = vec![Record::new().with("sku", "red")];
        assert!(
            !passes(C::Eq("red".into()), records.clone()) && passes(C::Ne("red".into()), records.clone())
        );
        assert!(passes(C::Exists(true), records));
    }

    #[test]
    fn patterns_are_unanchored() {
        assert!(passes(C::Matches("b+".into()), "abba") && !passes(C::Matches("^b".into()), "abba"));
        assert!(!passes(C::Matches("B".into()), "abba") && passes_folded(C::Matches("BB".into()), "abba"));
        assert!(!passes_folded(C::NotMatches("BB".into()), "abba") && passes(C::NotMatches("x".into()), 1));
        for bad in ["(", "(a{1000}){1000}"] {
            let test = Test { comparison: C::Matches(bad.into()), ignore_case: false };
            assert!(CompiledTest::new(&test).is_err(), "{bad}");
        }
    }

    #[test]
    fn windows_are_resolved_at_t() {
        let soon = compile(C::Within(Window::Next(days(3))), false);
        let (t, ends) = (at("2026-06-17T15:00:00Z"), instant("2026-06-20T15:00:00Z"));
        assert!(soon.depends_on_time() && soon.passes(Some((&ends).into()), t));
        assert!(!soon.passes(Some((&ends).into()), t - 1) && !soon.passes(None, t));
        assert!(!soon.passes(Some(ScalarRef::Str("2026-06-20T15:00:00Z").into()), t));
        assert_eq!(soon.next_change(Some((&ends).into()), t - 1), Some(t));
        assert_eq!(soon.next_change(Some((&ends).into()), t), ends_millis(&ends));
        assert_eq!(soon.next_change(Some((&ends).into()), at("2026-06-20T15:00:00Z")), None);
        let year = Window::Fixed { from: None, to: Some(Timestamp::from_millis(t)) };
        let fixed = compile(C::Within(year), false);
        assert!(!fixed.depends_on_time() && fixed.passes(Some(ScalarRef::Instant(t - 1).into()), 0));
        assert!(!fixed.passes(Some(ScalarRef::Instant(t).into()), 0));
    }

    fn ends_millis(value: &Value) -> Option<i64> {
        ValueRef::from(value).instant()
    }

    #[test]
    fn some_one_record_passes_the_whole_filter() {
        let property = |name: &str, comparison| Filter::Property {
            name: name.into(),
            test: Test { comparison, ignore_case: false },
        };
        let filter = Filter::All(vec![
            property("category", C::Eq("shoes".into())),
            property("price", C::Gt(50.into())),
            Filter::Not(Box::new(property("until", C::Within(Window::Last(days(1)))))),
        ]);
        let test = compile(C::AnyElement(Box::new(filter)), false);
        let shoe = |price: i64| Record::new().with("category", "shoes").with("price", price);
        let hat = Record::new().with("category", "hats").with("price", 90);
        let passes = |records: Vec<Record>, t| test.passes(Some(ValueRef::Records(&records)), t);
        assert!(passes(vec![hat.clone(), shoe(60)], 0) && !passes(vec![hat, shoe(40)], 0));
        let dated = || vec![shoe(60).with("until", Timestamp::from_millis(5))];
        assert!(passes(dated(), 4) && !passes(dated(), 5));
        assert_eq!(test.next_change(Some(ValueRef::Records(&dated())), 4), Some(5));
        assert!(!test.passes(Some(ScalarRef::Int(1).into()), 0) && !test.passes(None, 0));
    }

    fn any_moving() -> impl Strategy<Value = CompiledTest> {
        let span = prop::sample::select(vec![days(1), days(7), months(1), days(360), days(800)]);
        let tz = prop::sample::select(vec![chrono_tz::UTC, chrono_tz::Tz::Pacific__Apia]);
        prop_oneof![
            (span.clone(), tz).prop_map(|(next, tz)| C::Anniversary { next, tz }),
            span.clone().prop_map(|span| C::Within(Window::Next(span))),
            span.prop_map(|span| C::Within(Window::Last(span))),
        ]
        .prop_map(|comparison| compile(comparison, false))
    }

    proptest! {
        #[test]
        fn outcomes_hold_until_the_next_change(
            test in any_moving(),
            value in 1_280_000_000_000_i64..1_400_000_000_000,
            t in 1_280_000_000_000_i64..1_400_000_000_000,
            within in 0.0..1.0,
        ) {
            let value = Some(ScalarRef::Instant(value).into());
            let next = test.next_change(value, t);
            prop_assert!(next.is_none_or(|next| next > t));
            let until = next.unwrap_or(t + 1_000_000_000_000);
            let between = t + ((until - 1 - t) as f64 * within) as i64;
            for later in [between, until - 1] {
                prop_assert_eq!(test.passes(value, t), test.passes(value, later));
            }
        }
    }
}
