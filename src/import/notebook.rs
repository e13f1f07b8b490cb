//! A store for tests that only takes notes.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};

use crate::event::{AttributeWrite, Event, Fact, IngestError};
use crate::segment::EventPattern;
use crate::store::{Ingest, Recorded};
use crate::time::Timestamp;

#[derive(Debug, Default)]
pub(crate) struct Notebook {
    /// Everything that was taken in, in a few words a line.
    pub(crate) lines: Vec<String>,
    pub(crate) facts: Vec<Fact>,
    pub(crate) event_ids: HashSet<String>,
    pub(crate) merged: HashMap<String, String>,
    pub(crate) horizon: Option<Timestamp>,
    /// Takes no more facts than these.
    pub(crate) room: Option<usize>,
}

impl Notebook {
    fn note(&mut self, fact: Fact, line: String) -> Result<(), IngestError> {
        fact.check()?;
        if self.room == Some(self.facts.len()) {
            return Err(IngestError::TooManyUsers);
        }
        self.facts.push(fact);
        self.lines.push(line);
        Ok(())
    }
}

impl Ingest for Notebook {
    type Error = IngestError;

    fn record(&mut self, event: Event) -> Result<Recorded, IngestError> {
        event.check()?;
        if event.event_id().is_some_and(|id| self.event_ids.contains(id)) {
            return Ok(Recorded::Duplicate);
        }
        if self.horizon.is_some_and(|horizon| event.at < horizon) {
            return Ok(Recorded::BeforeHorizon);
        }
        let properties: Vec<_> =
            event.properties.iter().map(|(name, value)| format!(" {name}={}", shown(value))).collect();
        let line = format!("{} did {} at {}{}", event.user, event.name, event.at, properties.concat());
        self.event_ids.extend(event.event_id().map(str::to_owned));
        self.note(event.into(), line)?;
        Ok(Recorded::New)
    }

    fn write(&mut self, write: AttributeWrite) -> Result<(), IngestError> {
        let value = write.value.as_ref().map_or("gone".into(), shown);
        let line = format!("{} has {}={value} from {}", write.user, write.name, write.at);
        self.note(write.into(), line)
    }

    fn register(&mut self, user: &str, seen: Timestamp) -> Result<(), IngestError> {
        self.note(Fact::user(user, seen), format!("{user} is known from {seen}"))
    }

    fn current_id<'a>(&'a self, id: &'a str) -> Result<Cow<'a, str>, IngestError> {
        let mut id = id;
        while let Some(into) = self.merged.get(id) {
            id = into;
        }
        Ok(Cow::Borrowed(id))
    }

    fn merge(&mut self, from: &str, into: &str) -> Result<(), IngestError> {
        let (owner, into) = (self.current_id(from)?.into_owned(), self.current_id(into)?.into_owned());
        if owner == into {
            return Err(IngestError::MergedIntoItself { from: from.to_owned(), into });
        }
        self.lines.push(format!("{from} is {into}"));
        self.merged.insert(owner, into);
        Ok(())
    }

    fn forget(&mut self, _: &str) -> Result<(), IngestError> {
        Ok(())
    }

    fn retain(&mut self, since: Timestamp, _: &[EventPattern]) -> Result<u64, IngestError> {
        self.horizon = Some(since);
        Ok(0)
    }
}

/// A value in few words: an instant after `@`, a float with its point, a string in quotes.
pub(crate) fn shown(value: &crate::value::Value) -> String {
    use crate::value::{Record, Scalar, Value};
    let scalar = |scalar: &Scalar| match scalar {
        Scalar::Bool(b) => b.to_string(),
        Scalar::Int(n) => n.to_string(),
        Scalar::Float(x) => format!("{x:?}"),
        Scalar::String(s) => format!("'{s}'"),
        Scalar::Instant(at) => format!("@{at}"),
    };
    let record = |record: &Record| {
        let fields: Vec<_> =
            record.fields().iter().map(|(name, value)| format!("{name}={}", scalar(value))).collect();
        format!("{{{}}}", fields.join(","))
    };
    match value {
        Value::Scalar(one) => scalar(one),
        Value::List(many) => format!("[{}]", many.iter().map(scalar).collect::<Vec<_>>().join(",")),
        Value::Records(many) => format!("[{}]", many.iter().map(record).collect::<Vec<_>>().join(",")),
    }
}
