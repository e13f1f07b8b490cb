//! Every evaluator answers every conformance case, to the last user.
//!
//! Reads the `*.json` files of the shared folder, of `tests/cases`, and of the folders in `WHODID_CASES`
//! (separated by `:`). Where the shared folder is absent it says so and goes on, unless
//! `WHODID_REQUIRE_SHARED=1`.

#![allow(clippy::expect_used)]

mod evaluators;
#[path = "live/feed.rs"]
mod feed;
#[path = "live/replay.rs"]
mod replay;

use std::collections::BTreeSet;
use std::io::Write;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

use whodid::oracle::Named;
use whodid::testing::{Case, Check, Evaluator, Expected, read_cases};

/// Failures printed in full; of more only the number.
const SHOWN: usize = 25;

/// Says something past the capture of the test harness.
macro_rules! say {
    ($($arg:tt)*) => { writeln!(std::io::stderr(), $($arg)*).expect("stderr") };
}

#[test]
fn every_evaluator_answers_every_case() {
    let mut failures = Vec::new();
    for folder in folders(&mut failures) {
        match files(&folder) {
            Ok(files) => files.iter().for_each(|file| run_file(file, &mut failures)),
            Err(error) => failures.push(format!("{}: {error}", folder.display())),
        }
    }
    let shown = failures.iter().take(SHOWN).cloned().collect::<Vec<_>>().join("\n");
    assert!(failures.is_empty(), "{} failures\n{shown}", failures.len());
}

/// The folders of cases there are.
fn folders(failures: &mut Vec<String>) -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let (shared, own) = (root.join("../shared/conformance"), root.join("tests/cases"));
    let mut folders = vec![own];
    if shared.is_dir() {
        folders.push(shared);
    } else {
        say!("SKIPPED: there is no ../shared/conformance, so none of its cases were run");
        if std::env::var("WHODID_REQUIRE_SHARED").is_ok_and(|v| v == "1") {
            failures.push("../shared/conformance is absent, and WHODID_REQUIRE_SHARED=1".to_owned());
        }
    }
    let more = std::env::var("WHODID_CASES").unwrap_or_default();
    folders.extend(more.split(':').filter(|folder| !folder.is_empty()).map(PathBuf::from));
    folders
}

