//! Asks leaves about one user; those over the same events together.

use std::ops::Bound;

use foldhash::HashMap;

use super::counts::Counts;
use super::watch::Question;
use crate::plan::bounds::Bounds;
use crate::plan::{Leaf, LeafAt, Matcher, Plan};
use crate::segment::{Measure, Range};
use crate::store::Snapshot;
use crate::time::Timestamp;
use crate::value::Number;

/// How the leaves of a plan are asked.
#[derive(Clone, Debug, Default)]
pub(super) struct Asks {
    /// Of each leaf: the group it is asked with; `None`: alone.
    groups: Vec<Option<u32>>,
    /// Of each leaf: more events never make it fail.
    grows: Vec<bool>,
    /// Of each leaf that counts events and asks nothing else of them: the counts in its range.
    counts: Vec<Option<(u64, u64)>>,
    all: Vec<Group>,
    /// Instants of a user, kept for the allocation.
    instants: Vec<i64>,
    /// Leaves that can hold for a user without any fact but that it was seen, and that no tally decides.
    newcomer: Vec<Question>,
}

/// Behaviours over the same events and properties.
#[derive(Clone, Debug)]
struct Group {
    matcher: Matcher,
    of: Option<String>,
    same: Option<String>,
    /// The numbers of its names, when there were so many names in the store.
    names: (Vec<u32>, usize),
}

impl Asks {
    pub(super) fn of(plan: &Plan, tallied: &Counts) -> Self {
        let mut asks = Self::default();
        let mut known: HashMap<(&Matcher, Option<&str>, Option<&str>), u32> = HashMap::default();
        for (question, leaf) in (0..).zip(plan.leaves()) {
            asks.grows.push(grows(leaf));
            asks.counts.push(counts(leaf));
            if can_hold_at_once(leaf) && tallied.of_leaf(question).is_none() {
                asks.newcomer.push(question);
            }
            asks.groups.push(match leaf {
                Leaf::Did(behaviour) if leaf.anchor().is_none() => {
                    let key = (&behaviour.matcher, leaf.of(), leaf.same());
                    Some(*known.entry(key).or_insert_with(|| {
                        asks.all.push(Group {
                            matcher: behaviour.matcher.clone(),
                            of: leaf.of().map(str::to_owned),
                            same: leaf.same().map(str::to_owned),
                            names: (Vec::new(), 0),
                        });
                        u32::try_from(asks.all.len()).unwrap_or(u32::MAX) - 1
                    }))
                }
                _ => None,
            });
        }
        asks
    }

    /// Whether more events never make a leaf fail.
    pub(super) fn grows(&self, leaf: Question) -> bool {
        self.grows.get(leaf as usize).copied().unwrap_or(false)
    }

    pub(super) fn newcomer(&self) -> &[Question] {
        &self.newcomer
    }

    /// Asks leaves about a user, and tells whether each holds.
    pub(super) fn ask(
        &mut self,
        leaves: &[Leaf],
        asked: &mut [Question],
        (store, user, t): (&Snapshot, u32, i64),
        tell: &mut dyn FnMut(Question, bool),
    ) {
        let group_of = |groups: &[Option<u32>], leaf: Question| groups.get(leaf as usize).copied().flatten();
        asked.sort_unstable_by_key(|leaf| (group_of(&self.groups, *leaf), *leaf));
        let at = Timestamp::from_millis(t);
        for together in asked.chunk_by(|a, b| group_of(&self.groups, *a) == group_of(&self.groups, *b)) {
            let group = together.first().and_then(|leaf| group_of(&self.groups, *leaf));
            let Some(group) = group.and_then(|group| self.all.get_mut(group as usize)) else {
                for leaf in together {
                    tell(*leaf, store.leaf_of(&leaves[*leaf as usize], at, user));
                }
                continue;
            };
            let instants = &mut self.instants;
            if together.iter().all(|leaf| self.counts[*leaf as usize].is_some()) {
                let bounds = |leaf: &Question| leaves[*leaf as usize].at(at).reach();
                let lo = together.iter().map(|leaf| bounds(leaf).lo).min().unwrap_or(i64::MAX);
                group.instants(store, user, Bounds { lo, hi: t }, instants);
                for leaf in together {
                    let bounds = bounds(leaf);
                    let count = instants.iter().filter(|at| bounds.contains(**at)).count() as u64;
                    let (low, high) = self.counts[*leaf as usize].unwrap_or_default();
                    tell(*leaf, low <= count && count <= high);
                }
                continue;
            }
            let bound: Vec<LeafAt<'_>> = together.iter().map(|leaf| leaves[*leaf as usize].at(at)).collect();
            let reach = bound
                .iter()
                .map(LeafAt::reach)
                .reduce(|a, b| Bounds { lo: a.lo.min(b.lo), hi: a.hi.max(b.hi) });
            group.with_facts(store, user, t, reach.unwrap_or(Bounds::NONE), |facts| {
                for (leaf, bound) in together.iter().zip(&bound) {
                    tell(*leaf, bound.holds(facts));
                }
            });
        }
    }
}

