//! Each kind of leaf, over the facts of one user.

use super::*;
use crate::time::{Timestamp, days};
use crate::value::{Record, Value};

const T: &str = "2026-06-15T12:00:00Z";

fn t() -> Timestamp {
    T.parse().unwrap()
}

/// So many days before T.
fn ago(n: u32) -> i64 {
    t().minus(days(n)).millis()
}

fn leaf(json: &str) -> Leaf {
    let plan = Plan::of(&Segment::from_json(json).unwrap()).unwrap();
    assert_eq!(plan.leaves().len(), 1, "{plan}");
    plan.leaves()[0].clone()
}

fn did(rest: &str) -> Leaf {
    leaf(&format!(r#"{{"did":{{"event":"a",{rest}}}}}"#))
}

fn hits<'a>(of: &'a [(i64, Option<Value>)]) -> Vec<Hit<'a>> {
    let hit = |(at, value): &'a (i64, Option<Value>)| {
        let value = value.as_ref().map(ValueRef::from);
        Hit { at: *at, matcher: 0, value, group: value.and_then(ValueRef::scalar) }
    };
    of.iter().map(hit).collect()
}

/// Whether a behaviour holds of events at so many days before T, with a property.
fn holds(leaf: &Leaf, events: &[(u32, Option<Value>)]) -> bool {
    let events: Vec<_> = events.iter().map(|(days, value)| (ago(*days), value.clone())).collect();
    leaf.holds(&UserFacts { hits: &hits(&events), ..UserFacts::default() }, t())
}

fn some(value: impl Into<Value>) -> Option<Value> {
    Some(value.into())
}

