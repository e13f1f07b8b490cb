//! What holds for every segment and every text.

use proptest::prelude::*;
use serde_json::{Value as Json, json};
use whodid::segment::Segment;
use whodid::testing::segments;

use crate::reading::{error, read};

/// The places of a document: how to get there, and the path an error would name.
fn places(json: &Json) -> Vec<(Vec<Json>, String)> {
    let mut places = vec![(Vec::new(), String::new())];
    let inside: Vec<(Json, String, &Json)> = match json {
        Json::Array(items) => (0..).zip(items).map(|(i, item)| (json!(i), format!("[{i}]"), item)).collect(),
        Json::Object(members) => members.iter().map(|(k, v)| (json!(k), format!(".{k}"), v)).collect(),
        _ => Vec::new(),
    };
    for (step, text, json) in inside {
        for (mut steps, path) in self::places(json) {
            steps.insert(0, step.clone());
            places.push((steps, format!("{text}{path}")));
        }
    }
    places
}

fn at<'j>(json: &'j mut Json, steps: &[Json]) -> &'j mut Json {
    steps.iter().fold(json, |json, step| match step {
        Json::String(key) => &mut json[key.as_str()],
        index => &mut json[usize::try_from(index.as_u64().unwrap()).unwrap()],
    })
}

fn without_dot(path: &str) -> &str {
    path.strip_prefix('.').unwrap_or(path)
}

fn is_instant(json: &Json) -> bool {
    json.get("instant").is_some()
}

proptest! {
    #[test]
    fn what_is_written_reads_back(segment in segments(&["s0", "s1"])) {
        let back = read(&segment.to_json());
        prop_assert_eq!(&back, &segment);
        prop_assert_eq!(back.to_json(), segment.to_json(), "the kinds of numbers too");
        prop_assert!(!segment.to_string().is_empty());
    }

    /// Every key has its place, and null has none.
    #[test]
    fn null_and_unknown_keys_are_errors_wherever_they_stand(segment in segments(&["s0"]), pick in any::<prop::sample::Index>()) {
        let whole: Json = serde_json::from_str(&segment.to_json()).unwrap();
        let places = places(&whole);
        let (steps, path) = &places[pick.index(places.len())];
        let mut changed = whole.clone();
        *at(&mut changed, steps) = Json::Null;
        let error_there = error(&changed.to_string());
        prop_assert_eq!(error_there.path(), without_dot(path), "{}", error_there);

        let mut changed = whole.clone();
        let place = at(&mut changed, steps);
        if place.is_object() && !is_instant(place) {
            place["whithin"] = json!("7d");
            let error = error(&changed.to_string());
            let path = format!("{path}.whithin");
            prop_assert_eq!(error.path(), without_dot(&path), "{}", error);
        }
    }

    /// Leaving a key out is an error where it is needed, and never a panic.
    #[test]
    fn what_is_mutilated_is_read_or_refused(segment in segments(&["s0"]), cuts in prop::collection::vec((any::<prop::sample::Index>(), "[\\[\\]{}\",:0-9eE+.\\-a-z_*\\\\ ]{0,3}", 0..4usize), 1..4)) {
        let mut text = segment.to_json();
        for (place, put, cut) in cuts {
            let starts: Vec<usize> = text.char_indices().map(|(i, _)| i).chain([text.len()]).collect();
            let from = place.index(starts.len());
            let until = (from + cut).min(starts.len() - 1);
            text.replace_range(starts[from]..starts[until], &put);
        }
        if Segment::from_json(&text).is_ok() {
            read(&text);
        }
    }

    #[test]
    fn noise_is_refused(bytes in prop::collection::vec(any::<u8>(), 0..64)) {
        let text = String::from_utf8_lossy(&bytes);
        prop_assert!(Segment::from_json(&text).is_err());
    }
}
