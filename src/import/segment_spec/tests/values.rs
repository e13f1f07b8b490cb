//! Values, flattening, declared kinds.

use super::*;

#[test]
fn scalars() {
    assert_eq!(
        properties(r#"{"a":true,"b":"x","c":1,"d":-1.5,"e":1.0,"f":1e3,"g":null,"h":"","i":-0}"#),
        "a=true b='x' c=1 d=-1.5 e=1.0 f=1000.0 h='' i=0"
    );
    assert_eq!(
        properties(r#"{"a":9223372036854775807,"b":9223372036854775808,"c":-9223372036854775809}"#),
        "a=9223372036854775807 b=9.223372036854776e18 c=-9.223372036854776e18"
    );
    // A date is a string unless it is declared.
    assert_eq!(properties(r#"{"a":"2024-01-01T00:00:00Z"}"#), "a='2024-01-01T00:00:00Z'");
}

#[test]
fn objects_flatten_to_dotted_names() {
    assert_eq!(
        properties(r#"{"cart":{"total":3,"by":{"day":[1]},"x":{}},"y":1}"#),
        "cart.total=3 cart.by.day=[1] y=1"
    );
}

#[test]
fn a_literal_key_wins_over_a_dotted_name() {
    for text in [r#"{"a.b":1,"a":{"b":2}}"#, r#"{"a":{"b":2},"a.b":1}"#] {
        assert_eq!(properties(text), "a.b=1");
    }
    assert_eq!(properties(r#"{"a":{"b":{"c":3}},"a.b":{"c":2},"a.b.c":1}"#), "a.b.c=1");
    assert_eq!(properties(r#"{"a":{"b":{"c":3}},"a.b":{"c":2}}"#), "a.b.c=2");
    // Null is missing, so there is no literal key.
    assert_eq!(properties(r#"{"a.b":null,"a":{"b":2}}"#), "a.b=2");
    // Among traits a null is an entry.
    let lines = written(r#""type":"identify","traits":{"a.b":null,"a":{"b":2}}"#);
    assert_eq!(lines[1], format!("u has a.b=gone from {AT}"));
}

#[test]
fn arrays_are_lists_of_scalars_or_records() {
    assert_eq!(
        properties(r#"{"a":[],"b":[null],"c":[1,null,"x",true,1.5]}"#),
        "a=[] b=[] c=[1,'x',true,1.5]"
    );
    assert_eq!(
        properties(r#"{"p":[{"sku":"s","price":{"net":2,"vat":null}},null,{}]}"#),
        "p=[{price.net=2,sku='s'},{}]"
    );
    assert_eq!(properties(r#"{"p":[{"a.b":1,"a":{"b":2}}]}"#), "p=[{a.b=1}]");
}

#[test]
fn what_fits_nothing_is_kept_as_its_text_and_counted() {
    for (text, want, coerced) in [
        (r#"{"a":[[1, 2], [3]]}"#, "a='[[1, 2], [3]]'", 1),
        (r#"{"a":[1,[2]]}"#, "a='[1,[2]]'", 1),
        (r#"{"a":[{"b":1},2]}"#, r#"a='[{"b":1},2]'"#, 1),
        (r#"{"a":[{"b":[1, 2],"c":3},{"b":[]}]}"#, "a=[{b='[1, 2]',c=3},{b='[]'}]", 2),
        (r#"{"a":1e400,"b":[1e400,1]}"#, "a='1e400' b=['1e400',1]", 2),
    ] {
        let (lines, report) = import(&message(&format!(r#""type":"track","event":"e","properties":{text}"#)));
        assert_eq!(lines, [format!("u did e at {AT} {want}")]);
        assert_eq!(report.coerced, coerced, "{text}");
    }
}

#[test]
fn an_empty_name_is_dropped_and_counted() {
    let dropped = |fields: &str| {
        let (lines, report) = import(&message(fields));
        (lines.len(), report.dropped_names)
    };
    assert_eq!(dropped(r#""type":"track","event":"e","properties":{"":1,"a":2}"#), (1, 1));
    assert_eq!(dropped(r#""type":"track","event":"e","properties":{"":{"a":1}}"#), (1, 1));
    assert_eq!(dropped(r#""type":"track","event":"e","properties":{"":null}"#), (1, 0));
    assert_eq!(dropped(r#""type":"track","event":"e","properties":{"p":[{"":1},{"":2}]}"#), (1, 2));
    assert_eq!(dropped(r#""type":"identify","traits":{"":1},"context":{"traits":{"":2}}"#), (1, 2));
    assert_eq!(dropped(r#""type":"group","traits":{"":1}"#), (0, 1));
    assert_eq!(properties(r#"{"":1,"a":{"":2}}"#), "a.=2");
}

#[test]
fn properties_that_are_no_object_are_left_out_and_counted() {
    for (text, ignored) in [("null", 0), ("[]", 0), ("{}", 0), ("\"x\"", 1), ("[1]", 1), ("7", 1)] {
        let (lines, report) = import(&message(&format!(r#""type":"track","event":"e","properties":{text}"#)));
        assert_eq!(lines, [format!("u did e at {AT}")]);
        assert_eq!(report.ignored, ignored, "{text}");
    }
}

fn declared(object: &str) -> (String, u64) {
    let line = message(&format!(r#""type":"track","event":"e","properties":{object}"#));
    let (lines, report) = import_with(&line, |importer| {
        importer.instants(["t", "o.t", "p.t"]).numbers(["n", "p.n"]).strings(["s", "p.s"])
    });
    (lines[0].strip_prefix(&format!("u did e at {AT}")).unwrap().trim_start().to_owned(), report.unparsed)
}

#[test]
fn declared_names_are_read_so() {
    for (object, want) in [
        (r#"{"n":"30.00"}"#, "n=30.0"),
        (r#"{"n":"30"}"#, "n=30"),
        (r#"{"n":" -3e2 "}"#, "n=-300.0"),
        (r#"{"n":30}"#, "n=30"),
        (r#"{"n":["1",2,"3.5"]}"#, "n=[1,2,3.5]"),
        (r#"{"s":30.00}"#, "s='30.00'"),
        (r#"{"s":true}"#, "s='true'"),
        (r#"{"s":"x"}"#, "s='x'"),
        (r#"{"s":12345678901234567890}"#, "s='12345678901234567890'"),
        (r#"{"s":[1,"2"]}"#, "s=['1','2']"),
        (r#"{"t":"2024-01-02"}"#, "t=@2024-01-02T00:00:00Z"),
        (r#"{"t":"2024-01-02 03:04:05.6789Z"}"#, "t=@2024-01-02T03:04:05.678Z"),
        (r#"{"t":1704067200}"#, "t=@2024-01-01T00:00:00Z"),
        (r#"{"t":[1704067200000]}"#, "t=[@2024-01-01T00:00:00Z]"),
        (r#"{"o":{"t":0}}"#, "o.t=@1970-01-01T00:00:00Z"),
        (r#"{"p":[{"n":"1","s":2,"t":0}]}"#, "p=[{n=1,s='2',t=@1970-01-01T00:00:00Z}]"),
        (r#"{"n":null}"#, ""),
    ] {
        assert_eq!(declared(object), (want.into(), 0), "{object}");
    }
}

#[test]
fn what_does_not_parse_stays_what_it_was_and_is_counted() {
    for (object, want, unparsed) in [
        (r#"{"n":"3 EUR"}"#, "n='3 EUR'", 1),
        (r#"{"n":""}"#, "n=''", 1),
        (r#"{"n":true}"#, "n=true", 1),
        (r#"{"n":"NaN"}"#, "n='NaN'", 1),
        (r#"{"n":"inf"}"#, "n='inf'", 1),
        (r#"{"n":["1","x","y"]}"#, "n=[1,'x','y']", 2),
        (r#"{"n":[[1]]}"#, "n='[[1]]'", 1),
        (r#"{"n":[{"a":1}]}"#, "n=[{a=1}]", 1),
        (r#"{"t":"soon"}"#, "t='soon'", 1),
        (r#"{"t":"1704067200"}"#, "t='1704067200'", 1),
        (r#"{"t":false}"#, "t=false", 1),
        (r#"{"t":1e18}"#, "t=1e18", 1),
        (r#"{"s":[{"a":1}]}"#, "s=[{a=1}]", 1),
        (r#"{"p":[{"n":"x"}]}"#, "p=[{n='x'}]", 1),
    ] {
        assert_eq!(declared(object), (want.into(), unparsed), "{object}");
    }
}

#[test]
fn traits_are_declared_by_their_names_also_in_groups() {
    let line = message(r#""type":"group","userId":"u","traits":{"n":"1","m":"2"}"#);
    let (lines, _) = import_with(&line, |importer| importer.numbers(["n", "group.m"]));
    assert_eq!(lines, [format!("u has group.m=2 from {AT}"), format!("u has group.n=1 from {AT}")]);
    let line = message(r#""type":"identify","traits":{"t":0}"#);
    let (lines, _) = import_with(&line, |importer| importer.instants(["t"]));
    assert_eq!(lines[1], format!("u has t=@1970-01-01T00:00:00Z from {AT}"));
}
