use super::*;
use crate::segment::{
    Attribute, Comparison, Did, Earned, EventMatch, EventPattern, Filter, Measure, Measured, Points,
    Quantity, Range, Score, Segment, Test,
};
use crate::time::{Unit, days, hours, months, weeks};
use crate::value::Number;
use crate::window::{Anchor, Reach, Window};
use chrono_tz::Tz;

fn plain(comparison: Comparison) -> Test {
    Test { comparison, ignore_case: false }
}

fn events(name: &str) -> EventMatch {
    EventMatch { events: vec![EventPattern::from(name)], filter: None }
}

fn doing(name: &str, window: Option<Window>, measure: Measure) -> Segment {
    Segment::Did(Did { events: events(name), window, measure, same: None })
}

#[test]
fn a_condition_reads_aloud_and_is_the_plain_tree() {
    let fading = attribute("plan").eq("enterprise")
        & did("feature_used").at_least(5).ago(days(60), days(30))
        & !did("feature_used").last(days(30));
    let ago = Window::Ago { from: days(60), to: days(30) };
    let plan =
        Attribute { name: "plan".into(), test: plain(Comparison::Eq("enterprise".into())), held: None };
    let once = Measure::Times(Range::at_least(1));
    assert_eq!(
        fading,
        Segment::All(vec![
            Segment::Attribute(plan),
            doing("feature_used", Some(ago), Measure::Times(Range::at_least(5))),
            Segment::Not(Box::new(doing("feature_used", Some(Window::Last(days(30))), once))),
        ])
    );
}

#[test]
fn lists_flatten_and_double_negation_goes() {
    let [a, b, c] = ["a", "b", "c"].map(|name| Segment::from(did(name)));
    let three = Segment::All(vec![a.clone(), b.clone(), c.clone()]);
    assert_eq!(&a & &b & &c, three);
    assert_eq!(&a & (&b & &c), three);
    assert_eq!(all([&a, &b]) & all([&c]), three);
    assert_eq!(&a | &b | &c, any([&a, &b, &c]));
    assert_eq!(!!did("a"), a);
    assert_eq!(everyone() & &a, a);
    assert_eq!(no_one() | &a, a);
    assert_eq!(everyone() & everyone(), everyone());
    assert_eq!((&a | &b) & &c, Segment::All(vec![Segment::Any(vec![a, b]), c]));
}

#[test]
fn filters_join_alike() {
    let dear = || property("amount").gt(100);
    let dutch = || property("country").eq("nl");
    let joined = dear() & dutch() & !property("test").exists();
    let [a, b] = [Filter::from(dear()), Filter::from(dutch())];
    assert_eq!(joined, Filter::All(vec![a.clone(), b.clone(), !property("test").exists()]));
    assert_eq!(dear() | dutch(), Filter::Any(vec![a.clone(), b]));
    assert_eq!(!!dear(), a);
    let twice = did("purchase").where_(dear()).where_(dutch());
    assert_eq!(Segment::from(twice), did("purchase").where_(dear() & dutch()).into());
}

#[test]
fn what_is_too_deep_stops_growing() {
    let (mut deep, mut filter) = (Segment::from(did("a")), Filter::from(property("a").exists()));
    for i in 0..100_000 {
        deep = match i % 4 {
            0 => did("b") & !deep,
            1 => at_least(1, [deep]),
            2 => no_one() | deep | did("c"),
            _ => score().add(1, deep).at_least(1).into(),
        };
        filter = match i % 2 {
            0 => property("b").any_element(filter).into(),
            _ => !(property("b").exists() & filter),
        };
        if i == 200 {
            assert!(depth::too_deep(&deep));
        }
    }
    assert_eq!(deep.clone() & did("a"), deep);
    assert_eq!(did("a") & deep.clone(), deep);
    assert_eq!(!deep.clone(), deep);
    assert_eq!(all([deep.clone(), everyone()]), deep);
}

#[test]
fn what_is_as_deep_as_allowed_still_grows() {
    let mut deep = Segment::from(did("a"));
    for _ in 0..63 {
        deep = Segment::Not(Box::new(deep));
    }
    assert!(!depth::too_deep(&deep));
    let wrapped = any([deep.clone()]);
    assert_eq!(wrapped, Segment::Any(vec![deep]));
    assert!(depth::too_deep(&wrapped));
}

#[test]
fn ranges_narrow() {
    let range = |behavior| match Segment::from(behavior) {
        Segment::Did(Did { measure: Measure::Times(range), .. }) => range,
        other => panic!("{other:?}"),
    };
    assert_eq!(range(did("a").at_least(2).at_most(5)), Range::between(2, 5));
    assert_eq!(range(did("a").at_least(2).more_than(2)), Range::more_than(2));
    assert_eq!(range(did("a").more_than(2).at_least(2)), Range::more_than(2));
    assert_eq!(range(did("a").at_least(2).at_least(7).at_least(4)), Range::at_least(7));
    assert_eq!(range(did("a").exactly(3).at_least(5)), Range::between(5, 3));
    let nan = range(did("a").at_most(3).at_most(f64::NAN).at_most(3));
    assert!(matches!(nan.high, std::ops::Bound::Included(Number::Float(x)) if x.is_nan()));
}

