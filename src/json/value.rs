//! Scalars and values in JSON: an instant is `{"instant":"RFC 3339"}` wherever it stands.

use super::{Fault, Json, Object, Path, through_json};
use crate::time::{Span, Timestamp};
use crate::value::{Record, Scalar, Value};

const INSTANT: &str = "instant";
const A_VALUE: &str =
    "a bool, a number, a string, {\"instant\":\"RFC 3339\"}, or a list of such or of records";
const A_SCALAR: &str = "a bool, a number, a string or {\"instant\":\"RFC 3339\"}";

/// An instant as text.
pub(crate) fn instant_text(json: &Json, path: &Path<'_>) -> Result<Timestamp, Fault> {
    let expected =
        "an instant of the years 1 to 9999 in RFC 3339 with an offset, such as \"2026-06-15T12:00:00Z\"";
    json.text(path, expected)?.parse().map_err(|_| json.fault(path, expected))
}

/// A span as text.
pub(crate) fn span_text(json: &Json, path: &Path<'_>) -> Result<Span, Fault> {
    let expected = "a span longer than 0 and at most 10 000 years: numbers with units of ms s m h d w mo y, \
                    each at most once, such as \"30d\" or \"1d12h\"";
    json.text(path, expected)?.parse().map_err(|_| json.fault(path, expected))
}

/// A bool, a number, a string or an instant.
pub(crate) fn read_scalar(json: &Json, path: &Path<'_>) -> Result<Scalar, Fault> {
    match json {
        Json::Bool(b) => Ok(Scalar::Bool(*b)),
        Json::Int(n) => Ok(Scalar::Int(*n)),
        Json::Float(x) => Ok(Scalar::Float(*x)),
        Json::String(text) => Ok(Scalar::String(text.clone())),
        Json::Object(members) if is_instant(members) => {
            let object = Object { members, path };
            object.need(INSTANT, instant_text).map(Scalar::Instant)
        }
        other => Err(other.fault(path, A_SCALAR)),
    }
}

fn is_instant(members: &[(String, Json)]) -> bool {
    matches!(members, [(key, _)] if key == INSTANT)
}

/// A value of a property or attribute. Null is no value: who reads properties leaves those out.
pub(crate) fn read_value(json: &Json, path: &Path<'_>) -> Result<Value, Fault> {
    let is_record = |item: &Json| matches!(item, Json::Object(members) if !is_instant(members));
    let items = match json {
        Json::Array(items) => items,
        one if is_record(one) => return Err(one.fault(path, A_VALUE)),
        one => return read_scalar(one, path).map(Value::Scalar),
    };
    if items.first().is_some_and(is_record) {
        let records = items.iter().enumerate().map(|(i, item)| read_record(item, &path.index(i)));
        return records.collect::<Result<_, _>>().map(Value::Records);
    }
    let scalars = items.iter().enumerate().map(|(i, item)| read_scalar(item, &path.index(i)));
    scalars.collect::<Result<_, _>>().map(Value::List)
}

/// A flat object; a field that is null is absent.
fn read_record(json: &Json, path: &Path<'_>) -> Result<Record, Fault> {
    let expected = "a record, as its list begins with one";
    let object = Object::read(json, path, expected)?;
    if is_instant(object.members) {
        return Err(Fault::new(path, "an instant", expected));
    }
    let mut record = Record::new();
    for (name, value) in object.members {
        if *value != Json::Null {
            record = record.with(name.as_str(), read_scalar(value, &path.key(name))?);
        }
    }
    Ok(record)
}

/// The JSON form of a scalar.
pub(crate) fn write_scalar(scalar: &Scalar) -> Json {
    match scalar {
        Scalar::Bool(b) => Json::Bool(*b),
        Scalar::Int(n) => Json::Int(*n),
        Scalar::Float(x) => Json::Float(*x),
        Scalar::String(text) => Json::String(text.clone()),
        Scalar::Instant(at) => Json::Object(vec![(INSTANT.to_owned(), Json::String(at.to_string()))]),
    }
}

/// The JSON form of a value; an error where JSON would read it as another one.
pub(crate) fn write_value(value: &Value) -> Result<Json, Fault> {
    match value {
        Value::Scalar(one) => Ok(write_scalar(one)),
        Value::List(many) => Ok(Json::Array(many.iter().map(write_scalar).collect())),
        Value::Records(records) => {
            let items = records.iter().enumerate().map(|(i, record)| write_record(record, i));
            items.collect::<Result<_, _>>().map(Json::Array)
        }
    }
}

