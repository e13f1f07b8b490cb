//! Facts: what users did and who they are, before a store takes them in.

mod check;
mod json;

use std::fmt;

pub use check::IngestError;
pub(crate) use check::{check_horizon, check_merged};
#[cfg(feature = "testing")]
pub(crate) use json::{KINDS, read_kind, write_fact};

use smol_str::SmolStr;

use crate::time::Timestamp;
use crate::value::Value;

/// Something a user did, at an instant, with properties and perhaps an id that makes its delivery idempotent.
///
/// ```
/// use whodid::{Event, Timestamp};
/// let at: Timestamp = "2026-06-15T12:00:00Z".parse()?;
/// let event = Event::new("ada", "feature_used", at).with("feature", "export").id("m-1");
/// assert_eq!(event.property("feature"), Some(&"export".into()));
/// # Ok::<(), whodid::TimeError>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Event {
    pub(crate) user: SmolStr,
    pub(crate) name: SmolStr,
    pub(crate) at: Timestamp,
    /// As given: a store refuses a name given twice.
    pub(crate) properties: Vec<(String, Value)>,
    pub(crate) id: Option<SmolStr>,
}

impl Event {
    /// An event without properties or id.
    pub fn new(user: impl AsRef<str>, name: impl AsRef<str>, at: impl Into<Timestamp>) -> Self {
        let [user, name] = [user.as_ref(), name.as_ref()].map(SmolStr::new);
        Self { user, name, at: at.into(), properties: Vec::new(), id: None }
    }

    /// Adds a property. A store refuses an event that has one name twice.
    #[must_use]
    pub fn with(mut self, name: impl Into<String>, value: impl Into<Value>) -> Self {
        self.properties.push((name.into(), value.into()));
        self
    }

    /// Gives it an id: of the events with one id, whatever their users, a store keeps the first to arrive.
    #[must_use]
    pub fn id(mut self, id: impl AsRef<str>) -> Self {
        self.id = Some(SmolStr::new(id));
        self
    }

    /// The external id of the user.
    pub fn user(&self) -> &str {
        &self.user
    }

    /// What the user did.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// When.
    pub fn at(&self) -> Timestamp {
        self.at
    }

    /// The properties, in the order given.
    pub fn properties(&self) -> &[(String, Value)] {
        &self.properties
    }

    /// The property of that name.
    pub fn property(&self, name: &str) -> Option<&Value> {
        self.properties.iter().find(|(have, _)| have == name).map(|(_, value)| value)
    }

    /// The id that makes its delivery idempotent.
    pub fn event_id(&self) -> Option<&str> {
        self.id.as_deref()
    }
}

/// A write of an attribute: its value from an instant on, or that it is gone from then on.
#[derive(Clone, Debug, PartialEq)]
pub struct AttributeWrite {
    pub(crate) user: SmolStr,
    pub(crate) name: SmolStr,
    pub(crate) value: Option<Value>,
    pub(crate) at: Timestamp,
}

impl AttributeWrite {
    /// The attribute has this value from the instant on.
    pub fn set(
        user: impl AsRef<str>,
        name: impl AsRef<str>,
        value: impl Into<Value>,
        at: impl Into<Timestamp>,
    ) -> Self {
        Self { value: Some(value.into()), ..Self::removed(user, name, at) }
    }

    /// The attribute is gone from the instant on.
    pub fn removed(user: impl AsRef<str>, name: impl AsRef<str>, at: impl Into<Timestamp>) -> Self {
        let [user, name] = [user.as_ref(), name.as_ref()].map(SmolStr::new);
        Self { user, name, value: None, at: at.into() }
    }

    /// The external id of the user.
    pub fn user(&self) -> &str {
        &self.user
    }

    /// The attribute.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The value; `None`: removed.
    pub fn value(&self) -> Option<&Value> {
        self.value.as_ref()
    }

    /// When.
    pub fn at(&self) -> Timestamp {
        self.at
    }
}

/// A fact: one thing that a store takes in.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Fact {
    /// A user did something.
    Event(Event),
    /// An attribute of a user was written.
    Attribute(AttributeWrite),
    /// A user exists since an instant.
    User {
        /// The external id.
        id: String,
        /// Since when.
        seen: Timestamp,
    },
}

impl Fact {
    /// A user exists since an instant.
    pub fn user(id: impl Into<String>, seen: impl Into<Timestamp>) -> Self {
        Self::User { id: id.into(), seen: seen.into() }
    }

    /// The external id of the user that it is about.
    pub fn user_id(&self) -> &str {
        match self {
            Self::Event(event) => &event.user,
            Self::Attribute(write) => &write.user,
            Self::User { id, .. } => id,
        }
    }

    /// When: facts are sorted by it before they go into a [`Live`](crate::Live) in one batch.
    ///
    /// ```
    /// use whodid::{Event, Fact, Timestamp, hours};
    ///
    /// let noon: Timestamp = "2026-06-15T12:00:00Z".parse()?;
    /// let mut facts: Vec<Fact> =
    ///     vec![Event::new("ada", "login", noon.plus(hours(1))).into(), Fact::user("bob", noon)];
    /// facts.sort_by_key(Fact::at);
    /// assert_eq!(facts[0].user_id(), "bob");
    /// # Ok::<(), whodid::TimeError>(())
    /// ```
    pub fn at(&self) -> Timestamp {
        match self {
            Self::Event(event) => event.at,
            Self::Attribute(write) => write.at,
            Self::User { seen, .. } => *seen,
        }
    }
}

impl From<Event> for Fact {
    fn from(event: Event) -> Self {
        Self::Event(event)
    }
}

impl From<AttributeWrite> for Fact {
    fn from(write: AttributeWrite) -> Self {
        Self::Attribute(write)
    }
}

/// Names the fact, in the few words that an error needs: `event "purchase" of "ada"`.
impl fmt::Display for Fact {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Event(event) => event.fmt(f),
            Self::Attribute(write) => write.fmt(f),
            Self::User { id, .. } => write!(f, "user {:?}", Short(id)),
        }
    }
}

impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "event {:?} of {:?}", Short(&self.name), Short(&self.user))
    }
}

impl fmt::Display for AttributeWrite {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "attribute {:?} of {:?}", Short(&self.name), Short(&self.user))
    }
}

/// A text in a message: its first 64 characters, so that a refused megabyte does not fill a log.
pub(crate) struct Short<'a>(pub(crate) &'a str);

impl fmt::Debug for Short<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.char_indices().nth(64) {
            None => write!(f, "{:?}", self.0),
            Some((end, _)) => write!(f, "{:?}…", self.0.get(..end).unwrap_or_default()),
        }
    }
}
