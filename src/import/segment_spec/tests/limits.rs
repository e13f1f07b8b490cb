//! The limits of the law.

use super::*;

#[test]
fn what_is_beyond_a_limit_is_rejected_naming_the_field() {
    let (long, big) = ("x".repeat(513), "x".repeat((1 << 20) + 1));
    let many: Vec<_> = (0..1_001).map(|i| format!("\"p{i}\":{i}")).collect();
    let many = many.join(",");
    for (fields, field) in [
        (format!(r#""type":"page","userId":"{long}""#), "userId has 513"),
        (format!(r#""type":"page","anonymousId":"{long}""#), "anonymousId has 513"),
        (format!(r#""type":"identify","userId":"u","anonymousId":"{long}""#), "anonymousId has 513"),
        (format!(r#""type":"alias","userId":"u","previousId":"{long}""#), "previousId has 513"),
        (format!(r#""type":"track","event":"{long}""#), "event has 513"),
        (format!(r#""type":"page","userId":"u","messageId":"{long}""#), "messageId has 513"),
        (format!(r#""type":"page","properties":{{"a":{{"{long}":1}}}}"#), "the name properties.a.xxx"),
        (
            format!(r#""type":"page","properties":{{"a":{{"b":"{big}"}}}}"#),
            "properties.a.b has 1048577 bytes",
        ),
        (format!(r#""type":"page","properties":{{"a":["{big}"]}}"#), "properties.a has 1048577 bytes"),
        (format!(r#""type":"page","properties":{{"a":[["{big}"]]}}"#), "properties.a has 1048583 bytes"),
        (
            format!(r#""type":"page","properties":{{"p":[{{"a":"{big}"}}]}}"#),
            "properties.p.a has 1048577 bytes",
        ),
        (format!(r#""type":"page","properties":{{"p":[{{"{long}":1}}]}}"#), "the name properties.p.xxx"),
        (format!(r#""type":"page","properties":{{{many}}}"#), "properties holds 1001"),
        (format!(r#""type":"identify","traits":{{"a":"{big}"}}"#), "traits.a has 1048577 bytes"),
        (format!(r#""type":"identify","traits":{{"{long}":null}}"#), "the name traits.xxx"),
        (format!(r#""type":"group","groupId":"{big}""#), "group.id has 1048577 bytes"),
    ] {
        let reason = reason(&fields);
        assert!(reason.contains(field) && reason.starts_with("too "), "{reason}");
    }
}

#[test]
fn what_is_at_a_limit_is_taken() {
    let (long, big) = ("x".repeat(512), "x".repeat(1 << 20));
    let many: Vec<_> = (0..1_000).map(|i| format!("\"p{i}\":{i},\"n{i}\":null")).collect();
    let many = many.join(",");
    for fields in [
        format!(r#""type":"track","event":"{long}","userId":"{long}","messageId":"{long}""#),
        format!(r#""type":"page","properties":{{"{long}":"{big}"}}"#),
        format!(r#""type":"page","properties":{{{many}}}"#),
        format!(r#""type":"page","properties":{{"{long}x":null}}"#),
        // What is not read has no limits.
        format!(r#""type":"identify","userId":"u","messageId":"{long}x""#),
        format!(r#""type":"page","userId":"u","anonymousId":"{long}x""#),
    ] {
        assert_eq!(written(&fields).len(), 1);
    }
}

#[test]
fn nesting_has_no_limit_of_its_own() {
    let nested = |depth: usize| format!("{}1{}", "{\"a\":".repeat(depth), "}".repeat(depth));
    assert_eq!(properties(&nested(100)).len(), 201);
    assert!(reason(&format!(r#""type":"page","properties":{}"#, nested(200_000))).starts_with("too long"));
    let deep = format!("{}{}", "[".repeat(200_000), "]".repeat(200_000));
    assert_eq!(properties(&format!("{{\"a\":{deep}}}")), format!("a='{deep}'"));
}
