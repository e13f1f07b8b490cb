//! Stores that change between questions: every way of answering agrees with the law over the facts handed over,
//! on the store as it is and on snapshots of any age, which share indexes.

use proptest::prelude::*;
use roaring::RoaringBitmap;

use super::super::MemoryStore;
use super::super::snapshot::Snapshot;
use crate::event::Event;
use crate::plan::Plan;
use crate::segment::{EventPattern, Segment};
use crate::store::{Among, Ingest, scan};
use crate::time::Timestamp;
use crate::value::Scalar;

pub(super) const DAY: i64 = 86_400_000;
/// 2026-06-15T12:00:00Z
pub(super) const NOW: i64 = 1_781_524_800_000;

#[derive(Clone, Debug)]
pub(super) enum Change {
    Event(u32, u8, i64, u8),
    Write(u32, u8, i64),
    Forget(u32),
    Merge(u32, u32),
    Retain(i64),
    Register(u32, i64),
    Compact,
    /// Take a snapshot, and ask it.
    Ask,
}

pub(super) fn change() -> impl Strategy<Value = Change> {
    let at = || {
        prop_oneof![
            (-40i64..3, -1i64..2).prop_map(|(days, ms)| NOW + days * DAY + ms),
            (-4i64..3).prop_map(|hours| NOW + hours * DAY / 24),
            Just(Timestamp::MIN.millis()),
            Just(Timestamp::MAX.millis()),
        ]
    };
    let user = || 0u32..8;
    prop_oneof![
        20 => (user(), 0u8..3, at(), 0u8..8).prop_map(|(u, n, at, x)| Change::Event(u, n, at, x)),
        4 => (user(), 0u8..3, at()).prop_map(|(u, x, at)| Change::Write(u, x, at)),
        1 => user().prop_map(Change::Forget),
        2 => (user(), user()).prop_map(|(a, b)| Change::Merge(a, b)),
        1 => (-40i64..-20).prop_map(|days| Change::Retain(NOW + days * DAY)),
        1 => (0u32..200, at()).prop_map(|(u, at)| Change::Register(u, at)),
        1 => Just(Change::Compact),
        2 => Just(Change::Ask),
    ]
}

pub(super) fn apply(store: &mut MemoryStore, change: &Change) {
    let id = |user: u32| format!("u{user}");
    match *change {
        Change::Event(user, name, at, amount) => {
            let event = Event::new(id(user), format!("e{name}"), Timestamp::from_millis(at));
            let event = match amount {
                0 => event,
                1 => event.with("amount", "text"),
                2 => event.with("amount", 0.1),
                n => event.with("amount", i64::from(n)),
            };
            store.record(event).unwrap();
        }
        Change::Write(user, value, at) => {
            store.set(&id(user), "plan", i64::from(value), Timestamp::from_millis(at)).unwrap();
        }
        Change::Forget(user) => store.forget(&id(user)).unwrap(),
        Change::Merge(from, into) => _ = store.merge(&id(from), &id(into)),
        Change::Retain(since) => {
            store.retain(Timestamp::from_millis(since), &[EventPattern::Name("e1".into())]).unwrap();
        }
        Change::Register(user, at) => store.register(&id(user), Timestamp::from_millis(at)).unwrap(),
        Change::Compact => store.compact(),
        Change::Ask => {}
    }
}

