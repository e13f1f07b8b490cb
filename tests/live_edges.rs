//! The live engine where its catalog, its facts and its state change while something waits.

#![allow(clippy::expect_used)] // a test that cannot be set up fails

use whodid::segment::{EventPattern, Segment};
use whodid::{
    Announce, AttributeWrite, Catalog, Evaluate, Event, Ingest, IngestError, Live, LiveError, MemoryStore,
    Recorded, Timestamp, days, did, minutes,
};

fn at(text: &str) -> Timestamp {
    text.parse().expect("an instant")
}

fn noon() -> Timestamp {
    at("2026-06-15T12:00:00Z")
}

fn later(millis: i64) -> Timestamp {
    Timestamp::from_millis(noon().millis() + millis)
}

fn segment(text: &str) -> Segment {
    Segment::from_json(text).expect("a segment")
}

fn catalog(segments: &[(&str, &str)]) -> Catalog {
    let mut catalog = Catalog::new();
    for (name, text) in segments {
        catalog.insert(*name, segment(text)).expect("a valid segment");
    }
    catalog
}

/// The transitions as they are told, without their causes.
fn told(changes: &[whodid::Transition]) -> Vec<String> {
    let text = |c: &whodid::Transition| {
        format!("{} {} {} at +{}", c.id, c.movement, c.segment, c.at.millis() - noon().millis())
    };
    changes.iter().map(text).collect()
}

