//! What each type of message writes.

use super::*;

#[test]
fn a_track_is_an_event_of_that_name() {
    let lines = written(
        r#""type":"track","event":"Order Completed","properties":{"total":30.5,"ok":true},"name":"n""#,
    );
    assert_eq!(lines, [format!("u did Order Completed at {AT} total=30.5 ok=true")]);
    for none in ["null", "\"\"", "7", "{}"] {
        assert_eq!(reason(&format!(r#""type":"track","event":{none}"#)), "no event name");
    }
    assert_eq!(reason(r#""type":"track","name":"e""#), "no event name");
}

#[test]
fn a_page_or_screen_has_its_name_and_category_beside_its_properties() {
    for kind in ["page", "screen"] {
        let lines = |fields: &str| written(&format!(r#""type":"{kind}",{fields}"#)).concat();
        let did = format!("u did {kind} at {AT}");
        assert_eq!(lines(r#""event":"e""#), did);
        assert_eq!(
            lines(r#""name":"Home","category":"Docs","properties":{"url":"/"}"#),
            format!("{did} category='Docs' name='Home' url='/'")
        );
        assert_eq!(
            lines(r#""name":"Home","category":"Docs","properties":{"name":"own","category":null}"#),
            format!("{did} category='Docs' name='own'")
        );
        assert_eq!(lines(r#""name":null"#), did);
    }
}

#[test]
fn an_identify_registers_and_writes_its_traits() {
    let known = format!("u is known from {AT}");
    assert_eq!(written(r#""type":"identify""#), std::slice::from_ref(&known));
    let lines = written(
        r#""type":"identify","traits":{"plan":"pro","seats":3,"old":null,"address":{"city":"Bonn","zip":null}},"context":{"traits":{"plan":"free","email":"a@b","address":{"city":"Ulm","street":"x"},"old":1}}"#,
    );
    let has = |what: &str| format!("u has {what} from {AT}");
    assert_eq!(
        lines,
        [
            known.clone(),
            has("address.city='Bonn'"),
            has("address.street='x'"),
            has("address.zip=gone"),
            has("email='a@b'"),
            has("old=gone"),
            has("plan='pro'"),
            has("seats=3"),
        ]
    );
    assert_eq!(
        written(r#""type":"identify","context":{"traits":{"a":null,"b":1}}"#),
        [known, has("a=gone"), has("b=1")]
    );
}

#[test]
fn writes_are_counted() {
    let (_, report) =
        import(&message(r#""type":"identify","traits":{"a":1,"b":null},"context":{"traits":{"c":2}}"#));
    assert_eq!((report.attribute_writes, report.events, report.messages), (3, 0, 1));
}

#[test]
fn a_group_writes_its_id_and_traits_and_registers_no_one() {
    let has = |what: &str| format!("u has {what} from {AT}");
    assert_eq!(written(r#""type":"group""#), [""; 0]);
    assert_eq!(written(r#""type":"group","groupId":null"#), [""; 0]);
    assert_eq!(
        written(
            r#""type":"group","userId":"u","groupId":"g","traits":{"name":"Acme","size":{"now":9},"old":null}"#
        ),
        [has("group.id='g'"), has("group.name='Acme'"), has("group.old=gone"), has("group.size.now=9")]
    );
    assert_eq!(written(r#""type":"group","userId":"u","groupId":7"#), [has("group.id=7")]);
    assert_eq!(
        written(r#""type":"group","userId":"u","groupId":"g","traits":{"id":"other"}"#),
        [has("group.id='g'")]
    );
    assert_eq!(written(r#""type":"group","traits":{"id":"other"}"#), [has("group.id='other'")]);
}

#[test]
fn an_alias_registers_and_merges() {
    assert_eq!(
        written(r#""type":"alias","userId":"u","previousId":"p""#),
        [format!("u is known from {AT}"), "p is u".into()]
    );
    assert_eq!(
        written(r#""type":"alias","userId":7,"previousId":8"#),
        [format!("7 is known from {AT}"), "8 is 7".into()]
    );
    assert_eq!(
        written(r#""type":"alias","anonymousId":"a","previousId":"p""#),
        [format!("a is known from {AT}"), "p is a".into()]
    );
    for bad in ["null", "\"\"", "\"u\"", "1.5", "[]"] {
        assert_eq!(reason(&format!(r#""type":"alias","userId":"u","previousId":{bad}"#)), "bad alias");
    }
    assert_eq!(reason(r#""type":"alias","userId":"7","previousId":7"#), "bad alias");
    assert_eq!(reason(r#""type":"alias","userId":"u""#), "bad alias");
}

#[test]
fn an_alias_delivered_again_asks_for_nothing_new() {
    let alias = message(r#""type":"alias","userId":"u","previousId":"p""#);
    let back = message(r#""type":"alias","userId":"p","previousId":"u""#);
    let (_, report) = import(&[alias.clone(), alias, back].join("\n"));
    assert_eq!((report.merges, report.messages, report.rejected), (1, 3, 0));
}

#[test]
fn context_is_left_out_unless_asked_for() {
    let line = message(
        r#""type":"track","event":"e","userId":"u","properties":{"context.ip":"own"},"context":{"ip":"1","app":{"name":"x","build":null},"traits":{"a":1}}"#,
    );
    assert_eq!(import(&line).0, [format!("u did e at {AT} context.ip='own'")]);
    let (written, _) = import_with(&line, |importer| importer.context(true));
    assert_eq!(
        written,
        [format!("u did e at {AT} context.app.name='x' context.ip='own' context.traits.a=1")]
    );
    let line = message(r#""type":"identify","context":{"ip":"1"}"#);
    assert_eq!(import_with(&line, |importer| importer.context(true)).0.len(), 1);
}
