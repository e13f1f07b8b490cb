//! Asks leaves about one user; those over the same events together.

use std::ops::{Bound, ControlFlow};

use foldhash::HashMap;

use super::Question;
use super::counts::{Counts, whole_counts};
use crate::plan::bounds::Bounds;
use crate::plan::{ExactSum, Leaf, LeafAt, Matcher, Plan};
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
    /// Of each leaf that only adds something up: what.
    totals: Vec<Option<Total>>,
    all: Vec<Group>,
    /// Kept for the allocation.
    added: Vec<Added>,
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

/// What a leaf adds up over its events, whatever their order.
#[derive(Clone, Debug)]
enum Total {
    /// How many there are: the smallest and the largest count for which it holds.
    Count(u64, u64),
    /// Their measured numbers.
    Sum(Range),
}

impl Total {
    /// The count from which on more events change nothing.
    fn enough(&self) -> u64 {
        match self {
            Self::Count(low, u64::MAX) => *low,
            Self::Count(_, high) => high + 1,
            Self::Sum(_) => u64::MAX,
        }
    }

    fn holds(&self, added: &Added) -> bool {
        match self {
            Self::Count(low, high) => (*low..=*high).contains(&added.count),
            Self::Sum(range) => added.sum.is_in(range),
        }
    }
}

/// What the events of a window add up to.
#[derive(Clone, Debug)]
struct Added {
    inside: Bounds,
    count: u64,
    enough: u64,
    sum: ExactSum,
}

impl Added {
    fn add(&mut self, at: i64, number: Option<Number>) {
        if self.inside.contains(at) {
            self.count += 1;
            number.into_iter().for_each(|number| self.sum.add(number));
        }
    }
}

impl Asks {
    pub(super) fn of(plan: &Plan, tallied: &Counts) -> Self {
        let mut asks = Self::default();
        let mut known: HashMap<(&Matcher, Option<&str>, Option<&str>), u32> = HashMap::default();
        for (question, leaf) in (0..).zip(plan.leaves()) {
            asks.grows.push(grows(leaf));
            asks.totals.push(total(leaf));
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
            let group = group.numbered(store);
            let inside = |leaf: Question| leaves[leaf as usize].at(at).reach();
            let total = |leaf: &Question| Some((*leaf, inside(*leaf), self.totals[*leaf as usize].as_ref()?));
            if let Some(totals) = together.iter().map(total).collect::<Option<Vec<_>>>() {
                group.add_up(&totals, (store, user, t), &mut self.added, tell);
                continue;
            }
            let bound = |leaf: &Question| (*leaf, leaves[*leaf as usize].at(at));
            let mut bound: Vec<(Question, LeafAt<'_>)> = together.iter().map(bound).collect();
            let reach = bound
                .iter()
                .map(|(_, leaf)| leaf.reach())
                .reduce(|a, b| Bounds { lo: a.lo.min(b.lo), hi: a.hi.max(b.hi) });
            let (wanted, reach) =
                ([group.of.as_deref(), group.same.as_deref()], reach.unwrap_or(Bounds::NONE));
            for part in store.stretches(&group.names.0, (user, t, reach)) {
                store.with_hits(group.matching(), wanted, (user, t, part), |facts| {
                    bound.retain(|(question, leaf)| {
                        let holds = leaf.holds(facts);
                        let is_decided = part == reach
                            || holds && self.grows[*question as usize]
                            || matches!(leaf, LeafAt::Did(did) if did.is_decided(facts));
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
}

impl Group {
    /// Itself, with the numbers of all its names.
    fn numbered(&mut self, store: &Snapshot) -> &Self {
        if self.names.1 != store.name_count() {
            self.names = store.names_matching(self.matcher.events());
        }
        self
    }

    /// Which events, and the numbers of their names.
    fn matching(&self) -> (&Matcher, &[u32]) {
        (&self.matcher, &self.names.0)
    }

    /// Adds events up, once for all leaves over the same window, until all are decided.
    fn add_up(
        &self,
        leaves: &[(Question, Bounds, &Total)],
        (store, user, t): (&Snapshot, u32, i64),
        added: &mut Vec<Added>,
        tell: &mut dyn FnMut(Question, bool),
    ) {
        added.clear();
        for (_, inside, total) in leaves {
            match added.iter_mut().find(|window| window.inside == *inside) {
                Some(window) => window.enough = window.enough.max(total.enough()),
                None => added.push(Added {
                    inside: *inside,
                    count: 0,
                    enough: total.enough(),
                    sum: ExactSum::ZERO,
                }),
            }
        }
        let lo = added.iter().map(|window| window.inside.lo).min().unwrap_or(i64::MAX);
        let of_user = (user, t, Bounds { lo, hi: t });
        store.matching_numbers(self.matching(), self.of.as_deref(), of_user, |at, number| {
            added.iter_mut().for_each(|window| window.add(at, number));
            match added.iter().all(|window| window.enough <= window.count) {
                true => ControlFlow::Break(()),
                false => ControlFlow::Continue(()),
            }
        });
        for (leaf, inside, total) in leaves {
            let window = added.iter().find(|window| window.inside == *inside);
            tell(*leaf, window.is_some_and(|window| total.holds(window)));
        }
    }
}

/// What a leaf adds up over the events that match in a window, where it asks nothing else of them.
fn total(leaf: &Leaf) -> Option<Total> {
    let Leaf::Did(behaviour) = leaf else { return None };
    if behaviour.same.is_some() || leaf.anchor().is_some() {
        return None;
    }
    match &behaviour.measure {
        Measure::Times(range) => {
            let (low, high) = whole_counts(range)?;
            Some(Total::Count(low, high.unwrap_or(u64::MAX)))
        }
        Measure::Sum { range, .. } => Some(Total::Sum(*range)),
        _ => None,
    }
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
