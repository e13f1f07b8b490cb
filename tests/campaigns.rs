//! What the example `campaigns` bundles: a year that can be made again, and a catalog that can be asked.

#![cfg(feature = "import")]

#[path = "../examples/simulate_saas/main.rs"]
mod simulate_saas;

use std::io::Read;

use flate2::read::GzDecoder;
use whodid::import::Importer;
use whodid::{Catalog, Evaluate, MemoryStore, Timestamp};

const YEAR: &[u8] = include_bytes!("../examples/campaigns/year.ndjson.gz");
const SEGMENTS: &str = include_str!("../examples/campaigns/segments.json");

#[test]
fn the_year_is_the_one_that_is_simulated() {
    let mut bundled = String::new();
    GzDecoder::new(YEAR).read_to_string(&mut bundled).unwrap();
    let simulated = simulate_saas::year();
    assert_eq!(bundled.lines().count(), simulated.len());
    for (i, (bundled, simulated)) in bundled.lines().zip(&simulated).enumerate() {
        assert_eq!(bundled, simulated, "line {i}");
    }
}

#[test]
fn every_segment_has_members_and_leaves_somebody_out() {
    let mut store = MemoryStore::new();
    let instants = ["signed_up_at", "trial_ends_at", "renews_at"];
    let report = Importer::segment_spec().instants(instants).read(YEAR, &mut store).unwrap();
    assert_eq!(report.rejected, 0);
    let at: Timestamp = "2026-07-01T00:00:00Z".parse().unwrap();
    let snapshot = store.snapshot();
    let catalog = Catalog::from_json(SEGMENTS).unwrap();
    let everyone = snapshot.everyone(at).unwrap().len();
    let answers = snapshot.evaluate(&catalog, at).unwrap();
    assert!(answers.len() >= 24);
    for (name, members) in answers.iter() {
        assert!((1..everyone).contains(&members.len()), "{name}: {} of {everyone}", members.len());
    }
    // Counted apart from it, in the messages themselves.
    assert_eq!(everyone, 3_000);
    assert_eq!(answers["signed_up"].len(), 2_600);
    assert_eq!(answers["visitors_only"].len(), 400);
}