fn write_record(record: &Record, index: usize) -> Result<Json, Fault> {
    let fields = record.fields().iter().map(|(name, value)| (name.clone(), write_scalar(value)));
    let fields: Vec<_> = fields.collect();
    if is_instant(&fields) {
        let given = "a record with the one field \"instant\", which is how JSON writes an instant";
        return Err(Fault::new(&Path::ROOT.index(index), given, "a record that JSON can hold"));
    }
    Ok(Json::Object(fields))
}

through_json! {
    /// As `true`, `1`, `1.5`, `"text"` or `{"instant":"RFC 3339"}`.
    Scalar: read_scalar, |scalar| Ok(write_scalar(scalar));
    /// As a scalar, a list of them, or a list of objects (records). A field that is null is left out; null
    /// anywhere else is an error.
    Value: read_value, write_value;
}

through_json! {
    text:
    /// As text: `"2026-06-15T12:00:00Z"`. Where a value is expected, an instant is a [`Scalar`].
    Timestamp: instant_text, |at| Ok(Json::String(at.to_string()));
    /// As text: `"1d12h"`.
    Span: span_text, |span| Ok(Json::String(span.to_string()));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::{days, hours};

    fn read(text: &str) -> Result<Value, String> {
        let json = Json::parse(text).map_err(|e| e.message)?;
        let through_serde: Result<Value, _> = serde_json::from_str(text);
        let read = read_value(&json, &Path::ROOT);
        assert_eq!(read.clone().ok(), through_serde.ok(), "{text}");
        read.map_err(|fault| fault.to_string())
    }

    #[test]
    fn values_read_and_write_back() {
        let at: Timestamp = "2026-06-15T12:00:00.5Z".parse().unwrap();
        for (text, want) in [
            ("true", Value::from(true)),
            ("1", 1.into()),
            ("1.5", 1.5.into()),
            ("\"2026-06-15\"", "2026-06-15".into()),
            (r#"{"instant":"2026-06-15T12:00:00.500Z"}"#, at.into()),
            ("[]", Value::List(vec![])),
            (
                r#"[1,"a",{"instant":"2026-06-15T12:00:00.500Z"}]"#,
                Value::List(vec![1.into(), "a".into(), at.into()]),
            ),
            (
                r#"[{},{"a":1,"instant":"x"}]"#,
                vec![Record::new(), Record::new().with("a", 1).with("instant", "x")].into(),
            ),
        ] {
            assert_eq!(read(text).as_ref(), Ok(&want), "{text}");
            assert_eq!(serde_json::to_string(&want).unwrap(), text);
        }
        assert_eq!(read(r#"[{"a":null,"b":2}]"#), Ok(vec![Record::new().with("b", 2)].into()));
        assert!(serde_json::to_string(&Value::from(vec![Record::new().with("instant", 1)])).is_err());
    }

    #[test]
    fn what_is_no_value_is_refused_where_it_stands() {
        for (text, path) in [
            ("null", ""),
            ("[1,null]", "[1]: "),
            ("[[1]]", "[0]: "),
            (r#"{"a":1}"#, ""),
            (r#"[{"a":[1]}]"#, "[0].a: "),
            (r#"[{"a":{"b":1}}]"#, "[0].a: "),
            (r#"[{"a":1},2]"#, "[1]: "),
            (r#"[2,{"a":1}]"#, "[1]: "),
            (r#"[{"a":1},{"instant":"2026-06-15T12:00:00Z"}]"#, "[1]: "),
            (r#"{"instant":"2026-06-15"}"#, "instant: "),
            (r#"{"instant":1}"#, "instant: "),
            (r#"{"instant":null}"#, "instant: "),
        ] {
            let error = read(text).unwrap_err();
            assert!(error.starts_with(&format!("{path}given ")), "{text}: {error}");
        }
    }

    #[test]
    fn spans_and_instants_are_texts() {
        assert_eq!(serde_json::from_str::<Span>("\"1d12h\"").unwrap(), days(1) + hours(12));
        assert_eq!(serde_json::to_string(&days(30)).unwrap(), "\"30d\"");
        let at: Timestamp = serde_json::from_str("\"2026-06-15T14:00:00+02:00\"").unwrap();
        assert_eq!(serde_json::to_string(&at).unwrap(), "\"2026-06-15T12:00:00Z\"");
        assert!(serde_json::from_str::<Span>("\"0d\"").is_err());
        assert!(serde_json::from_str::<Timestamp>("1").is_err());
    }
}
