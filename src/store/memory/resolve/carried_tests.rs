//! Indexes that are brought forward: right for snapshots of every age, made once, and without those who are forgotten.

use std::sync::Arc;

use proptest::prelude::*;

use super::super::MemoryStore;
use super::super::snapshot::Snapshot;
use super::change_tests::{Change, DAY, NOW, agrees, apply, change, segments};
use crate::segment::{EventPattern, Segment};
use crate::store::Ingest;
use crate::time::Timestamp;

/// Each is answered from an index of another kind, or from several.
fn indexed() -> Vec<Segment> {
    let all = [
        r#"{"did":{"event":"e0"}}"#,
        r#"{"did":{"event":"*","in":{"last":"5d"},"times":{"between":[2,3]}}}"#,
        r#"{"did":{"event":["e0","e1"],"in":{"last":"30d"},"times":{"at_least":4}}}"#,
        r#"{"did":{"event":"e1","first":{"in":{"last":"20d"}}}}"#,
        r#"{"did":{"event":"e2","latest":{"in":{"before":"3d"}}}}"#,
        r#"{"did":{"event":"e0","in":{"last":"10d"},"distinct":{"of":"amount","at_least":2}}}"#,
        r#"{"did":{"event":"*","in":{"last":"14d"},"active":{"unit":"day","at_least":2}}}"#,
        r#"{"did":{"event":"e1","in":{"last":"60d"},"active":{"unit":"week","tz":"Asia/Tokyo","at_most":1}}}"#,
        r#"{"sequence":{"in":{"last":"60d"},"steps":[{"event":"e0"},{"event":"e1","within":"3d"}]}}"#,
        r#"{"sequence":{"steps":[{"event":"e0"}],"then_not":{"event":"*","within":"1d"}}}"#,
        r#"{"attribute":{"name":"plan","eq":1}}"#,
        r#"{"attribute":{"name":"plan","ne":1}}"#,
        r#"{"not":{"did":{"event":"e2"}}}"#,
    ];
    all.iter().map(|json| Segment::from_json(json).unwrap()).collect()
}

#[derive(Clone, Debug)]
enum Step {
    Change(Change),
    /// Keep a snapshot, in one of four places.
    Keep(usize),
    /// Ask the snapshot in one of these places, or the store itself.
    Ask(usize),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        8 => change().prop_map(Step::Change),
        2 => (0usize..4).prop_map(Step::Keep),
        3 => (0usize..6).prop_map(Step::Ask),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    #[test]
    fn snapshots_of_all_ages_share_indexes(
        steps in proptest::collection::vec(step(), 0..250),
        seal_after in 1usize..60,
    ) {
        let (mut store, segments) = (MemoryStore::new().seal_after(seal_after), indexed());
        let mut kept: [Option<Snapshot>; 4] = Default::default();
        for step in steps {
            match step {
                Step::Change(change) => apply(&mut store, &change),
                Step::Keep(place) => kept[place] = Some(store.snapshot()),
                Step::Ask(place) => {
                    let snapshot = kept.get(place).and_then(Option::as_ref).unwrap_or(&store.state);
                    agrees(snapshot, &segments, &[NOW]);
                }
            }
        }
        for snapshot in kept.iter().flatten().chain([&store.state]) {
            agrees(snapshot, &segments, &[NOW, NOW - 20 * DAY]);
        }
    }
}

fn event(user: u32, name: u8, days: i64) -> Change {
    Change::Event(user, name, NOW - days * DAY, 5)
}

/// Users 0 to 9 with events of all names and a plan.
fn ten_users() -> MemoryStore {
    let mut store = MemoryStore::new().seal_after(16);
    for user in 0..10 {
        (0..9).for_each(|i| apply(&mut store, &event(user, i % 3, i64::from(i))));
        apply(&mut store, &Change::Write(user, 1, NOW - DAY));
    }
    store
}

