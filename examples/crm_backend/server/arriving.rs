//! Facts as they arrive over the network, from senders whose clocks are not ours.

use std::borrow::Cow;

use whodid::live::Feed;
use whodid::segment::EventPattern;
use whodid::{AttributeWrite, Event, Ingest, LiveError, Recorded, Timestamp, Transition};

/// The engine as a store that is written to, except that nothing arrives from the future: what a sender dates later
/// than now happens now. One clock that is ahead would else take the engine with it, and all others would be late.
pub struct Arriving<'l> {
    feed: Feed<'l>,
    now: Timestamp,
}

impl<'l> Arriving<'l> {
    pub fn new(feed: Feed<'l>, now: Timestamp) -> Self {
        Self { feed, now }
    }

    pub fn into_transitions(self) -> Vec<Transition> {
        self.feed.into_transitions()
    }
}

impl Ingest for Arriving<'_> {
    type Error = LiveError;

    fn record(&mut self, event: Event) -> Result<Recorded, LiveError> {
        if event.at() <= self.now {
            return self.feed.record(event);
        }
        let dated = Event::new(event.user(), event.name(), self.now);
        let properties = event.properties().iter().cloned();
        let dated = properties.fold(dated, |event, (name, value)| event.with(name, value));
        self.feed.record(event.event_id().map_or(dated.clone(), |id| dated.id(id)))
    }

    fn write(&mut self, write: AttributeWrite) -> Result<(), LiveError> {
        let at = write.at().min(self.now);
        self.feed.write(match write.value() {
            Some(value) => AttributeWrite::set(write.user(), write.name(), value.clone(), at),
            None => AttributeWrite::removed(write.user(), write.name(), at),
        })
    }

    fn register(&mut self, user: &str, seen: Timestamp) -> Result<(), LiveError> {
        self.feed.register(user, seen.min(self.now))
    }

    fn current_id<'a>(&'a self, id: &'a str) -> Result<Cow<'a, str>, LiveError> {
        self.feed.current_id(id)
    }

    fn merge(&mut self, from: &str, into: &str) -> Result<(), LiveError> {
        self.feed.merge(from, into)
    }

    fn forget(&mut self, user: &str) -> Result<(), LiveError> {
        self.feed.forget(user)
    }

    fn retain(&mut self, since: Timestamp, events: &[EventPattern]) -> Result<u64, LiveError> {
        self.feed.retain(since, events)
    }
}