#[test]
fn a_new_segment_sees_facts_that_the_store_held_for_later() {
    let mut store = MemoryStore::new();
    store.record(Event::new("ada", "seen_now", noon())).expect("an event");
    store.record(Event::new("ada", "login", later(5))).expect("an event");
    store.write(AttributeWrite::set("ada", "plan", "pro", later(7))).expect("a write");
    let mut live = Live::new(Catalog::new(), store, noon()).expect("an engine");
    _ = live.insert("in", segment(r#"{"did":{"event":"login"}}"#), Announce::Transitions).expect("a segment");
    _ = live
        .insert("pro", segment(r#"{"attribute":{"name":"plan","eq":"pro"}}"#), Announce::Silently)
        .expect("a segment");
    assert!(live.next_change().is_some_and(|wake| wake <= later(5)), "{:?}", live.next_change());
    let changes = live.advance(later(10)).expect("an instant");
    assert_eq!(told(&changes), ["ada entered in at +5", "ada entered pro at +7"]);
}

#[test]
fn an_event_dropped_before_its_instant_never_happens() {
    let segments = catalog(&[
        ("in", r#"{"did":{"event":"login","in":{"last":"30d"}}}"#),
        ("active", r#"{"did":{"event":"login","in":{"last":"30d"},"active":{"unit":"day","at_least":1}}}"#),
        ("other", r#"{"did":{"event":"login","where":{"property":"x","exists":false}}}"#),
    ]);
    let mut live = Live::new(segments, MemoryStore::new(), noon()).expect("an engine");
    _ = live.record(Event::new("ada", "login", later(5))).expect("an event");
    _ = live.retain(later(1_000), &[EventPattern::from("*")]).expect("an instant");
    assert_eq!(told(&live.advance(later(10)).expect("an instant")), [""; 0]);
    assert_eq!(live.count("in"), Some(0));
    assert_eq!(live.count("active"), Some(0));
}

#[test]
fn only_who_loses_what_decided_is_told_of_when_old_events_are_dropped() {
    let segments = catalog(&[
        ("ever", r#"{"did":{"event":"login"}}"#),
        ("often", r#"{"did":{"event":"login","times":{"at_least":2}}}"#),
        ("paid", r#"{"did":{"event":"pay","sum":{"of":"amount","at_least":10}}}"#),
        ("score", r#"{"score":{"of":[{"points":1,"per":{"event":"pay"}}],"at_least":2}}"#),
        ("lately", r#"{"did":{"event":"login","in":{"last":"30d"}}}"#),
        ("never", r#"{"not":{"segment":"ever"}}"#),
    ]);
    let mut store = MemoryStore::new();
    let old = noon().minus(days(400));
    for (user, name, at) in [
        ("ada", "login", old),
        ("ada", "login", noon().minus(days(1))),
        ("bob", "login", old),
        ("cy", "pay", old),
        ("cy", "pay", noon().minus(days(2))),
        ("dee", "login", noon().minus(days(3))),
    ] {
        store.record(Event::new(user, name, at).with("amount", 5)).expect("an event");
    }
    let mut live = Live::new(segments, store, noon()).expect("an engine");
    let changes = live.retain(noon().minus(days(500)), &["*".into()]).expect("an instant");
    assert!(changes.is_empty());
    let changes = live.retain(noon().minus(days(365)), &["*".into()]).expect("an instant");
    let words: Vec<String> =
        changes.iter().map(|change| format!("{} {:?}", change.segment, change.cause.condition)).collect();
    assert_eq!(
        told(&changes),
        [
            "ada left often at +0",
            "bob left ever at +0",
            "bob entered never at +0",
            "cy left paid at +0",
            "cy left score at +0",
        ],
        "{words:?}",
    );
    assert!(changes.iter().all(|change| change.cause.condition.is_some()), "{words:?}");
    assert!(changes.iter().all(|change| change.cause.because == whodid::live::Because::Retain));
}

#[test]
fn whoever_loses_what_a_window_lies_around_is_told_of() {
    let around = r#""in":{"around":{"of":{"first":{"event":"login"}},"after":"30d"}}"#;
    let did = format!(r#"{{"did":{{"event":"pay",{around}}}}}"#);
    let scored =
        format!(r#"{{"score":{{"of":[{{"points":1,"per":{{"event":"pay",{around}}}}}],"at_least":1}}}}"#);
    let changed = format!(r#"{{"changed":{{"name":"plan",{around}}}}}"#);
    let segments = catalog(&[("did", &did), ("scored", &scored), ("changed", &changed)]);
    let mut store = MemoryStore::new();
    for (name, day) in [("login", 400), ("login", 10), ("pay", 395)] {
        store.record(Event::new("ada", name, noon().minus(days(day)))).expect("an event");
    }
    store.write(AttributeWrite::set("ada", "plan", "free", noon().minus(days(397)))).expect("a write");
    store.write(AttributeWrite::set("ada", "plan", "pro", noon().minus(days(396)))).expect("a write");
    let mut live = Live::new(segments, store, noon()).expect("an engine");
    let kept = noon().minus(days(365));
    assert!(live.retain(kept, &["buy".into()]).expect("an instant").is_empty());
    let changes = live.retain(kept, &["login".into()]).expect("an instant");
    assert_eq!(told(&changes), ["ada left did at +0", "ada left scored at +0", "ada left changed at +0"]);
}

fn three_users() -> MemoryStore {
    let mut store = MemoryStore::new();
    for user in ["ada", "bob", "cy"] {
        store.record(Event::new(user, "login", noon())).expect("an event");
    }
    store
}

/// An engine over them, saved as JSON.
fn saved() -> serde_json::Value {
    let segments = catalog(&[("in", r#"{"did":{"event":"login"}}"#), ("out", r#"{"not":{"segment":"in"}}"#)]);
    let live = Live::new(segments, three_users(), noon()).expect("an engine");
    serde_json::to_value(live.save()).expect("JSON")
}

fn restored(saved: serde_json::Value) -> Result<usize, String> {
    let saved: whodid::Saved = serde_json::from_value(saved).map_err(|error| error.to_string())?;
    let (_, changes) = Live::restore(&saved, three_users()).map_err(|error| error.to_string())?;
    Ok(changes.len())
}

#[test]
fn a_damaged_state_is_refused_and_not_guessed_at() {
    let good = saved();
    assert_eq!(restored(good.clone()), Ok(0));
    let damages: [(&str, serde_json::Value); 8] = [
        ("/version", 2.into()),
        ("/now", i64::MAX.into()),
        ("/sequence", u64::MAX.into()),
        ("/catalog", "{".into()),
        ("/members", serde_json::json!([])),
        ("/members/0/0", "other".into()),
        ("/members/0/1", serde_json::json!([1, 2, 3])),
        ("/ids", serde_json::json!([[0, "ada"]])),
    ];
    for (place, value) in damages {
        let mut bad = good.clone();
        *bad.pointer_mut(place).expect("a place") = value;
        assert!(restored(bad).is_err(), "{place}");
    }
}

#[test]
fn no_damage_to_the_bytes_of_a_state_is_a_crash() {
    let good = saved();
    let length = good["members"][0][1].as_array().expect("bytes").len();
    for place in 0..length {
        for bit in 0..8 {
            let mut bad = good.clone();
            let byte = &mut bad["members"][0][1][place];
            *byte = (byte.as_u64().expect("a byte") ^ 1 << bit).into();
            drop(restored(bad));
        }
        let mut short = good.clone();
        short["members"][0][1].as_array_mut().expect("bytes").truncate(place);
        assert!(restored(short).is_err(), "cut at {place}");
    }
}

/// Days of two zones in windows of two lengths: what an event adds to one count says nothing of the others.
#[test]
fn one_event_is_a_day_in_every_zone_and_every_window() {
    let active = |zone: &str, span: &str| {
        format!(
            r#"{{"did":{{"event":"login","in":{{"last":"{span}"}},"active":{{"unit":"day","tz":"{zone}","at_least":1}}}}}}"#
        )
    };
    let texts = [
        active("UTC", "3d"),
        active("UTC", "7d"),
        active("Europe/Berlin", "3d"),
        active("Europe/Berlin", "7d"),
    ];
    let names = ["a", "b", "c", "d"];
    let segments: Vec<(&str, &str)> = names.into_iter().zip(texts.iter().map(String::as_str)).collect();
    let mut live = Live::new(catalog(&segments), MemoryStore::new(), noon()).expect("an engine");
    _ = live.record(Event::new("ada", "login", later(5))).expect("an event");
    _ = live.advance(later(5)).expect("an instant");
    assert_eq!(names.map(|name| live.count(name)), [Some(1); 4]);
}

/// Segment, condition and reason of each transition.
fn causes(changes: &[whodid::Transition]) -> Vec<(String, Option<String>, String)> {
    let cause = |c: &whodid::Transition| {
        (c.segment.to_string(), c.cause.condition.as_deref().map(str::to_owned), c.cause.because.to_string())
    };
    changes.iter().map(cause).collect()
}

#[test]
fn a_cause_names_the_condition_that_changed_and_the_fact_that_it_is_about() {
    let segments = catalog(&[
        ("buyers", r#"{"any":[{"list":"vip"},{"did":{"event":"buy"}}]}"#),
        ("known", r#"{"all":[]}"#),
        ("loyal", r#"{"all":[{"attribute":{"name":"plan","eq":"pro"}},{"not":{"did":{"event":"leave"}}}]}"#),
        ("new", r#"{"seen":{"in":{"last":"1h"}}}"#),
    ]);
    let mut segments = segments;
    segments.insert_list("vip", ["bob"]).expect("a list");
    let mut live = Live::new(segments, MemoryStore::new(), noon()).expect("an engine");
    // All in one instant, at which the user is first seen.
    _ = live.record(Event::new("ada", "look", later(5))).expect("an event");
    _ = live.record(Event::new("ada", "buy", later(5))).expect("an event");
    _ = live.write(AttributeWrite::set("ada", "plan", "pro", later(5))).expect("a write");
    let some = |condition: &str| Some(condition.to_owned());
    let told = causes(&live.advance(later(5)).expect("an instant"));
    let expected = [
        ("buyers", some("did buy"), r#"event "buy""#),
        ("known", None, "first seen"),
        ("loyal", some(r#"plan is "pro""#), r#"attribute "plan""#),
        ("new", some("was first seen in the last hour"), "first seen"),
    ];
    let expected =
        expected.map(|(segment, condition, because)| (segment.to_owned(), condition, because.to_owned()));
    assert_eq!(told, expected);
}

/// From the first instant there is to the last, with windows that reach beyond both.
#[test]
fn time_has_a_beginning_and_an_end() {
    let windows = [
        r#"{"last":"10000y"}"#,
        r#"{"last":"1ms"}"#,
        r#"{"before":"1ms"}"#,
        r#"{"before":"3000y"}"#,
        r#"{"ago":["10000y","1d"]}"#,
        r#"{"calendar":{"unit":"year","back":[0,0],"tz":"Asia/Tokyo"}}"#,
        r#"{"calendar":{"unit":"week","back":[4611686018427387903,1]}}"#,
        r#"{"around":{"of":{"attribute":"p"},"before":"10000y","after":"10000y"}}"#,
    ];
    let mut texts: Vec<String> =
        windows.iter().map(|w| format!(r#"{{"did":{{"event":"a","in":{w}}}}}"#)).collect();
    texts.extend(windows[..7].iter().map(|w| format!(r#"{{"seen":{{"in":{w}}}}}"#)));
    let ahead = [
        r#"{"next":"10000y"}"#,
        r#"{"beyond":"1ms"}"#,
        r#"{"ahead":["1d","3000y"]}"#,
        windows[3],
        windows[5],
    ];
    texts.extend(ahead.iter().map(|w| format!(r#"{{"attribute":{{"name":"p","within":{w}}}}}"#)));
    texts.push(r#"{"attribute":{"name":"p","exists":true,"for":"10000y"}}"#.to_owned());
    texts.push(r#"{"attribute":{"name":"p","anniversary":{"next":"10000y","tz":"Asia/Tokyo"}}}"#.to_owned());
    let then_not = r#"{"event":"b","within":"10000y"}"#;
    texts.push(format!(r#"{{"sequence":{{"steps":[{{"event":"a"}}],"then_not":{then_not}}}}}"#));
    texts.push(r#"{"did":{"event":"a","in":{"last":"10000y"},"active":{"unit":"week","tz":"Asia/Tokyo","at_least":1}}}"#.to_owned());
    let mut all = Catalog::new();
    for (place, text) in texts.iter().enumerate() {
        all.insert(format!("s{place}"), segment(text)).expect("a valid segment");
    }

    let (first, last) = (Timestamp::MIN, Timestamp::MAX);
    let beside = |at: Timestamp, by: i64| Timestamp::from_millis(at.millis() + by);
    for start in [first, beside(first, 1), beside(last, -1), last] {
        let mut live = Live::new(all.clone(), MemoryStore::new(), start).expect("an engine");
        let is_exact = |live: &Live| {
            let snapshot = live.snapshot();
            let answers = snapshot.evaluate(live.catalog(), live.now()).expect("a catalog");
            for (name, expected) in answers.iter() {
                assert_eq!(live.members(name).as_ref(), Some(expected.bitmap()), "{name} at {}", live.now());
            }
        };
        for at in [first, beside(first, 1), beside(last, -1), last] {
            _ = live.record(Event::new("ada", "a", at)).expect("an event");
            _ = live.write(AttributeWrite::set("ada", "p", at, at)).expect("a write");
            _ = live.write(AttributeWrite::set(at.to_string(), "p", last, at)).expect("a write");
            is_exact(&live);
            _ = live.advance(at).expect("an instant");
            is_exact(&live);
            assert!(live.next_change().is_none_or(Timestamp::in_range));
        }
        assert_eq!(live.advance(last).map(|changes| changes.len()), Ok(0));
        assert!(
            live.advance(beside(last, 1)).is_err()
                && live.record(Event::new("ada", "a", beside(last, 1))).is_err()
        );
        is_exact(&live);
    }
}

/// Whoever sleeps until the next change wakes at each, and seldom for nothing.
#[test]
fn one_who_sleeps_until_the_next_change_seldom_wakes_for_nothing() {
    let segments = catalog(&[
        ("active", r#"{"did":{"event":"login","in":{"last":"30d"}}}"#),
        ("lapsed", r#"{"did":{"event":"login","in":{"ago":["60d","30d"]}}}"#),
        ("old", r#"{"seen":{"in":{"before":"20d"}}}"#),
        ("today", r#"{"did":{"event":"login","in":{"calendar":{"unit":"day","back":[0,0]}}}}"#),
        (
            "month",
            r#"{"did":{"event":"login","in":{"calendar":{"unit":"month","back":[1,1],"tz":"Europe/Berlin"}}}}"#,
        ),
        ("ending", r#"{"attribute":{"name":"ends","within":{"next":"3d"}}}"#),
        ("steady", r#"{"attribute":{"name":"ends","exists":true,"for":"7d"}}"#),
        ("birthday", r#"{"attribute":{"name":"ends","anniversary":{"next":"1d"}}}"#),
        ("left", r#"{"sequence":{"steps":[{"event":"login"}],"then_not":{"event":"buy","within":"1d"}}}"#),
    ]);
    let mut live = Live::new(segments, MemoryStore::new(), noon()).expect("an engine");
    _ = live.record(Event::new("ada", "login", later(5))).expect("an event");
    _ = live.write(AttributeWrite::set("ada", "ends", later(40 * 86_400_000), later(5))).expect("a write");
    let (mut wakes, mut told) = (0, 0);
    while let Some(wake) = live.next_change().filter(|wake| *wake < later(400 * 86_400_000)) {
        assert!(wake > live.now(), "{wake} is no later than {}", live.now());
        told += live.advance(wake).expect("an instant").len();
        wakes += 1;
        assert!(wakes < 100, "woken {wakes} times until {wake}, for {told} transitions");
    }
    assert!(told > 10);
    assert_eq!(live.advance(later(400 * 86_400_000)).map(|changes| changes.len()), Ok(0));
}

#[test]
fn a_value_does_not_turn_before_it_is_written() {
    let segments = catalog(&[("due", r#"{"attribute":{"name":"p","within":{"last":"50ms"}}}"#)]);
    let mut live = Live::new(segments, MemoryStore::new(), later(99)).expect("an engine");
    let mut told = Vec::new();
    _ = live.write(AttributeWrite::set("ada", "p", later(90), later(115))).expect("a write");
    told.extend(live.advance(later(120)).expect("an instant"));
    told.extend(live.write(AttributeWrite::set("ada", "p", later(110), later(121))).expect("a write"));
    told.extend(live.advance(later(170)).expect("an instant"));
    assert_eq!(self::told(&told), ["ada entered due at +115", "ada left due at +160"]);
}

/// Of several facts of one instant that would do, the same is told whichever came first, and whatever names an engine
/// has met before: also after a restart.
#[test]
fn a_cause_among_several_depends_on_no_order() {
    for names in [["buy", "look"], ["look", "buy"]] {
        let segments = catalog(&[("active", r#"{"did":{"event":"*"}}"#)]);
        let mut live = Live::new(segments, MemoryStore::new(), noon()).expect("an engine");
        for name in names {
            _ = live.record(Event::new("ada", name, later(5))).expect("an event");
        }
        let told = causes(&live.advance(later(5)).expect("an instant"));
        assert_eq!(told.iter().map(|(.., cause)| cause.as_str()).collect::<Vec<_>>(), [r#"event "buy""#]);
    }
}

/// A late fact for someone else is told before an instant that is settled over several calls, but not when its own value
/// turns at that instant.
#[test]
fn a_late_value_turns_at_an_instant_that_is_under_way() {
    let segments = catalog(&[
        ("due", r#"{"attribute":{"name":"p","within":{"last":"50ms"}}}"#),
        ("looked", r#"{"did":{"event":"look"}}"#),
    ]);
    for (turned, expected) in [(110, &[][..]), (111, &["ada entered due at +109", "ada left due at +111"])] {
        let live = Live::new(segments.clone(), MemoryStore::new(), later(100)).expect("an engine");
        let mut live = live.settle_at_most(1);
        for (user, at) in [("bob", 110), ("cy", 110), ("dee", 110), ("bob", 111)] {
            _ = live.record(Event::new(user, "look", later(at))).expect("an event");
        }
        assert_eq!(live.now(), later(109));
        let late = AttributeWrite::set("ada", "p", later(turned - 50), later(10));
        let mut told = live.write(late).expect("a write").into_vec();
        told.extend(live.advance(later(200)).expect("an instant"));
        told.retain(|change| &*change.segment == "due");
        assert_eq!(self::told(&told), expected);
    }
}

#[test]
fn matching_events_are_counted_until_it_is_decided_and_no_less() {
    let count = |range: &str| {
        format!(r#"{{"did":{{"event":"a","where":{{"property":"n","gt":1}},"in":{{"last":"9d"}},{range}}}}}"#)
    };
    let ranges = [
        r#""times":{"at_least":2}"#,
        r#""times":{"at_most":2}"#,
        r#""times":{"exactly":2}"#,
        r#""times":{"between":[1,2]}"#,
        r#""times":{"exactly":0}"#,
        r#""sum":{"of":"n","at_least":9}"#,
    ];
    let texts: Vec<(&str, String)> = ranges.iter().map(|range| (*range, count(range))).collect();
    let segments: Vec<(&str, &str)> = texts.iter().map(|(name, text)| (*name, text.as_str())).collect();
    let mut live =
        Live::new(catalog(&segments), MemoryStore::new().seal_after(3), noon()).expect("an engine");
    for i in 0..20 {
        _ = live.record(Event::new("ada", "a", later(i)).with("n", i % 4)).expect("an event");
        _ = live.advance(later(i)).expect("an instant");
        for (name, text) in &segments {
            let expected = live.snapshot().count(&segment(text), live.now()).expect("a count");
            assert_eq!(live.count(name), Some(expected), "{name} after {i}");
        }
    }
}

/// Which of several segments comes first, and which condition is told, does not depend on which event the engine has
/// heard of first.
#[test]
fn after_a_restart_what_waits_has_the_numbers_and_reasons_that_it_had() {
    let segments = catalog(&[
        ("active", r#"{"did":{"event":"use","in":{"last":"2d"},"times":{"at_least":2}}}"#),
        ("both", r#"{"all":[{"segment":"active"},{"did":{"event":"login","in":{"last":"3d"}}}]}"#),
    ]);
    let mut running = Live::new(segments, MemoryStore::new(), later(0)).expect("a catalog");
    let (saved, mut store) = (running.save(), MemoryStore::new());
    for (user, name, at) in [("bob", "login", 1), ("ada", "use", 2), ("ada", "use", 3), ("ada", "login", 3)] {
        let event = Event::new(user, name, later(at));
        store.record(event.clone()).expect("an event");
        assert_eq!(running.record(event).map(|changes| changes.len()), Ok(0));
    }
    let (mut restored, _) = Live::restore(&saved, store).expect("what was saved");
    let told = running.advance(later(4)).expect("an instant");
    assert_eq!(told, restored.advance(later(4)).expect("an instant"));
    let both = told.iter().find(|change| &*change.segment == "both").expect("an entry");
    let condition = both.cause.condition.as_deref();
    assert_eq!((both.sequence, condition), (2, Some("did use at least 2 times in the last 2 days")));
}

#[test]
fn where_nothing_lies_ahead_there_is_nothing_to_wake_for() {
    let segments = catalog(&[
        ("active", r#"{"did":{"event":"login","in":{"last":"1s"}}}"#),
        ("days", r#"{"did":{"event":"login","in":{"last":"7d"},"active":{"unit":"day","at_least":2}}}"#),
        ("left", r#"{"sequence":{"steps":[{"event":"login"}],"then_not":{"event":"buy","within":"1h"}}}"#),
        ("new", r#"{"seen":{"in":{"last":"1d"}}}"#),
        ("pro", r#"{"attribute":{"name":"plan","eq":"pro","for":"2d"}}"#),
    ]);
    let mut live = Live::new(segments, MemoryStore::new(), noon()).expect("an engine");
    assert_eq!(live.next_change(), None);
    _ = live.record(Event::new("ada", "login", later(5))).expect("an event");
    _ = live.write(AttributeWrite::set("ada", "plan", "pro", later(6))).expect("a write");
    let (mut wakes, mut told) = (0, 0);
    while let Some(wake) = live.next_change() {
        assert!(wakes < 40, "woken once more, at {wake}");
        told += live.advance(wake).expect("an instant").len();
        wakes += 1;
    }
    assert_eq!(told, 4); // out of "active" and "new", into "left" and "pro"
    _ = live.record(Event::new("ada", "login", live.now().plus(days(9)))).expect("an event");
    assert!(live.next_change().is_some());
}

/// Facts with `at > T` do not exist, nor what time does to their values.
#[test]
fn nothing_happens_because_of_a_fact_to_come() {
    let catalog = catalog(&[(
        "s",
        r#"{"score":{"of":[{"points":1,"per":{"event":"a","where":{"property":"x","within":{"before":"1s"}}}},
                           {"points":1,"per":{"event":"b"}}],"at_least":1}}"#,
    )]);
    let before = later(10 - 1_000); // was a second ago when ada did b
    let facts = [
        Event::new("ada", "seen", later(1)),
        Event::new("ada", "b", later(10)),
        Event::new("ada", "a", later(20)).with("x", before),
    ];
    let mut store = MemoryStore::new();
    for event in facts.clone() {
        store.record(event).expect("an event");
    }
    let mut held = Live::new(catalog.clone(), store, noon()).expect("an engine");
    let mut fed = Live::new(catalog, MemoryStore::new(), noon()).expect("an engine");
    let mut changes = Vec::new();
    facts.into_iter().for_each(|event| changes.extend(fed.record(event).expect("an event")));
    changes.extend(fed.advance(later(15)).expect("an instant"));
    let of_b = (
        "s".to_owned(),
        Some("scores any number of (1 times the number of b)".to_owned()),
        r#"event "b""#.to_owned(),
    );
    assert_eq!(causes(&changes), causes(&held.advance(later(15)).expect("an instant")));
    assert_eq!(causes(&changes), [of_b]);
}

/// A horizon that no clock can have meant is refused, as nothing would bring back what it drops.
#[test]
fn a_horizon_out_of_range_drops_nothing() {
    let now: Timestamp = "2026-06-15T12:00:00Z".parse().expect("an instant");
    let mut catalog = Catalog::new();
    catalog.insert("buyers", did("purchase")).expect("a segment");
    let mut live = Live::new(catalog, MemoryStore::new(), now).expect("an engine");
    drop(live.record(Event::new("ada", "purchase", now)).expect("an event"));
    let microseconds = Timestamp::from_millis(now.millis() * 1_000);
    let refused = live.retain(microseconds, &["*".into()]);
    assert_eq!(refused, Err(LiveError::OutOfRange(microseconds)));
    assert_eq!(live.count("buyers"), Some(1));
    let changes = live.record(Event::new("bob", "purchase", now)).expect("an event");
    assert_eq!(changes.recorded(), Some(Recorded::New));
}

/// One by one, in batches and from importers alike; time does not pass for what is refused.
#[test]
fn facts_too_far_ahead_are_refused() {
    let now: Timestamp = "2026-06-15T12:00:00Z".parse().expect("an instant");
    let (most, far) = (now.plus(minutes(5)), now.plus(days(365)));
    let engine = || Live::new(Catalog::new(), MemoryStore::new(), now).expect("an engine");
    let mut live = engine().ahead_at_most(minutes(5));
    let event = |at| Event::new("ada", "login", at);
    let error = || IngestError::TooFarAhead { fact: "event \"login\" of \"ada\"".to_owned(), at: far, most };
    assert_eq!(live.record(event(far)), Err(LiveError::Ingest(error())));
    let batch = live.take_all(vec![event(now).into(), event(far).into()]);
    assert_eq!(batch, Err(LiveError::Batch { index: 1, error: error() }));
    let fed = live.feed().register("ada", far);
    assert!(matches!(fed, Err(LiveError::Ingest(IngestError::TooFarAhead { .. }))), "{fed:?}");
    assert_eq!((live.now(), live.snapshot().event_count()), (now, 0));
    drop(live.record(event(most)).expect("near enough"));
    drop(live.advance(far).expect("an instant"));
    drop(live.record(event(far.plus(minutes(1)))).expect("near enough by now"));
    drop(engine().record(event(far)).expect("believed unless said"));
}
