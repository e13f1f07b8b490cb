//! What rules remember of users.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::Signal;
use crate::live::Movement;

/// Something of each user in each segment.
pub(super) type Each<T> = BTreeMap<String, BTreeMap<String, T>>;

/// Who is in, as the rules after this one know it: those whose entry was handed on. Only they can leave.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Inside(BTreeMap<String, BTreeSet<String>>);

impl Inside {
    pub(super) fn enter(&mut self, signal: &Signal) {
        self.0.entry(signal.segment.clone()).or_default().insert(signal.id.clone());
    }

    pub(super) fn leave(&mut self, signal: &Signal) -> bool {
        let Some(inside) = self.0.get_mut(&signal.segment) else { return false };
        let was_in = inside.remove(&signal.id);
        if inside.is_empty() {
            self.0.remove(&signal.segment);
        }
        was_in
    }

    pub(super) fn follow(&mut self, signal: &Signal) {
        if signal.is_entry() {
            self.enter(signal);
        } else {
            self.leave(signal);
        }
    }

    pub(super) fn holds(&self, segment: &str, id: &str) -> bool {
        self.0.get(segment).is_some_and(|inside| inside.contains(id))
    }

    pub(super) fn forget(&mut self, id: &str) {
        self.0.values_mut().for_each(|inside| _ = inside.remove(id));
        self.0.retain(|_, inside| !inside.is_empty());
    }

    pub(super) fn merge(&mut self, from: &str, into: &str) {
        for inside in self.0.values_mut() {
            if inside.remove(from) {
                inside.insert(into.to_owned());
            }
        }
    }

    /// Hands an entry on where it is admitted, and the leaving of those whose entry was.
    pub(super) fn gate(&mut self, signal: Signal, admit: impl FnOnce(&Signal) -> bool) -> Vec<Signal> {
        let passes = match signal.movement {
            Movement::Entered => admit(&signal),
            Movement::Left => self.leave(&signal),
        };
        if passes && signal.is_entry() {
            self.enter(&signal);
        }
        if passes { vec![signal] } else { Vec::new() }
    }
}

pub(super) fn get<'m, T>(of: &'m Each<T>, signal: &Signal) -> Option<&'m T> {
    of.get(&signal.segment)?.get(&signal.id)
}

pub(super) fn set<T>(of: &mut Each<T>, signal: &Signal, value: T) {
    of.entry(signal.segment.clone()).or_default().insert(signal.id.clone(), value);
}

pub(super) fn remove<T>(of: &mut Each<T>, signal: &Signal) -> Option<T> {
    let users = of.get_mut(&signal.segment)?;
    let removed = users.remove(&signal.id);
    if users.is_empty() {
        of.remove(&signal.segment);
    }
    removed
}

/// What there is of one user is of another; of both the greater.
pub(super) fn merge<T: Ord>(of: &mut Each<T>, from: &str, into: &str) {
    for users in of.values_mut() {
        if let Some(theirs) = users.remove(from) {
            let greater = users.remove(into).into_iter().chain([theirs]).max();
            users.extend(greater.map(|value| (into.to_owned(), value)));
        }
    }
}

pub(super) fn forget<T>(of: &mut Each<T>, id: &str) {
    of.values_mut().for_each(|users| _ = users.remove(id));
    of.retain(|_, users| !users.is_empty());
}
