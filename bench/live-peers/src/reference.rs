//! The slow reference: memberships by counting, for every user at every instant at which one can change.

use crate::question::{AT_LEAST, Grain, WINDOW};
use crate::stream::{Event, batches};
use crate::transition::{Digest, Transition};

/// Whether a user with events at these instants, sorted, is a member at `at`.
fn is_member(instants: &[u64], at: u64) -> bool {
    let later_than = |bound| instants.partition_point(move |instant| *instant <= bound);
    (later_than(at) - later_than(at - WINDOW)) as i64 >= AT_LEAST
}

/// All transitions up to the last event.
pub fn run(events: &[Event], users: usize, batch: usize, grain: Grain) -> Digest {
    let mut of_user = vec![Vec::new(); users];
    for event in events {
        of_user[event.user as usize].push(event.at);
    }
    let ends: Vec<u64> =
        batches(events, batch).iter().filter_map(|batch| batch.last()).map(|e| e.at).collect();
    // The instant at which something that happened at `at` is looked at.
    let looked_at = |at: u64| match grain {
        Grain::Instant => (Some(at) <= ends.last().copied()).then_some(at),
        Grain::Batch => ends.get(ends.partition_point(|end| *end < at)).copied(),
    };
    let mut digest = Digest::default();
    for (user, instants) in (0u32..).zip(&of_user) {
        let changes = instants.iter().flat_map(|at| [*at, *at + WINDOW]).filter_map(looked_at);
        let mut changes: Vec<u64> = changes.collect();
        changes.sort_unstable();
        changes.dedup();
        let mut before = false;
        for at in changes {
            let now = is_member(instants, at);
            if now != before {
                digest.add(Transition { user, at, entered: now });
            }
            before = now;
        }
    }
    digest
}
