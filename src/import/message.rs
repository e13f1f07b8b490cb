//! One Segment-spec message as the facts it states.
//!
//! Pure: a message and settings in, facts and merges out; no store is looked at.

use std::borrow::Cow;

use smol_str::SmolStr;

use super::declared::{Declarations, Declared};
use super::flatten::{Leaves, Values};
use super::instant;
use super::json::{Json, Kind};
use super::report::{Reason, Tally};
use crate::event::{AttributeWrite, Event, Fact};
use crate::limits;
use crate::time::Timestamp;
use crate::value::Value;

/// How messages are read.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    pub(crate) declared: Declarations,
    /// Anonymous ids are merged into the users they turn out to be.
    pub(crate) stitch: bool,
    /// The leaves of `context` are properties too.
    pub(crate) context: bool,
    /// The instant of messages that carry none.
    pub(crate) instant_if_none: Option<Timestamp>,
}

/// What a message states.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Stated {
    /// Its type.
    pub(crate) kind: &'static str,
    /// In the order they are to be taken in.
    pub(crate) facts: Vec<Fact>,
    /// To be made after the facts: whose facts come first shows nowhere.
    pub(crate) merges: Vec<Merge>,
    pub(crate) tally: Tally,
}

/// Two ids that are one user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Merge {
    pub(crate) from: String,
    pub(crate) into: String,
    /// `from` is an anonymous id, which stays with the user it was first merged into.
    pub(crate) anonymous: bool,
}

/// The fields that are read of a message, whatever its type.
#[derive(Default)]
pub(crate) struct Fields<'a> {
    kind: Option<Json<'a>>,
    user_id: Option<Json<'a>>,
    anonymous_id: Option<Json<'a>>,
    previous_id: Option<Json<'a>>,
    group_id: Option<Json<'a>>,
    message_id: Option<Json<'a>>,
    /// `timestamp`, `originalTimestamp`, `sentAt`, `receivedAt`: the first that says something counts.
    instants: [Option<Json<'a>>; 4],
    event: Option<Json<'a>>,
    name: Option<Json<'a>>,
    category: Option<Json<'a>>,
    properties: Option<Json<'a>>,
    traits: Option<Json<'a>>,
    context: Option<Json<'a>>,
    /// The messages of a batch, which is no message itself.
    pub(crate) batch: Option<Json<'a>>,
}

impl<'a> Fields<'a> {
    pub(crate) fn of(message: Json<'a>) -> Self {
        let mut fields = Self::default();
        let [timestamp, original, sent, received] = &mut fields.instants;
        for field in message.children().filter(|field| !field.is_null()) {
            let slot = match &*field.key() {
                "type" => &mut fields.kind,
                "userId" => &mut fields.user_id,
                "anonymousId" => &mut fields.anonymous_id,
                "previousId" => &mut fields.previous_id,
                "groupId" => &mut fields.group_id,
                "messageId" => &mut fields.message_id,
                "timestamp" => &mut *timestamp,
                "originalTimestamp" => &mut *original,
                "sentAt" => &mut *sent,
                "receivedAt" => &mut *received,
                "event" => &mut fields.event,
                "name" => &mut fields.name,
                "category" => &mut fields.category,
                "properties" => &mut fields.properties,
                "traits" => &mut fields.traits,
                "context" => &mut fields.context,
                "batch" if field.is_array() => &mut fields.batch,
                _ => continue,
            };
            *slot = Some(field);
        }
        fields
    }

    fn kind(&self) -> Result<&'static str, Reason> {
        let given = self.kind.and_then(Json::string).ok_or(Reason::UnknownType)?;
        ["track", "page", "identify", "screen", "group", "alias"]
            .into_iter()
            .find(|known| given == *known || given.to_lowercase() == *known)
            .ok_or(Reason::UnknownType)
    }

    fn at(&self, if_none: Option<Timestamp>) -> Result<Timestamp, Reason> {
        let is_empty = |json: &Json<'_>| json.raw() == "\"\"";
        match self.instants.iter().flatten().find(|json| !is_empty(json)) {
            Some(json) => instant::from_json(*json).ok_or(Reason::BadInstant),
            None => if_none.ok_or(Reason::NoInstant),
        }
    }
}

