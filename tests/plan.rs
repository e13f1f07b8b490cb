//! Plans: what is asked once, what is folded away, how it prints, and what cannot be asked.

#![allow(clippy::expect_used, clippy::panic)]

use whodid::segment::Segment;
use whodid::{Catalog, Plan, PlanError};

fn segment(json: &str) -> Segment {
    Segment::from_json(json).unwrap_or_else(|error| panic!("{json}: {error}"))
}

fn plan(json: &str) -> String {
    Plan::of(&segment(json)).unwrap_or_else(|error| panic!("{json}: {error}")).to_string()
}

/// Two segments that mean the same are planned alike.
fn same(a: &str, b: &str) {
    assert_eq!(plan(a), plan(b), "{a} and {b}");
}

const A: &str = r#"{"did":{"event":"a"}}"#;
const B: &str = r#"{"did":{"event":"b"}}"#;

fn join(form: &str, of: &[&str]) -> String {
    format!(r#"{{"{form}":[{}]}}"#, of.join(","))
}

fn not(of: &str) -> String {
    format!(r#"{{"not":{of}}}"#)
}

#[test]
fn a_plan_prints_what_will_be_asked() {
    let json = r#"{"all":[
        {"attribute":{"name":"plan","eq":"pro"}},
        {"did":{"event":"login","in":{"last":"30d"}}},
        {"not":{"any":[{"list":"staff"},{"did":{"event":"login","in":{"last":"7d"}}}]}},
        {"score":{"of":[{"points":5,"if":{"did":{"event":"login","in":{"last":"7d"}}}},
                        {"points":-2,"per":{"event":"ticket"}}],"at_least":3}}
    ]}"#;
    let mut catalog = Catalog::new();
    catalog.insert_list("staff", ["ada"]).expect("a list");
    catalog.insert("fading", segment(json)).expect("valid");
    catalog.insert("others", segment(r#"{"not":{"segment":"fading"}}"#)).expect("valid");
    assert_eq!(
        catalog.plan().expect("valid").to_string(),
        "[1] plan is \"pro\"\n\
         [2] did login in the last 30 days\n\
         [3] is on list staff\n\
         [4] did login in the last 7 days\n\
         [m1] number of ticket\n\
         step 1 = [1] and [2] and (5 × [4] − 2 × [m1] is at least 3) and not [3] and not [4]\n\
         fading = step 1\n\
         others = not step 1"
    );
}

#[test]
fn joins_are_flattened_and_said_once() {
    let ab = join("all", &[A, B]);
    same(&ab, &join("all", &[A, B, A]));
    same(&ab, &join("all", &[A, &join("all", &[B, &join("all", &[A])])]));
    same(&join("any", &[A, B]), &join("any", &[&join("any", &[A]), B]));
    same(A, &join("all", &[A, A]));
    same(A, &not(&not(A)));
}

#[test]
fn everyone_and_no_one_are_folded() {
    let (everyone, no_one) = (r#"{"all":[]}"#, r#"{"any":[]}"#);
    same(A, &join("all", &[A, everyone]));
    same(no_one, &join("all", &[A, no_one]));
    same(everyone, &join("any", &[A, everyone]));
    same(A, &join("any", &[A, no_one]));
    same(everyone, &not(no_one));
    same(no_one, &join("all", &[A, &not(A)]));
    same(everyone, &join("any", &[&not(A), B, A]));
    assert_eq!(plan(no_one), "members = no one");
    // "At least 0 times" is everyone; around an anchor, or of one item, it is not.
    let times = |more: &str| format!(r#"{{"did":{{"event":"a","times":{{"at_least":0}}{more}}}}}"#);
    same(everyone, &times(""));
    same(everyone, &times(r#","in":{"last":"30d"}"#));
    assert!(plan(&times(r#","same":"item""#)).starts_with("[1] did a at least 0 times"));
    assert!(
        plan(&times(r#","in":{"around":{"of":"seen","after":"7d"}}"#)).starts_with("[1] did a at least 0")
    );
    same(no_one, r#"{"did":{"event":"a","times":{"less_than":0}}}"#);
    same(no_one, r#"{"attribute":{"name":"plan","in":[]}}"#);
    same(everyone, r#"{"attribute":{"name":"plan","not_in":[]}}"#);
    same(no_one, r#"{"sample":{"salt":"s","from":7,"to":7.0}}"#);
    same(everyone, r#"{"sample":{"salt":"s","from":0,"to":100}}"#);
    same(everyone, r#"{"score":{"of":[],"at_most":0}}"#);
    same(no_one, r#"{"score":{"of":[{"points":0,"if":{"did":{"event":"a"}}}],"at_least":1}}"#);
}

#[test]
fn negations_meet_the_leaf_they_negate() {
    same(&not(A), r#"{"did":{"event":"a","times":{"exactly":0}}}"#);
    same(
        &not(r#"{"did":{"event":"a","times":{"more_than":3}}}"#),
        r#"{"did":{"event":"a","times":{"at_most":3}}}"#,
    );
    same(
        &not(r#"{"did":{"event":"a","active":{"unit":"day","at_least":4}}}"#),
        r#"{"did":{"event":"a","active":{"unit":"day","less_than":4}}}"#,
    );
    for (positive, negative) in [
        (r#""eq":1"#, r#""ne":1"#),
        (r#""in":[1,2]"#, r#""not_in":[1,2]"#),
        (r#""contains":"x""#, r#""not_contains":"x""#),
        (r#""matches":"x""#, r#""not_matches":"x""#),
        (r#""exists":true"#, r#""exists":false"#),
        (r#""eq":"x","ignore_case":true"#, r#""ne":"x","ignore_case":true"#),
    ] {
        let attribute = |test: &str| format!(r#"{{"attribute":{{"name":"plan",{test}}}}}"#);
        same(&not(&attribute(positive)), &attribute(negative));
    }
    // What was so all the time is another matter.
    let held = r#"{"attribute":{"name":"plan","ne":1,"for":"1d"}}"#;
    assert_eq!(plan(held).matches("not").count(), 1, "{}", plan(held));
    // De Morgan, both ways.
    same(&join("all", &[&not(A), &not(B)]), &not(&join("any", &[A, B])));
    same(&join("any", &[&not(A), &not(B)]), &not(&join("all", &[A, B])));
    let c = r#"{"did":{"event":"c"}}"#;
    same(&join("all", &[c, &not(&join("any", &[A, B]))]), &join("all", &[c, &not(A), &not(B)]));
}

#[test]
fn leaves_that_ask_the_same_are_one() {
    same(A, r#"{"did":{"event":["a"],"where":[],"times":{"more_than":0}}}"#);
    same(
        r#"{"did":{"event":["email_*"]}}"#,
        r#"{"did":{"event":["email_open","email_*","email_click","email_sent_*","email_*"]}}"#,
    );
    same(r#"{"did":{"event":["a","b"]}}"#, r#"{"did":{"event":["b","a","b"]}}"#);
    same(r#"{"did":{"event":"*"}}"#, r#"{"did":{"event":["a","*"]}}"#);
    same(
        r#"{"did":{"event":"a","in":{"last":"7d"}}}"#,
        r#"{"did":{"event":"a","latest":{"in":{"last":"7d"}}}}"#,
    );
    same(
        r#"{"did":{"event":"a","in":{"before":"7d"}}}"#,
        r#"{"did":{"event":"a","first":{"in":{"before":"7d"}}}}"#,
    );
    same(r#"{"attribute":{"name":"plan","eq":1}}"#, r#"{"attribute":{"name":"plan","in":[1]}}"#);
    let twice =
        join("all", &[r#"{"attribute":{"name":"a","eq":1}}"#, r#"{"attribute":{"name":"a","eq":1.0}}"#]);
    assert_eq!(plan(&twice), "[1] a is 1\nmembers = [1]");
    // The most recent one a while ago is no matter of any one.
    assert_ne!(
        plan(r#"{"did":{"event":"a","in":{"before":"7d"}}}"#),
        plan(r#"{"did":{"event":"a","latest":{"in":{"before":"7d"}}}}"#),
    );
}

#[test]
fn doublings_are_no_work() {
    let mut catalog = Catalog::new();
    catalog.insert("s0", segment(r#"{"did":{"event":"a"}}"#)).expect("valid");
    for i in 1..=31 {
        let doubled = format!(
            r#"{{"any":[{{"all":[{{"segment":"s{0}"}},{{"did":{{"event":"b{0}"}}}}]}},{{"segment":"s{0}"}}]}}"#,
            i - 1
        );
        catalog.insert(format!("s{i}"), segment(&doubled)).expect("valid");
        if i > 21 {
            // Three deep a doubling: 64 are not enough for 22 of them and a leaf.
            assert!(matches!(catalog.plan(), Err(PlanError::TooDeep { .. })), "{i}");
            return;
        }
        assert_eq!(catalog.plan().expect("valid").leaves().len(), i + 1);
    }
}

#[test]
fn a_long_chain_of_names_is_too_deep_and_does_not_exhaust_the_stack() {
    let mut catalog = Catalog::new();
    for i in 0..100_000 {
        let next = format!(r#"{{"segment":"s{}"}}"#, i + 1);
        catalog.insert(format!("s{i}"), segment(&next)).expect("valid");
    }
    catalog.insert("s100000", segment(A)).expect("valid");
    assert!(matches!(catalog.plan(), Err(PlanError::TooDeep { .. })));
    let near = segment(r#"{"segment":"s99940"}"#);
    assert!(catalog.plan_of(&near).is_ok(), "61 names and a leaf");
}

#[test]
fn the_whole_is_checked_before_any_of_it_is_planned() {
    let mut catalog = Catalog::new();
    catalog.insert("a", segment(r#"{"all":[{"segment":"b"}]}"#)).expect("valid");
    let error = catalog.plan().expect_err("no b");
    assert_eq!(error.to_string(), r#"segments.a.all[0].segment: there is no segment "b""#);
    catalog.insert("b", segment(r#"{"not":{"segment":"c"}}"#)).expect("valid");
    catalog.insert("c", segment(r#"{"any":[{"did":{"event":"x"}},{"segment":"a"}]}"#)).expect("valid");
    let error = catalog.plan().expect_err("a circle");
    assert_eq!(error.to_string(), "the segments name each other in a circle: a → b → c → a");
    assert!(catalog.plan_of(&segment(A)).is_ok(), "what it does not name is no matter");
    catalog.insert("c", segment(r#"{"any":[{"all":[]},{"list":"staff"}]}"#)).expect("valid");
    let error = catalog.plan().expect_err("no list, in a branch nobody needs");
    assert_eq!(error.to_string(), r#"segments.c.any[1].list: there is no list "staff""#);
    let error = Plan::of(&segment(r#"{"list":"staff"}"#)).expect_err("no lists at all");
    assert!(matches!(error, PlanError::UnknownList { .. }));
}
