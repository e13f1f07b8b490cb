//! One step of a scenario: a fact, or what is done to facts; and its JSON form in a conformance case.

use super::case::CaseError;
use crate::event::{AttributeWrite, Event};
use crate::json::{Fault, Json, Object, Path, instant_text, read_value};
use crate::segment::EventPattern;
use crate::time::Timestamp;
use crate::value::Value;

/// A fact, or what is done to facts, in the order of arrival of a scenario.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Change {
    /// A user did something.
    Event(Event),
    /// An attribute was written or removed.
    Attribute(AttributeWrite),
    /// A user was there.
    User {
        /// Its external id.
        id: String,
        /// At this instant.
        seen: Timestamp,
    },
    /// One user turned out to be another.
    Merge {
        /// The id that is no more than a name from now on.
        from: String,
        /// The user it names.
        into: String,
    },
    /// A user is erased.
    Forget {
        /// Its external id.
        user: String,
    },
    /// Old events are dropped. (The shared cases have no form for it; `{"retain": {"since", "events"}}`.)
    Retain {
        /// The first instant that is kept.
        since: Timestamp,
        /// Of which events.
        events: Vec<EventPattern>,
    },
}

impl Change {
    /// Reads the JSON form of one step, from its exact text.
    ///
    /// # Errors
    /// Whatever makes it no fact: a bad instant, an integer beyond 64 bits, a list in a list, a key given twice.
    pub fn from_json(text: &str) -> Result<Self, CaseError> {
        let json = Json::parse(text).map_err(|e| CaseError(e.message))?;
        read(&json, &Path::ROOT).map_err(|fault| CaseError(fault.to_string()))
    }

    /// Its JSON form.
    pub fn to_json(&self) -> String {
        write(self).to_string()
    }

    /// The instant at which it happened; `None` where it has none.
    pub fn at(&self) -> Option<Timestamp> {
        match self {
            Self::Event(event) => Some(event.at()),
            Self::Attribute(write) => Some(write.at()),
            Self::User { seen, .. } => Some(*seen),
            _ => None,
        }
    }
}

fn read(json: &Json, path: &Path<'_>) -> Result<Change, Fault> {
    let object = Object::read(json, path, "a fact")?;
    let kinds = ["event", "attribute", "user", "merge", "forget", "retain"];
    object.only(&[&kinds])?;
    let kind = object.exactly_one(&kinds, "one kind of fact")?;
    object.need(kind, |body, path| {
        let body = Object::read(body, path, "an object")?;
        let text = |key| body.need(key, |json, path| json.text(path, "a string").map(str::to_owned));
        match kind {
            "event" => read_event(&body),
            "attribute" => {
                body.only(&[&["user", "name", "value", "at"]])?;
                let value = body.need("value", maybe_value)?;
                let (user, name, at) = (text("user")?, text("name")?, body.need("at", instant_text)?);
                Ok(Change::Attribute(match value {
                    Some(value) => AttributeWrite::set(user, name, value, at),
                    None => AttributeWrite::removed(user, name, at),
                }))
            }
            "user" => {
                body.only(&[&["id", "seen"]])?;
                Ok(Change::User { id: text("id")?, seen: body.need("seen", instant_text)? })
            }
            "merge" => {
                body.only(&[&["from", "into"]])?;
                Ok(Change::Merge { from: text("from")?, into: text("into")? })
            }
            "forget" => {
                body.only(&[&["user"]])?;
                Ok(Change::Forget { user: text("user")? })
            }
            _ => {
                body.only(&[&["since", "events"]])?;
                Ok(Change::Retain {
                    since: body.need("since", instant_text)?,
                    events: body.need("events", read_patterns)?,
                })
            }
        }
    })
}

fn read_event(body: &Object<'_, '_>) -> Result<Change, Fault> {
    body.only(&[&["user", "name", "at", "properties", "id"]])?;
    let text = |key| body.need(key, |json, path| json.text(path, "a string").map(str::to_owned));
    let mut event = Event::new(text("user")?, text("name")?, body.need("at", instant_text)?);
    let properties = body.maybe("properties", |json, path| {
        let object = Object::read(json, path, "an object of properties")?;
        let mut properties = Vec::new();
        for (name, value) in object.members {
            // A property that is null is absent.
            if let Some(value) = maybe_value(value, &path.key(name))? {
                properties.push((name.clone(), value));
            }
        }
        Ok::<_, Fault>(properties)
    })?;
    for (name, value) in properties.into_iter().flatten() {
        event = event.with(name, value);
    }
    // A null id is none.
    match body.get("id") {
        None | Some(Json::Null) => Ok(Change::Event(event)),
        Some(_) => Ok(Change::Event(event.id(text("id")?))),
    }
}

fn maybe_value(json: &Json, path: &Path<'_>) -> Result<Option<Value>, Fault> {
    if *json == Json::Null { Ok(None) } else { read_value(json, path).map(Some) }
}

fn read_patterns(json: &Json, path: &Path<'_>) -> Result<Vec<EventPattern>, Fault> {
    let names = json.list(path, "a list of names")?.iter().enumerate();
    names.map(|(i, json)| json.text(&path.index(i), "a name").map(EventPattern::from)).collect()
}

fn text(text: impl ToString) -> Json {
    Json::String(text.to_string())
}

/// An object of members that are not null.
pub(super) fn object<const N: usize>(members: [(&str, Json); N]) -> Json {
    let members = members.into_iter().map(|(key, json)| (key.to_owned(), json));
    Json::Object(members.collect())
}

fn write(change: &Change) -> Json {
    let (kind, body) = match change {
        Change::Event(event) => {
            let properties = event.properties().iter().map(|(name, v)| (name.clone(), write_value(v)));
            let mut members = vec![
                ("user".to_owned(), text(event.user())),
                ("name".to_owned(), text(event.name())),
                ("at".to_owned(), text(event.at())),
                ("properties".to_owned(), Json::Object(properties.collect())),
            ];
            members.extend(event.event_id().map(|id| ("id".to_owned(), text(id))));
            ("event", Json::Object(members))
        }
        Change::Attribute(write) => {
            let value = write.value().map_or(Json::Null, write_value);
            let (user, name, at) = (text(write.user()), text(write.name()), text(write.at()));
            ("attribute", object([("user", user), ("name", name), ("value", value), ("at", at)]))
        }
        Change::User { id, seen } => ("user", object([("id", text(id)), ("seen", text(seen))])),
        Change::Merge { from, into } => ("merge", object([("from", text(from)), ("into", text(into))])),
        Change::Forget { user } => ("forget", object([("user", text(user))])),
        Change::Retain { since, events } => {
            let events = Json::Array(events.iter().map(text).collect());
            ("retain", object([("since", text(since)), ("events", events)]))
        }
    };
    object([(kind, body)])
}

fn write_value(value: &Value) -> Json {
    use crate::json::write_scalar;
    match value {
        Value::Scalar(one) => write_scalar(one),
        Value::List(many) => Json::Array(many.iter().map(write_scalar).collect()),
        Value::Records(records) => {
            let fields = |(name, scalar): &(String, _)| (name.clone(), write_scalar(scalar));
            let record = |r: &crate::value::Record| Json::Object(r.fields().iter().map(fields).collect());
            Json::Array(records.iter().map(record).collect())
        }
    }
}