#[test]
fn counts_end_where_the_window_does() {
    let leaf = did(r#""times":{"between":[2,3]},"in":{"last":"3d"}"#);
    assert!(!holds(&leaf, &[(3, None), (2, None)]), "the far edge is outside");
    assert!(holds(&leaf, &[(3, None), (2, None), (0, None)]), "the near one inside");
    assert!(holds(&leaf, &[(2, None), (1, None), (0, None)]));
    assert!(!holds(&leaf, &[(2, None), (1, None), (0, None), (0, None)]));
    // Later facts do not exist.
    let events = [(ago(0), None), (ago(0) + 1, None)];
    assert!(!leaf.holds(&UserFacts { hits: &hits(&events), ..UserFacts::default() }, t()));
}

#[test]
fn numbers_are_exact_and_everything_else_is_skipped() {
    let tenths: Vec<_> = (0..10).map(|_| (1, some(0.1))).collect();
    let sum = did(r#""sum":{"of":"p","at_least":1}"#);
    assert!(holds(&sum, &tenths));
    assert!(!holds(&sum, &tenths[1..]));
    let mut mixed = tenths.clone();
    mixed.extend([(1, some("5")), (1, some(true)), (1, some(vec![5])), (1, None)]);
    assert!(holds(&did(r#""sum":{"of":"p","at_most":2}"#), &mixed));
    assert!(holds(&did(r#""sum":{"of":"p","more_than":1}"#), &tenths), "0.1 is a little more than a tenth");
    assert!(holds(&did(r#""avg":{"of":"p","exactly":2}"#), &[(2, some(1)), (1, some("x")), (1, some(3.0))]));
    assert!(holds(&did(r#""min":{"of":"p","exactly":-1}"#), &[(2, some(1)), (1, some(-1.0))]));
    assert!(holds(&did(r#""max":{"of":"p","less_than":2}"#), &[(2, some(1)), (1, some("z"))]));
    for nothing in ["avg", "min", "max"] {
        assert!(!holds(&did(&format!(r#""{nothing}":{{"of":"p","less_than":9}}"#)), &[(1, some("x"))]));
    }
    assert!(holds(&did(r#""sum":{"of":"p","exactly":0}"#), &[]));
}

#[test]
fn distinct_values_are_scalars_elements_and_records() {
    let distinct = |n: u32| did(&format!(r#""distinct":{{"of":"p","between":[{n},{n}]}}"#));
    let record = |n: i64| Record::new().with("sku", n);
    let events = [
        (9, some(1)),
        (8, some(1.0)),
        (7, some("1")),
        (6, None),
        (5, some(vec![1, 2])),
        (4, some(Value::List(vec![]))),
        (3, some(vec![record(1), record(2), record(1)])),
    ];
    assert!(holds(&distinct(5), &events), "1, \"1\", 2 and two records");
    assert!(!holds(&distinct(4), &events));
}

#[test]
fn active_units_are_counted_once() {
    let active = |n: u32| did(&format!(r#""active":{{"unit":"day","between":[{n},{n}]}}"#));
    assert!(holds(&active(2), &[(5, None), (5, None), (3, None)]));
    let at_least = did(r#""active":{"unit":"week","at_least":2}"#);
    assert!(holds(&at_least, &[(1, None), (0, None)]), "15 June 2026 is a Monday");
    assert!(!holds(&at_least, &[(0, None), (0, None)]));
}

#[test]
fn the_one_event_that_counts() {
    let first = did(r#""first":{"in":{"last":"7d"}}"#);
    assert!(holds(&first, &[(3, None)]));
    assert!(!holds(&first, &[(30, None), (3, None)]));
    let latest = did(r#""latest":{"in":{"before":"7d"}}"#);
    assert!(holds(&latest, &[(30, None), (7, None)]));
    assert!(!holds(&latest, &[(30, None), (3, None)]));
    // The earliest and the most recent inside the window; ties go by arrival.
    let window = |which: &str| did(&format!(r#""{which}":{{"of":"p","eq":"x"}},"in":{{"last":"5d"}}"#));
    let events = [(9, some("x")), (4, some("x")), (4, some("y")), (1, some("y")), (1, some("x"))];
    assert!(holds(&window("first_value"), &events));
    assert!(holds(&window("latest_value"), &events));
    assert!(!holds(&window("latest_value"), &events[..4]));
    assert!(!holds(&window("first_value"), &events[2..]));
    let missing = did(r#""latest_value":{"of":"p","ne":"x"}"#);
    assert!(holds(&missing, &[(1, None)]));
    assert!(!holds(&missing, &[]), "no event, no value to differ");
}

#[test]
fn groups_count_for_themselves() {
    let same = did(r#""times":{"at_least":2},"same":"p""#);
    assert!(!holds(&same, &[(3, some(1)), (2, some("1")), (1, None), (1, None)]));
    assert!(holds(&same, &[(3, some(1)), (2, some("1")), (1, some(1.0))]));
    let never = did(r#""times":{"at_most":1},"same":"p""#);
    assert!(!holds(&never, &[]), "no group, no match");
    assert!(!holds(&never, &[(1, some(vec![1]))]), "a list is no one value");
    assert!(holds(&never, &[(2, some(1)), (1, some(2))]));
}

#[test]
fn without_an_anchor_nothing_holds_not_even_zero() {
    let leaf = did(r#""times":{"at_most":0},"in":{"around":{"of":"seen","after":"2d"}}"#);
    let (events, none) = ([(ago(7), None)], []);
    let (one, none) = (hits(&events), hits(&none));
    let facts = |anchor, hits| UserFacts { anchor, hits, ..UserFacts::default() };
    assert!(!leaf.holds(&facts(None, &none), t()));
    assert!(leaf.holds(&facts(Some(ago(9)), &none), t()));
    assert!(!leaf.holds(&facts(Some(ago(9)), &one), t()), "the edge is inside");
    assert!(leaf.holds(&facts(Some(ago(9) - 1), &one), t()));
    let measured = Segment::from_json(
        r#"{"score":{"of":[{"points":1,"per":{"event":"a","in":{"around":{"of":"seen","before":"ever"}}}}],"at_least":1}}"#,
    );
    let plan = Plan::of(&measured.unwrap()).unwrap();
    let measure = plan.measures()[0].at(t().millis());
    assert!(measure.number(&facts(None, &one)).is_zero());
    assert_eq!(measure.number(&facts(Some(ago(7)), &one)).to_number(), crate::value::Number::Int(1));
}

/// Writes at so many days before T; of none the attribute is removed.
fn history(of: &[(u32, Option<Value>)]) -> Vec<StoredWrite<'_>> {
    let at = |days: &u32| Timestamp::from_millis(ago(*days));
    of.iter()
        .map(|(days, value)| StoredWrite { at: at(days), value: value.as_ref().map(ValueRef::from) })
        .collect()
}

fn of_writes(json: &str, writes: &[(u32, Option<Value>)]) -> bool {
    leaf(json).holds(&UserFacts { writes: &history(writes), ..UserFacts::default() }, t())
}

#[test]
fn an_attribute_is_its_latest_write() {
    let pro = r#"{"attribute":{"name":"plan","eq":"pro"}}"#;
    assert!(of_writes(pro, &[(9, some("free")), (2, some("pro"))]));
    assert!(of_writes(pro, &[(2, some("free")), (2, some("pro"))]), "of one instant the last to arrive");
    assert!(!of_writes(pro, &[(2, some("pro")), (1, None)]), "removed");
    assert!(!of_writes(pro, &[]));
    let later = Timestamp::from_millis(ago(0) + 1);
    let writes = [StoredWrite { at: later, value: Some(ScalarRef::Str("pro").into()) }];
    assert!(!leaf(pro).holds(&UserFacts { writes: &writes, ..UserFacts::default() }, t()));
}

#[test]
fn an_attribute_held_passes_all_the_time() {
    let held = r#"{"attribute":{"name":"plan","eq":"pro","for":"5d"}}"#;
    assert!(of_writes(held, &[(5, some("pro")), (2, some("pro"))]), "rewritten, and from the very edge");
    assert!(!of_writes(held, &[(4, some("pro"))]));
    assert!(!of_writes(held, &[(9, some("pro")), (3, some("free")), (1, some("pro"))]));
    assert!(
        of_writes(held, &[(9, some("pro")), (3, some("free")), (3, some("pro"))]),
        "only the last of an instant"
    );
    let never = r#"{"attribute":{"name":"plan","exists":false,"for":"5d"}}"#;
    assert!(of_writes(never, &[]));
    assert!(!of_writes(never, &[(1, some(1)), (0, None)]));
}

#[test]
fn a_change_is_from_one_value_to_another() {
    let changed = |rest: &str| format!(r#"{{"changed":{{"name":"plan"{rest}}}}}"#);
    let up = changed(r#","from":"free","to":"pro","in":{"last":"5d"}"#);
    assert!(of_writes(&up, &[(9, some("free")), (4, some("pro"))]));
    assert!(!of_writes(&up, &[(9, some("free")), (5, some("pro"))]));
    assert!(!of_writes(&up, &[(9, some("free")), (4, some("mid")), (3, some("pro"))]));
    assert!(!of_writes(&changed(""), &[]));
    assert!(of_writes(&changed(""), &[(9, some(1))]), "from nothing");
    assert!(
        !of_writes(&changed(r#","from":1"#), &[(9, some(1)), (8, some(1.0))]),
        "an equal value is no change"
    );
    assert!(of_writes(&changed(r#","from":1"#), &[(9, some(1)), (8, None)]), "to nothing");
    assert!(!of_writes(&changed(""), &[(9, None)]), "from nothing to nothing");
    assert!(!of_writes(&changed(r#","to":1"#), &[(9, some(vec![1]))]), "a list equals no scalar");
    assert!(!of_writes(&changed(r#","from":2"#), &[(9, some(1)), (8, some(2)), (8, some(3))]), "2 never was");
}

#[test]
fn being_seen_is_a_window() {
    let known = leaf(r#"{"seen":{"in":{"before":"30d"}}}"#);
    let seen = |at| known.holds(&UserFacts { seen: Some(at), ..UserFacts::default() }, t());
    assert!(seen(ago(30)) && !seen(ago(30) + 1));
    assert!(!known.holds(&UserFacts::default(), t()));
}

#[test]
fn shares_are_by_id() {
    let Leaf::Sample(share) = leaf(r#"{"sample":{"salt":"spring","from":0,"to":50}}"#) else {
        panic!("no sample")
    };
    let in_it = (0..1_000).filter(|i| share.contains(&format!("user-{i}"))).count();
    assert!((400..600).contains(&in_it), "{in_it}");
}

#[test]
fn leaves_write_themselves_out() {
    for json in [
        r#"{"did":{"event":["a","b_*"],"where":{"property":"p","gt":1},"in":{"last":"7d"},"times":{"at_least":2},"same":"p"}}"#,
        r#"{"did":{"event":"a","first":{"in":{"last":"7d"}}}}"#,
        r#"{"sequence":{"steps":[{"event":"a"},{"event":"b","within":"1d","after":"1h","without":{"event":"c"}}],"within":"2d","in":{"last":"9d"},"then_not":{"event":"a","within":"1d"},"same":"p"}}"#,
        r#"{"attribute":{"name":"plan","eq":"pro","for":"5d"}}"#,
        r#"{"changed":{"name":"plan","from":1,"to":2,"in":{"around":{"of":{"first":{"event":"a"}},"after":"1d"}}}}"#,
        r#"{"seen":{"in":{"last":"1d"}}}"#,
        r#"{"sample":{"salt":"s","from":1,"to":2}}"#,
    ] {
        let segment = Segment::from_json(json).unwrap();
        assert_eq!(leaf(json).to_segment(), segment, "{json}");
    }
}
