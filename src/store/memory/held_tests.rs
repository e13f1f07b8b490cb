//! What nobody holds any more is gone, and what somebody holds is there.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::MemoryStore;
use super::cell::Cell;
use crate::event::{AttributeWrite, Event};
use crate::segment::{EventPattern, Segment};
use crate::store::Ingest;
use crate::testing::{change, take};
use crate::time::Timestamp;
use crate::value::Record;

fn at(day: i64) -> Timestamp {
    Timestamp::from_millis(1_781_524_800_000 + day * 86_400_000)
}

/// Texts and lists in the facts of a store, counted one by one.
fn recounted(store: &MemoryStore) -> BTreeMap<(bool, u32), u32> {
    let state = &store.state;
    let parts = || state.shelves.iter().flat_map(|shelf| shelf.parts());
    let sealed = parts().flat_map(|part| (0..part.len()).flat_map(|row| part.properties(row)));
    let tail = state.tail.rows().flat_map(|(_, row)| row.properties.iter().copied());
    let written = state.attributes.tables().flat_map(|table| table.iter()).flat_map(|(_, writes)| writes);
    let mut counts = BTreeMap::new();
    for cell in sealed.chain(tail).map(|(_, cell)| cell).chain(written.map(|write| write.value)) {
        let key = match cell {
            Cell::Text(number) => (true, number),
            Cell::Many(number) => (false, number),
            _ => continue,
        };
        *counts.entry(key).or_default() += 1;
    }
    counts
}

/// The events of users who are there, counted one by one.
fn counted(store: &MemoryStore) -> usize {
    let state = &store.state;
    let parts = state.shelves.iter().flat_map(|shelf| shelf.parts());
    let users = parts.flat_map(|part| part.all_users()).chain(state.tail.rows().map(|(_, row)| row.user));
    users.filter(|user| state.users.is_alive(*user)).count()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn held_counts_are_those_of_the_facts(
        changes in prop::collection::vec(change(), 0..60),
        seal_after in 1usize..20,
    ) {
        let mut store = MemoryStore::new().seal_after(seal_after);
        for change in changes {
            let _ = take(&mut store, change);
            prop_assert_eq!(store.held.counts(), recounted(&store));
            prop_assert_eq!(store.state.event_count(), counted(&store));
        }
    }
}

#[test]
fn nothing_of_the_forgotten_is_left_in_memory() {
    let secrets = ["ada@home", "+31 6 1234", "streetname", "only-in-tail", "listed", "recorded", "31337.25"];
    let gone = |store: &MemoryStore| {
        let all = format!("{store:?}");
        secrets.iter().filter(|secret| all.contains(**secret)).collect::<Vec<_>>()
    };
    let stores = [(1, false), (3, true), (1000, false)];
    for ((seal_after, compact), merged) in stores.into_iter().flat_map(|one| [(one, false), (one, true)]) {
        let mut store = MemoryStore::new().seal_after(seal_after);
        let ada = if merged { "visitor" } else { "ada" };
        for user in [ada, "bob"] {
            let event = Event::new(user, "order", at(1)).with("shared", "stays here");
            let event = if user == "bob" {
                event
            } else {
                event
                    .with("phone", "+31 6 1234")
                    .with("paid", 31_337.25)
                    .with("tags", vec!["listed", "stays here"])
            };
            store
                .record(
                    event.with(
                        "rows",
                        vec![Record::new().with("a", if user == ada { "recorded" } else { "x" })],
                    ),
                )
                .unwrap();
        }
        store.set("ada", "email", "ada@home", at(1)).unwrap();
        store.set("ada", "street", "streetname", at(1)).unwrap();
        store.write(AttributeWrite::removed("ada", "street", at(2))).unwrap();
        store.record(Event::new("ada", "note", at(3)).with("text", "only-in-tail")).unwrap();
        if merged {
            store.merge("visitor", "ada").unwrap();
        }
        if compact {
            store.compact();
        }
        assert_eq!(gone(&store).len(), secrets.len());
        store.forget("ada").unwrap();
        assert_eq!(gone(&store), [] as [&&str; 0], "seal after {seal_after}, merged: {merged}");
        assert!(format!("{store:?}").contains("stays here"));
    }
}

#[test]
fn texts_go_with_the_events_that_retention_drops() {
    let mut store = MemoryStore::new().seal_after(2);
    for day in 0..9 {
        let event = Event::new("ada", "order", at(day));
        store.record(event.with("number", format!("order no. {day}")).with("shop", "the shop")).unwrap();
    }
    store.retain(at(5), &[EventPattern::Name("order".into())]).unwrap();
    let all = format!("{store:?}");
    let left: Vec<i64> = (0..9).filter(|day| all.contains(&format!("order no. {day}"))).collect();
    assert_eq!(left, [5, 6, 7, 8]);
    assert!(all.contains("the shop"));
}

#[test]
fn an_index_that_was_brought_forward_keeps_nothing_of_the_forgotten() {
    let mut store = MemoryStore::new();
    let older: Segment = crate::attribute("age").gt(1).into();
    let users = || (0..500).map(|i| format!("u{i}"));
    for user in users().chain(["ada".to_owned()]) {
        store.set(&user, "age", if user == "ada" { 770_001 } else { 1 }, at(0)).unwrap();
        store.set(format!("v{user}").as_str(), "age", 2, at(0)).unwrap();
    }
    let count = |store: &MemoryStore| crate::Evaluate::count(&store.snapshot(), &older, at(9)).unwrap();
    assert_eq!(count(&store), 502);
    store.write(AttributeWrite::removed("ada", "age", at(1))).unwrap();
    users().take(5).for_each(|user| store.set(&user, "age", 2, at(1)).unwrap());
    assert_eq!(count(&store), 506);
    store.forget("ada").unwrap();
    assert!(!format!("{store:?}").contains("Int(770001)"));
    assert_eq!(count(&store), 506);
}