/// The files of a folder, sorted.
fn files(folder: &Path) -> std::io::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if path.extension().is_some_and(|e| e == "json") {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

fn run_file(file: &Path, failures: &mut Vec<String>) {
    let name = file.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let text = std::fs::read_to_string(file).map_err(|e| e.to_string());
    let cases = match text.and_then(|text| read_cases(&text).map_err(|e| e.to_string())) {
        Ok(cases) => cases,
        Err(error) => return failures.push(format!("{}: cannot be read: {error}", file.display())),
    };
    let checks: usize = cases.iter().map(|case| case.checks.len()).sum();
    for new in evaluators::all().into_iter().chain(evaluators::outside()) {
        let before = failures.len();
        for case in &cases {
            let run = catch_unwind(AssertUnwindSafe(|| run_case(case, &mut *new())));
            let failed = run.unwrap_or_else(|_| vec!["panicked".to_owned()]);
            let place = format!("{name}, case {}, {}", case.id, new().name());
            failures.extend(failed.into_iter().map(|failure| format!("{place}: {failure}")));
        }
        let failed = failures.len() - before;
        say!("{name}: {}: {} cases, {checks} checks, {failed} failures", new().name(), cases.len());
    }
    run_transitions(&name, &cases, failures);
}

/// Has the live engine report who enters and who leaves.
fn run_transitions(name: &str, cases: &[Case], failures: &mut Vec<String>) {
    let (before, mut run) = (failures.len(), 0);
    for case in cases {
        for (index, check) in case.checks.iter().enumerate() {
            let Some(expected) = &check.transitions else { continue };
            run += 1;
            let wrong = catch_unwind(AssertUnwindSafe(|| replay::transitions(case, check, expected)));
            if let Some(wrong) = wrong.unwrap_or_else(|_| Some("panicked".to_owned())) {
                let at = format!("check {index} at {}: {}", check.at, check.text);
                failures.push(format!("{name}, case {}, live: {at}\n    {wrong}", case.id));
            }
        }
    }
    if run > 0 {
        say!("{name}: live: {run} checks of transitions, {} failures", failures.len() - before);
    }
}

/// Takes the facts in, asks every question, and tells what went wrong.
fn run_case(case: &Case, evaluator: &mut dyn Evaluator) -> Vec<String> {
    let mut failures = Vec::new();
    for (index, fact) in case.facts.iter().enumerate() {
        let taken = match fact {
            Ok(fact) => evaluator.take(fact.clone()).map(drop),
            Err(error) => Err(error.to_string()),
        };
        match (taken, case.refused.contains(&index)) {
            (Ok(()), true) => failures.push(format!("fact {index} was taken and should be refused")),
            (Err(error), false) => failures.push(format!("fact {index} was refused: {error}")),
            _ => {}
        }
    }
    let readable = case.segments.iter().filter_map(|(name, e)| Some((name.clone(), e.clone().ok()?)));
    let named = Named { segments: readable.collect(), lists: case.lists.clone() };
    for (index, check) in case.checks.iter().enumerate() {
        let answer = match &check.segment {
            Ok(segment) => evaluator.members(segment, &named, check.at),
            Err(error) => Err(error.to_string()),
        };
        if let Some(wrong) = compare(check, answer) {
            failures.push(format!("check {index} at {}: {}\n    {wrong}", check.at, check.text));
        }
    }
    failures
}

/// What is wrong with an answer.
fn compare(check: &Check, answer: Result<BTreeSet<String>, String>) -> Option<String> {
    match (&check.expected, answer) {
        (Expected::Error, Err(_)) => None,
        (Expected::Error, Ok(members)) => Some(format!("expected an error, not {members:?}")),
        (Expected::Members(_), Err(error)) => Some(format!("is an error: {error}")),
        (Expected::Members(expected), Ok(members)) if *expected == members => None,
        (Expected::Members(expected), Ok(members)) => {
            let missing: Vec<_> = expected.difference(&members).collect();
            let too_many: Vec<_> = members.difference(expected).collect();
            Some(format!("missing {missing:?}, too many {too_many:?}"))
        }
    }
}

/// What the runner says of one case, run in the oracle.
fn told(case: &str) -> String {
    match read_cases(&format!("[{case}]")) {
        Ok(cases) => run_case(&cases[0], &mut whodid::oracle::Oracle::new()).join("\n"),
        Err(error) => format!("cannot be read: {error}"),
    }
}

#[test]
fn the_runner_tells_what_went_wrong() {
    let case = |middle: &str| {
        format!(
            r#"{{"id": "t", "facts": [{{"user": {{"id": "a", "seen": "2020-01-01T00:00:00Z"}}}},
                {{"user": {{"id": "", "seen": "2020-01-01T00:00:00Z"}}}}], {middle}}}"#
        )
    };
    let check = |check: &str| {
        case(&format!(r#""refused": [1], "checks": [{{"at": "2026-01-01T00:00:00Z", {check}}}]"#))
    };
    for (case, wanted) in [
        (check(r#""segment": {"all": []}, "members": ["a"]"#), ""),
        (check(r#""segment": {"all": []}, "members": ["b"]"#), r#"missing ["b"], too many ["a"]"#),
        (check(r#""segment": {"all": []}, "error": true"#), "expected an error"),
        (check(r#""segment": {"alle": []}, "members": ["a"]"#), "is an error"),
        (check(r#""segment": {"alle": []}, "error": true"#), ""),
        (check(r#""segment": {"all": []}"#), "cannot be read"),
        (check(r#""segment": {"all": []}, "members": [], "error": true"#), "cannot be read"),
        (check(r#""segment": {"all": []}, "member": []"#), "cannot be read"),
        (case(r#""checks": []"#), "fact 1 was refused"),
        (case(r#""refused": [0, 1], "checks": []"#), "fact 0 was taken"),
        (case(r#""refused": [1, 2], "checks": []"#), "cannot be read"),
        (case(r#""refused": [1], "cheques": []"#), "cannot be read"),
    ] {
        let told = told(&case);
        assert!(told.contains(wanted) && told.is_empty() == wanted.is_empty(), "{case}\n{told}");
    }
}