#[test]
fn a_zone_named_once_counts_for_the_behaviour() {
    let zoned = |unit| Window::Calendar { unit, from: 0, to: 0, tz: Tz::Europe__Berlin };
    let active = |unit| Measure::Active { unit, tz: Tz::Europe__Berlin, range: Range::at_least(5) };
    let both = doing("login", Some(zoned(Unit::Month)), active(Unit::Day));
    let login = || did("login").active_days();
    assert_eq!(both, login().in_zone(Tz::Europe__Berlin).at_least(5).this_month().into());
    assert_eq!(both, login().in_zone(Tz::Europe__Berlin).this_month().at_least(5).into());
    assert_eq!(both, login().this_month().in_zone(Tz::Europe__Berlin).at_least(5).into());
    assert_eq!(both, login().at_least(5).this_month().in_zone(Tz::Europe__Berlin).into());
    let last = doing("login", Some(Window::Last(days(14))), active(Unit::Day));
    assert_eq!(last, login().last(days(14)).in_zone(Tz::Europe__Berlin).at_least(5).into());
}

#[test]
fn anchors_are_what_they_are_elsewhere() {
    let around = |of| Some(Window::Around { of, before: None, after: Some(Reach::Span(days(7))) });
    let once = || Measure::Times(Range::at_least(1));
    assert_eq!(doing("a", around(Anchor::Seen), once()), did("a").within_first(days(7)).into());
    assert_eq!(doing("a", around(Anchor::Seen), once()), did("a").around(seen()).after(days(7)).into());
    assert_eq!(
        doing("a", around(Anchor::First(Box::new(events("b")))), once()),
        did("a").around(did("b").first()).after(days(7)).into()
    );
    assert_eq!(
        doing("a", around(Anchor::Attribute("signed_up_at".into())), once()),
        did("a").around(attribute("signed_up_at")).after(days(7)).into()
    );
}

#[test]
fn sugar_expands_into_the_forms_of_the_law() {
    let login = || did("login");
    let lapsed = login().before(days(30)) & !login().last(days(30));
    assert_eq!(login().lapsed(days(30)), lapsed);
    assert_eq!(login().absent_for(days(14)), seen().before(days(14)) & !login().last(days(14)));
    let stopped = login().at_least(3).ago(months(2), months(1)) & !login().at_least(3).last(months(1));
    assert_eq!(login().at_least(3).stopped(months(1)), stopped);
    let restarted = login().last(weeks(1)) & !login().ago(weeks(2), weeks(1)) & login().before(weeks(2));
    assert_eq!(login().restarted(weeks(1)), restarted);
    let regular = (login().last(weeks(1)), login().ago(weeks(2), weeks(1)), login().ago(weeks(3), weeks(2)));
    assert_eq!(login().regularly(2, 3, weeks(1)), at_least(2, regular));
}

#[test]
fn a_fall_is_whole_weights() {
    let amount =
        |window| Measured { events: events("buy"), window, quantity: Quantity::Sum("amount".into()) };
    let now = amount(Some(Window::Last(days(30))));
    let before = amount(Some(Window::Ago { from: days(60), to: days(30) }));
    let per = |points, measured: &Measured| Points { points, earned: Earned::Per(measured.clone()) };
    assert_eq!(
        did("buy").sum("amount").fell_to(1, 2, days(30)),
        Segment::All(vec![
            Segment::Score(Score { of: vec![per(1, &before)], range: Range::more_than(0) }),
            Segment::Score(Score { of: vec![per(2, &now), per(-1, &before)], range: Range::at_most(0) }),
        ])
    );
}

#[test]
fn absurd_numbers_are_built_and_left_to_validation() {
    let absurd = did("a").regularly(u32::MAX, u32::MAX, crate::time::years(u32::MAX));
    assert!(matches!(absurd, Segment::Score(Score { of, .. }) if of.len() == 10_001));
    let _ = did("").sum("").at_least(f64::INFINITY).same("");
    let _ = did(Vec::<&str>::new()).stopped(days(u32::MAX));
    let _ = did("a").fell_to(u32::MAX, 0, days(0));
}

#[test]
fn steps_are_timed_from_the_one_before() {
    let abandoned = sequence("add_to_cart")
        .then("checkout")
        .within(hours(1))
        .without("remove")
        .then_not("purchase", days(1))
        .same("cart_id")
        .last(days(30));
    let Segment::Sequence(built) = Segment::from(abandoned) else { panic!("no sequence") };
    assert_eq!(built.steps.len(), 2);
    assert_eq!(built.steps[0].within, None);
    assert_eq!(built.steps[1].within, Some(hours(1)));
    assert_eq!(built.steps[1].without, Some(events("remove")));
    assert_eq!((built.within, built.window), (None, Some(Window::Last(days(30)))));
    assert_eq!(built.same.as_deref(), Some("cart_id"));
    assert_eq!(built.then_not.map(|not| (not.events, not.within)), Some((events("purchase"), days(1))));
}
