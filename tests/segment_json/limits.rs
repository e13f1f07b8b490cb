//! The limits of depth and size, and absurd texts.

use whodid::segment::{Segment, SegmentError};

use crate::reading::{error, read};

fn nested(before: &str, after: &str, times: usize, leaf: &str) -> String {
    before.repeat(times) + leaf + &after.repeat(times)
}

#[test]
fn depth_counts_expressions_and_filters() {
    let everyone = r#"{"all":[]}"#;
    let one = r#"{"property":"p","eq":1}"#;
    let in_did = |filter: String| format!(r#"{{"did":{{"event":"x","where":{filter}}}}}"#);
    let deepest = r#"{"did":{"event":"x","in":{"around":{"of":{"first":{"event":"y","where":{"property":"p","within":{"calendar":{"unit":"day","back":[-1,-1]}}}}},"after":"ever"}}}}"#;
    let in_score =
        |segment: &str, n| nested(r#"{"score":{"of":[{"points":1,"if":"#, r#"}],"at_least":1}}"#, n, segment);
    let any_element = |n| nested(r#"{"property":"p","any_element":"#, "}", n, one);
    for (legal, illegal) in [
        (nested(r#"{"not":"#, "}", 63, everyone), nested(r#"{"not":"#, "}", 64, everyone)),
        (nested(r#"{"all":["#, "]}", 63, everyone), nested(r#"{"any":["#, "]}", 64, everyone)),
        (in_score(everyone, 63), in_score(everyone, 64)),
        (in_score(deepest, 62), in_score(deepest, 63)),
        (in_did(nested("[", "]", 62, one)), in_did(nested("[", "]", 63, one))),
        (in_did(nested(r#"{"not":"#, "}", 62, one)), in_did(nested(r#"{"not":"#, "}", 63, one))),
        (in_did(any_element(62)), in_did(any_element(63))),
        (
            nested(r#"{"not":"#, "}", 31, &in_did(nested(r#"{"all":["#, "]}", 31, one))),
            nested(r#"{"not":"#, "}", 31, &in_did(nested(r#"{"all":["#, "]}", 32, one))),
        ),
    ] {
        read(&legal);
        match error(&illegal) {
            SegmentError::TooDeep { limit: 64, .. } => {}
            other => panic!("{other}: {illegal}"),
        }
    }
}

/// Debug builds are the worst case: what is deepest still reads on half the stack of a usual thread.
#[test]
fn the_deepest_reads_on_a_small_stack() {
    let everyone = r#"{"all":[]}"#;
    let deepest = nested(r#"{"score":{"of":[{"points":1,"if":"#, r#"}],"at_least":1}}"#, 63, everyone);
    let reads = move || {
        read(&deepest);
    };
    std::thread::Builder::new().stack_size(1 << 20).spawn(reads).unwrap().join().unwrap();
}

#[test]
fn absurd_depth_is_an_error_and_no_stack_overflow() {
    for (before, after) in [
        (r#"{"not":"#, "}"),
        (r#"{"all":["#, "]}"),
        ("[", "]"),
        (r#"{"did":{"event":"x","where":["#, "]}}"),
        (r#"{"a":"#, "}"),
    ] {
        for times in [100, 1_000, 100_000] {
            assert!(Segment::from_json(&nested(before, after, times, "1")).is_err());
            assert!(Segment::from_json(&before.repeat(times)).is_err());
        }
    }
}

#[test]
fn nodes_are_limited() {
    let all = |n: usize| format!(r#"{{"all":[{}]}}"#, vec![r#"{"list":"l"}"#; n].join(","));
    read(&all(9_999));
    assert!(matches!(error(&all(10_000)), SegmentError::TooLarge { limit: 10_000, .. }));
    let filters = vec![r#"{"property":"p","eq":1}"#; 9_999].join(",");
    // the behaviour, the list and its items
    let did = format!(r#"{{"did":{{"event":"x","where":[{filters}]}}}}"#);
    assert_eq!(error(&did).path(), "did.where[9998]");
}
