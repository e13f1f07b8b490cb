//! What the live engine holds is bounded by what it watches, not by what has come in.

#![allow(clippy::expect_used)] // a test that cannot be set up fails

use whodid::segment::Segment;
use whodid::{AttributeWrite, Catalog, Evaluate, Event, Ingest, Live, MemoryStore, Timestamp, days, minutes};

const NOON: i64 = 1_781_524_800_000;
const HOUR: i64 = 3_600_000;

fn hour(hours: i64) -> Timestamp {
    Timestamp::from_millis(NOON + hours * HOUR)
}

fn live(segments: &[&str]) -> Live {
    let mut catalog = Catalog::new();
    for (i, text) in segments.iter().enumerate() {
        let segment = Segment::from_json(text).expect("a segment");
        catalog.insert(format!("segment {i}"), segment).expect("a valid segment");
    }
    Live::new(catalog, MemoryStore::new(), hour(0)).expect("an engine")
}

/// The members that are kept are those that the evaluator finds.
fn check(live: &Live) {
    let snapshot = live.snapshot();
    for (name, found) in snapshot.evaluate(live.catalog(), live.now()).expect("answers").iter() {
        assert_eq!(live.members(name).expect("a segment"), *found.bitmap(), "{name}");
    }
}

#[test]
fn values_that_turn_for_ever_are_not_read_ahead_for_ever() {
    let mut live = live(&[r#"{"did":{"event":"plan","where":{"any":[
        {"property":"ends","within":{"next":"1h"}},{"property":"renews","anniversary":{"next":"7d"}}]}}}"#]);
    for i in 1..=80 {
        let event = Event::new("ada", "plan", hour(10 * i)).with("ends", hour(10 * i + 2));
        _ = live.record(event).expect("an event");
    }
    _ = live.record(Event::new("bob", "plan", hour(801)).with("renews", hour(0))).expect("an event");
    let changes = live.advance(hour(24 * 800)).expect("an instant");
    assert_eq!(changes.iter().filter(|change| &*change.id == "bob").count(), 4);
    assert!(live.memory_usage() < 200_000, "{} bytes", live.memory_usage());
    check(&live);
}

