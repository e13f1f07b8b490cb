//! The writing side: facts taken in one by one or together, users merged and forgotten, events let go by age.

use std::borrow::Cow;
use std::sync::Arc;

use super::MemoryStore;
use super::attributes::Write;
use super::cell::Cell;
use super::users::TOGETHER;
use crate::event::{AttributeWrite, Event, Fact, IngestError, check_horizon, check_merged};
use crate::segment::EventPattern;
use crate::store::{BatchError, Ingest, Recorded};
use crate::time::Timestamp;

/// The numbers of what a fact names, where those have been looked up.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Known {
    pub user: Option<u32>,
    /// Of the name of an event.
    pub name: Option<u32>,
}

impl Ingest for MemoryStore {
    type Error = IngestError;

    fn record(&mut self, event: Event) -> Result<Recorded, IngestError> {
        event.check()?;
        self.record_checked(&event, Known::default())
    }

    fn write(&mut self, write: AttributeWrite) -> Result<(), IngestError> {
        write.check()?;
        self.write_checked(&write, None)
    }

    fn register(&mut self, user: &str, seen: Timestamp) -> Result<(), IngestError> {
        Fact::user(user, seen).check()?;
        let user = self.user(user)?;
        self.saw(user, seen.millis());
        Ok(())
    }

    fn current_id<'a>(&'a self, id: &'a str) -> Result<Cow<'a, str>, IngestError> {
        Ok(Cow::Borrowed(self.state.users.resolve(id).unwrap_or(id)))
    }

    fn merge(&mut self, from: &str, into: &str) -> Result<(), IngestError> {
        self.check_merge(from, into)?;
        let (from, into) = (self.user(from)?, self.user(into)?);
        let has_facts = self.state.users.first_seen(from).is_some();
        self.state.users.merge(from, into);
        if has_facts {
            let replaced = self.state.attributes.merge(from, into);
            self.release(replaced);
            self.move_events(from, into);
        }
        Ok(())
    }

    fn forget(&mut self, user: &str) -> Result<(), IngestError> {
        let Some(user) = self.state.users.find(user) else { return Ok(()) };
        let all = self.state.users.forget(user);
        let mut gone = self.state.attributes.forget(user);
        gone.extend(self.state.tail.retain(|_, row| row.user != user));
        gone.extend(self.copy_sealed(user).into_iter().flat_map(|row| row.properties).map(|(_, cell)| cell));
        self.erase(user, &all);
        self.release(gone);
        self.state.erase_from_indexes(&all, |_| true);
        Ok(())
    }

    fn retain(&mut self, since: Timestamp, events: &[EventPattern]) -> Result<u64, IngestError> {
        check_horizon(since)?;
        let since = since.millis();
        self.state.add_horizon(since, events);
        let names = &self.state.names;
        let goes: Vec<bool> = names.iter().map(|(_, name)| events.iter().any(|p| p.matches(name))).collect();
        let goes = |name: u32| goes.get(name as usize).copied().unwrap_or(false);
        let tail_before = self.state.tail.len();
        let mut gone = self.state.tail.retain(|name, row| row.at >= since || !goes(name));
        let mut dropped = tail_before - self.state.tail.len();
        self.merges.start_over();
        let users = &self.state.users;
        let is_alive = |user| users.is_alive(user);
        for (name, shelf) in (0u32..).zip(Arc::make_mut(&mut self.state.shelves)) {
            if goes(name) {
                dropped += Arc::make_mut(shelf).retain(since, is_alive, |cell| gone.push(cell));
            }
        }
        self.release(gone);
        self.ids.retain(|name, at| at >= since || !goes(name));
        self.state.erase_from_indexes(&[], |event| event.at >= since || !goes(event.name));
        self.dropped += dropped as u64;
        Ok(dropped as u64)
    }

    fn take_all(&mut self, facts: Vec<Fact>) -> Result<Vec<Recorded>, BatchError<IngestError>> {
        for (index, fact) in facts.iter().enumerate() {
            fact.check().map_err(|error| BatchError { index, error })?;
        }
        self.check_room(facts.len()).map_err(|(index, error)| BatchError { index, error })?;
        let mut taken = Vec::with_capacity(facts.len());
        for (batch, facts) in facts.chunks(TOGETHER).enumerate() {
            let users = self.state.users_of(facts);
            for (i, (fact, user)) in facts.iter().zip(users).enumerate() {
                let recorded = self.take_known(fact, Known { user, name: None });
                let index = batch * TOGETHER + i;
                taken.push(recorded.map_err(|error| BatchError { index, error })?);
            }
        }
        Ok(taken)
    }
}