pub(super) fn segments() -> Vec<Segment> {
    let windows = [
        r#""in":{"last":"30d"}"#,
        r#""in":{"last":"10000y"}"#,
        r#""in":{"before":"10000y"}"#,
        r#""in":{"before":"7d"}"#,
        r#""in":{"ago":["9999y","7d"]}"#,
        // empty in the middle of June: 1mo is 31 days back then, in March 28
        r#""in":{"ago":["1mo","29d23h"]}"#,
        // from later than T at some T
        r#""in":{"from":"2026-06-15T14:00:00Z"}"#,
        r#""in":{"calendar":{"unit":"month","back":[1,0]}}"#,
        r#""in":{"calendar":{"unit":"year","back":[100000,0]}}"#,
    ];
    let mut all = vec![
        r#"{"attribute":{"name":"plan","eq":1}}"#.to_owned(),
        r#"{"attribute":{"name":"plan","eq":1,"for":"3d"}}"#.to_owned(),
        r#"{"attribute":{"name":"plan","exists":false}}"#.to_owned(),
        r#"{"attribute":{"name":"never","ne":1}}"#.to_owned(),
        r#"{"changed":{"name":"plan","to":2,"in":{"last":"30d"}}}"#.to_owned(),
        r#"{"seen":{"in":{"before":"10d"}}}"#.to_owned(),
        r#"{"did":{"event":"e0","in":{"around":{"of":"seen","after":"10d"}}}}"#.to_owned(),
        r#"{"did":{"event":"e0","in":{"around":{"of":{"first":{"event":"e1"}},"before":"ever"}}}}"#
            .to_owned(),
    ];
    for window in windows {
        for measure in [
            "",
            r#","times":{"at_least":2}"#,
            r#","times":{"at_most":1}"#,
            r#","times":{"exactly":2}"#,
            r#","sum":{"of":"amount","at_least":0.2}"#,
            r#","distinct":{"of":"amount","at_least":2}"#,
            r#","active":{"unit":"day","at_least":2}"#,
            r#","active":{"unit":"day","at_most":1}"#,
            r#","active":{"unit":"hour","tz":"America/New_York","at_least":2}"#,
            r#","active":{"unit":"month","at_least":2}"#,
        ] {
            all.push(format!(r#"{{"did":{{"event":"e0",{window}{measure}}}}}"#));
            all.push(format!(r#"{{"did":{{"event":["e0","e1"],{window}{measure}}}}}"#));
        }
        all.push(format!(r#"{{"did":{{"event":"e1","first":{{{window}}}}}}}"#));
        all.push(format!(r#"{{"did":{{"event":"*","latest":{{{window}}}}}}}"#));
        let sequence = |rest: &str| format!(r#"{{"sequence":{{{window},{rest}}}}}"#);
        all.push(sequence(r#""steps":[{"event":"e0"},{"event":"e1","within":"3d"}]"#));
        all.push(sequence(r#""steps":[{"event":"e0"}],"then_not":{"event":"e1","within":"1d"}"#));
        all.push(sequence(r#""steps":[{"event":"e0"}],"then_not":{"event":"e0","within":"2h"}"#));
    }
    all.iter().map(|json| Segment::from_json(json).unwrap_or_else(|e| panic!("{json}: {e}"))).collect()
}

/// What the law says, over the facts that the store hands over.
fn law(snapshot: &Snapshot, plan: &Plan, t: Timestamp) -> Vec<RoaringBitmap> {
    let leaves: Vec<_> = plan.leaves().iter().collect();
    scan::resolve(snapshot, &leaves, t, Among::Everyone).unwrap()
}

pub(super) fn agrees(snapshot: &Snapshot, segments: &[Segment], instants: &[i64]) {
    for segment in segments {
        let plan = Plan::of(segment).unwrap();
        for t in instants.iter().copied().map(Timestamp::from_millis) {
            for (leaf, want) in plan.leaves().iter().zip(law(snapshot, &plan, t)) {
                let everyone = snapshot.everyone(t);
                let mut bits = snapshot.leaf(leaf, t);
                bits.and(&everyone);
                assert_eq!(bits.to_roaring(), want, "{segment} at {t}");
                for user in everyone.iter().filter(|user| *user < 20 || *user > 65_500) {
                    let one = snapshot.leaf_of(leaf, t, user);
                    assert_eq!(one, want.contains(user), "{segment} for one, at {t}");
                }
            }
        }
    }
}

const INSTANTS: [i64; 5] = [NOW, NOW - 92 * DAY, NOW - DAY, Timestamp::MIN.millis(), Timestamp::MAX.millis()];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(8))]

    #[test]
    fn a_store_that_changes_answers_like_the_law(
        changes in proptest::collection::vec(change(), 0..80),
        seal_after in 1usize..40,
    ) {
        let (mut store, segments) = (MemoryStore::new().seal_after(seal_after), segments());
        let mut aged: Vec<(Snapshot, Vec<RoaringBitmap>)> = Vec::new();
        let now = |snapshot: &Snapshot| -> Vec<RoaringBitmap> {
            segments.iter().flat_map(|s| law(snapshot, &Plan::of(s).unwrap(), Timestamp::from_millis(NOW))).collect()
        };
        for change in &changes {
            apply(&mut store, change);
            if matches!(change, Change::Ask) && aged.len() < 3 {
                aged.push((store.snapshot(), now(&store.state)));
                agrees(&store.state, &segments, &INSTANTS[..1]);
            }
        }
        aged.push((store.snapshot(), now(&store.state)));
        for (snapshot, then) in aged.iter().rev().chain(&aged) {
            prop_assert_eq!(&now(snapshot), then, "a snapshot changed");
            agrees(snapshot, &segments, &INSTANTS);
        }
    }
}

#[test]
fn users_beyond_one_block_are_found() {
    let mut store = MemoryStore::new().seal_after(100);
    let (at, segments) = (|days: i64| Timestamp::from_millis(NOW - days * DAY), segments());
    let event = |user: u32, name: u8, days: i64| Change::Event(user, name, NOW - days * DAY, 5);
    (0..300).for_each(|i| apply(&mut store, &event(i * 7 % 40, (i % 3) as u8, i64::from(i % 20))));
    let before = store.snapshot();
    agrees(&before, &segments, &[NOW]);
    (0..65_600).for_each(|i| store.register(&format!("u{i}"), at(30)).unwrap());
    // indexes made before there were two blocks
    agrees(&store.state, &segments, &[NOW]);
    (0..300).for_each(|i| apply(&mut store, &event(65_530 + i * 7 % 40, (i % 3) as u8, i64::from(i % 20))));
    agrees(&store.state, &segments, &[NOW]);
    agrees(&before, &segments, &[NOW]);
}

/// Numbers whose sums lie close to each other, cancel, or leave the floats.
fn amounts() -> impl Strategy<Value = Vec<(u32, Scalar)>> {
    let ints = [1, -1, 3, (1 << 53) - 1, 1 << 53, (1 << 53) + 1, i64::MAX, i64::MIN];
    let floats = [0.1, 0.2, 0.3, -0.3, 0.5, 1e16, -1e16, 1e308, -1e308, 5e-324, 2.5e-10];
    let amount = prop_oneof![
        prop::sample::select(ints.to_vec()).prop_map(Scalar::Int),
        prop::sample::select(floats.to_vec()).prop_map(Scalar::Float),
    ];
    proptest::collection::vec((0u32..6, amount), 0..24)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn sums_at_their_bounds_are_exact(amounts in amounts(), seal_after in 1usize..30) {
        let mut store = MemoryStore::new().seal_after(seal_after);
        for (user, amount) in amounts {
            let event = Event::new(format!("u{user}"), "e0", Timestamp::from_millis(NOW));
            store.record(event.with("amount", amount)).unwrap();
        }
        let bounds = [
            "0", "0.1", "0.3", "0.30000000000000004", "0.6", "9007199254740992", "9007199254740993", "1e16",
            "9223372036854775807", "-9223372036854775808", "1e308", "-1e308", "5e-324",
        ];
        let kinds = ["at_least", "at_most", "more_than", "less_than", "exactly"];
        let ranges = bounds.iter().flat_map(|bound| kinds.map(|kind| format!(r#""{kind}":{bound}"#)));
        let all: Vec<_> = ranges
            .map(|range| format!(r#"{{"did":{{"event":"e0","sum":{{"of":"amount",{range}}}}}}}"#))
            .map(|json| Segment::from_json(&json).unwrap())
            .collect();
        agrees(&store.state, &all, &[NOW]);
    }
}
