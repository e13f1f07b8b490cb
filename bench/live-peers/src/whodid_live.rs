//! The crate itself: a `Live` catalog of one segment over a `MemoryStore`, which keeps every event.
//!
//! Users are texts there, as backends have them. Transitions come out at their instants; where memberships are compared at the end of
//! each batch, what happens and un-happens within one is left out. Making the facts of a batch is the caller's, as the events of
//! the other engines are.

use std::collections::BTreeMap;

use whodid::{Catalog, Fact, Live, MemoryStore, Movement, Timestamp, days, did};

use crate::clock::{Clock, Outcome};
use crate::ids::id;
use crate::question::{AT_LEAST, Grain};
use crate::stream::{Event, batches};
use crate::transition::{Digest, Transition};

fn instant(at: u64) -> Timestamp {
    Timestamp::from_millis(at as i64)
}

fn read(change: &whodid::Transition) -> Transition {
    let digits = change.id.get(1..).unwrap_or_default();
    let user = digits.parse().expect("an id of the stream");
    Transition { user, at: change.at.millis() as u64, entered: change.movement == Movement::Entered }
}

/// What is left of a batch at its end: the last transition of each user who has an odd number of them.
fn netted(transitions: &[Transition], end: u64) -> impl Iterator<Item = Transition> {
    let mut of_user = BTreeMap::new();
    for transition in transitions {
        let (count, last) = of_user.entry(transition.user).or_insert((0, *transition));
        (*count, *last) = (*count + 1, *transition);
    }
    let odd = of_user.into_values().filter(|(count, _)| count % 2 == 1);
    odd.map(move |(_, last)| Transition { at: end, ..last })
}

/// Runs the stream, on one thread.
pub fn run(events: &[Event], batch: usize, grain: Grain) -> Outcome {
    let mut catalog = Catalog::new();
    let regulars = did("used").at_least(AT_LEAST as u32).last(days(30));
    catalog.insert("regulars", regulars).expect("a valid segment");
    let start = events.first().map_or(0, |event| event.at - 1);
    let mut live = Live::new(catalog, MemoryStore::new(), instant(start)).expect("a valid catalog");
    let (mut digest, mut transitions) = (Digest::default(), Vec::new());
    let mut clock = Clock::start();
    for batch in batches(events, batch) {
        let end = batch[batch.len() - 1].at;
        transitions.clear();
        let fact = |event: &Event| Fact::from(whodid::Event::new(id(event.user), "used", instant(event.at)));
        let facts = batch.iter().map(fact).collect();
        clock.begin();
        let taken = live.take_all(facts).expect("good events");
        transitions.extend(taken.iter().map(read));
        transitions.extend(live.advance(instant(end)).expect("a good instant").iter().map(read));
        match grain {
            Grain::Instant => transitions.iter().for_each(|transition| digest.add(*transition)),
            Grain::Batch => netted(&transitions, end).for_each(|transition| digest.add(transition)),
        }
        clock.note(batch.len());
    }
    Outcome { digest, clock, state: Some(live.memory_usage()) }
}