impl MemoryStore {
    /// Whoever is new in a batch: there is room for all of them, so that nothing fails halfway.
    ///
    /// # Errors
    /// For how many there is.
    pub(crate) fn check_room(&self, facts: usize) -> Result<(), (usize, IngestError)> {
        let room = (u32::MAX as usize).saturating_sub(self.state.users.numbers() + 1);
        if facts > room { Err((room, IngestError::TooManyUsers)) } else { Ok(()) }
    }

    /// Checks what a merge names.
    ///
    /// # Errors
    /// An id is refused, or both are one user already.
    pub(crate) fn check_merge(&self, from: &str, into: &str) -> Result<(), IngestError> {
        check_merged(from, "the user to be merged")?;
        check_merged(into, "the user to be merged into")?;
        let users = &self.state.users;
        let same = match (users.find(from), users.find(into)) {
            (Some(a), Some(b)) => a == b,
            _ => from == into,
        };
        if same {
            return Err(IngestError::MergedIntoItself { from: from.to_owned(), into: into.to_owned() });
        }
        Ok(())
    }

    /// Takes a checked fact in.
    pub(crate) fn take_known(&mut self, fact: &Fact, known: Known) -> Result<Recorded, IngestError> {
        match fact {
            Fact::Event(event) => self.record_checked(event, known),
            Fact::Attribute(write) => self.write_checked(write, known.user).map(|()| Recorded::New),
            Fact::User { id, seen } => self.register(id, *seen).map(|()| Recorded::New),
        }
    }

    /// Takes a checked event in.
    fn record_checked(&mut self, event: &Event, known: Known) -> Result<Recorded, IngestError> {
        let Event { user, name, at, properties, id } = event;
        if id.as_ref().is_some_and(|id| self.ids.contains(id)) {
            return Ok(Recorded::Duplicate);
        }
        if at.millis() < self.state.horizon_of(name) {
            self.dropped += 1;
            return Ok(Recorded::BeforeHorizon);
        }
        let user = known.user.map_or_else(|| self.user(user), Ok)?;
        let name = known.name.unwrap_or_else(|| self.event_name(name));
        if let Some(id) = id {
            self.ids.take(id, name, at.millis());
        }
        for (property, value) in properties {
            let cell = self.state.values.cell(value);
            self.held.take(cell);
            self.cells.push((self.state.properties.intern(property), cell));
        }
        self.keep(user, name, at.millis());
        self.cells.clear();
        Ok(Recorded::New)
    }

    /// Takes a checked write in; `known`: its user, where that has been looked up.
    fn write_checked(&mut self, write: &AttributeWrite, known: Option<u32>) -> Result<(), IngestError> {
        let AttributeWrite { user, name, value, at } = write;
        let user = known.map_or_else(|| self.user(user), Ok)?;
        let value = value.as_ref().map_or(Cell::Missing, |value| self.state.values.cell(value));
        self.held.take(value);
        let order = self.next_arrival();
        self.saw(user, at.millis());
        let replaced = self.state.attributes.add(name, user, Write { at: at.millis(), order, value });
        self.release(replaced);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_batch_is_taken_as_its_facts_are_one_by_one_or_not_at_all() {
        let at = |ms| Timestamp::from_millis(ms);
        let event = |user: &str, ms, id: &str| Fact::from(Event::new(user, "x", at(ms)).id(id));
        let mut facts: Vec<Fact> =
            (0..100).map(|i| event(&format!("u{}", i % 7), i, &format!("m{}", i % 90))).collect();
        facts.push(AttributeWrite::set("u3", "plan", "pro", at(5)).into());
        facts.push(Fact::user("new", at(9)));
        let (mut together, mut apart) = (MemoryStore::new().seal_after(16), MemoryStore::new());
        let taken = together.take_all(facts.clone()).unwrap();
        let one_by_one: Vec<Recorded> = facts.into_iter().map(|fact| apart.take(fact).unwrap()).collect();
        assert_eq!(taken, one_by_one);
        assert_eq!(together.snapshot().event_count(), 90);

        let before = together.memory_usage();
        let error = together.take_all(vec![event("late", 1, "m-1"), event("", 1, "m-2")]).unwrap_err();
        assert_eq!((error.index, together.memory_usage()), (1, before));
    }
}
