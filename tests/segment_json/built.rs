//! Segments built in code keep the same rules as those read, and errors name the same paths.

use std::ops::Bound;

use whodid::segment::{
    Attribute, Comparison, Did, EventMatch, EventPattern, Filter, Measure, Range, Sample, Segment,
    SegmentError, Sequence, Step, Test,
};
use whodid::window::{Anchor, Reach, Window};
use whodid::{Number, Scalar, Timestamp, Unit, attribute, days, did, months, property, sequence, years};

fn refused(segment: impl Into<Segment>) -> SegmentError {
    let segment = segment.into();
    match segment.validate() {
        Ok(()) => panic!("valid: {segment}"),
        Err(error) => {
            assert!(Segment::from_json(&segment.to_json()).is_err(), "{}", segment.to_json());
            error
        }
    }
}

fn check<const N: usize>(cases: [(Segment, &str); N]) {
    for (segment, path) in cases {
        let error = refused(segment.clone());
        assert_eq!(error.path(), path, "{segment:?}: {error}");
    }
}

fn events() -> EventMatch {
    EventMatch { events: vec![EventPattern::from("x")], filter: None }
}

fn behaviour(window: Option<Window>, measure: Measure, same: Option<&str>) -> Segment {
    Segment::Did(Did { events: events(), window, measure, same: same.map(str::to_owned) })
}

fn within(window: Window) -> Segment {
    behaviour(Some(window), Measure::Times(Range::at_least(1)), None)
}

fn having(comparison: impl Into<Comparison>) -> Segment {
    let test = Test { comparison: comparison.into(), ignore_case: false };
    Segment::Attribute(Attribute { name: "a".to_owned(), test, held: None })
}

#[test]
fn names() {
    check([
        (did("").into(), "did.event"),
        (did("é".repeat(257)).into(), "did.event"),
        (did("x").sum("").at_least(1).into(), "did.sum.of"),
        (did("x").same("").at_least(1).into(), "did.same"),
        (did("x").where_(property("").eq(1)).into(), "did.where.property"),
        (attribute("").exists().into(), "attribute.name"),
        (Segment::Segment(String::new()), "segment"),
        (Segment::List("l".repeat(513)), "list"),
        (sequence("a").then("").into(), "sequence.steps[1].event"),
    ]);
    assert_eq!(Segment::from(did("é".repeat(256))).validate(), Ok(()));
    assert_eq!(Segment::from(did("x".repeat(512) + "*")).validate(), Ok(()));
    let nothing = EventMatch { events: vec![], filter: None };
    let of_nothing =
        Did { events: nothing, window: None, measure: Measure::Times(Range::at_least(1)), same: None };
    check([(Segment::Did(of_nothing), "did.event")]);
}

#[test]
fn a_prefix_that_cannot_be_written_is_refused() {
    // `a\*` is a name with a literal star
    let prefix = EventMatch { events: vec![EventPattern::Prefix("a\\".to_owned())], filter: None };
    let segment =
        Did { events: prefix, window: None, measure: Measure::Times(Range::at_least(1)), same: None };
    assert_eq!(Segment::Did(segment).validate().unwrap_err().path(), "did.event");
}

#[test]
fn spans_and_windows() {
    let next = || Window::Next(days(1));
    let calendar = |unit, from, to| Window::Calendar { unit, from, to, tz: whodid::Tz::UTC };
    let around = |before, after| Window::Around { of: Anchor::Seen, before, after };
    let late = Timestamp::from_millis(i64::MAX);
    check([
        (did("x").last(days(0)).into(), "did.in.last"),
        (did("x").last(years(10_001)).into(), "did.in.last"),
        (did("x").ago(days(30), days(60)).into(), "did.in.ago"),
        (did("x").ago(months(1), days(30)).into(), "did.in.ago"),
        (did("x").ago(days(1), days(0)).into(), "did.in.ago[1]"),
        (within(Window::Fixed { from: None, to: None }), "did.in"),
        (within(Window::Fixed { from: Some(late), to: None }), "did.in.from"),
        (within(Window::Fixed { from: Some(Timestamp::MIN), to: Some(Timestamp::MIN) }), "did.in"),
        (within(calendar(Unit::Hour, 0, 0)), "did.in.calendar.unit"),
        (within(calendar(Unit::Day, 0, 1)), "did.in.calendar.back"),
        (within(calendar(Unit::Day, 0, -1)), "did.in.calendar.back"),
        (within(around(None, None)), "did.in.around"),
        (within(around(Some(Reach::Span(days(0))), None)), "did.in.around.before"),
        (within(next()), "did.in.next"),
        (within(Window::Beyond(days(1))), "did.in.beyond"),
        (within(Window::Ahead { from: days(1), to: days(2) }), "did.in.ahead"),
        (Segment::Seen(next()), "seen.in.next"),
        (Segment::Seen(around(None, Some(Reach::Ever))), "seen.in.around"),
        (having(Comparison::Within(around(None, Some(Reach::Ever)))), "attribute.within.around"),
        (having(Comparison::Within(Window::Ahead { from: days(2), to: days(1) })), "attribute.within.ahead"),
        (
            having(Comparison::Anniversary { next: days(0), tz: whodid::Tz::UTC }),
            "attribute.anniversary.next",
        ),
        (attribute("a").eq(1).held_for(days(0)).into(), "attribute.for"),
    ]);
    assert_eq!(having(Comparison::Within(calendar(Unit::Day, 0, -1))).validate(), Ok(()));
}

