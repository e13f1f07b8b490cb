//! # Erasure, merging, retention

use super::Oracle;
use super::did::names;
use super::facts::{Fact, FactError, check_name};
use crate::segment::EventPattern;
use crate::time::Timestamp;

/// A horizon: events before it are dropped, those there were and those that arrive.
#[derive(Clone, Debug, PartialEq)]
pub struct Retained {
    /// The first instant that is kept.
    pub since: Timestamp,
    /// Of which events.
    pub events: Vec<EventPattern>,
}

impl Oracle {
    /// The user is in no segment from now on, its facts are gone, and every id merged into it is let go.
    pub fn forget(&mut self, user: &str) {
        let user = self.resolve(user);
        self.facts.retain(|fact| owner(fact) != user);
        self.sightings.retain(|(seen, _)| *seen != user);
        let ids: Vec<String> = self.merged.keys().filter(|id| self.resolve(id) == user).cloned().collect();
        self.merged.retain(|id, _| !ids.contains(id));
    }

    /// All facts of `from` become facts of `into`, and the id `from` names `into` from now on.
    ///
    /// # Errors
    /// A bad id; two names of one user.
    pub fn merge(&mut self, from: &str, into: &str) -> Result<(), FactError> {
        check_name("user", from)?;
        check_name("user", into)?;
        let (old, new) = (self.resolve(from), self.resolve(into));
        if old == new {
            return Err(FactError::SameUser(from.to_owned(), into.to_owned()));
        }
        for fact in &mut self.facts {
            let user = match fact {
                Fact::Event(event) => &mut event.user,
                Fact::Write(write) => &mut write.user,
            };
            if *user == old {
                *user = new.as_str().into();
            }
        }
        self.sightings.iter_mut().filter(|s| s.0 == old).for_each(|s| s.0.clone_from(&new));
        self.merged.insert(old, new);
        Ok(())
    }

    /// Drops the events of these names before an instant, and those that arrive later likewise.
    ///
    /// Their ids are let go, those of events that went with a forgotten user too: a redelivery of either meets
    /// the horizon.
    pub fn retain(&mut self, since: Timestamp, events: &[EventPattern]) {
        self.retained.push(Retained { since, events: events.to_vec() });
        let mut facts = std::mem::take(&mut self.facts);
        facts.retain(|fact| match fact {
            Fact::Event(event) => !self.is_behind_horizon(&event.name, event.at),
            Fact::Write(_) => true,
        });
        self.facts = facts;
        let mut used_ids = std::mem::take(&mut self.used_ids);
        used_ids.retain(|_, (name, at)| !self.is_behind_horizon(name, *at));
        self.used_ids = used_ids;
    }

    /// Every horizon there is.
    pub fn retained(&self) -> &[Retained] {
        &self.retained
    }

    /// How many events arrived behind a horizon and were dropped.
    pub fn behind_horizon(&self) -> u64 {
        self.behind_horizon
    }

    pub(super) fn is_behind_horizon(&self, name: &str, at: Timestamp) -> bool {
        let meant = |r: &Retained| r.events.iter().any(|pattern| names(pattern, name));
        self.retained.iter().any(|r| at < r.since && meant(r))
    }

    /// The user that an id names: itself, or the one it was merged into, through chains.
    pub(super) fn resolve(&self, id: &str) -> String {
        let mut id = id;
        while let Some(into) = self.merged.get(id) {
            id = into;
        }
        id.to_owned()
    }
}

fn owner(fact: &Fact) -> &str {
    match fact {
        Fact::Event(event) => &event.user,
        Fact::Write(write) => &write.user,
    }
}
