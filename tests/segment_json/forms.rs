//! Form by form: what reads, and the path of what does not.

use whodid::segment::SegmentError;

use crate::reading::{error, read};

#[test]
fn errors_name_the_path() {
    for (text, path) in [
        ("", ""),
        ("null", ""),
        ("[]", ""),
        ("{}", ""),
        (r#"{"all":[{"all":[]},{"did":{"event":"x","in":{"last":"1q"}}}]}"#, "all[1].did.in.last"),
        (r#"{"not":[]}"#, "not"),
        (r#"{"did":{}}"#, "did"),
        (r#"{"did":{"event":["a",""]}}"#, "did.event[1]"),
        (r#"{"did":{"event":["a",1]}}"#, "did.event[1]"),
        (r#"{"did":{"event":"x","where":[{"property":"p","matches":"("}]}}"#, "did.where[0].matches"),
        (
            r#"{"did":{"event":"x","where":{"all":[[{"property":"","eq":1}]]}}}"#,
            "did.where.all[0][0].property",
        ),
        (
            r#"{"did":{"event":"x","where":{"property":"p","any_element":[{"not":[{"property":"q","gt":true}]}]}}}"#,
            "did.where.any_element[0].not[0].gt",
        ),
        (r#"{"did":{"event":"x","where":{}}}"#, "did.where"),
        (r#"{"did":{"event":"x","where":{"property":"p"}}}"#, "did.where"),
        (r#"{"did":{"event":"x","where":{"all":[],"any":[]}}}"#, "did.where"),
        (r#"{"did":{"event":"x","times":3}}"#, "did.times"),
        (r#"{"did":{"event":"x","times":{"between":[1]}}}"#, "did.times.between"),
        (r#"{"did":{"event":"x","times":{"between":[1,2,3]}}}"#, "did.times.between"),
        (r#"{"did":{"event":"x","times":{"between":[1,"2"]}}}"#, "did.times.between[1]"),
        (r#"{"did":{"event":"x","times":{"between":[1,2],"at_least":1}}}"#, "did.times"),
        (r#"{"did":{"event":"x","times":{"exactly":1,"between":[1,2]}}}"#, "did.times"),
        (r#"{"did":{"event":"x","times":{"at_most":1,"less_than":2}}}"#, "did.times"),
        (r#"{"did":{"event":"x","times":{"at_least":1.0}}}"#, "did.times"),
        (r#"{"did":{"event":"x","distinct":{"of":"p","at_least":1e0}}}"#, "did.distinct"),
        (r#"{"did":{"event":"x","sum":{"of":"p","more_than":1,"less_than":1.0}}}"#, "did.sum"),
        (r#"{"did":{"event":"x","sum":{"at_least":1}}}"#, "did.sum"),
        (r#"{"did":{"event":"x","active":{"unit":"year","at_least":1}}}"#, "did.active.unit"),
        (r#"{"did":{"event":"x","active":{"unit":"Day","at_least":1}}}"#, "did.active.unit"),
        (
            r#"{"did":{"event":"x","active":{"unit":"day","tz":"europe/berlin","at_least":1}}}"#,
            "did.active.tz",
        ),
        (r#"{"did":{"event":"x","in":{"calendar":{"unit":"hour","back":[0,0]}}}}"#, "did.in.calendar.unit"),
        (
            r#"{"did":{"event":"x","in":{"calendar":{"unit":"day","back":[1.0,0]}}}}"#,
            "did.in.calendar.back[0]",
        ),
        (r#"{"did":{"event":"x","in":{"last":"1d","before":"2d"}}}"#, "did.in"),
        (
            r#"{"did":{"event":"x","in":{"from":"2026-01-01T00:00:00Z","to":"2026-02-01T00:00:00Z","last":"1d"}}}"#,
            "did.in",
        ),
        (r#"{"did":{"event":"x","in":{"from":{"instant":"2026-01-01T00:00:00Z"}}}}"#, "did.in.from"),
        (r#"{"did":{"event":"x","in":{"around":{"of":"sen","after":"1d"}}}}"#, "did.in.around.of"),
        (r#"{"did":{"event":"x","in":{"around":{"of":{},"after":"1d"}}}}"#, "did.in.around.of"),
        (r#"{"did":{"event":"x","in":{"around":{"of":"seen","after":"never"}}}}"#, "did.in.around.after"),
        (
            r#"{"did":{"event":"x","in":{"around":{"of":{"first":{"event":"y","times":{"at_least":1}}},"after":"1d"}}}}"#,
            "did.in.around.of.first.times",
        ),
        (r#"{"did":{"event":"x","latest":{"in":{"last":"1d"}},"in":{"last":"1d"}}}"#, "did.in"),
        (r#"{"did":{"event":"x","first_value":{"of":"p","eq":1},"same":"q"}}"#, "did.same"),
        (r#"{"did":{"event":"x","first_value":{"of":"p","eq":1,"at_least":1}}}"#, "did.first_value.at_least"),
        (r#"{"sequence":{"steps":{}}}"#, "sequence.steps"),
        (r#"{"sequence":{"steps":[{"event":"a","after":"1d"}]}}"#, "sequence.steps[0].after"),
        (r#"{"sequence":{"steps":[{"event":"a","without":{"event":"b"}}]}}"#, "sequence.steps[0].without"),
        (
            r#"{"sequence":{"steps":[{"event":"a"},{"event":"b","without":{"event":"c","within":"1d"}}]}}"#,
            "sequence.steps[1].without.within",
        ),
        (
            r#"{"sequence":{"steps":[{"event":"a"}],"then_not":{"event":"b","within":"0d"}}}"#,
            "sequence.then_not.within",
        ),
        (r#"{"attribute":{"name":"a","exists":1}}"#, "attribute.exists"),
        (r#"{"attribute":{"name":"a","contains":1}}"#, "attribute.contains"),
        (r#"{"attribute":{"name":"a","eq":"x","ignore_case":1}}"#, "attribute.ignore_case"),
        (r#"{"attribute":{"name":"a","exists":true,"ignore_case":false}}"#, "attribute.ignore_case"),
        (r#"{"attribute":{"name":"a","eq":{"instant":"2026-01-01"}}}"#, "attribute.eq.instant"),
        (r#"{"attribute":{"name":"a","eq":{"instants":"2026-01-01"}}}"#, "attribute.eq"),
        (r#"{"attribute":{"name":"a","in":[1,[2]]}}"#, "attribute.in[1]"),
        (r#"{"attribute":{"name":"a","between":[true,true]}}"#, "attribute.between[0]"),
        (r#"{"attribute":{"name":"a","within":{}}}"#, "attribute.within"),
        (r#"{"attribute":{"name":"a","anniversary":"7d"}}"#, "attribute.anniversary"),
        (r#"{"attribute":{"name":"a","anniversary":{"next":"7d","tz":"utc"}}}"#, "attribute.anniversary.tz"),
        (r#"{"attribute":{"name":"a","eq":1,"for":30}}"#, "attribute.for"),
        (r#"{"attribute":{"eq":1}}"#, "attribute"),
        (r#"{"changed":{"name":"a","from":null}}"#, "changed.from"),
        (r#"{"changed":{"name":"a","in":{"next":"1d"}}}"#, "changed.in.next"),
        (r#"{"seen":{"in":{"last":"1d"},"for":"1d"}}"#, "seen.for"),
        (r#"{"score":{"of":[{"if":{"all":[]}}],"at_least":1}}"#, "score.of[0]"),
        (r#"{"score":{"of":[{"points":1}],"at_least":1}}"#, "score.of[0]"),
        (
            r#"{"score":{"of":[{"points":1,"per":{"event":"x","avg":{"of":"p"}}}],"at_least":1}}"#,
            "score.of[0].per.avg",
        ),
        (
            r#"{"score":{"of":[{"points":1,"per":{"event":"x","sum":{"of":"p","at_least":1}}}],"at_least":1}}"#,
            "score.of[0].per.sum.at_least",
        ),
        (
            r#"{"score":{"of":[{"points":1,"per":{"event":"x","same":"p"}}],"at_least":1}}"#,
            "score.of[0].per.same",
        ),
        (r#"{"score":{"of":[]}}"#, "score"),
        (r#"{"segment":""}"#, "segment"),
        (r#"{"list":["a"]}"#, "list"),
        (r#"{"sample":{"from":0,"to":50}}"#, "sample"),
        (r#"{"sample":{"salt":"s","from":-0.5,"to":50}}"#, "sample"),
        (r#"{"sample":{"salt":"s","from":0,"to":100.5}}"#, "sample"),
    ] {
        let error = error(text);
        assert_eq!(error.path(), path, "{text}: {error}");
    }
}

#[test]
fn what_the_law_allows_reads() {
    for text in [
        r#"{"did":{"event":"x","times":{"less_than":0}}}"#,
        r#"{"did":{"event":"x","times":{"more_than":3,"less_than":4}}}"#,
        r#"{"did":{"event":"x","sum":{"of":"p","exactly":-1.5e3}}}"#,
        r#"{"did":{"event":["a"],"where":[]}}"#,
        r#"{"did":{"event":"a\\*","where":{"any":[]}}}"#,
        r#"{"did":{"event":"x","in":{"around":{"of":"seen","before":"ever","after":"ever"}},"same":"p"}}"#,
        r#"{"did":{"event":"x","first":{"in":{"around":{"of":{"attribute":"a"},"before":"1d"}}}}}"#,
        r#"{"did":{"event":"x","in":{"last":"10000y"}}}"#,
        r#"{"did":{"event":"x","in":{"calendar":{"unit":"quarter","back":[9223372036854775807,0]}}}}"#,
        r#"{"attribute":{"name":"a","in":[]}}"#,
        r#"{"attribute":{"name":"a","between":[1,1.0]}}"#,
        r#"{"attribute":{"name":"a","eq":-0.0}}"#,
        r#"{"attribute":{"name":"a","not_matches":"(?i)x","ignore_case":true}}"#,
        r#"{"attribute":{"name":"a","not_in":["x"],"ignore_case":false}}"#,
        r#"{"attribute":{"name":"a","within":{"calendar":{"unit":"year","back":[-1,-3]}}}}"#,
        r#"{"attribute":{"name":"a","within":{"from":"2026-01-01T00:00:00+02:00"},"for":"30d"}}"#,
        r#"{"changed":{"name":"a","in":{"around":{"of":"seen","after":"1d"}}}}"#,
        r#"{"score":{"of":[],"at_least":0}}"#,
        r#"{"sample":{"salt":"","from":0,"to":0}}"#,
        r#"{"sample":{"salt":"s","from":33.3,"to":1e2}}"#,
        " {\n\"all\" : [ ] }\t",
    ] {
        read(text);
    }
}

#[test]
fn text_is_read_strictly() {
    for (text, line, column) in [
        (r#"{"all":[]}{}"#, 1, 11),
        ("{\"all\":[],\n \"all\":[]}", 2, 2),
        (r#"{"sample":{"salt":"s","from":0,"to":1e400}}"#, 1, 37),
        (r#"{"list":"\ud800"}"#, 1, 10),
        (r#"{"all":[],}"#, 1, 11),
    ] {
        match error(text) {
            SegmentError::Syntax { line: l, column: c, message } => {
                assert_eq!((l, c), (line, column), "{text}: {message}");
            }
            other => panic!("{text}: {other}"),
        }
    }
}