#[test]
fn what_is_forgotten_lives_on_in_no_index() {
    let mut store = ten_users();
    store.merge("u1", "u2").unwrap();
    agrees(&store.state, &segments(), &[NOW]);
    // brought forward, so that something is kept apart from what was made first
    apply(&mut store, &event(2, 0, 0));
    apply(&mut store, &Change::Write(2, 2, NOW));
    agrees(&store.state, &segments(), &[NOW]);
    let old = store.snapshot();
    let (all, saying) = old.indexes.saying(2);
    assert!(saying > 20 && saying * 2 > all, "{saying} of {all}");

    store.forget("u1").unwrap();
    let (left, saying) = store.state.indexes.saying(2);
    assert!(left > 20);
    assert_eq!((saying, store.state.indexes.saying(1).1), (0, 0));
    assert!(store.state.indexes.saying(3).1 > 20);
    assert!(
        store.state.arrivals.since(0).is_none_or(|mut all| all.all(|event| ![1, 2].contains(&event.user)))
    );
    agrees(&store.state, &segments(), &[NOW]);
    // the older snapshot has kept its own
    assert!(old.indexes.saying(2).1 > 20);
    agrees(&old, &segments(), &[NOW]);
}

#[test]
fn retention_leaves_indexes_of_other_names() {
    let mut store = ten_users();
    agrees(&store.state, &indexed(), &[NOW]);
    let (before, _) = store.state.indexes.saying(0);
    store.retain(Timestamp::from_millis(NOW - 3 * DAY), &[EventPattern::Name("e1".into())]).unwrap();
    let (after, _) = store.state.indexes.saying(0);
    assert!(0 < after && after < before, "{after} of {before}");
    agrees(&store.state, &indexed(), &[NOW]);
}

#[test]
fn an_index_is_brought_forward_and_not_made_again() {
    let mut store = ten_users();
    let made = |store: &MemoryStore| {
        agrees(&store.state, &indexed(), &[NOW]);
        let gaps = store.state.gaps(&[0], &[1]);
        let table = store.state.attributes.table("plan").unwrap();
        let values = store.state.values_until("plan", table, i64::MAX);
        [super::cache::Index::shared(&*gaps).0, super::cache::Index::shared(&*values).0]
    };
    let first = made(&store);
    // sealed and merged meanwhile
    (0..17).for_each(|i| apply(&mut store, &event(i % 2, 2, 0)));
    apply(&mut store, &event(0, 0, 0));
    apply(&mut store, &Change::Write(0, 2, NOW));
    assert_eq!(made(&store), first);
    store.compact();
    assert_eq!(made(&store), first);
}

#[test]
fn indexes_are_bounded_by_bytes() {
    let store = ten_users();
    agrees(&store.state, &indexed(), &[NOW]);
    let bytes = store.memory_usage().indexes;
    let mut of_another_time = store.snapshot();
    of_another_time.indexes = Arc::new(store.state.indexes.fork(|_| true));
    of_another_time.indexes.bound_exactly(bytes / 2);
    agrees(&of_another_time, &indexed(), &[NOW - DAY]);
    assert!(of_another_time.memory_usage().indexes <= bytes / 2);
    agrees(&of_another_time, &indexed(), &[NOW]);
    of_another_time.indexes.bound_exactly(0);
    agrees(&of_another_time, &indexed(), &[NOW]);
    assert_eq!(of_another_time.indexes.saying(0).0, 1);
}

#[test]
fn an_event_ahead_of_its_time_does_not_make_each_instant_build_its_own() {
    let mut store = ten_users();
    apply(&mut store, &event(3, 0, -2));
    let asked: Vec<_> = indexed().into_iter().take(3).collect();
    agrees(&store.state, &asked, &[NOW]);
    let (before, _) = store.state.indexes.saying(0);
    let hour = DAY / 24;
    agrees(&store.state, &asked, &[NOW + hour, NOW + 2 * hour, NOW + DAY]);
    assert_eq!(store.state.indexes.saying(0).0, before);
    // many are ahead of an instant in the past: it has indexes of its own
    agrees(&store.state, &asked, &[NOW - 5 * DAY]);
    assert!(store.state.indexes.saying(0).0 > before);
}

#[test]
fn what_a_user_had_before_a_merge_is_told_of_that_time() {
    let mut store = MemoryStore::new().seal_after(1);
    let last = Timestamp::MAX.millis();
    apply(&mut store, &Change::Merge(1, 7));
    for (user, at) in [(4, last), (1, NOW), (4, last)] {
        apply(&mut store, &Change::Event(user, 0, at, 0));
    }
    agrees(&store.state, &indexed(), &[NOW]);
    apply(&mut store, &Change::Event(7, 0, NOW, 0));
    let kept = store.snapshot();
    apply(&mut store, &Change::Merge(7, 4));
    agrees(&store.state, &indexed(), &[NOW]);
    agrees(&kept, &indexed(), &[NOW]);
}
