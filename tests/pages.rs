//! What the pages of `docs/` show is read, and the cases that they name exist.

#![allow(clippy::panic)] // a helper of tests, outside of #[test]

use whodid::segment::Segment;
use whodid::testing::read_cases;
use whodid::{Catalog, Fact};

/// The blocks of a page that are marked as JSON: what each document in them is, and its text.
fn documents(page: &str) -> Vec<(&str, String)> {
    let mut found: Vec<(&str, String)> = Vec::new();
    let mut kind = None;
    for line in page.lines() {
        if line.starts_with("```") {
            kind = line.strip_prefix("```json ");
        } else if let Some(kind) = kind {
            // One begins at the margin, what is indented goes on.
            match found.last_mut().filter(|_| line.starts_with([' ', '}'])) {
                Some((_, text)) => *text += line,
                None => found.push((kind, line.to_owned())),
            }
        }
    }
    found
}

#[test]
fn every_example_in_json_reads() {
    let documents = documents(include_str!("../docs/json.md"));
    assert!(documents.len() > 60, "{} documents found", documents.len());
    for (kind, text) in documents {
        let segment = match kind {
            "segment" => text.clone(),
            "window" => format!(r#"{{"did":{{"event":"x","in":{text}}}}}"#),
            "value" => format!(r#"{{"attribute":{{"name":"x",{text}}}}}"#),
            "filter" => format!(r#"{{"did":{{"event":"x","where":{text}}}}}"#),
            "catalog" => {
                let catalog = Catalog::from_json(&text).unwrap();
                assert!(catalog.segments().len() > 0);
                continue;
            }
            "fact" => {
                Fact::from_json(&text).unwrap().check().unwrap();
                continue;
            }
            other => panic!("no document is a {other:?}"),
        };
        let read = Segment::from_json(&segment).unwrap_or_else(|error| panic!("{error}: {text}"));
        assert_eq!(Segment::from_json(&read.to_json()), Ok(read));
    }
}

/// The names of cases in a page: `readings/…` between backticks.
fn cases(page: &str) -> Vec<&str> {
    let code = page.split('`').skip(1).step_by(2);
    let mut names: Vec<&str> =
        code.filter(|code| code.starts_with("readings/") || code.starts_with("retention/")).collect();
    names.retain(|name| !name.contains('…'));
    names.sort_unstable();
    names
}

#[test]
fn every_reading_is_on_the_page_and_pinned_by_a_case() {
    let files = [include_str!("cases/readings.json"), include_str!("cases/retention.json")];
    let mut pinned: Vec<String> =
        files.iter().flat_map(|file| read_cases(file).unwrap()).map(|case| case.id).collect();
    pinned.sort_unstable();
    assert_eq!(cases(include_str!("../docs/semantics-notes.md")), pinned);
}
