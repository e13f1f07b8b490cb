//! The JSON form of segments: what reads, what does not and where it says so.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};

use serde::Deserialize;
use serde_json::value::RawValue;
use whodid::segment::{Segment, SegmentError};

fn hash(of: &impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    of.hash(&mut hasher);
    hasher.finish()
}

/// The error of a text that no reader takes.
fn error(text: &str) -> SegmentError {
    assert!(serde_json::from_str::<Segment>(text).is_err(), "serde reads {text}");
    match Segment::from_json(text) {
        Ok(_) => panic!("it reads: {text}"),
        Err(error) => error,
    }
}

/// Reads, and checks that what is written reads back as the same.
fn read(text: &str) -> Segment {
    let segment = Segment::from_json(text).unwrap_or_else(|e| panic!("{text}: {e}"));
    assert_eq!(segment.validate(), Ok(()), "{text}");
    let back = Segment::from_json(&segment.to_json()).unwrap();
    assert_eq!(back, segment, "{text}");
    assert_eq!(hash(&back), hash(&segment), "{text}");
    assert_eq!(serde_json::to_string(&segment).unwrap(), segment.to_json());
    // it refuses to nest deeper than 128
    match serde_json::from_str::<Segment>(text) {
        Ok(through_serde) => assert_eq!(through_serde, segment),
        Err(error) => assert!(error.to_string().contains("recursion limit"), "{error}: {text}"),
    }
    segment
}

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

#[test]
fn every_shared_segment_reads_or_errs_as_it_says() {
    let mut count = 0;
    for case in shared_cases() {
        for check in case.checks {
            let text = check.segment.get();
            count += 1;
            if !check.error {
                read(text);
            } else if !is_about_names(&case.id, text) {
                println!("{}: {}", case.id, error(text));
            }
        }
        case.segments.values().for_each(|text| drop(read(text.get())));
    }
    println!("{count} checks read");
}
