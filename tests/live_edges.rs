//! The live engine where its catalog, its facts and its state change while something waits.

#![allow(clippy::expect_used)] // a test that cannot be set up fails

use whodid::segment::{EventPattern, Segment};
use whodid::{Announce, AttributeWrite, Catalog, Event, Ingest, Live, MemoryStore, Timestamp};

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
    live.insert("in", segment(r#"{"did":{"event":"login"}}"#), Announce::Transitions).expect("a segment");
    live.insert("pro", segment(r#"{"attribute":{"name":"plan","eq":"pro"}}"#), Announce::Silently)
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
    live.record(Event::new("ada", "login", later(5))).expect("an event");
    live.retain(later(1_000), &[EventPattern::from("*")]).expect("an instant");
    assert_eq!(told(&live.advance(later(10)).expect("an instant")), [""; 0]);
    assert_eq!(live.count("in"), Some(0));
    assert_eq!(live.count("active"), Some(0));
}
