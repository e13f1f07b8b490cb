//! # Facts

use super::Oracle;
use crate::event::{AttributeWrite, Event};
use crate::time::Timestamp;
use crate::value::{Scalar, Value};

/// A fact that the oracle keeps.
#[derive(Clone, Debug)]
pub(super) enum Fact {
    Event(Event),
    Write(AttributeWrite),
}

/// What became of an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Taken {
    /// It was kept.
    New,
    /// An event with this id was there before: dropped without a trace.
    Duplicate,
    /// It is older than the horizon: dropped and counted.
    BehindHorizon,
}

/// Why a fact is refused; nothing of it is kept.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum FactError {
    /// A name or an id is empty.
    #[error("the {0} is empty")]
    Empty(&'static str),
    /// A name or an id is longer than 512 bytes.
    #[error("the {0} has {1} bytes, at most 512 are allowed")]
    TooLong(&'static str, usize),
    /// An instant lies outside the years 1 to 9999.
    #[error("{0} lies outside the years 1 to 9999")]
    OutOfRange(Timestamp),
    /// A number is NaN or infinite.
    #[error("{0} is not finite")]
    NotFinite(f64),
    /// A string has more than 1 MiB.
    #[error("a string has {0} bytes, at most 1 MiB is allowed")]
    LongString(usize),
    /// An event has more than 1 000 properties.
    #[error("the event has {0} properties, at most 1000 are allowed")]
    TooManyProperties(usize),
    /// A property stands twice in one event.
    #[error("the property {0:?} stands twice")]
    PropertyTwice(String),
    /// A user would be merged into itself.
    #[error("{0:?} and {1:?} are one user already")]
    SameUser(String, String),
}

/// A user, with the facts of at most `T`.
pub(super) struct Person<'a> {
    pub(super) id: &'a str,
    /// The instant of the earliest fact or registration.
    pub(super) seen: i64,
    /// In order of time; of one instant, in order of arrival.
    pub(super) events: Vec<&'a Event>,
    /// In order of time; of several writes of one attribute at one instant only the last to arrive is here.
    writes: Vec<&'a AttributeWrite>,
}

impl<'a> Person<'a> {
    /// The writes of one attribute, in order of time.
    pub(super) fn history(&self, name: &str) -> Vec<(i64, Option<&'a Value>)> {
        let writes = self.writes.iter().filter(|w| w.name == name);
        writes.map(|w| (w.at.millis(), w.value.as_ref())).collect()
    }

    /// The value of an attribute: the write with the greatest instant of at most `at`.
    pub(super) fn value(&self, name: &str, at: i64) -> Option<&'a Value> {
        self.history(name).iter().rev().find(|w| w.0 <= at).and_then(|w| w.1)
    }
}

impl Oracle {
    /// Takes in an event.
    ///
    /// # Errors
    /// A bad event; it uses no id.
    pub fn record(&mut self, event: Event) -> Result<Taken, FactError> {
        check_event(&event)?;
        if event.event_id().is_some_and(|id| self.used_ids.contains_key(id)) {
            return Ok(Taken::Duplicate);
        }
        if self.is_behind_horizon(&event.name, event.at) {
            self.behind_horizon += 1;
            return Ok(Taken::BehindHorizon);
        }
        let user = self.resolve(&event.user);
        let used = event.event_id().map(|id| (id.to_owned(), (event.name().to_owned(), event.at)));
        self.used_ids.extend(used);
        self.sightings.push((user.clone(), event.at));
        self.facts.push(Fact::Event(Event { user: user.into(), ..event }));
        Ok(Taken::New)
    }

    /// Takes in an attribute write.
    ///
    /// # Errors
    /// A bad fact.
    pub fn set(
        &mut self,
        user: &str,
        name: &str,
        value: impl Into<Value>,
        at: Timestamp,
    ) -> Result<(), FactError> {
        self.write(AttributeWrite::set(user, name, value, at))
    }

    /// Takes in the removal of an attribute from an instant on: a write of null.
    ///
    /// # Errors
    /// A bad fact.
    pub fn remove(&mut self, user: &str, name: &str, at: Timestamp) -> Result<(), FactError> {
        self.write(AttributeWrite::removed(user, name, at))
    }

