//! ## `sequence`

use std::collections::BTreeSet;

use super::Asked;
use super::did::one_scalar;
use super::facts::Person;
use super::values::Plain;
use super::windows::plus;
use crate::event::Event;
use crate::segment::{EventMatch, Sequence, Step, ThenNot};

impl Asked<'_> {
    /// Whether some chain of events exists.
    pub(super) fn sequence(&self, sequence: &Sequence, user: &Person<'_>) -> bool {
        let Some(window) = self.instants(sequence.window.as_ref(), user) else { return false };
        let chain_in = |events: &[&Event]| {
            let inside: Vec<&Event> =
                events.iter().copied().filter(|e| window.holds(e.at.millis())).collect();
            inside.iter().any(|first| self.chain_from(sequence, first, &inside, events))
        };
        match &sequence.same {
            None => chain_in(&user.events),
            Some(name) => {
                let keys: BTreeSet<Plain> = user.events.iter().filter_map(|e| one_scalar(e, name)).collect();
                keys.iter().any(|key| {
                    let shares = |e: &&Event| one_scalar(e, name).as_ref() == Some(key);
                    chain_in(&user.events.iter().copied().filter(shares).collect::<Vec<_>>())
                })
            }
        }
    }

    /// Whether a chain starts with this event: the ends that chains of 1, 2, … steps from it can have, all of
    /// them, and whether one of the last is a good end.
    fn chain_from(&self, sequence: &Sequence, first: &Event, inside: &[&Event], all: &[&Event]) -> bool {
        let Some((opening, later)) = sequence.steps.split_first() else { return false };
        if !self.is_match(&opening.events, first) {
            return false;
        }
        let mut ends = vec![first];
        for step in later {
            let follows = |e: &&Event| {
                self.is_match(&step.events, e) && ends.iter().any(|end| self.follows(step, end, e, all))
            };
            ends = inside.iter().copied().filter(follows).collect();
        }
        ends.iter().any(|last| {
            let in_time =
                sequence.within.is_none_or(|span| last.at.millis() <= plus(first.at.millis(), span));
            in_time && sequence.then_not.as_ref().is_none_or(|not| self.nothing_followed(not, last, all))
        })
    }

    /// Whether an event may follow another as the given step.
    fn follows(&self, step: &Step, before: &Event, event: &Event, all: &[&Event]) -> bool {
        let (earlier, at) = (before.at.millis(), event.at.millis());
        let between = |e: &&Event| earlier < e.at.millis() && e.at.millis() < at;
        let hit = |wanted: &EventMatch| all.iter().any(|e| between(e) && self.is_match(wanted, e));
        earlier < at
            && step.within.is_none_or(|span| at <= plus(earlier, span))
            && step.after.is_none_or(|span| at >= plus(earlier, span))
            && !step.without.as_ref().is_some_and(hit)
    }

    /// Whether the deadline has passed and no such event came by then.
    fn nothing_followed(&self, not: &ThenNot, last: &Event, all: &[&Event]) -> bool {
        let (from, deadline) = (last.at.millis(), plus(last.at.millis(), not.within));
        let inside = |e: &&Event| from < e.at.millis() && e.at.millis() <= deadline;
        deadline <= self.at && !all.iter().any(|e| inside(e) && self.is_match(&not.events, e))
    }
}