impl Group {
    /// The instants of a user's events, in no order.
    fn instants(&mut self, store: &Snapshot, user: u32, inside: Bounds, out: &mut Vec<i64>) {
        out.clear();
        if self.names.1 != store.name_count() {
            self.names = store.names_matching(self.matcher.events());
        }
        for name in &self.names.0 {
            store.instants_of(*name, user, inside, out);
        }
    }

    fn with_facts(
        &mut self,
        store: &Snapshot,
        user: u32,
        t: i64,
        reach: Bounds,
        ask: impl FnOnce(&crate::plan::UserFacts<'_>),
    ) {
        if self.names.1 != store.name_count() {
            self.names = store.names_matching(self.matcher.events());
        }
        let wanted = [self.of.as_deref(), self.same.as_deref()];
        store.with_hits((&self.matcher, &self.names.0), wanted, user, t, reach, ask);
    }
}

/// The smallest and largest count, of a leaf that counts all events of its names in a window.
fn counts(leaf: &Leaf) -> Option<(u64, u64)> {
    let Leaf::Did(behaviour) = leaf else { return None };
    let Measure::Times(range) = &behaviour.measure else { return None };
    if behaviour.matcher.filter().is_some() || behaviour.same.is_some() || leaf.anchor().is_some() {
        return None;
    }
    let (low, high) = whole_counts(range)?;
    Some((low, high.unwrap_or(u64::MAX)))
}

/// The smallest and the largest count of a range, where there is one; `None` where a bound is no whole number, or no
/// count is below it.
pub(super) fn whole_counts(range: &Range) -> Option<(u64, Option<u64>)> {
    let whole = |bound: Number| u64::try_from(bound.as_i64()?).ok();
    let low = match range.low {
        Bound::Included(low) => whole(low)?,
        Bound::Excluded(low) => whole(low)?.checked_add(1)?,
        Bound::Unbounded => 0,
    };
    let high = match range.high {
        Bound::Included(high) => Some(whole(high)?),
        Bound::Excluded(high) => Some(whole(high)?.checked_sub(1)?),
        Bound::Unbounded => None,
    };
    Some((low, high))
}

/// Whether more events never make a leaf fail: it counts, to some number at least.
fn grows(leaf: &Leaf) -> bool {
    let at_least = |range: &Range| range.high == Bound::Unbounded;
    let Leaf::Did(behaviour) = leaf else { return false };
    let moves = behaviour.matcher.compiled().is_some_and(|filter| filter.depends_on_time());
    let counts = match &behaviour.measure {
        Measure::Times(range) | Measure::Distinct { range, .. } | Measure::Active { range, .. } => {
            at_least(range)
        }
        _ => false,
    };
    counts && !moves && leaf.anchor().is_none()
}

/// Whether a leaf can hold for a user of whom nothing is known but when it was first seen.
fn can_hold_at_once(leaf: &Leaf) -> bool {
    let has_zero = |range: &Range| {
        let zero = Number::Int(0);
        (match range.low {
            Bound::Included(low) => low <= zero,
            Bound::Excluded(low) => low < zero,
            Bound::Unbounded => true,
        }) && (match range.high {
            Bound::Included(high) => high >= zero,
            Bound::Excluded(high) => high > zero,
            Bound::Unbounded => true,
        })
    };
    match leaf {
        Leaf::Did(behaviour) => match &behaviour.measure {
            Measure::Times(range)
            | Measure::Distinct { range, .. }
            | Measure::Active { range, .. }
            | Measure::Sum { range, .. } => has_zero(range),
            _ => false,
        },
        Leaf::Sequence(_) | Leaf::Changed(_) => false,
        Leaf::Attribute(_) | Leaf::Seen(_) | Leaf::List(_) | Leaf::Sample(_) => true,
    }
}
