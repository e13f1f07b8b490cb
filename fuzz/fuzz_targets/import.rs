//! Any bytes are imported or rejected, as messages and as a table; what is taken is within the law's limits, and
//! stopping at each rejected message and starting again behind it comes to the same as skipping them.

#![no_main]

use libfuzzer_sys::fuzz_target;
use whodid::import::{Cell, ImportError, Importer, InstantFormat, Position, Report, SegmentSpec};
use whodid::{MemoryStore, Timestamp};

fuzz_target!(|bytes: &[u8]| {
    messages(bytes);
    table(bytes);
});

fn importer<'p>() -> Importer<'p, SegmentSpec> {
    Importer::segment_spec()
        .context(true)
        .instants(["at", "p.at"])
        .numbers(["n", "group.n"])
        .strings(["s"])
        .max_line(1 << 16)
}

fn messages(bytes: &[u8]) {
    let Some(skipped) = read(importer().skip_rejected(), bytes, &mut MemoryStore::new()) else { return };
    assert_eq!(skipped.taken().values().sum::<u64>(), skipped.messages);
    assert_eq!(skipped.reasons().values().sum::<u64>(), skipped.rejected);

    let (mut store, mut start, mut sum) = (MemoryStore::new(), Position { line: 1, index: None }, [0; 5]);
    loop {
        let ended = importer().start_at(start).read(bytes, &mut store);
        let report = ended.as_ref().unwrap_or_else(ImportError::report);
        for (sum, n) in sum.iter_mut().zip(counts(report)) {
            *sum += n;
        }
        match &ended {
            Ok(_) => break,
            Err(ImportError::Rejected { rejection, .. }) => start = behind(rejection.position),
            Err(error) => panic!("{error}"),
        }
    }
    assert_eq!(sum, counts(&skipped));
}

fn behind(Position { line, index }: Position) -> Position {
    match index {
        None => Position { line: line + 1, index: None },
        Some(index) => Position { line, index: Some(index + 1) },
    }
}

fn counts(report: &Report) -> [u64; 5] {
    [report.messages, report.events, report.attribute_writes, report.merges, report.rejected]
}

/// The report, unless the bytes end in the middle of what is compressed.
fn read(mut importer: Importer<'_, SegmentSpec>, bytes: &[u8], store: &mut MemoryStore) -> Option<Report> {
    match importer.read(bytes, store) {
        Ok(report) => Some(report),
        Err(ImportError::Read { .. }) => None,
        Err(error) => panic!("{error}"),
    }
}

fn table(bytes: &[u8]) {
    let importer = Importer::csv()
        .user(0)
        .event_in(1)
        .at(2, "%Y-%m-%d %H:%M:%S%.f")
        .property_as("n", 3, Cell::Number)
        .property_as("at", 4, Cell::Instant(InstantFormat::UnixSeconds))
        .attribute_as("b", 5, Cell::Bool)
        .instant_if_none(Timestamp::from_millis(0))
        .without_header()
        .max_line(1 << 16);
    let mut importer = importer.skip_rejected();
    match importer.read(bytes, &mut MemoryStore::new()) {
        Ok(report) => assert_eq!(report.taken().values().sum::<u64>(), report.messages),
        Err(ImportError::Read { .. } | ImportError::Columns { .. }) => {}
        Err(error) => panic!("{error}"),
    }
}
