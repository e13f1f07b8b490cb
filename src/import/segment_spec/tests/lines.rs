//! Lines, batches, rejections with their places, progress.

use super::*;

const MESSAGE: &str = r#"{"type":"track","event":"e","userId":"u","timestamp":"2024-05-06T07:08:09Z"}"#;

#[test]
fn a_line_is_a_message_or_a_batch() {
    let (written, report) = import(&format!("{MESSAGE}\n{{\"batch\":[{MESSAGE},{MESSAGE}],\"sentAt\":1}}\n"));
    assert_eq!(written, [format!("u did e at {AT}").as_str(); 3]);
    assert_eq!((report.lines, report.messages, report.events), (2, 3, 3));
    let (_, report) = import(r#"{"batch":[]}"#);
    assert_eq!((report.lines, report.messages, report.rejected), (1, 0, 0));
}

#[test]
fn blank_lines_marks_and_carriage_returns_are_fine() {
    let (written, report) = import(&format!("\u{feff}{MESSAGE}\r\n\r\n \t \n\n  {MESSAGE} "));
    assert_eq!(written.len(), 2);
    assert_eq!((report.lines, report.messages, report.rejected), (5, 2, 0));
}

#[test]
fn a_line_that_is_no_object_is_rejected() {
    for line in ["x", "[]", "1", "null", "\"a\"", "{", "{} {}", "{\"a\":NaN}", "[{\"type\":\"track\"}]"] {
        assert_eq!(reason_of_line(line), "not a JSON object");
    }
    let (_, report) = import_with("", |importer| importer);
    assert_eq!(report, Report::default());
    let mut store = Notebook::default();
    let report = Importer::segment_spec().skip_rejected().read(&b"{\"a\":\"\xff\"}"[..], &mut store).unwrap();
    assert_eq!(report.reasons().get("not a JSON object"), Some(&1));
}

#[test]
fn rejections_have_their_place() {
    let lines = format!("{MESSAGE}\n\n{{\"batch\":[{MESSAGE},7,{{\"type\":\"x\"}},{MESSAGE}]}}\n{{}}");
    let (written, report) = import(&lines);
    assert_eq!(written.len(), 3);
    let shown: Vec<_> = report.rejections.iter().map(ToString::to_string).collect();
    assert_eq!(
        shown,
        ["line 3, batch[1]: not a JSON object", "line 3, batch[2]: unknown type", "line 4: unknown type"]
    );
    assert_eq!((report.messages, report.rejected), (3, 3));
    assert_eq!(report.reasons().get("unknown type"), Some(&2));
}

#[test]
fn a_line_too_long_is_rejected_and_the_next_read() {
    let long = message(&format!(r#""type":"track","event":"e","x":"{}""#, "x".repeat(1_000)));
    let (written, report) = import_with(&format!("{long}\n{MESSAGE}"), |importer| importer.max_line(500));
    assert_eq!(written.len(), 1);
    assert_eq!(report.rejections[0].to_string(), "line 1: line too long: more than 500 bytes");
}

#[test]
fn compressed_input_is_read_as_it_is() {
    use std::io::Write;
    let mut zip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    zip.write_all(format!("{MESSAGE}\n").repeat(9).as_bytes()).unwrap();
    let zipped = zip.finish().unwrap();
    let mut store = Notebook::default();
    let report = Importer::segment_spec().read(&*zipped, &mut store).unwrap();
    assert_eq!((report.events, report.bytes), (9, zipped.len() as u64));
    let error = Importer::segment_spec().read(&zipped[..zipped.len() - 9], &mut store).unwrap_err();
    assert!(matches!(error, ImportError::Read { .. }), "{error}");
    assert_eq!(error.report().resume, Some(Position { line: error.report().lines + 1, index: None }));
}

#[test]
fn progress_comes_every_65536_lines() {
    let lines = format!("{MESSAGE}\n").repeat((1 << 17) + 1);
    let mut told: Vec<Progress> = Vec::new();
    let (_, report) = import_with(&lines, |importer| importer.on_progress(|progress| told.push(progress)));
    let steps: Vec<_> = told.iter().map(|progress| (progress.lines, progress.events)).collect();
    assert_eq!(steps, [(1 << 16, 1 << 16), (1 << 17, 1 << 17)]);
    assert!(told[0].bytes < told[1].bytes && told[1].bytes <= report.bytes);
    assert_eq!(report.bytes, lines.len() as u64);
}
