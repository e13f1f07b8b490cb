//! The segments of the shared conformance cases.

use std::collections::HashMap;

use serde::Deserialize;
use serde_json::{Value as Json, value::RawValue};
use whodid::segment::Segment;

use crate::reading::{error, read};

#[derive(Deserialize)]
struct Case {
    id: String,
    #[serde(default)]
    segments: HashMap<String, Box<RawValue>>,
    checks: Vec<Check>,
}

#[derive(Deserialize)]
struct Check {
    segment: Box<RawValue>,
    #[serde(default)]
    error: bool,
}

/// The cases of the shared conformance suite, where it is there.
fn shared_cases() -> Vec<Case> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../shared/conformance");
    let Ok(entries) = std::fs::read_dir(folder) else {
        println!("SKIPPED: no ../shared/conformance beside this repository");
        return Vec::new();
    };
    let files = entries.map(|entry| entry.unwrap().path());
    let files = files.filter(|path| path.extension().is_some_and(|e| e == "json"));
    let cases = files.map(|path| -> Vec<Case> {
        let text = std::fs::read_to_string(&path).unwrap();
        serde_json::from_str(&text).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
    });
    cases.flatten().collect()
}

/// Errors that only a catalog can find: names nobody has, cycles and the depth of what is named.
fn is_about_names(case: &str, text: &str) -> bool {
    let text: String = text.split_whitespace().collect();
    case.starts_with("references/") || text.contains("nope") || text.contains("\"segment\":\"deep\"")
}

/// Whether some `all` or `any` joins only one, which in English is that one.
fn has_a_join_of_one(segment: &Segment) -> bool {
    fn search(json: &Json) -> bool {
        match json {
            Json::Object(members) => members.iter().any(|(key, value)| {
                let joins = ["all", "any"].contains(&key.as_str());
                joins && value.as_array().is_some_and(|of| of.len() == 1) || search(value)
            }),
            Json::Array(items) => items.iter().any(search),
            _ => false,
        }
    }
    // what is too deep for serde_json is not looked into
    serde_json::from_str(&segment.to_json()).map_or(true, |json| search(&json))
}

#[test]
fn every_shared_segment_reads_or_errs_as_it_says() {
    let mut count = 0;
    let mut texts = HashMap::<String, Segment>::new();
    let mut described = |segment: Segment| {
        let text = segment.to_string();
        assert!(!text.is_empty());
        if has_a_join_of_one(&segment) {
            return;
        }
        let earlier = texts.entry(text.clone()).or_insert_with(|| segment.clone());
        assert_eq!(*earlier, segment, "both read: {text}");
    };
    for case in shared_cases() {
        for check in case.checks {
            let text = check.segment.get();
            count += 1;
            if !check.error {
                described(read(text));
            } else if !is_about_names(&case.id, text) {
                println!("{}: {}", case.id, error(text));
            }
        }
        case.segments.values().for_each(|text| described(read(text.get())));
    }
    println!("{count} checks read");
}
