//! Facts in JSON, as conformance cases and callers write them.
//!
//! `{"event":{"user":…,"name":…,"at":…,"properties":{…},"id":…}}`, `{"attribute":{"user":…,"name":…,"value":…,"at":…}}`
//! or `{"user":{"id":…,"seen":…}}`. Instants are RFC 3339; a property that is null is absent, an attribute removed.

use smol_str::SmolStr;

use super::{AttributeWrite, Event, Fact, IngestError};
use crate::json::{Fault, Json, Object, Path, instant_text, read_value, through_json, write_value};
use crate::value::Value;

impl Fact {
    /// Reads the JSON form. Integers are read exactly as the law says, which not every library behind
    /// [`serde::Deserialize`] does.
    ///
    /// ```
    /// use whodid::Fact;
    /// let fact = Fact::from_json(r#"{"event":{"user":"ada","name":"login","at":"2026-06-15T12:00:00Z"}}"#)?;
    /// assert_eq!(fact.to_string(), r#"event "login" of "ada""#);
    /// # Ok::<(), whodid::IngestError>(())
    /// ```
    ///
    /// # Errors
    /// Where the text is no fact. Whether the fact keeps the limits is for a store to say, or for [`Fact::check`].
    pub fn from_json(text: &str) -> Result<Self, IngestError> {
        let json = Json::parse(text).map_err(|error| {
            IngestError::Json(format!("line {}, column {}: {}", error.line, error.column, error.message))
        })?;
        read_fact(&json, &Path::ROOT).map_err(|fault| IngestError::Json(fault.to_string()))
    }
}

/// The kinds of facts, by their key.
pub(crate) const KINDS: [&str; 3] = ["event", "attribute", "user"];

fn read_fact(json: &Json, path: &Path<'_>) -> Result<Fact, Fault> {
    let object = Object::read(json, path, "a fact: an object with one key")?;
    object.only(&[&KINDS])?;
    let kind = object.exactly_one(&KINDS, "one kind of fact")?;
    object.need(kind, |body, path| read_kind(kind, body, path))
}

/// Reads what stands under the key of a kind.
pub(crate) fn read_kind(kind: &str, json: &Json, path: &Path<'_>) -> Result<Fact, Fault> {
    match kind {
        "event" => read_event(json, path).map(Fact::Event),
        "attribute" => read_write(json, path).map(Fact::Attribute),
        _ => {
            let user = Object::read(json, path, "an object with keys of id, seen")?;
            user.only(&[&["id", "seen"]])?;
            Ok(Fact::User { id: user.need("id", text)?.into(), seen: user.need("seen", instant_text)? })
        }
    }
}

fn text(json: &Json, path: &Path<'_>) -> Result<SmolStr, Fault> {
    json.text(path, "a string").map(SmolStr::new)
}

fn read_event(json: &Json, path: &Path<'_>) -> Result<Event, Fault> {
    let object = Object::read(json, path, "an object with keys of user, name, at, properties, id")?;
    object.only(&[&["user", "name", "at", "properties", "id"]])?;
    let mut event =
        Event::new(object.need("user", text)?, object.need("name", text)?, object.need("at", instant_text)?);
    let properties = object.maybe("properties", |json, path| {
        let object = Object::read(json, path, "an object of properties")?;
        let read = |(name, json): &(String, Json)| {
            let value = maybe_value(json, &path.key(name))?;
            Ok::<_, Fault>(value.map(|value| (name.clone(), value)))
        };
        object.members.iter().filter_map(|member| read(member).transpose()).collect::<Result<Vec<_>, _>>()
    })?;
    event.properties = properties.unwrap_or_default();
    // A null id is none.
    event.id = object
        .maybe("id", |json, path| match json {
            Json::Null => Ok(None),
            json => text(json, path).map(Some),
        })?
        .flatten();
    Ok(event)
}

fn read_write(json: &Json, path: &Path<'_>) -> Result<AttributeWrite, Fault> {
    let object = Object::read(json, path, "an object with keys of user, name, value, at")?;
    object.only(&[&["user", "name", "value", "at"]])?;
    Ok(AttributeWrite {
        user: object.need("user", text)?,
        name: object.need("name", text)?,
        value: object.need("value", maybe_value)?,
        at: object.need("at", instant_text)?,
    })
}

fn maybe_value(json: &Json, path: &Path<'_>) -> Result<Option<Value>, Fault> {
    if *json == Json::Null { Ok(None) } else { read_value(json, path).map(Some) }
}

