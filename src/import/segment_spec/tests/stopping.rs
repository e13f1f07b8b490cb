//! A message is taken whole or not at all; stopping and resuming.

use super::*;

const GOOD: &str = r#"{"type":"track","event":"e","userId":"u","timestamp":"2024-05-06T07:08:09Z"}"#;

fn input() -> String {
    format!("{GOOD}\n{{\"batch\":[{GOOD},{{\"type\":\"page\",\"userId\":\"u\"}},{GOOD}]}}\n{GOOD}\n")
}

#[test]
fn stop_fails_at_the_first_rejected_message() {
    let mut store = Notebook::default();
    let error = Importer::segment_spec().read(input().as_bytes(), &mut store).unwrap_err();
    assert_eq!(error.to_string(), "line 2, batch[1]: no instant");
    assert!(matches!(error, ImportError::Rejected { .. }));
    let report = error.report();
    assert_eq!(store.lines.len(), 2);
    assert_eq!((report.events, report.rejected, report.lines), (2, 1, 2));
    assert_eq!(report.resume, Some(Position { line: 2, index: Some(1) }));
}

#[test]
fn an_import_resumes_where_it_stopped() {
    let mut store = Notebook::default();
    let error = Importer::segment_spec().stop_at_rejected().read(input().as_bytes(), &mut store).unwrap_err();
    let start = error.report().resume.unwrap();
    let mut resumed = Importer::segment_spec().skip_rejected().start_at(start);
    let report = resumed.read(input().as_bytes(), &mut store).unwrap();
    assert_eq!((report.events, report.rejected, report.lines), (2, 1, 3));
    assert_eq!(report.rejections[0].position, start);
    assert_eq!(store.lines.len(), 4);
    assert_eq!(report.resume, None);
}

#[test]
fn a_store_that_fails_ends_the_import() {
    let mut store = Notebook { room: Some(2), ..Notebook::default() };
    let error = Importer::segment_spec()
        .read(input().replace(",{\"type\":\"page\",\"userId\":\"u\"}", "").as_bytes(), &mut store);
    let error = error.unwrap_err();
    assert!(matches!(&error, ImportError::Store { error: IngestError::TooManyUsers, .. }), "{error}");
    assert_eq!(error.report().resume, Some(Position { line: 2, index: Some(1) }));
    assert_eq!((error.report().events, store.facts.len()), (2, 2));
}

#[test]
fn of_a_rejected_message_nothing_is_kept() {
    // The last of its traits is too much: neither the user, nor the others, nor the merge.
    let line = format!(
        r#""type":"identify","userId":"u","anonymousId":"a","traits":{{"ok":[[1]],"":1,"big":"{}"}}"#,
        "x".repeat((1 << 20) + 1)
    );
    let (written, report) = import(&message(&line));
    assert_eq!(written, [""; 0]);
    assert_eq!((report.messages, report.attribute_writes, report.merges, report.coerced), (0, 0, 0, 0));
    assert_eq!((report.dropped_names, report.rejected), (0, 1));
}
