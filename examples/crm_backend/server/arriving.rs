//! Facts as they arrive over the network, from senders whose clocks are not ours.

use std::borrow::Cow;

use whodid::segment::EventPattern;
use whodid::{AttributeWrite, Event, Ingest, Recorded, Timestamp};

/// What is written to, except that nothing arrives from the future: what a sender dates later than now happens now. One
/// clock that is ahead would else take the engine with it, and all others would be late.
pub struct Arriving<'i, I> {
    to: &'i mut I,
    now: Timestamp,
}

impl<'i, I> Arriving<'i, I> {
    pub fn new(to: &'i mut I, now: Timestamp) -> Self {
        Self { to, now }
    }
}

impl<I: Ingest> Ingest for Arriving<'_, I> {
    type Error = I::Error;

    fn record(&mut self, event: Event) -> Result<Recorded, I::Error> {
        if event.at() <= self.now {
            return self.to.record(event);
        }
        let dated = Event::new(event.user(), event.name(), self.now);
        let properties = event.properties().iter().cloned();
        let dated = properties.fold(dated, |event, (name, value)| event.with(name, value));
        self.to.record(event.event_id().map_or(dated.clone(), |id| dated.id(id)))
    }

    fn write(&mut self, write: AttributeWrite) -> Result<(), I::Error> {
        let at = write.at().min(self.now);
        self.to.write(match write.value() {
            Some(value) => AttributeWrite::set(write.user(), write.name(), value.clone(), at),
            None => AttributeWrite::removed(write.user(), write.name(), at),
        })
    }

    fn register(&mut self, user: &str, seen: Timestamp) -> Result<(), I::Error> {
        self.to.register(user, seen.min(self.now))
    }

    fn current_id<'a>(&'a self, id: &'a str) -> Result<Cow<'a, str>, I::Error> {
        self.to.current_id(id)
    }

    fn merge(&mut self, from: &str, into: &str) -> Result<(), I::Error> {
        self.to.merge(from, into)
    }

    fn forget(&mut self, user: &str) -> Result<(), I::Error> {
        self.to.forget(user)
    }

    fn retain(&mut self, since: Timestamp, events: &[EventPattern]) -> Result<u64, I::Error> {
        self.to.retain(since, events)
    }
}