#[test]
fn measures_and_ranges() {
    let times = |range| behaviour(None, Measure::Times(range), None);
    let sum = |range| behaviour(None, Measure::Sum { of: "p".to_owned(), range }, None);
    let last = || Window::Last(days(1));
    let open = Range { low: Bound::Unbounded, high: Bound::Unbounded };
    let point = Range { low: Bound::Included(Number::Int(1)), high: Bound::Excluded(Number::Float(1.0)) };
    check([
        (times(open), "did.times"),
        (times(Range::at_least(-1)), "did.times"),
        (times(Range::at_least(2.0)), "did.times"),
        (times(Range::between(2, 1)), "did.times"),
        (sum(point), "did.sum"),
        (sum(Range::at_least(f64::NAN)), "did.sum"),
        (sum(Range::at_most(f64::INFINITY)), "did.sum"),
        (sum(Range::between(1.5, 1)), "did.sum"),
        (behaviour(Some(last()), Measure::First(last()), None), "did.in"),
        (behaviour(None, Measure::Latest(last()), Some("p")), "did.same"),
        (
            behaviour(
                None,
                Measure::Active { unit: Unit::Year, tz: whodid::Tz::UTC, range: Range::at_least(1) },
                None,
            ),
            "did.active.unit",
        ),
    ]);
    assert_eq!(sum(Range::exactly(1.0)).validate(), Ok(()));
    assert_eq!(times(Range::less_than(0)).validate(), Ok(()));
}

#[test]
fn tests_and_filters() {
    let late = Scalar::Instant(Timestamp::from_millis(i64::MIN));
    let case = |comparison| {
        let test = Test { comparison, ignore_case: true };
        Segment::Attribute(Attribute { name: "a".to_owned(), test, held: None })
    };
    check([
        (having(Comparison::Eq(f64::NAN.into())), "attribute.eq"),
        (having(Comparison::Ne(late.clone())), "attribute.ne"),
        (having(Comparison::In(vec![1.into(), late])), "attribute.in[1]"),
        (having(Comparison::Gte(true.into())), "attribute.gte"),
        (having(Comparison::Between(1.into(), "2".into())), "attribute.between"),
        (having(Comparison::Between(2.into(), 1.5.into())), "attribute.between"),
        (having(Comparison::Between(false.into(), true.into())), "attribute.between[0]"),
        (having(Comparison::Contains("x".repeat((1 << 20) + 1))), "attribute.contains"),
        (having(Comparison::Matches("(".to_owned())), "attribute.matches"),
        (having(Comparison::NotMatches(r"(?:\pL{100}){100}".to_owned())), "attribute.not_matches"),
        (case(Comparison::Exists(true)), "attribute.ignore_case"),
        (case(Comparison::Lt("x".into())), "attribute.ignore_case"),
        (
            did("x").where_(property("p").any_element(property("q").gt(true))).into(),
            "did.where.any_element.gt",
        ),
    ]);
    assert_eq!(case(Comparison::NotMatches("x".to_owned())).validate(), Ok(()));
}

#[test]
fn sequences_and_samples() {
    let step = |within| Step { events: events(), within, after: None, without: None };
    let steps =
        |steps| Segment::Sequence(Sequence { steps, within: None, window: None, then_not: None, same: None });
    let sample = |from, to| Segment::Sample(Sample { salt: String::new(), from, to });
    check([
        (steps(vec![]), "sequence.steps"),
        (steps(vec![step(Some(days(1)))]), "sequence.steps[0].within"),
        (steps(vec![step(None), step(Some(days(0)))]), "sequence.steps[1].within"),
        (sample(Number::Int(60), Number::Int(50)), "sample"),
        (sample(Number::Int(-1), Number::Int(50)), "sample"),
        (sample(Number::Int(0), Number::Float(f64::NAN)), "sample"),
        (
            Segment::Sample(Sample { salt: "s".repeat(513), from: Number::Int(0), to: Number::Int(1) }),
            "sample.salt",
        ),
    ]);
    assert_eq!(sample(Number::Float(0.5), Number::Int(100)).validate(), Ok(()));
}

/// Built deeper than any stack, and left alone: dropping it is what would overflow.
#[test]
fn absurdly_deep_trees_overflow_no_stack() {
    let mut segment = Segment::All(vec![]);
    let mut filter = Filter::All(vec![]);
    for _ in 0..1_000_000 {
        segment = Segment::Not(Box::new(segment));
        filter = Filter::Not(Box::new(filter));
    }
    let in_filter = EventMatch { events: vec![EventPattern::from("x")], filter: Some(filter) };
    let in_filter = Segment::Did(Did {
        events: in_filter,
        window: None,
        measure: Measure::Times(Range::at_least(1)),
        same: None,
    });
    for deep in [segment, in_filter] {
        assert!(matches!(deep.validate(), Err(SegmentError::TooDeep { limit: 64, .. })));
        assert!(Segment::from_json(&deep.to_json()).is_err());
        assert!(deep.to_string().contains('…'));
        std::mem::forget(deep);
    }
}
