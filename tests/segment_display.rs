//! Segments in plain English.

#![allow(clippy::panic)] // a helper of tests, outside of #[test]

use whodid::segment::Segment;

fn english(json: &str) -> String {
    Segment::from_json(json).unwrap_or_else(|e| panic!("{json}: {e}")).to_string()
}

fn check(cases: &[(&str, &str)]) {
    for (json, want) in cases {
        assert_eq!(english(json), *want, "{json}");
    }
}

#[test]
fn joins_read_in_one_way_only() {
    check(&[
        (r#"{"all":[]}"#, "everyone"),
        (r#"{"any":[]}"#, "no one"),
        (
            r#"{"all":[{"did":{"event":"a"}},{"any":[{"segment":"b"},{"list":"c d"}]}]}"#,
            r#"did a and (is in segment b or is on list "c d")"#,
        ),
        (r#"{"not":{"any":[{"did":{"event":"a"}},{"did":{"event":"b"}}]}}"#, "not (did a or did b)"),
        (r#"{"not":{"not":{"did":{"event":"a"}}}}"#, "not (did not do a)"),
        (r#"{"not":{"attribute":{"name":"plan","eq":"pro"}}}"#, r#"not (plan is "pro")"#),
        (r#"{"not":{"segment":"b"}}"#, "is not in segment b"),
        (r#"{"not":{"seen":{"in":{"last":"1d"}}}}"#, "was not first seen in the last day"),
    ]);
}

#[test]
fn behaviours() {
    check(&[
        (
            r#"{"did":{"event":"feature_used","times":{"at_least":5},"in":{"last":"30d"}}}"#,
            "did feature_used at least 5 times in the last 30 days",
        ),
        (
            r#"{"not":{"did":{"event":"log in","in":{"calendar":{"unit":"month","back":[0,0],"tz":"Europe/Berlin"}}}}}"#,
            r#"did not do "log in" this calendar month (Europe/Berlin)"#,
        ),
        (r#"{"did":{"event":"*","times":{"exactly":1}}}"#, "did any event exactly once"),
        (
            r#"{"did":{"event":["email_*","sms"],"times":{"at_most":3}}}"#,
            "did any of (email_*, sms) at most 3 times",
        ),
        (
            r#"{"did":{"event":"purchase","where":[{"property":"amount","gt":100},{"property":"vat id","exists":false}],
                "sum":{"of":"amount","more_than":1.0,"at_most":500},"in":{"before":"1d12h"}}}"#,
            r#"did purchase where (amount is more than 100 and "vat id" is missing) with a total amount of more than 1.0 and at most 500 1 day 12 hours ago or earlier"#,
        ),
        (
            r#"{"did":{"event":"view","times":{"at_least":3},"same":"item","in":{"ago":["2mo","1d"]}}}"#,
            "did view at least 3 times with the same item between 2 months and 1 day ago",
        ),
        (
            r#"{"did":{"event":"login","active":{"unit":"day","tz":"Europe/Berlin","at_least":5},"in":{"last":"14d"}}}"#,
            "did login on at least 5 days (Europe/Berlin) in the last 14 days",
        ),
        (
            r#"{"did":{"event":"view","distinct":{"of":"item","between":[2,4]}}}"#,
            "did view with between 2 and 4 distinct values of item",
        ),
        (
            r#"{"did":{"event":"a","first":{"in":{"around":{"of":"seen","after":"7d"}}}}}"#,
            "did a for the first time within 7 days after being first seen",
        ),
        (
            r#"{"did":{"event":"a","latest":{"in":{"from":"2026-01-01T00:00:00Z","to":"2026-02-01T06:00:00Z"}}}}"#,
            "did a most recently from 2026-01-01 until 2026-02-01T06:00:00Z",
        ),
        (
            r#"{"did":{"event":"buy","latest_value":{"of":"plan","in":["a","b"],"ignore_case":true},"in":{"last":"1mo"}}}"#,
            r#"did buy in the last month (latest plan is one of ("a", "b") ignoring case)"#,
        ),
        (
            r#"{"did":{"event":"a","in":{"around":{"of":{"latest":{"event":"b","where":{"property":"p","eq":1}}},"before":"1h","after":"ever"}}}}"#,
            "did a at any time from 1 hour before their latest b where (p is 1)",
        ),
    ]);
}

#[test]
fn sequences() {
    check(&[
        (
            r#"{"sequence":{"steps":[{"event":"add"},{"event":"checkout","within":"1h","after":"1s","without":{"event":"drop"}}],
                "within":"2d","then_not":{"event":"purchase","within":"1d"},"same":"cart_id","in":{"last":"30d"}}}"#,
            "did (add, then checkout at least 1 second later within 1 hour without drop in between, \
             then no purchase for 1 day) all within 2 days with the same cart_id in the last 30 days",
        ),
        (r#"{"not":{"sequence":{"steps":[{"event":"a"},{"event":"b"}]}}}"#, "did not do (a, then b)"),
    ]);
}

#[test]
fn attributes_and_tests() {
    check(&[
        (
            r#"{"attribute":{"name":"trial_ends_at","within":{"next":"3d"}}}"#,
            "trial_ends_at is in the next 3 days",
        ),
        (
            r#"{"attribute":{"name":"ends","within":{"ahead":["3d","7d"]}}}"#,
            "ends is between 3 days and 7 days from now",
        ),
        (
            r#"{"attribute":{"name":"ends","within":{"calendar":{"unit":"day","back":[-1,-1]}}}}"#,
            "ends is tomorrow",
        ),
        (
            r#"{"attribute":{"name":"born","anniversary":{"next":"7d","tz":"Asia/Tokyo"}}}"#,
            "born has an anniversary today or in the next 7 days (Asia/Tokyo)",
        ),
        (
            r#"{"attribute":{"name":"plan","ne":"pro","for":"1y6mo"}}"#,
            r#"plan is not "pro" throughout the last 1 year 6 months"#,
        ),
        (
            r#"{"attribute":{"name":"since","gte":{"instant":"2026-01-01T00:00:00Z"}}}"#,
            "since is at or after 2026-01-01",
        ),
        (
            r#"{"attribute":{"name":"products","any_element":{"any":[{"property":"sku","starts_with":"x"},{"not":[]}]}}}"#,
            r#"products has an element where (sku starts with "x" or not (anything))"#,
        ),
        (
            r#"{"changed":{"name":"plan","from":"a","to":"b","in":{"last":"1w"}}}"#,
            r#"plan changed from "a" to "b" in the last 7 days"#,
        ),
        (r#"{"changed":{"name":"plan"}}"#, "plan changed"),
    ]);
}

#[test]
fn scores_and_samples() {
    check(&[
        (
            r#"{"score":{"of":[{"points":1,"if":{"did":{"event":"a"}}},{"points":1,"if":{"did":{"event":"b"}}}],"at_least":2}}"#,
            "meets at least 2 of (did a; did b)",
        ),
        (
            r#"{"score":{"of":[{"points":10,"if":{"did":{"event":"a"}}},{"points":-2,"per":{"event":"b","in":{"last":"7d"}}},
                {"points":1,"per":{"event":"c","active":{"unit":"week"}}},{"points":1,"per":{"event":"d","sum":{"of":"x"}}}],
                "at_least":50,"less_than":60}}"#,
            "scores at least 50 and less than 60 of (10 if did a; -2 times the number of b in the last 7 days; \
             1 times the weeks with c; 1 times the total x of d)",
        ),
        (
            r#"{"sample":{"salt":"spring","from":0,"to":12.5}}"#,
            r#"falls between 0% and 12.5% of split "spring""#,
        ),
    ]);
}

#[test]
fn calendars() {
    for (unit, back, want) in [
        ("day", "[0,0]", "today"),
        ("day", "[1,1]", "yesterday"),
        ("week", "[1,1]", "last calendar week"),
        ("month", "[3,1]", "in the last 3 complete months"),
        ("month", "[1,0]", "in this and the last calendar month"),
        ("year", "[2,0]", "in this and the last 2 calendar years"),
        ("quarter", "[4,2]", "in the calendar quarters from 4 back to 2 back"),
        ("quarter", "[4,4]", "in the calendar quarter 4 back"),
    ] {
        let json =
            format!(r#"{{"did":{{"event":"a","in":{{"calendar":{{"unit":"{unit}","back":{back}}}}}}}}}"#);
        assert_eq!(english(&json), format!("did a {want}"));
    }
}