    /// Takes in that a user was there at an instant.
    ///
    /// # Errors
    /// A bad fact.
    pub fn register(&mut self, user: &str, at: Timestamp) -> Result<(), FactError> {
        check_name("user", user)?;
        check_instant(at)?;
        self.sightings.push((self.resolve(user), at));
        Ok(())
    }

    /// Takes in an attribute write.
    ///
    /// # Errors
    /// A bad fact.
    pub fn write(&mut self, write: AttributeWrite) -> Result<(), FactError> {
        check_name("user", &write.user)?;
        check_name("attribute", &write.name)?;
        check_instant(write.at)?;
        write.value.iter().try_for_each(check_value)?;
        let user = self.resolve(&write.user);
        self.sightings.push((user.clone(), write.at));
        self.facts.push(Fact::Write(AttributeWrite { user: user.into(), ..write }));
        Ok(())
    }

    /// Everyone first seen at or before `at`, each with the facts of at most `at`.
    pub(super) fn people(&self, at: Timestamp) -> Vec<Person<'_>> {
        let mut people: Vec<Person<'_>> = Vec::new();
        for (user, seen) in &self.sightings {
            let seen = seen.millis();
            match people.iter_mut().find(|p| p.id == user) {
                Some(person) => person.seen = person.seen.min(seen),
                None => people.push(Person { id: user, seen, events: Vec::new(), writes: Vec::new() }),
            }
        }
        people.retain(|p| p.seen <= at.millis());
        for person in &mut people {
            for fact in &self.facts {
                match fact {
                    Fact::Event(event) if event.user == person.id && event.at <= at => {
                        person.events.push(event);
                    }
                    Fact::Write(write) if write.user == person.id && write.at <= at => {
                        person.writes.retain(|w| !(w.name == write.name && w.at == write.at));
                        person.writes.push(write);
                    }
                    _ => {}
                }
            }
            // Both sorts keep the order of arrival among facts of one instant.
            person.events.sort_by_key(|e| e.at);
            person.writes.sort_by_key(|w| w.at);
        }
        people
    }
}

/// Names and ids are non-empty and at most 512 bytes.
pub(super) fn check_name(what: &'static str, name: &str) -> Result<(), FactError> {
    match name.len() {
        0 => Err(FactError::Empty(what)),
        1..=512 => Ok(()),
        len => Err(FactError::TooLong(what, len)),
    }
}

fn check_instant(at: Timestamp) -> Result<(), FactError> {
    if at.in_range() { Ok(()) } else { Err(FactError::OutOfRange(at)) }
}

fn check_event(event: &Event) -> Result<(), FactError> {
    check_name("user", &event.user)?;
    check_name("event", &event.name)?;
    check_instant(event.at)?;
    if event.properties.len() > 1000 {
        return Err(FactError::TooManyProperties(event.properties.len()));
    }
    for (i, (name, value)) in event.properties.iter().enumerate() {
        check_name("property", name)?;
        check_value(value)?;
        if event.properties.iter().take(i).any(|(earlier, _)| earlier == name) {
            return Err(FactError::PropertyTwice(name.clone()));
        }
    }
    event.id.iter().try_for_each(|id| check_name("event id", id))
}

fn check_value(value: &Value) -> Result<(), FactError> {
    match value {
        Value::Scalar(scalar) => check_scalar(scalar),
        Value::List(list) => list.iter().try_for_each(check_scalar),
        Value::Records(records) => records.iter().flat_map(|r| r.fields()).try_for_each(|(name, scalar)| {
            check_name("field", name)?;
            check_scalar(scalar)
        }),
    }
}

fn check_scalar(scalar: &Scalar) -> Result<(), FactError> {
    match scalar {
        Scalar::Float(x) if !x.is_finite() => Err(FactError::NotFinite(*x)),
        Scalar::String(s) if s.len() > 1 << 20 => Err(FactError::LongString(s.len())),
        Scalar::Instant(at) => check_instant(*at),
        _ => Ok(()),
    }
}
