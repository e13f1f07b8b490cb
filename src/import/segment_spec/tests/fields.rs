//! Types, users, instants and ids.

use super::*;

#[test]
fn the_type_is_lower_cased_and_known() {
    for kind in ["track", "TRACK", "Track"] {
        assert_eq!(written(&format!(r#""type":"{kind}","event":"e""#)).len(), 1);
    }
    for fields in [
        r#""a":1"#,
        r#""type":null"#,
        r#""type":"""#,
        r#""type":"tracks""#,
        r#""type":1"#,
        r#""type":" track""#,
    ] {
        assert_eq!(reason(fields), "unknown type");
    }
    let (_, report) = import(
        &["track", "page", "Screen", "identify", "group", "alias"]
            .map(|kind| message(&format!(r#""type":"{kind}","event":"e","previousId":"p","userId":"u""#)))
            .join("\n"),
    );
    assert_eq!(
        report.taken().keys().collect::<Vec<_>>(),
        [&"alias", &"group", &"identify", &"page", &"screen", &"track"]
    );
    assert!(report.taken().values().all(|n| *n == 1));
}

#[test]
fn the_user_is_the_user_id_or_else_the_anonymous_one() {
    let user = |ids: &str| {
        let lines = written(&format!(r#""type":"page",{ids}"#));
        lines[0].split(' ').next().unwrap().to_owned()
    };
    assert_eq!(user(r#""userId":"u","anonymousId":"a""#), "u");
    assert_eq!(user(r#""userId":7,"anonymousId":"a""#), "7");
    assert_eq!(user(r#""userId":-7"#), "-7");
    assert_eq!(user(r#""userId":-0"#), "0");
    assert_eq!(user(r#""userId":123456789012345678901234567890"#), "123456789012345678901234567890");
    for none in ["null", "\"\"", "1.0", "1e3", "true", "[]", "{}", "[\"u\"]"] {
        assert_eq!(user(&format!(r#""userId":{none},"anonymousId":"a""#)), "a");
        assert_eq!(user(&format!(r#""userId":{none},"anonymousId":42"#)), "42");
        assert_eq!(reason(&format!(r#""type":"page","userId":{none},"anonymousId":{none}"#)), "no user");
    }
    assert_eq!(reason_of_line(r#"{"type":"page","timestamp":1}"#), "no user");
}

#[test]
fn the_instant_is_the_first_that_says_something() {
    let at = |fields: &str| {
        let (lines, _) = import(&format!(r#"{{"type":"page","userId":"u",{fields}}}"#));
        lines[0].strip_prefix("u did page at ").unwrap().to_owned()
    };
    assert_eq!(
        at(r#""receivedAt":4,"sentAt":3,"originalTimestamp":2,"timestamp":1"#),
        "1970-01-01T00:00:01Z"
    );
    assert_eq!(
        at(r#""receivedAt":4,"sentAt":3,"originalTimestamp":2,"timestamp":null"#),
        "1970-01-01T00:00:02Z"
    );
    assert_eq!(at(r#""receivedAt":4,"sentAt":3,"originalTimestamp":"""#), "1970-01-01T00:00:03Z");
    assert_eq!(at(r#""receivedAt":4"#), "1970-01-01T00:00:04Z");
    assert_eq!(at(r#""timestamp":"2015-02-23 22:28:55.38799+01:00""#), "2015-02-23T21:28:55.387Z");
    assert_eq!(at(r#""timestamp":"2015-02-23""#), "2015-02-23T00:00:00Z");
    assert_eq!(at(r#""timestamp":1424730535.387"#), "2015-02-23T22:28:55.387Z");
    assert_eq!(at(r#""timestamp":1424730535387"#), "2015-02-23T22:28:55.387Z");
}

#[test]
fn a_malformed_instant_is_rejected_without_falling_through() {
    for bad in [
        "\" \"",
        "\"yesterday\"",
        "\"2015-02-23T22:28:55\"",
        "\"1424730535\"",
        "true",
        "false",
        "[]",
        "{}",
        "1e18",
    ] {
        let line = format!(r#"{{"type":"page","userId":"u","timestamp":{bad},"sentAt":1}}"#);
        assert_eq!(reason_of_line(&line), "bad instant");
    }
}

#[test]
fn without_an_instant_the_callers_counts() {
    let line = r#"{"type":"page","userId":"u","timestamp":null,"sentAt":""}"#;
    assert_eq!(reason_of_line(line), "no instant");
    let (written, _) = import_with(line, |importer| importer.instant_if_none(Timestamp::from_millis(5_000)));
    assert_eq!(written, ["u did page at 1970-01-01T00:00:05Z"]);
}

#[test]
fn reasons_come_in_the_order_of_the_page() {
    assert_eq!(reason_of_line(r#"{"userId":"","timestamp":"x"}"#), "unknown type");
    assert_eq!(reason_of_line(r#"{"type":"track","timestamp":"x"}"#), "no user");
    assert_eq!(reason_of_line(r#"{"type":"track","userId":"u","timestamp":"x"}"#), "bad instant");
    assert_eq!(reason_of_line(r#"{"type":"track","userId":"u"}"#), "no instant");
    assert_eq!(reason_of_line(r#"{"type":"track","userId":"u","timestamp":1}"#), "no event name");
}

#[test]
fn the_message_id_is_that_of_the_event() {
    let track = |id: &str| message(&format!(r#""type":"track","event":"e","userId":"u","messageId":{id}"#));
    let (written, report) = import(&[track("\"m\""), track("\"m\""), track("\"n\"")].join("\n"));
    assert_eq!(written.len(), 2);
    assert_eq!((report.events, report.duplicates, report.messages), (2, 1, 3));
    for none in ["\"\"", "null", "7", "[]"] {
        let (_, report) = import(&[track(none), track(none)].join("\n"));
        assert_eq!((report.events, report.duplicates), (2, 0));
    }
    let identify = message(r#""type":"identify","userId":"u","messageId":"m""#);
    let (_, report) = import(&[identify.clone(), identify, track("\"m\"")].join("\n"));
    assert_eq!((report.events, report.duplicates), (1, 0));
}

#[test]
fn of_a_key_given_twice_the_last_counts() {
    assert_eq!(
        written(r#""type":"x","type":"page","userId":"t","userId":"u""#),
        [format!("u did page at {AT}")]
    );
    assert_eq!(properties(r#"{"a":1,"b":{"c":1},"a":2,"b":{"d":2}}"#), "a=2 b.d=2");
    assert_eq!(properties(r#"{"a":1,"a":null}"#), "");
}

#[test]
fn events_older_than_what_is_retained_are_counted() {
    let mut store = Notebook { horizon: Some(Timestamp::MAX), ..Notebook::default() };
    let report = Importer::segment_spec().read(message(r#""type":"page""#).as_bytes(), &mut store).unwrap();
    assert_eq!((report.messages, report.events, report.before_horizon), (1, 0, 1));
}
