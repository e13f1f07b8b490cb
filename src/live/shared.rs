//! Questions about the same events of a user, which are looked at once for all of them.

use std::ops::ControlFlow;

use super::Question;
use crate::plan::bounds::Bounds;
use crate::plan::{End, Leaf, LeafAt, Matcher, ValueRef};
use crate::store::Snapshot;
use crate::time::Timestamp;

/// Whom a question is about, and at which instant.
#[derive(Clone, Copy)]
pub(super) struct Subject<'s> {
    pub(super) store: &'s Snapshot,
    pub(super) user: u32,
    pub(super) t: i64,
}

/// Which events, the property whose value is looked at, and the one that takes events apart.
pub(super) type Key<'p> = (&'p Matcher, Option<&'p str>, Option<&'p str>);

/// Questions about the same events and properties.
#[derive(Clone, Debug)]
pub(super) struct SharedEvents {
    matcher: Matcher,
    of: Option<String>,
    same: Option<String>,
    /// The numbers of its names, when there were so many names in the store.
    names: (Vec<u32>, usize),
}

impl SharedEvents {
    pub(super) fn of((matcher, of, same): Key<'_>) -> Self {
        let (of, same) = (of.map(str::to_owned), same.map(str::to_owned));
        Self { matcher: matcher.clone(), of, same, names: (Vec::new(), 0) }
    }

    /// Itself, with the numbers of all its names.
    pub(super) fn numbered(&mut self, store: &Snapshot) -> &Self {
        if self.names.1 != store.name_count() {
            self.names = store.names_matching(self.matcher.events());
        }
        self
    }

    /// Visits the events of a user inside, until told to stop; tells how many have been looked at.
    pub(super) fn values(
        &self,
        Subject { store, user, t }: Subject<'_>,
        inside: Bounds,
        visit: impl FnMut(i64, Option<ValueRef<'_>>) -> ControlFlow<()>,
    ) -> usize {
        store.matching_values((&self.matcher, &self.names.0), self.of.as_deref(), (user, t, inside), visit)
    }

    /// Asks leaves that look at each event, those at one end before the others.
    pub(super) fn ask(
        &self,
        (leaves, asked, from): (&[Leaf], &[Question], End),
        grows: &[bool],
        Subject { store, user, t }: Subject<'_>,
        tell: &mut dyn FnMut(Question, bool),
    ) {
        let bound = |leaf: &Question| (*leaf, leaves[*leaf as usize].at(Timestamp::from_millis(t)));
        let mut bound: Vec<(Question, LeafAt<'_>)> = asked.iter().map(bound).collect();
        let reach = bound.iter().fold(Bounds::NONE, |all, (_, leaf)| all.hull(leaf.reach()));
        let wanted = [self.of.as_deref(), self.same.as_deref()];
        for part in store.stretches(&self.names.0, (user, t, reach), from) {
            store.with_hits((&self.matcher, &self.names.0), wanted, (user, t, part), |facts| {
                bound.retain(|(question, leaf)| {
                    let holds = leaf.holds(facts);
                    let is_decided = part == reach
                        || holds && grows[*question as usize]
                        || matches!(leaf, LeafAt::Did(did) if did.is_decided(facts, from));
                    if is_decided {
                        tell(*question, holds);
                    }
                    !is_decided
                });
            });
            if bound.is_empty() {
                break;
            }
        }
    }
}
