//! Catalogs: one document, in order, checked whole.

#![allow(clippy::expect_used, clippy::panic)]

use whodid::segment::Segment;
use whodid::{Catalog, Evaluate, Event, Ingest, MemoryStore, PlanError, Timestamp, did, list, segment};

const DOCUMENT: &str = r#"{"version":1,"segments":{"b":{"segment":"a"},"a":{"did":{"event":"x"}}},"lists":{"vip":["ada","bob"]}}"#;

#[test]
fn a_document_reads_back_in_its_order() {
    let catalog = Catalog::from_json(DOCUMENT).expect("valid");
    assert_eq!(catalog.to_json(), DOCUMENT);
    let through_serde: Catalog = serde_json::from_str(DOCUMENT).expect("valid");
    assert_eq!(through_serde, catalog);
    assert_eq!(serde_json::to_string(&catalog).expect("a document"), DOCUMENT);
    assert_eq!(Catalog::from_json("{}").expect("all may be left out"), Catalog::new());
}

#[test]
fn what_is_no_catalog_says_where() {
    for (text, message) in [
        ("[]", "given an empty list"),
        (r#"{"version":2}"#, "version: given 2, expected the version 1"),
        (r#"{"version":null}"#, "version: given null"),
        (r#"{"segment":{}}"#, "segment: given an unknown key"),
        (r#"{"segments":[]}"#, "segments: given an empty list"),
        (r#"{"lists":{"vip":"ada"}}"#, r#"lists.vip: given "ada", expected a list of ids"#),
        (r#"{"lists":{"vip":["ada",1]}}"#, "lists.vip[1]: given 1"),
        (r#"{"lists":{"vip":[""]}}"#, "the name \"\" of a user has 0 bytes"),
        (r#"{"lists":{"":[]}}"#, "the name \"\" of a list"),
        (r#"{"segments":{"":{"all":[]}}}"#, "the name \"\" of a segment"),
        (r#"{"segments":{"a":{"all":[]},"a":{"all":[]}}}"#, "twice"),
        (
            r#"{"segments":{"trialing":{"all":[{"all":[]},{"did":{"event":"x","in":{"last":"1q"}}}]}}}"#,
            "segments.trialing.all[1].did.in.last: given \"1q\", expected a span",
        ),
        (
            r#"{"segments":{"a b":{"any":[{"segment":"c"}]}}}"#,
            r#"segments["a b"].any[0].segment: there is no segment "c""#,
        ),
        (r#"{"segments":{"a":{"segment":"a"}}}"#, "in a circle: a → a"),
        (r#"{"segments":{"a":{"list":"b"}}}"#, r#"segments.a.list: there is no list "b""#),
    ] {
        let error = Catalog::from_json(text).expect_err(text).to_string();
        assert!(error.contains(message), "{text}: {error}");
        assert!(serde_json::from_str::<Catalog>(text).is_err(), "{text}");
    }
}

#[test]
fn segments_are_put_in_replaced_and_taken_out() {
    let mut catalog = Catalog::new();
    for name in ["a", "b", "c"] {
        assert_eq!(catalog.insert(name, did(name)).expect("valid"), None);
    }
    let replaced = catalog.insert("b", segment("later")).expect("valid");
    assert_eq!(replaced, Some(Segment::from(did("b"))));
    assert!(matches!(catalog.plan(), Err(PlanError::UnknownSegment { .. })));
    catalog.insert("later", list("vip")).expect("valid");
    assert!(matches!(catalog.plan(), Err(PlanError::UnknownList { .. })));
    catalog.insert_list("vip", ["ada"]).expect("valid");
    assert!(catalog.plan().is_ok());
    assert_eq!(catalog.remove("a"), Some(did("a").into()));
    assert_eq!(catalog.remove("a"), None);
    let names: Vec<&str> = catalog.segments().map(|(name, _)| name).collect();
    assert_eq!(names, ["b", "c", "later"]);
    assert_eq!(catalog.get("c"), Some(&did("c").into()));
    assert_eq!(catalog.list("vip"), Some(&["ada".to_owned()][..]));
    assert!(catalog.remove_list("vip") && !catalog.remove_list("vip"));
    assert!(matches!(catalog.insert("", did("a")), Err(PlanError::Name { .. })));
    assert!(matches!(catalog.insert("n".repeat(513), did("a")), Err(PlanError::Name { .. })));
    assert!(matches!(catalog.insert("a", did("")), Err(PlanError::Segment(_))));
}

#[test]
fn a_catalog_is_answered_at_once() {
    let at: Timestamp = "2026-06-15T12:00:00Z".parse().expect("an instant");
    let mut store = MemoryStore::new();
    for user in ["ada", "bob", "cy"] {
        store.record(Event::new(user, "x", at)).expect("valid");
    }
    store.record(Event::new("ada", "y", at)).expect("valid");
    store.merge("anon", "cy").expect("two users");
    let snapshot = store.snapshot();
    let mut catalog = Catalog::from_json(DOCUMENT).expect("valid");
    catalog.insert("vips", list("vip") & did("y")).expect("valid");
    let answers = snapshot.evaluate(&catalog, at).expect("valid");
    assert_eq!(
        answers.iter().map(|(name, of)| (name, of.len())).collect::<Vec<_>>(),
        [("b", 3), ("a", 3), ("vips", 1)]
    );
    assert_eq!(answers["vips"].ids().collect::<Vec<_>>(), ["ada"]);
    assert!(answers.get("c").is_none());
    assert_eq!(snapshot.segments_of("anon", &catalog, at).expect("valid"), ["b", "a"]);
    assert_eq!(snapshot.segments_of("nobody", &catalog, at).expect("valid"), [""; 0]);
    assert!(
        snapshot.is_member("ada", &catalog.plan_of(&segment("vips")).expect("valid"), at).expect("valid")
    );
}
