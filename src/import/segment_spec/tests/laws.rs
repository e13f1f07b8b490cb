//! Laws over random messages.

use proptest::prelude::*;

use super::*;

fn any_value() -> impl Strategy<Value = serde_json::Value> {
    let leaf = prop_oneof![
        Just(serde_json::Value::Null),
        any::<bool>().prop_map(Into::into),
        any::<i64>().prop_map(Into::into),
        any::<f64>().prop_map(Into::into),
        "\\PC{0,8}".prop_map(Into::into),
        Just("2024-01-01T00:00:00Z".into()),
    ];
    leaf.prop_recursive(3, 24, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Into::into),
            prop::collection::vec(("[abc.]{0,3}", inner), 0..4)
                .prop_map(|entries| serde_json::Value::Object(entries.into_iter().collect())),
        ]
    })
}

/// A message of some of the fields that are read, often with values that do not belong there.
fn any_message() -> impl Strategy<Value = String> {
    let name = prop::sample::select(vec![
        "type",
        "userId",
        "anonymousId",
        "previousId",
        "groupId",
        "messageId",
        "timestamp",
        "sentAt",
        "event",
        "name",
        "category",
        "properties",
        "traits",
        "context",
        "batch",
    ]);
    let usual = prop::sample::select(vec![
        "track",
        "identify",
        "alias",
        "group",
        "page",
        "u",
        "v",
        "a",
        "m",
        "2024-01-01T00:00:00Z",
    ]);
    let value = prop_oneof![usual.prop_map(Into::into), any_value()];
    prop::collection::vec((name, value), 0..12).prop_map(|fields| {
        let mut message = serde_json::json!({"type": "track", "event": "e", "userId": "u", "timestamp": 1});
        message
            .as_object_mut()
            .unwrap()
            .extend(fields.into_iter().map(|(name, value)| (name.to_owned(), value)));
        message.to_string()
    })
}

proptest! {
    #[test]
    fn a_message_is_taken_whole_or_not_at_all(lines in prop::collection::vec(any_message(), 1..5)) {
        // The notebook checks every fact by the law's limits: a message that was taken passes them all.
        let (_, report) = import_with(&lines.join("\n"), |importer| {
            importer.context(true).instants(["a"]).numbers(["b"]).strings(["c"])
        });
        prop_assert_eq!(report.lines, lines.len() as u64);
        prop_assert_eq!(report.taken().values().sum::<u64>(), report.messages);
        prop_assert_eq!(report.reasons().values().sum::<u64>(), report.rejected);
    }

    #[test]
    fn any_bytes_are_read_or_rejected(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let mut store = Notebook::default();
        let _ = Importer::segment_spec().skip_rejected().read(&*bytes, &mut store);
    }
}