/// A user's id: a non-empty string, or an integer, which is its decimal digits.
fn id(json: Option<Json<'_>>) -> Option<Cow<'_, str>> {
    match json?.kind() {
        Kind::String(text) if !text.is_empty() => Some(text),
        Kind::Whole("-0") => Some(Cow::Borrowed("0")),
        Kind::Whole(digits) => Some(Cow::Borrowed(digits)),
        _ => None,
    }
}

/// A name or an id that is not longer than the law allows.
pub(crate) fn short(field: &str, text: Cow<'_, str>) -> Result<SmolStr, Reason> {
    if text.len() <= limits::MAX_NAME {
        return Ok(text.into());
    }
    Err(Reason::TooLong { field: field.to_owned(), bytes: text.len(), limit: limits::MAX_NAME })
}

/// Reads a message.
pub(crate) fn read(fields: &Fields<'_>, settings: &Settings) -> Result<Stated, Reason> {
    let kind = fields.kind()?;
    let (user_id, anonymous_id) = (id(fields.user_id), id(fields.anonymous_id));
    let (field, user) = match (&user_id, &anonymous_id) {
        (Some(user), _) => ("userId", user.clone()),
        (None, Some(anonymous)) => ("anonymousId", anonymous.clone()),
        (None, None) => return Err(Reason::NoUser),
    };
    let at = fields.at(settings.instant_if_none)?;
    let mut reading = Reading {
        user: short(field, user)?,
        at,
        context: settings.context,
        values: Values { declared: &settings.declared, tally: Tally::default() },
        facts: Vec::new(),
        merges: Vec::new(),
    };
    match kind {
        "track" | "page" | "screen" => reading.event(kind, fields)?,
        "identify" => reading.identify(fields)?,
        "group" => reading.group(fields)?,
        _ => reading.alias(fields)?,
    }
    if let (true, "identify" | "alias", Some(_), Some(anonymous)) =
        (settings.stitch, kind, user_id, anonymous_id)
    {
        reading.merge(short("anonymousId", anonymous)?, true);
    }
    let Reading { facts, merges, values, .. } = reading;
    Ok(Stated { kind, facts, merges, tally: values.tally })
}

/// A message in the middle of being read.
struct Reading<'d> {
    user: SmolStr,
    at: Timestamp,
    context: bool,
    values: Values<'d>,
    facts: Vec<Fact>,
    merges: Vec<Merge>,
}