/// The JSON form of a fact; an error where JSON would read a value as another one.
pub(crate) fn write_fact(fact: &Fact) -> Result<Json, Fault> {
    let (kind, body) = match fact {
        Fact::Event(event) => ("event", write_event(event)?),
        Fact::Attribute(write) => ("attribute", write_write(write)?),
        Fact::User { id, seen } => ("user", object([("id", id), ("seen", &seen.to_string())])),
    };
    Ok(Json::Object(vec![(kind.to_owned(), body)]))
}

/// An object of texts.
fn object<const N: usize>(members: [(&str, &str); N]) -> Json {
    Json::Object(members.map(|(key, text)| (key.to_owned(), Json::String(text.to_owned()))).into())
}

/// An object with one more member.
fn with(object: Json, key: &str, value: Json) -> Json {
    match object {
        Json::Object(mut members) => {
            members.push((key.to_owned(), value));
            Json::Object(members)
        }
        other => other,
    }
}

fn write_event(event: &Event) -> Result<Json, Fault> {
    let Event { user, name, at, properties, id } = event;
    let written = properties.iter().map(|(name, value)| Ok((name.clone(), write_value(value)?)));
    let properties = Json::Object(written.collect::<Result<_, Fault>>()?);
    let json =
        with(object([("user", user), ("name", name), ("at", &at.to_string())]), "properties", properties);
    Ok(match id {
        Some(id) => with(json, "id", Json::String(id.to_string())),
        None => json,
    })
}

fn write_write(write: &AttributeWrite) -> Result<Json, Fault> {
    let AttributeWrite { user, name, value, at } = write;
    let value = value.as_ref().map_or(Ok(Json::Null), write_value)?;
    Ok(with(object([("user", user), ("name", name), ("at", &at.to_string())]), "value", value))
}

through_json! {
    /// As `{"event":{…}}`, `{"attribute":{…}}` or `{"user":{…}}`.
    Fact: read_fact, write_fact;
    /// As `{"user":…,"name":…,"at":…,"properties":{…},"id":…}`; without the last two where there are none.
    Event: read_event, write_event;
    /// As `{"user":…,"name":…,"at":…,"value":…}`, with null where the attribute is removed.
    AttributeWrite: read_write, write_write;
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::Timestamp;
    use crate::value::Record;

    #[test]
    fn facts_read_and_write_back() {
        let at: Timestamp = "2026-06-15T12:00:00Z".parse().unwrap();
        let event = Event::new("ada", "buy", at)
            .with("amount", 12.5)
            .with("items", vec![Record::new().with("sku", "a")])
            .with("due", at)
            .id("m-1");
        for fact in [
            Fact::from(event),
            Event::new("ada", "buy", at).into(),
            AttributeWrite::set("ada", "plan", vec![1, 2], at).into(),
            AttributeWrite::removed("ada", "plan", at).into(),
            Fact::user("ada", at),
        ] {
            let json = serde_json::to_string(&fact).unwrap();
            assert_eq!(serde_json::from_str::<Fact>(&json).unwrap(), fact, "{json}");
            assert_eq!(Fact::from_json(&json), Ok(fact), "{json}");
        }
    }

    #[test]
    fn nulls_are_absent() {
        let text = r#"{"event":{"user":"a","name":"b","at":"2026-06-15T12:00:00Z","properties":{"x":null},"id":null}}"#;
        let Ok(Fact::Event(event)) = Fact::from_json(text) else { panic!("{text}") };
        assert_eq!((event.properties(), event.event_id()), (&[][..], None));
    }

    #[test]
    fn what_is_no_fact_says_where() {
        for (text, message) in [
            ("{", "line 1"),
            ("[]", "given an empty list, expected a fact"),
            ("{}", "one of event, attribute, user"),
            (r#"{"event":{},"user":{}}"#, "both"),
            (r#"{"forget":{}}"#, "forget: given an unknown key"),
            (r#"{"event":{"name":"b","at":"2026-06-15T12:00:00Z"}}"#, "the key \"user\""),
            (r#"{"event":{"user":"a","name":"b","at":"yesterday"}}"#, "event.at: given \"yesterday\""),
            (
                r#"{"event":{"user":"a","name":"b","at":"2026-06-15T12:00:00Z","properties":{"x":[[1]]}}}"#,
                "event.properties.x[0]",
            ),
            (
                r#"{"event":{"user":"a","name":"b","at":"2026-06-15T12:00:00Z","properties":{"x":9223372036854775808}}}"#,
                "9223372036854775808",
            ),
            (r#"{"attribute":{"user":"a","name":"b","at":"2026-06-15T12:00:00Z"}}"#, "the key \"value\""),
            (r#"{"user":{"id":1,"seen":"2026-06-15T12:00:00Z"}}"#, "user.id: given 1"),
        ] {
            let error = Fact::from_json(text).unwrap_err().to_string();
            assert!(error.contains(message), "{text}: {error}");
        }
    }
}
