//! Expressions that are almost right: whatever can be read is valid and answered alike, the rest is an error.

#![allow(clippy::expect_used, clippy::indexing_slicing)]

use proptest::prelude::*;
use proptest::sample::{Index, select};
use serde_json::{Value, json};
use whodid::oracle::{Named, Oracle};
use whodid::segment::Segment;
use whodid::testing::{Evaluator, StoreEvaluator, facts, segments};
use whodid::{MemoryStore, Timestamp};

/// What is put in the place of something else.
fn substitutes() -> impl Strategy<Value = Value> {
    select(vec![
        json!(null),
        json!(true),
        json!(0),
        json!(-1),
        json!(2),
        json!(3.0),
        json!(1e300),
        json!(i64::MIN),
        json!(""),
        json!("*"),
        json!("\\*"),
        json!("30d"),
        json!("1mo"),
        json!("ever"),
        json!("UTC"),
        json!("day"),
        json!("seen"),
        json!("2026-06-15T12:00:00Z"),
        json!("["),
        json!([]),
        json!([1, 1]),
        json!(["60d", "30d"]),
        json!(["a", 1]),
        json!({}),
        json!({"all": []}),
        json!({"last": "30d"}),
        json!({"next": "30d"}),
        json!({"around": {"of": "seen", "after": "ever"}}),
        json!({"instant": "2026-06-15T12:00:00Z"}),
        json!({"property": "amount", "gt": 1}),
        json!({"event": "view"}),
        json!({"at_least": 1}),
        json!({"at_least": 1, "less_than": 1}),
    ])
}

const KEYS: [&str; 24] = [
    "in",
    "where",
    "same",
    "within",
    "after",
    "without",
    "then_not",
    "for",
    "from",
    "to",
    "ignore_case",
    "times",
    "sum",
    "of",
    "at_least",
    "less_than",
    "exactly",
    "eq",
    "in",
    "exists",
    "all",
    "not",
    "tz",
    "back",
];

/// One change of a document, somewhere in it.
#[derive(Clone, Debug)]
enum Slip {
    Replace(Index, Value),
    Remove(Index),
    Rename(Index, &'static str),
    Add(Index, &'static str, Value),
}

fn slips() -> impl Strategy<Value = Slip> {
    let (place, key) = (any::<Index>(), select(&KEYS[..]));
    prop_oneof![
        4 => (place.clone(), substitutes()).prop_map(|(place, value)| Slip::Replace(place, value)),
        1 => place.clone().prop_map(Slip::Remove),
        1 => (place.clone(), key.clone()).prop_map(|(place, key)| Slip::Rename(place, key)),
        2 => (place, key, substitutes()).prop_map(|(place, key, value)| Slip::Add(place, key, value)),
    ]
}

/// The paths of all values in a document, the whole first.
fn places(json: &Value, path: &str, found: &mut Vec<String>) {
    found.push(path.to_owned());
    match json {
        Value::Array(items) => {
            items.iter().enumerate().for_each(|(i, item)| places(item, &format!("{path}/{i}"), found));
        }
        Value::Object(members) => {
            let escaped = |key: &str| key.replace('~', "~0").replace('/', "~1");
            members.iter().for_each(|(key, item)| places(item, &format!("{path}/{}", escaped(key)), found));
        }
        _ => {}
    }
}

fn slip(json: &mut Value, slip: &Slip) {
    let mut all = Vec::new();
    places(json, "", &mut all);
    let pick = |json: &Value, objects: bool, place: &Index| {
        let all: Vec<_> =
            all.iter().filter(|p| !objects || json.pointer(p).is_some_and(Value::is_object)).collect();
        if all.is_empty() { String::new() } else { (*place.get(&all)).clone() }
    };
    match slip {
        Slip::Replace(place, value) => {
            let path = pick(json, false, place);
            *json.pointer_mut(&path).expect("a place") = value.clone();
        }
        Slip::Remove(place) | Slip::Rename(place, _) => {
            let path = pick(json, true, place);
            let Some(members) = json.pointer_mut(&path).and_then(Value::as_object_mut) else { return };
            let Some(key) = members.keys().nth(place.index(members.len().max(1))).cloned() else { return };
            if let (Some(value), Slip::Rename(_, name)) = (members.remove(&key), slip) {
                members.insert((*name).to_owned(), value);
            }
        }
        Slip::Add(place, key, value) => {
            let path = pick(json, true, place);
            if let Some(members) = json.pointer_mut(&path).and_then(Value::as_object_mut) {
                members.insert((*key).to_owned(), value.clone());
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: std::env::var("WHODID_RANDOM").ok().and_then(|n| n.parse().ok()).unwrap_or(2000),
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn what_reads_is_answered_alike(
        segment in segments(&[]),
        slips in prop::collection::vec(slips(), 1..4),
        facts in facts(),
    ) {
        let mut json: Value = serde_json::from_str(&segment.to_json()).expect("JSON");
        slips.iter().for_each(|one| slip(&mut json, one));
        let text = json.to_string();
        let Ok(segment) = Segment::from_json(&text) else { return Ok(()) };
        prop_assert_eq!(segment.validate(), Ok(()), "{}", text);
        prop_assert_eq!(Segment::from_json(&segment.to_json()), Ok(segment.clone()), "{}", text);

        let at: Timestamp = "2026-06-15T12:00:00Z".parse().expect("an instant");
        let mut named = Named::default();
        named.lists.insert("vip".to_owned(), ["u0".to_owned()].into());
        let mut evaluators: Vec<Box<dyn Evaluator>> = vec![
            Box::new(Oracle::new()),
            Box::new(StoreEvaluator::new("memory", MemoryStore::new().seal_after(20))),
        ];
        let answers: Vec<_> = evaluators.iter_mut().map(|evaluator| {
            facts.iter().for_each(|fact| drop(evaluator.take(fact.clone())));
            evaluator.members(&segment, &named, at).ok()
        }).collect();
        prop_assert_eq!(&answers[0], &answers[1], "{}", text);
    }
}
