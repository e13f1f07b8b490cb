use proptest::prelude::*;
use serde_json::Value;

use super::reader::plain_prefix;
use super::*;

/// The same document as `serde_json` would have it.
fn plain(json: Json<'_>) -> Value {
    match json.kind() {
        Kind::Null => Value::Null,
        Kind::Bool(b) => Value::Bool(b),
        Kind::Whole(text) | Kind::Number(text) => serde_json::from_str(text).unwrap(),
        Kind::String(s) => Value::String(s.into_owned()),
        Kind::Array => Value::Array(json.children().map(plain).collect()),
        Kind::Object => {
            let entries: Vec<_> =
                json.children().map(|child| (child.key().into_owned(), plain(child))).collect();
            let map: serde_json::Map<_, _> = entries.iter().cloned().collect();
            assert_eq!(map.len(), entries.len(), "a key is handed out twice");
            Value::Object(map)
        }
    }
}

fn read(text: &str) -> Option<Value> {
    Document::default().read(text).ok().map(|tape| plain(tape.root()))
}

fn assert_like_serde(text: &str) {
    assert_eq!(read(text), serde_json::from_str(text).ok(), "{text}");
}

#[test]
fn reads_what_serde_json_reads() {
    for text in [
        "{}",
        "[]",
        "null",
        " true ",
        "\t[ 1 , -2.5e3 , {\"a\" : [ ] } ]\r\n",
        "\"\"",
        "\"a\\u00e9\\n\\\"\\/\\\\\"",
        "0",
        "-0",
        "1.0",
        "18446744073709551616",
        "\"\\ud83d\\ude00\"",
        "\"é😀\"",
        "{\"a\":1,\"b\":2,\"a\":{\"c\":3}}",
        "{\"a\":1,\"\\u0061\":2}",
        "{\"\":1,\"\":2}",
        "[[[[[[[]]]]]]]",
        "{\"a\":{\"a\":{\"a\":1}},\"b\":[{\"a\":1}]}",
    ] {
        assert!(read(text).is_some(), "{text}");
        assert_like_serde(text);
    }
}

#[test]
fn refuses_what_is_no_json() {
    for text in [
        "",
        " ",
        "{",
        "}",
        "[",
        "]",
        "[1",
        "[1,",
        "[1,]",
        "[,1]",
        "{\"a\"}",
        "{\"a\":}",
        "{\"a\":1,}",
        "{a:1}",
        "{'a':1}",
        "[1}",
        "{\"a\":1]",
        "nul",
        "nulll",
        "tru",
        "01",
        "-",
        "-a",
        "1.",
        ".5",
        "1e",
        "1e+",
        "+1",
        "NaN",
        "Infinity",
        "0x1",
        "\"",
        "\"\\\"",
        "\"\\x\"",
        "\"\\u12\"",
        "\"\\u12g4\"",
        "\"a\nb\"",
        "\"\u{1}\"",
        "{} {}",
        "[] 1",
        "1 2",
        "[1 2]",
        "{\"a\" 1}",
        "{1:2}",
        "//\n1",
        "\u{feff}{}",
        "\"\\",
        "{\"a\":1 \"b\":2}",
    ] {
        assert_like_serde(text);
        assert_eq!(read(text), None, "{text}");
    }
}

#[test]
fn a_lone_surrogate_reads_as_the_replacement_character() {
    assert_eq!(read(r#""a\ud83d""#), Some("a\u{fffd}".into()));
    assert_eq!(read(r#""\ude00\ud83d\ud83d\ude00!""#), Some("\u{fffd}\u{fffd}😀!".into()));
    assert_eq!(read(r#""\ud83d\n\ud83dx""#), Some("\u{fffd}\n\u{fffd}x".into()));
}

#[test]
fn depth_is_no_danger() {
    let deep = format!("{}{}", "[".repeat(1_000_000), "]".repeat(1_000_000));
    assert!(Document::default().read(&deep).is_ok());
    let deep = format!("{}1{}", "{\"a\":".repeat(300_000), "}".repeat(300_000));
    assert!(Document::default().read(&deep).is_ok());
}

#[test]
fn many_keys_of_one_name_are_found_at_once() {
    let many: Vec<String> = (0..200_000).map(|i| format!("\"k{}\":{i}", i % 100_000)).collect();
    let text = format!("{{{}}}", many.join(","));
    let mut document = Document::default();
    let tape = document.read(&text).unwrap();
    let json = tape.root();
    assert_eq!(json.children().count(), 100_000);
    assert_eq!(json.get("k7").map(Json::raw), Some("100007"));
}

#[test]
fn twins_are_found_wherever_they_stand() {
    for len in 0..20 {
        let key = "k".repeat(len);
        for (between, value) in [("", "1"), (",\"x\":3", "\"a longer value\"")] {
            let text = format!("{{\"{key}\":0{between},\"{key}\":{value}}}");
            assert_like_serde(&text);
        }
    }
}

#[test]
fn values_keep_their_text() {
    let mut document = Document::default();
    let tape = document.read(r#"{"a": [1, {"b":2}] , "n":30.00, "s":"x\ty"}"#).unwrap();
    let json = tape.root();
    assert_eq!(json.get("a").map(Json::raw), Some(r#"[1, {"b":2}]"#));
    assert_eq!(json.get("n").map(Json::kind), Some(Kind::Number("30.00")));
    assert_eq!(json.get("s").map(Json::raw), Some(r#""x\ty""#));
    assert_eq!(json.get("t").map(Json::raw), None);
}

#[test]
fn plain_prefixes_end_at_the_first_special_byte() {
    for special in [b'"', b'\\', 0, 0x1f] {
        for len in 0..40 {
            for plain in [b'a', b' ', b'!', b'[', b']', 0x7f, 0x80, 0xff] {
                let mut bytes = vec![plain; len];
                assert_eq!(plain_prefix(&bytes), len);
                bytes.push(special);
                bytes.extend([b'"', b'a', 0, b'\\', b' ', b' ', b' ', b' ', b' ']);
                assert_eq!(plain_prefix(&bytes), len, "{special} after {len} of {plain}");
            }
        }
    }
}

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        (-1e15..1e15f64).prop_map(Value::from),
        "\\PC{0,12}".prop_map(Value::from),
        "[\"\\\\a\n\t\u{1}é😀]{0,20}".prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 64, 8, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            prop::collection::vec(("[a-c.]{0,2}", inner), 0..6)
                .prop_map(|entries| Value::Object(entries.into_iter().collect())),
        ]
    })
}

/// Documents and near-documents made of JSON's own pieces.
fn any_text() -> impl Strategy<Value = String> {
    let piece = prop::sample::select(vec![
        "{",
        "}",
        "[",
        "]",
        ",",
        ":",
        " ",
        "\"",
        "\\",
        "\"a\"",
        "\"a\":",
        "\"b\":1",
        "\"\\u0061\":",
        "1",
        "-",
        "0",
        ".5",
        "e3",
        "true",
        "null",
        "\n",
        "é",
        "\\n",
        "\\u00e9",
    ]);
    prop::collection::vec(piece, 0..14).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn what_serde_json_writes_reads_back(json in any_json()) {
        prop_assert_eq!(read(&json.to_string()), Some(json.clone()));
        prop_assert_eq!(read(&serde_json::to_string_pretty(&json).unwrap()), Some(json));
    }

    #[test]
    fn pieces_read_as_serde_json_reads_them(text in any_text()) {
        assert_like_serde(&text);
    }
}
