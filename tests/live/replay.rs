//! The live engine, fed fact by fact.

use std::collections::BTreeSet;

use whodid::oracle::Named;
use whodid::testing::{Case, Change, Check, Transitions, catalog, take};
use whodid::{Live, MemoryStore, Movement, Timestamp};

use crate::feed::feed;

/// What is wrong with the transitions of a check; `None`: nothing.
pub fn transitions(case: &Case, check: &Check, expected: &Transitions) -> Option<String> {
    match replay(case, check, expected.from) {
        Err(error) => Some(error),
        Ok((entered, _)) if entered != expected.entered => {
            Some(difference("entered", &expected.entered, &entered))
        }
        Ok((_, left)) if left != expected.left => Some(difference("left", &expected.left, &left)),
        Ok(_) => None,
    }
}

type Pairs = BTreeSet<(String, Timestamp)>;

/// Takes in what is not later than `from`, then feeds the rest in order of time: who entered, and who left.
fn replay(case: &Case, check: &Check, from: Timestamp) -> Result<(Pairs, Pairs), String> {
    let segments = case.segments.iter().filter_map(|(name, e)| Some((name.clone(), e.clone().ok()?)));
    let named = Named { segments: segments.collect(), lists: case.lists.clone() };
    let mut catalog = catalog(&named);
    let asked = "the segment that is asked for";
    let segment = check.segment.clone().map_err(|e| e.to_string())?;
    catalog.insert(asked, segment).map_err(|e| e.to_string())?;

    let facts: Result<Vec<Change>, _> = case.facts.iter().cloned().collect();
    let facts = facts.map_err(|e| e.to_string())?;
    let (before, mut after): (Vec<Change>, Vec<Change>) =
        facts.into_iter().partition(|fact| fact.at().is_none_or(|at| at <= from));
    let mut store = MemoryStore::new();
    for fact in before {
        take(&mut store, fact)?;
    }
    after.sort_by_key(Change::at);
    let mut live = Live::new(catalog, store, from).map_err(|e| e.to_string())?;
    let (mut entered, mut left) = (Pairs::new(), Pairs::new());
    let mut note = |changes: whodid::Changes| -> Result<(), String> {
        for change in changes.into_iter().filter(|change| *change.segment == *asked) {
            let pair = (change.id.to_string(), change.at);
            let set = if change.movement == Movement::Entered { &mut entered } else { &mut left };
            if change.late || !set.insert(pair) {
                return Err(format!("late, or reported twice: {change}"));
            }
        }
        Ok(())
    };
    // What is later than the check has not happened yet.
    for fact in after.into_iter().filter(|fact| fact.at() <= Some(check.at)) {
        note(feed(&mut live, fact).map_err(|e| e.to_string())?)?;
    }
    note(live.advance(check.at).map_err(|e| e.to_string())?)?;
    Ok((entered, left))
}

fn difference(what: &str, expected: &Pairs, got: &Pairs) -> String {
    let show = |pairs: Vec<&(String, Timestamp)>| {
        pairs.iter().map(|(user, at)| format!("{user} at {at}")).collect::<Vec<_>>().join(", ")
    };
    let (missing, too_many) = (expected.difference(got).collect(), got.difference(expected).collect());
    format!("{what}: missing [{}], too many [{}]", show(missing), show(too_many))
}
