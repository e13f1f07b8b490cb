//! Hands changes to the live engine.

use whodid::testing::Change;
use whodid::{Changes, Live, LiveError};

/// Hands a fact, or what is done to facts, to the engine.
pub fn feed(live: &mut Live, change: Change) -> Result<Changes, LiveError> {
    match change {
        Change::Event(event) => live.record(event),
        Change::Attribute(write) => live.write(write),
        Change::User { id, seen } => live.register(&id, seen),
        Change::Merge { from, into } => live.merge(&from, &into),
        Change::Forget { user } => live.forget(&user),
        Change::Retain { since, events } => live.retain(since, &events),
        other => unreachable!("{other:?}"),
    }
}
