//! Anonymous to known.

use super::*;

fn identify(user: &str, anonymous: &str) -> String {
    message(&format!(r#""type":"identify","userId":"{user}","anonymousId":"{anonymous}""#))
}

fn alias(user: &str, previous: &str) -> String {
    message(&format!(r#""type":"alias","userId":"{user}","previousId":"{previous}""#))
}

/// The merges that these messages make, and the report.
fn merges(lines: &[String]) -> (Vec<String>, Report) {
    let (written, report) = import(&lines.join("\n"));
    let merges: Vec<_> =
        written.into_iter().filter(|line| line.contains(" is ") && !line.contains("known")).collect();
    assert_eq!(merges.len() as u64, report.merges);
    (merges, report)
}

#[test]
fn an_identify_with_both_ids_merges() {
    assert_eq!(merges(&[identify("u", "a")]).0, ["a is u"]);
    assert_eq!(merges(&[identify("u", "u")]).0, [""; 0]);
    let line = message(r#""type":"identify","anonymousId":"a""#);
    assert_eq!(merges(&[line]).0, [""; 0]);
    let track = message(r#""type":"track","event":"e","userId":"u","anonymousId":"a""#);
    let group = message(r#""type":"group","userId":"u","anonymousId":"a""#);
    assert_eq!(merges(&[track, group]).0, [""; 0]);
}

#[test]
fn an_alias_with_both_ids_merges_both() {
    let line = message(r#""type":"alias","userId":"u","previousId":"p","anonymousId":"a""#);
    assert_eq!(merges(&[line]).0, ["p is u", "a is u"]);
    let line = message(r#""type":"alias","userId":"u","previousId":"a","anonymousId":"a""#);
    assert_eq!(merges(&[line]).0, ["a is u"]);
}

#[test]
fn an_anonymous_id_stays_with_the_user_it_went_to() {
    let (made, report) =
        merges(&[identify("u", "a"), identify("v", "a"), identify("u", "a"), identify("v", "b")]);
    assert_eq!(made, ["a is u", "b is v"]);
    assert_eq!((report.shared_devices, report.messages), (1, 4));
}

#[test]
fn it_stays_with_its_user_through_a_chain() {
    // `u` turns out to be `w`; so `a` is `w` as well, and nothing new to either.
    let (made, report) =
        merges(&[identify("u", "a"), alias("w", "u"), identify("w", "a"), identify("u", "a")]);
    assert_eq!(made, ["a is u", "u is w"]);
    assert_eq!(report.shared_devices, 0);
    assert_eq!(merges(&[alias("a", "u"), identify("u", "a")]).0, ["u is a"]);
}

#[test]
fn what_the_store_merged_before_is_respected() {
    let mut store = Notebook::default();
    store.merge("a", "somebody").unwrap();
    let report = Importer::segment_spec().read(identify("u", "a").as_bytes(), &mut store).unwrap();
    assert_eq!((report.merges, report.shared_devices), (0, 1));
}

#[test]
fn it_can_be_turned_off() {
    let alias = message(r#""type":"alias","userId":"u","previousId":"p","anonymousId":"b""#);
    let lines = [identify("u", "a"), identify("v", "a"), alias].join("\n");
    let (_, report) = import_with(&lines, |importer| importer.stitch(false));
    assert_eq!((report.merges, report.shared_devices), (1, 0));
}
