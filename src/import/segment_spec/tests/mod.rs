//! Each sentence of the page on Segment-spec messages, over a store that takes notes.

mod fields;
mod kinds;
mod laws;
mod limits;
mod lines;
mod stitching;
mod stopping;
mod values;

use super::super::notebook::Notebook;
use super::super::report::Progress;
use super::*;
use crate::event::IngestError;

const AT: &str = "2024-05-06T07:08:09Z";

/// Imports lines with the settings given; what was written, and the report.
fn import_with<'p>(
    lines: &str,
    set: impl FnOnce(Importer<'p, SegmentSpec>) -> Importer<'p, SegmentSpec>,
) -> (Vec<String>, Report) {
    let mut store = Notebook::default();
    let mut importer = set(Importer::segment_spec().skip_rejected());
    let report = importer.read(lines.as_bytes(), &mut store).unwrap();
    (store.lines, report)
}

fn import(lines: &str) -> (Vec<String>, Report) {
    import_with(lines, |importer| importer)
}

/// What a message of these fields (and user `u` and an instant where they have none) writes.
fn written(fields: &str) -> Vec<String> {
    import(&message(fields)).0
}

fn message(fields: &str) -> String {
    let mut message = format!("{{{fields}");
    if !fields.contains("userId") && !fields.contains("anonymousId") {
        message += r#","userId":"u""#;
    }
    if !fields.contains("timestamp") {
        message += r#","timestamp":"2024-05-06T07:08:09Z""#;
    }
    message + "}"
}

/// Why a message of these fields is rejected.
fn reason(fields: &str) -> String {
    reason_of_line(&message(fields))
}

fn reason_of_line(line: &str) -> String {
    let (written, report) = import(line);
    assert_eq!(written, [""; 0], "{line}");
    assert_eq!(report.rejected, 1, "{line}");
    assert_eq!(report.reasons().values().sum::<u64>(), 1);
    report.rejections[0].reason.to_string()
}

/// The properties that a track with these properties writes.
fn properties(object: &str) -> String {
    let lines = written(&format!(r#""type":"track","event":"e","properties":{object}"#));
    lines[0].strip_prefix(&format!("u did e at {AT}")).unwrap().trim_start().to_owned()
}
