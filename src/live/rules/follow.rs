//! What a call of the engine means to rules.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::Signal;
use crate::live::transition::{Changes, Merge, Movement, Transition};

/// What rules hear of.
pub(super) enum Heard<'c> {
    /// A user entered or left.
    Moved(Signal),
    /// Two users are one from here on. What that changes comes next.
    Merged(&'c Merge),
}

/// All of it, in order.
pub(super) fn heard(changes: &Changes) -> Vec<Heard<'_>> {
    let (mut all, mut told) = (Vec::with_capacity(changes.len()), 0);
    let moved = |one: &Transition| Heard::Moved(Signal::from(one));
    for merge in changes.merges() {
        all.extend(changes.get(told..merge.transitions.start).unwrap_or_default().iter().map(moved));
        all.push(Heard::Merged(merge));
        let made = changes.get(merge.transitions.clone()).unwrap_or_default();
        all.extend(of_one(merge, made).map(Heard::Moved));
        told = merge.transitions.end;
    }
    all.extend(changes.get(told..).unwrap_or_default().iter().map(moved));
    all
}

/// What a merge changes for one who has been both: it was in where either was.
fn of_one<'c>(merge: &'c Merge, made: &'c [Transition]) -> impl Iterator<Item = Signal> {
    let left_as = |id: &Arc<str>| -> BTreeSet<Arc<str>> {
        let left = made.iter().filter(|one| one.id == *id && one.movement == Movement::Left);
        left.map(|one| Arc::clone(&one.segment)).collect()
    };
    let (as_from, as_into) = (left_as(&merge.from), left_as(&merge.into));
    made.iter().filter_map(move |one| {
        let is_news = if one.id == merge.into {
            one.movement == Movement::Left || !as_from.contains(&one.segment)
        } else {
            !merge.still_in.contains(&one.segment) && !as_into.contains(&one.segment)
        };
        is_news.then(|| Signal { id: merge.into.to_string(), ..Signal::from(one) })
    })
}
