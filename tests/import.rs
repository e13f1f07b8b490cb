//! Imports into the in-memory store, and segments over what was imported.

#![allow(clippy::unwrap_used, reason = "a helper that fails is a test that fails")]

use std::collections::BTreeMap;
use std::path::Path;

use whodid::import::{Cell, Importer, Report};
use whodid::segment::Segment;
use whodid::{Evaluate, MemoryStore, Snapshot, Timestamp, attribute, did, everyone, property};

/// Messages as the libraries of many senders write them, and some that went wrong on the way.
const SENDERS: &[u8] = include_bytes!("import/senders.ndjson");

fn import_senders() -> (Snapshot, Report) {
    let mut store = MemoryStore::new();
    let report = Importer::segment_spec()
        .instants(["createdAt", "trialEndsAt"])
        .numbers(["total", "seats", "age", "employees"])
        .strings(["address.postalCode"])
        .skip_rejected()
        .read(SENDERS, &mut store)
        .unwrap();
    (store.snapshot(), report)
}

fn members(snapshot: &Snapshot, segment: impl Into<Segment>) -> Vec<String> {
    let now: Timestamp = "2023-05-01T00:00:00Z".parse().unwrap();
    let members = snapshot.members(&segment.into(), now).unwrap();
    let mut ids: Vec<String> = members.ids().map(|id| id.to_string()).collect();
    ids.sort();
    ids
}

#[test]
fn messages_of_many_senders_are_counted_by_kind_and_reason() {
    let (_, report) = import_senders();
    let kinds = [("alias", 1), ("group", 2), ("identify", 5), ("page", 2), ("screen", 1), ("track", 11)];
    assert_eq!(*report.taken(), BTreeMap::from(kinds));
    let reasons = [
        ("bad alias", 2),
        ("bad instant", 2),
        ("no event name", 2),
        ("no instant", 1),
        ("no user", 2),
        ("not a JSON object", 3),
        ("unknown type", 2),
    ];
    assert_eq!(*report.reasons(), BTreeMap::from(reasons));
    assert_eq!((report.messages, report.rejected, report.lines), (22, 14, 31));
    assert_eq!((report.events, report.duplicates), (13, 1));
    assert_eq!((report.merges, report.shared_devices), (2, 1));
    assert_eq!((report.coerced, report.dropped_names, report.unparsed, report.ignored), (3, 1, 2, 0));
    assert_eq!(report.attribute_writes, 5 + 4 + 1 + 4 + 1 + 4);
    let places: Vec<_> = report.rejections.iter().map(ToString::to_string).collect();
    assert_eq!(places[0], "line 19: no event name");
    assert_eq!(
        places[10..],
        [
            "line 29, batch[1]: not a JSON object",
            "line 29, batch[2]: no user",
            "line 30: not a JSON object",
            "line 31: not a JSON object",
        ]
    );
}

#[test]
fn segments_over_messages_of_many_senders() {
    let (snapshot, _) = import_senders();
    let cases: Vec<(Segment, &[&str])> = vec![
        // Done before signing up, by an id that was merged since.
        (did("page").where_(property("name").eq("Home")).into(), &["97980cfea0067"]),
        (did("screen").where_(property("name").eq("Checkout Step 1")).into(), &["mona"]),
        (did("screen").where_(property("category").eq("Shop")).into(), &["mona"]),
        (did("Order Completed").sum("total").exactly(30.0).into(), &["97980cfea0067"]),
        (
            did("Order Completed")
                .where_(property("products").any_element(property("tags").eq(r#"["cards","family"]"#)))
                .into(),
            &["97980cfea0067"],
        ),
        (did("Report Exported").into(), &["4711", "python-7"]),
        (did("Report Exported").where_(property("filters.tags").eq("b")).into(), &["python-7"]),
        (did("Invite Sent").at_least(3).into(), &["4711"]),
        (did("Location Updated").where_(property("geo.city").eq("Berlin")).into(), &["droid-1"]),
        (
            did("Location Updated").where_(property("path").eq("[[52.5,13.4],[52.6,13.5]]")).into(),
            &["droid-1"],
        ),
        (did("Emoji 🚀 Sent").where_(property("cut").eq("hi \u{fffd}")).into(), &["emoji"]),
        (did("Kept").exactly(2).into(), &["batcher"]),
        (did("Lost").into(), &[]),
        (attribute("company").eq("Acme").into(), &["97980cfea0067"]),
        (attribute("address.postalCode").eq("22201").into(), &["4711"]),
        (attribute("group.id").eq("g-9").into(), &["mona"]),
        (attribute("group.id").eq(12).into(), &["droid-1"]),
        (attribute("group.employees").gt(300).into(), &["mona"]),
        (attribute("seats").gte(12).into(), &["cs-1"]),
        (attribute("age").eq("forty").into(), &["cs-1"]),
        (attribute("plan").eq("pro").into(), &["lisa"]),
        (
            everyone(),
            &[
                "4711",
                "97980cfea0067",
                "batcher",
                "cs-1",
                "droid-1",
                "emoji",
                "lisa",
                "mona",
                "php-1",
                "python-7",
            ],
        ),
    ];
    for (segment, want) in cases {
        assert_eq!(members(&snapshot, segment.clone()), want, "{segment}");
    }
}

#[test]
fn the_second_import_of_the_same_messages_changes_no_event() {
    let (snapshot, _) = import_senders();
    let mut store = MemoryStore::new();
    for _ in 0..2 {
        Importer::segment_spec().skip_rejected().read(SENDERS, &mut store).unwrap();
    }
    // Of events with ids, that is; and of merges.
    let invited = did("Invite Sent").exactly(3);
    assert_eq!(members(&store.snapshot(), invited.clone()), members(&snapshot, invited));
}

#[test]
fn the_purchases_of_cdnow() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data/cdnow.csv");
    let Ok(file) = std::fs::File::open(&path) else {
        println!("SKIPPED: ../shared/data/cdnow.csv is not there");
        return;
    };
    let mut store = MemoryStore::new();
    let report = Importer::csv()
        .user("customer_id")
        .event("purchase")
        .at("date", "%Y%m%d")
        .property("cds", Cell::Int)
        .property("dollars", Cell::Float)
        .read(file, &mut store)
        .unwrap();
    assert_eq!((report.events, report.messages, report.lines), (69_659, 69_659, 69_660));
    let now: Timestamp = "1998-07-01T00:00:00Z".parse().unwrap();
    let snapshot = store.snapshot();
    assert_eq!(snapshot.members(&did("purchase"), now).unwrap().len(), 23_570);
}