#[test]
fn of_many_values_few_are_read_ahead() {
    let mut live =
        live(&[r#"{"did":{"event":"signup","where":{"property":"born","anniversary":{"next":"1d"}}}}"#]);
    let born = |user: i64| hour(-24 * 365 * 30 + user * 7);
    for user in 0..20_000 {
        let event = Event::new(format!("u{user}"), "signup", hour(user / 200)).with("born", born(user));
        _ = live.record(event).expect("an event");
    }
    assert!(live.memory_usage() < 600_000, "{} bytes", live.memory_usage());
    for _ in 0..4 {
        let to = live.now().plus(days(150));
        assert!(live.advance(to).expect("an instant").len() > 10_000);
        check(&live);
    }
    assert!(live.memory_usage() < 600_000, "{} bytes", live.memory_usage());
}

#[test]
fn late_facts_leave_nothing_behind() {
    let windows = (0..20).map(|i| format!(r#"{{"did":{{"event":"a","in":{{"last":"{}d"}}}}}}"#, 400 + i));
    let windows: Vec<String> = windows.collect();
    let mut live = live(&windows.iter().map(String::as_str).collect::<Vec<_>>());
    for i in 0..20_000 {
        let event = Event::new(format!("u{}", i % 100), "a", Timestamp::from_millis(NOON - i * 1_000));
        _ = live.record(event).expect("an event");
    }
    assert!(live.memory_usage() < 200_000, "{} bytes", live.memory_usage());
    let left = live.advance(hour(24 * 500)).expect("an instant");
    assert_eq!(left.len(), 20 * 100);
    check(&live);
}

#[test]
fn names_of_events_that_are_refused_take_no_room() {
    let mut live = live(&[r#"{"did":{"event":"a"}}"#, r#"{"did":{"event":"*","times":{"at_least":3}}}"#]);
    _ = live.record(Event::new("ada", "a", hour(0)).id("once")).expect("an event");
    let before = live.memory_usage();
    for i in 0..20_000 {
        _ = live.record(Event::new("ada", format!("name {i}"), hour(0)).id("once")).expect("an event");
    }
    assert_eq!(live.memory_usage(), before);
    check(&live);
}

#[test]
fn who_has_gone_takes_no_room() {
    let mut live =
        live(&[r#"{"seen":{"in":{"last":"30d"}}}"#, r#"{"changed":{"name":"plan","in":{"last":"9d"}}}"#]);
    let mut come_and_go = |i: u32| {
        let (visitor, at) = (format!("visitor {i}"), hour(-24 * 8).plus(whodid::minutes(i / 2)));
        _ = live.register(&visitor, at).expect("a user");
        _ = live.merge(&visitor, "ada").expect("a merge");
        _ = live.write(AttributeWrite::set("guest", "plan", "pro", at)).expect("a write");
        _ = live.forget("guest").expect("an erasure");
        live.memory_usage()
    };
    let at_first = come_and_go(0);
    let after = (1..10_000).map(&mut come_and_go).last().unwrap_or(0);
    assert!(after < at_first + 20_000, "{after} bytes, at first {at_first}");
    let (mut wakes, end) = (0, hour(24 * 60));
    while let Some(wake) = live.next_change().filter(|wake| *wake < end) {
        _ = live.advance(wake).expect("an instant");
        wakes += 1;
    }
    assert!(wakes < 30, "woken {wakes} times");
    check(&live);
}

#[test]
fn who_turns_out_to_be_known_for_longer_takes_no_more_room() {
    let mut live = live(&[r#"{"seen":{"in":{"last":"30d"}}}"#]);
    let mut seen = |i: i64| {
        let at = hour(-24 * 28).plus(days(20)).minus(whodid::minutes(u32::try_from(i).expect("a few")));
        _ = live.register("ada", at).expect("a user");
        live.memory_usage()
    };
    let at_first = seen(0);
    let after = (1..20_000).map(seen).last().unwrap_or(0);
    assert!(after < at_first + 4_000, "{after} bytes, at first {at_first}");
    let gone = live.advance(hour(24 * 40)).expect("an instant");
    assert_eq!(gone.len(), 1);
    check(&live);
}

/// Two segments a level, each of which names both of the level below: more paths than can be walked.
#[test]
fn a_segment_that_several_others_name_is_answered_once() {
    for per in ["", r#"{"points":1,"per":{"event":"a","in":{"last":"1d"}}},"#] {
        let mut catalog = Catalog::new();
        let mut insert = |name: String, text: String| {
            catalog.insert(name, Segment::from_json(&text).expect("a segment")).expect("a valid segment");
        };
        insert(
            "a0".to_owned(),
            format!(
                r#"{{"score":{{"of":[{per}{{"points":1,"if":{{"did":{{"event":"a","in":{{"last":"1d"}}}}}}}}],"at_least":1}}}}"#
            ),
        );
        insert("b0".to_owned(), r#"{"did":{"event":"b","in":{"last":"1d"}}}"#.to_owned());
        for level in 1..=30 {
            let below = level - 1;
            let scored = |points: u8, test: &str| {
                format!(
                    r#"{{"score":{{"of":[{{"points":1,"if":{{"segment":"a{below}"}}}},{{"points":{points},"if":{{"segment":"b{below}"}}}}],{test}}}}}"#
                )
            };
            insert(format!("a{level}"), scored(2, r#""at_least":2"#));
            insert(format!("b{level}"), scored(1, r#""exactly":1"#));
        }
        let mut store = MemoryStore::new();
        store.record(Event::new("ada", "a", hour(0))).expect("an event");
        let mut live = Live::new(catalog, store, hour(0)).expect("an engine");
        check(&live);
        for (id, name, at) in [("ada", "b", 1), ("bob", "b", 2), ("bob", "a", 3)] {
            _ = live.record(Event::new(id, name, hour(at))).expect("an event");
            _ = live.advance(hour(at)).expect("an instant");
            check(&live);
        }
        assert!(live.advance(hour(100)).expect("an instant").len() > 30);
        check(&live);
    }
}

/// Thousands of years, of which each edge would look at each day.
#[test]
fn time_without_facts_is_passed_over() {
    let active = |days: u32| {
        format!(
            r#"{{"did":{{"event":"a","in":{{"last":"{days}d"}},"active":{{"unit":"day","at_least":1}}}}}}"#
        )
    };
    let segments: Vec<String> = (10..60).map(active).collect();
    let segments: Vec<&str> = segments.iter().map(String::as_str).collect();
    let far = "9999-12-01T00:00:00Z".parse::<Timestamp>().expect("an instant");
    let mut engine = live(&segments);
    _ = engine.record(Event::new("ada", "a", hour(0).plus(days(1)))).expect("an event");
    let changes = engine.record(Event::new("bob", "a", far)).expect("an event");
    assert_eq!(changes.len(), 2 * segments.len(), "ada came and went: {changes:?}");
    let instants: Vec<Timestamp> = changes[segments.len()..].iter().map(|change| change.at).collect();
    let gone: Vec<Timestamp> = (10..60).map(|length| hour(0).plus(days(1 + length))).collect();
    assert_eq!(instants, gone);
    assert_eq!(engine.advance(far).expect("an instant").len(), segments.len());
    assert_eq!(engine.advance(far.plus(days(20))).expect("an instant").len(), 11);
    check(&engine);
    // What lies between is not.
    let mut store = MemoryStore::new();
    for (id, at) in [("ada", hour(24)), ("cy", "5000-01-01T00:00:00Z".parse().expect("an instant"))] {
        store.record(Event::new(id, "a", at)).expect("an event");
    }
    let mut engine = Live::new(engine.catalog().clone(), store, hour(0)).expect("an engine");
    let changes = engine.advance(far).expect("an instant");
    let last = changes.last().map(|change| (&*change.id, change.at.to_string()));
    assert_eq!((changes.len(), last), (4 * segments.len(), Some(("cy", "5000-03-01T00:00:00Z".to_owned()))));
    let mut engine = live(&segments);
    assert!(engine.advance(far).expect("an instant").is_empty());
    // A late one lies where all has been passed over.
    assert!(engine.record(Event::new("ada", "a", hour(5))).expect("an event").is_empty());
    assert_eq!(engine.record(Event::new("ada", "a", far)).expect("an event").len(), segments.len());
    check(&engine);
}

/// Those with many writes are put in and taken out at once.
#[test]
fn who_has_written_much_goes_and_comes_as_others_do() {
    let mut live = live(&[r#"{"changed":{"name":"plan","in":{"last":"2d"}}}"#]);
    for write in 0..30 {
        for id in ["ada", "bob", "cy"] {
            let plan = format!("{id} {write}");
            _ = live.write(AttributeWrite::set(id, "plan", plan, hour(1 + write))).expect("a write");
        }
    }
    _ = live.write(AttributeWrite::set("bob", "plan", "another", hour(40))).expect("a write");
    _ = live.advance(hour(40)).expect("an instant");
    assert_eq!(live.count("segment 0"), Some(3));
    _ = live.merge("bob", "ada").expect("a merge");
    _ = live.forget("cy").expect("an erasure");
    check(&live);
    let changes = live.advance(hour(100)).expect("an instant");
    let told: Vec<String> = changes.iter().map(ToString::to_string).collect();
    assert_eq!(told.len(), 1, "{told:?}");
    assert_eq!((&*changes[0].id, changes[0].at), ("ada", hour(40).plus(days(2))), "{told:?}");
    check(&live);
}

/// What the latest of very many events decide, and what only all of them do.
#[test]
fn one_with_very_many_events_is_asked_about_as_others_are() {
    let mut live = live(&[
        r#"{"sequence":{"steps":[{"event":"a"}],"in":{"last":"10d"},"then_not":{"event":"b","within":"3h"}}}"#,
        r#"{"sequence":{"steps":[{"event":"c"},{"event":"a","within":"1h","without":{"event":"b"}},{"event":"b"}],"in":{"last":"30d"}}}"#,
        r#"{"sequence":{"steps":[{"event":"a"},{"event":"a","after":"20d"}],"same":"x"}}"#,
        r#"{"did":{"event":"a","latest_value":{"of":"x","gte":60}}}"#,
        r#"{"did":{"event":"a","in":{"ago":["12d","2d"]},"latest_value":{"of":"x","gte":60}}}"#,
        r#"{"did":{"event":"a","first_value":{"of":"x","gte":60}}}"#,
        r#"{"did":{"event":"a","latest":{"in":{"before":"2h"}}}}"#,
        r#"{"did":{"event":"a","where":{"property":"x","gte":90},"distinct":{"of":"x","at_least":9},"in":{"last":"9d"}}}"#,
        r#"{"did":{"event":"a","distinct":{"of":"x","at_most":99},"in":{"last":"20d"}}}"#,
        r#"{"did":{"event":"a","where":{"property":"x","gte":90},"active":{"unit":"hour","at_least":30},"in":{"last":"20d"}}}"#,
    ]);
    let mut dice = 1_u64;
    let mut roll = |sides: u64| {
        dice = dice.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (dice >> 33) % sides
    };
    let mut told = 0;
    for n in 0..2_000_i64 {
        // For a while one event, and then others.
        let name = if n / 350 % 2 == 0 { "a" } else { ["a", "b", "c"][roll(3) as usize] };
        let id = if roll(40) == 0 { "bob" } else { "ada" };
        let event = Event::new(id, name, hour(0).plus(minutes(25 * n as u32))).with("x", roll(100) as i64);
        told += live.record(event).expect("an event").len();
        if n % 83 == 0 {
            check(&live);
        }
    }
    for _ in 0..20 {
        told += live.advance(live.now().plus(days(2))).expect("an instant").len();
        check(&live);
    }
    assert!(told > 100, "{told} say little");
}