impl Reading<'_> {
    fn event(&mut self, kind: &str, fields: &Fields<'_>) -> Result<(), Reason> {
        let name = match (kind, fields.event.and_then(Json::string)) {
            ("track", Some(event)) if !event.is_empty() => short("event", event)?,
            ("track", _) => return Err(Reason::NoEventName),
            _ => kind.into(),
        };
        let message_id = fields.message_id.and_then(Json::string).filter(|id| !id.is_empty());
        let id = message_id.map(|id| short("messageId", id)).transpose()?;
        let properties = self.properties(kind, fields)?;
        // Nothing else is stated of an event's user.
        let user = std::mem::take(&mut self.user);
        self.facts.push(Event { user, name, at: self.at, properties, id }.into());
        Ok(())
    }

    fn properties(&mut self, kind: &str, fields: &Fields<'_>) -> Result<Vec<(String, Value)>, Reason> {
        let mut leaves = Leaves::new("properties", false);
        if let Some(object) = self.object(fields.properties) {
            leaves.add_entries(object, "", 0)?;
        }
        if kind != "track" {
            for (name, beside) in [("name", fields.name), ("category", fields.category)] {
                if let Some(json) = beside.filter(|_| !leaves.has(name)) {
                    leaves.add(json, name.to_owned(), 1)?;
                }
            }
        }
        if let Some(object) = self.object(fields.context.filter(|_| self.context)) {
            leaves.add_entries(object, "context.", 1)?;
        }
        self.values.tally.dropped_names += leaves.dropped_names;
        let leaves = leaves.settle();
        if leaves.len() > limits::MAX_PROPERTIES {
            let (field, count) = (String::from("properties"), leaves.len());
            return Err(Reason::TooMany { field, count, limit: limits::MAX_PROPERTIES });
        }
        let mut properties = Vec::with_capacity(leaves.len());
        for leaf in leaves {
            let kind = self.values.declared.of(&leaf.name);
            let value = self.values.read(&leaf, "properties", kind)?;
            properties.push((leaf.name, value));
        }
        Ok(properties)
    }

    fn identify(&mut self, fields: &Fields<'_>) -> Result<(), Reason> {
        self.facts.push(Fact::user(self.user.clone(), self.at));
        let mut leaves = Leaves::new("traits", true);
        let own = self.object(fields.traits);
        let beside = self.object(fields.context.and_then(|context| context.get("traits")));
        for (traits, source) in [(own, 0), (beside, 1)] {
            if let Some(traits) = traits {
                leaves.add_entries(traits, "", source)?;
            }
        }
        self.writes(leaves, |values, name| values.declared.of(name))
    }

    fn group(&mut self, fields: &Fields<'_>) -> Result<(), Reason> {
        let mut leaves = Leaves::new("traits", true);
        if let Some(id) = fields.group_id {
            leaves.add(id, "group.id".to_owned(), 0)?;
        }
        if let Some(traits) = self.object(fields.traits) {
            leaves.add_entries(traits, "group.", 1)?;
        }
        // A trait may be declared by its own name or by that of its attribute.
        self.writes(leaves, |values, name| {
            let own = name.strip_prefix("group.").and_then(|name| values.declared.of(name));
            own.or_else(|| values.declared.of(name))
        })
    }

    fn alias(&mut self, fields: &Fields<'_>) -> Result<(), Reason> {
        let previous = id(fields.previous_id).filter(|previous| **previous != *self.user);
        let previous = short("previousId", previous.ok_or(Reason::BadAlias)?)?;
        self.facts.push(Fact::user(self.user.clone(), self.at));
        self.merge(previous, false);
        Ok(())
    }

    /// One attribute write for each leaf; a null removes.
    fn writes(
        &mut self,
        leaves: Leaves<'_>,
        declared: impl Fn(&Values<'_>, &str) -> Option<Declared>,
    ) -> Result<(), Reason> {
        self.values.tally.dropped_names += leaves.dropped_names;
        for leaf in leaves.settle() {
            let value = if leaf.json.is_null() {
                None
            } else {
                let kind = declared(&self.values, &leaf.name);
                Some(self.values.read(&leaf, "traits", kind)?)
            };
            let name = leaf.name.into();
            let write = AttributeWrite { user: self.user.clone(), name, value, at: self.at };
            self.facts.push(write.into());
        }
        Ok(())
    }

    /// An id that merges into the user, unless it is the user's own.
    fn merge(&mut self, from: SmolStr, anonymous: bool) {
        let known = self.merges.iter().any(|merge| merge.from == *from);
        if from != self.user && !known {
            self.merges.push(Merge { from: from.into(), into: self.user.clone().into(), anonymous });
        }
    }

    /// The object in a field that should hold one. Senders write an empty array for an empty object.
    fn object<'a>(&mut self, field: Option<Json<'a>>) -> Option<Json<'a>> {
        let field = field.filter(|json| !json.is_null() && !json.is_empty_container())?;
        self.values.tally.ignored += u64::from(!field.is_object());
        field.is_object().then_some(field)
    }
}
