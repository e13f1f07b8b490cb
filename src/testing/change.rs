//! One step of a scenario: a fact, or what is done to facts; and its JSON form in a conformance case.

use crate::event::{AttributeWrite, Event, Fact, KINDS, read_kind, write_fact};
use crate::json::{Fault, Json, Object, Path, instant_text};
use crate::segment::EventPattern;
use crate::time::Timestamp;

/// Why a case cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct CaseError(pub(super) String);

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

impl From<Fact> for Change {
    fn from(fact: Fact) -> Self {
        match fact {
            Fact::Event(event) => Self::Event(event),
            Fact::Attribute(write) => Self::Attribute(write),
            Fact::User { id, seen } => Self::User { id, seen },
        }
    }
}

fn read(json: &Json, path: &Path<'_>) -> Result<Change, Fault> {
    let object = Object::read(json, path, "a fact")?;
    let [event, attribute, user] = KINDS;
    let kinds = [event, attribute, user, "merge", "forget", "retain"];
    object.only(&[&kinds])?;
    let kind = object.exactly_one(&kinds, "one kind of fact")?;
    object.need(kind, |json, path| {
        if KINDS.contains(&kind) {
            return read_kind(kind, json, path).map(Change::from);
        }
        let body = Object::read(json, path, "an object")?;
        let text = |key| body.need(key, |json, path| json.text(path, "a string").map(str::to_owned));
        match kind {
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
    let fact = |fact: Fact| write_fact(&fact).unwrap_or(Json::Null); // null: JSON has no form for it
    match change {
        Change::Event(event) => fact(event.clone().into()),
        Change::Attribute(write) => fact(write.clone().into()),
        Change::User { id, seen } => fact(Fact::user(id, *seen)),
        Change::Merge { from, into } => {
            object([("merge", object([("from", text(from)), ("into", text(into))]))])
        }
        Change::Forget { user } => object([("forget", object([("user", text(user))]))]),
        Change::Retain { since, events } => {
            let events = Json::Array(events.iter().map(text).collect());
            object([("retain", object([("since", text(since)), ("events", events)]))])
        }
    }
}
