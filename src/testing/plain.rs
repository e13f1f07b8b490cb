//! The plainest store there is: a list of users, each with lists of facts.
//!
//! It overrides nothing that [`EventStore`] provides, so it proves those methods by themselves; and it shows how
//! little a store needs.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};
use std::convert::Infallible;

use roaring::RoaringBitmap;

use crate::event::{AttributeWrite, Event, Fact, IngestError, check_horizon, check_merged};
use crate::plan::ValueRef;
use crate::segment::EventPattern;
use crate::store::{Among, EventQuery, EventStore, Ingest, Recorded, StoredEvent, StoredWrite, UserId};
use crate::time::Timestamp;

/// Facts in plain lists, found by looking through all of them.
#[derive(Clone, Debug, Default)]
pub struct PlainStore {
    users: Vec<User>,
    /// A merged id, and the id it was merged into.
    merged: BTreeMap<String, String>,
    /// Each with the name and the instant of its event.
    event_ids: HashMap<String, (String, Timestamp)>,
    horizons: Vec<(Timestamp, Vec<EventPattern>)>,
    arrived: u64,
}

#[derive(Clone, Debug, Default)]
struct User {
    id: String,
    /// `None`: forgotten, merged away, or no more than a name.
    seen: Option<Timestamp>,
    /// Sorted by instant, then by the place in the order of arrival.
    events: Vec<(Timestamp, u64, Event)>,
    writes: Vec<(Timestamp, u64, AttributeWrite)>,
}

impl User {
    fn saw(&mut self, at: Timestamp) {
        self.seen = Some(self.seen.map_or(at, |seen| seen.min(at)));
    }
}

impl PlainStore {
    /// An empty store.
    pub fn new() -> Self {
        Self::default()
    }

    fn name_of<'a>(&'a self, mut id: &'a str) -> &'a str {
        while let Some(into) = self.merged.get(id) {
            id = into;
        }
        id
    }

    fn place(&self, id: &str) -> Option<usize> {
        let id = self.name_of(id);
        self.users.iter().position(|user| user.id == id && user.seen.is_some())
    }

    /// The user of an id, made where there is none.
    fn known(&mut self, id: &str, at: Timestamp) -> Option<&mut User> {
        let place = self.place(id).unwrap_or_else(|| {
            let id = self.name_of(id).to_owned();
            self.users.push(User { id, ..User::default() });
            self.users.len() - 1
        });
        let user = self.users.get_mut(place)?;
        user.saw(at);
        Some(user)
    }

    fn next_arrival(&mut self) -> u64 {
        self.arrived += 1;
        self.arrived
    }

    fn is_before_horizon(&self, event: &Event) -> bool {
        self.horizons.iter().any(|(since, events)| {
            event.at() < *since && events.iter().any(|pattern| pattern.matches(event.name()))
        })
    }

    /// The users asked about that are there, with their numbers.
    fn among(&self, among: Among<'_>) -> impl Iterator<Item = (UserId, &User)> {
        let numbered = (0..).map(UserId::new).zip(&self.users);
        numbered.filter(move |(number, user)| user.seen.is_some() && among.contains(*number))
    }
}

/// Puts a fact in its place: sorted by instant, then by arrival.
fn insert<T>(facts: &mut Vec<(Timestamp, u64, T)>, at: Timestamp, arrival: u64, fact: T) {
    let place = facts.partition_point(|(have, before, _)| (*have, *before) <= (at, arrival));
    facts.insert(place, (at, arrival, fact));
}

impl EventStore for PlainStore {
    type Error = Infallible;

    fn user(&self, id: &str) -> Result<Option<UserId>, Infallible> {
        Ok(self.place(id).and_then(|place| u32::try_from(place).ok()).map(UserId::new))
    }

    fn ids(&self, users: &RoaringBitmap, visit: &mut dyn FnMut(UserId, &str)) -> Result<(), Infallible> {
        self.among(Among::Users(users)).for_each(|(number, user)| visit(number, &user.id));
        Ok(())
    }

    fn seen(&self, among: Among<'_>, visit: &mut dyn FnMut(UserId, Timestamp)) -> Result<(), Infallible> {
        for (number, user) in self.among(among) {
            user.seen.into_iter().for_each(|seen| visit(number, seen));
        }
        Ok(())
    }

