//! Every fast way answers as the law over all hits does, whatever lies in parts and in the tail.

use proptest::prelude::*;

use super::super::MemoryStore;
use super::super::snapshot::Snapshot;
use crate::event::Event;
use crate::plan::Plan;
use crate::segment::Segment;
use crate::store::Ingest;
use crate::time::Timestamp;

const DAY: i64 = 86_400_000;
/// 2026-06-15T12:00:00Z
const NOW: i64 = 1_781_524_800_000;

/// (user, name, instant, amount)
type Fact = (u32, u8, i64, u8);

fn facts() -> impl Strategy<Value = Vec<Fact>> {
    let at = prop_oneof![
        (-40i64..3).prop_map(|days| NOW + days * DAY),
        (-40i64..3, -1i64..2).prop_map(|(days, ms)| NOW + days * DAY + ms),
        (-400 * DAY..DAY).prop_map(|ms| NOW + ms),
    ];
    proptest::collection::vec((0u32..12, 0u8..3, at, 0u8..8), 0..120)
}

fn store(facts: &[Fact], seal_after: usize) -> MemoryStore {
    let mut store = MemoryStore::new().seal_after(seal_after);
    for &(user, name, at, amount) in facts {
        let event = Event::new(format!("u{user}"), format!("e{name}"), Timestamp::from_millis(at));
        let event = match amount {
            0 => event,
            1 => event.with("amount", "text"),
            2 => event.with("amount", 0.1),
            3 => event.with("amount", vec![1, 2]),
            n => event.with("amount", i64::from(n)),
        };
        store.record(event).unwrap();
    }
    store
}

fn segments() -> Vec<Segment> {
    let windows = [
        "",
        r#","in":{"last":"30d"}"#,
        r#","in":{"last":"1mo"}"#,
        r#","in":{"ago":["30d","7d"]}"#,
        r#","in":{"before":"7d"}"#,
        r#","in":{"from":"2026-06-01T00:00:00Z","to":"2026-06-10T00:00:00Z"}"#,
        r#","in":{"calendar":{"unit":"week","back":[1,0],"tz":"Europe/Berlin"}}"#,
    ];
    let measures = [
        "",
        r#","times":{"at_least":3}"#,
        r#","times":{"at_most":2}"#,
        r#","times":{"between":[1,2]}"#,
        r#","times":{"exactly":0}"#,
        r#","times":{"less_than":0}"#,
        r#","times":{"more_than":300}"#,
        r#","sum":{"of":"amount","at_least":0.3}"#,
        r#","sum":{"of":"amount","between":[0,12]}"#,
        r#","sum":{"of":"amount","less_than":7}"#,
        r#","avg":{"of":"amount","more_than":4.5}"#,
        r#","max":{"of":"amount","at_least":6}"#,
        r#","min":{"of":"amount","less_than":1}"#,
        r#","distinct":{"of":"amount","at_least":3}"#,
        r#","distinct":{"of":"amount","at_most":2}"#,
        r#","active":{"unit":"day","at_least":3}"#,
        r#","active":{"unit":"day","tz":"America/New_York","between":[1,2]}"#,
        r#","active":{"unit":"week","exactly":2}"#,
        r#","active":{"unit":"hour","at_most":3}"#,
        r#","latest_value":{"of":"amount","gt":3}"#,
        r#","same":"amount","times":{"at_least":2}"#,
    ];
    let events = [r#""e0""#, r#"["e0","e1"]"#, r#""*""#, r#""never""#];
    let filters =
        ["", r#","where":{"property":"amount","gt":3}"#, r#","where":{"property":"amount","ne":5}"#];
    let mut all = Vec::new();
    for (i, window) in windows.iter().enumerate() {
        for (j, measure) in measures.iter().enumerate() {
            let (event, filter) = (events[(i + j) % events.len()], filters[(i * 2 + j) % filters.len()]);
            all.push(format!(r#"{{"did":{{"event":{event}{filter}{window}{measure}}}}}"#));
        }
        let window = window.strip_prefix(r#","in":"#).unwrap_or(r#"{"last":"10000y"}"#);
        all.push(format!(r#"{{"did":{{"event":"e0","first":{{"in":{window}}}}}}}"#));
        all.push(format!(r#"{{"did":{{"event":"*","latest":{{"in":{window}}}}}}}"#));
        let sequence = |rest: &str| format!(r#"{{"sequence":{{"in":{window},{rest}}}}}"#);
        all.push(sequence(r#""steps":[{"event":"e0"},{"event":"e1","within":"3d"}]"#));
        all.push(sequence(r#""steps":[{"event":"e0"},{"event":"e1"}]"#));
        all.push(sequence(r#""steps":[{"event":"e0"}],"then_not":{"event":"e1","within":"1d"}"#));
        all.push(sequence(r#""steps":[{"event":"e0","where":{"property":"amount","gt":3}}],"then_not":{"event":"e0","within":"2d"}"#));
        all.push(sequence(
            r#""steps":[{"event":"e0"},{"event":"e1","after":"1d","without":{"event":"e2"}}]"#,
        ));
    }
    all.iter().map(|json| Segment::from_json(json).unwrap_or_else(|e| panic!("{json}: {e}"))).collect()
}

/// Bulk answers and answers for one user come by different ways.
fn agrees(snapshot: &Snapshot, segment: &Segment, t: i64) {
    let (plan, t) = (Plan::of(segment).unwrap(), Timestamp::from_millis(t));
    for leaf in plan.leaves() {
        let everyone = snapshot.everyone(t);
        let mut bits = snapshot.leaf(leaf, t);
        bits.and(&everyone);
        for user in everyone.iter() {
            let want = snapshot.leaf_of(leaf, t, user);
            assert_eq!(bits.contains(user), want, "{segment} for {:?} at {t}", snapshot.users.id(user));
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn bulk_agrees_with_one_by_one(facts in facts(), seal_after in 1usize..60, compact: bool) {
        let mut store = store(&facts, seal_after);
        if compact {
            store.compact();
        }
        let snapshot = store.snapshot();
        for segment in segments() {
            for t in [NOW, NOW - 20 * DAY, NOW + 40 * DAY] {
                agrees(&snapshot, &segment, t);
            }
        }
    }
}