    fn events(
        &self,
        query: &EventQuery<'_>,
        visit: &mut dyn FnMut(UserId, &[StoredEvent<'_>]),
    ) -> Result<(), Infallible> {
        for (number, user) in self.among(query.among) {
            let asked =
                user.events.iter().filter(|(at, _, event)| query.covers(*at) && query.names(event.name()));
            let events: Vec<StoredEvent<'_>> = asked
                .map(|(at, _, event)| StoredEvent {
                    at: *at,
                    name: event.name(),
                    properties: &event.properties,
                })
                .collect();
            if !events.is_empty() {
                visit(number, &events);
            }
        }
        Ok(())
    }

    fn writes(
        &self,
        attribute: &str,
        among: Among<'_>,
        visit: &mut dyn FnMut(UserId, &[StoredWrite<'_>]),
    ) -> Result<(), Infallible> {
        for (number, user) in self.among(among) {
            let asked = user.writes.iter().filter(|(_, _, write)| write.name() == attribute);
            let writes: Vec<StoredWrite<'_>> = asked
                .map(|(at, _, write)| StoredWrite { at: *at, value: write.value().map(ValueRef::from) })
                .collect();
            if !writes.is_empty() {
                visit(number, &writes);
            }
        }
        Ok(())
    }
}

impl Ingest for PlainStore {
    type Error = IngestError;

    fn record(&mut self, event: Event) -> Result<Recorded, IngestError> {
        event.check()?;
        if event.event_id().is_some_and(|id| self.event_ids.contains_key(id)) {
            return Ok(Recorded::Duplicate);
        }
        if self.is_before_horizon(&event) {
            return Ok(Recorded::BeforeHorizon);
        }
        let named = |id: &str| (id.to_owned(), (event.name().to_owned(), event.at()));
        self.event_ids.extend(event.event_id().map(named));
        let (at, arrival) = (event.at(), self.next_arrival());
        if let Some(user) = self.known(&event.user.clone(), at) {
            insert(&mut user.events, at, arrival, event);
        }
        Ok(Recorded::New)
    }

    fn write(&mut self, write: AttributeWrite) -> Result<(), IngestError> {
        write.check()?;
        let (at, arrival) = (write.at(), self.next_arrival());
        if let Some(user) = self.known(&write.user.clone(), at) {
            insert(&mut user.writes, at, arrival, write);
        }
        Ok(())
    }

    fn register(&mut self, user: &str, seen: Timestamp) -> Result<(), IngestError> {
        Fact::user(user, seen).check()?;
        self.known(user, seen);
        Ok(())
    }

    fn current_id<'a>(&'a self, id: &'a str) -> Result<Cow<'a, str>, IngestError> {
        Ok(Cow::Borrowed(self.name_of(id)))
    }

    fn merge(&mut self, from: &str, into: &str) -> Result<(), IngestError> {
        check_merged(from, "the user to be merged")?;
        check_merged(into, "the user to be merged into")?;
        let (old, new) = (self.name_of(from).to_owned(), self.name_of(into).to_owned());
        if old == new {
            return Err(IngestError::MergedIntoItself { from: from.to_owned(), into: into.to_owned() });
        }
        let moved = self.place(&old).and_then(|place| self.users.get_mut(place)).map(std::mem::take);
        self.merged.insert(old, new.clone());
        let Some(moved) = moved else { return Ok(()) };
        let Some(seen) = moved.seen else { return Ok(()) };
        if let Some(user) = self.known(&new, seen) {
            for (at, arrival, event) in moved.events {
                insert(&mut user.events, at, arrival, event);
            }
            for (at, arrival, write) in moved.writes {
                insert(&mut user.writes, at, arrival, write);
            }
        }
        Ok(())
    }

    fn forget(&mut self, user: &str) -> Result<(), IngestError> {
        let id = self.name_of(user).to_owned();
        if let Some(user) = self.place(&id).and_then(|place| self.users.get_mut(place)) {
            *user = User::default();
        }
        let let_go: Vec<String> =
            self.merged.keys().filter(|name| self.name_of(name) == id).cloned().collect();
        self.merged.retain(|name, _| !let_go.contains(name));
        Ok(())
    }

    fn retain(&mut self, since: Timestamp, events: &[EventPattern]) -> Result<u64, IngestError> {
        check_horizon(since)?;
        self.horizons.push((since, events.to_vec()));
        let goes = |name: &str, at| at < since && events.iter().any(|pattern| pattern.matches(name));
        self.event_ids.retain(|_, (name, at)| !goes(name, *at));
        let mut dropped = 0;
        for user in &mut self.users {
            let before = user.events.len();
            user.events.retain(|(at, _, event)| !goes(event.name(), *at));
            dropped += (before - user.events.len()) as u64;
        }
        Ok(dropped)
    }
}
