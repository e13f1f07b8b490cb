//! Asks leaves about one user; those over the same events together.

use std::ops::Bound;

use foldhash::HashMap;

use super::Question;
use super::counts::Counts;
use super::rolling::Rollings;
use super::shared::{Key, SharedEvents, Subject};
use crate::plan::exact::is_in;
use crate::plan::{End, ExactSum, Leaf, Plan};
use crate::segment::{Measure, Range};
use crate::time::Timestamp;
use crate::value::Number;

/// How the leaves and measures of a plan are asked.
#[derive(Clone, Debug, Default)]
pub(super) struct Asks {
    /// Of each question: what it is asked with.
    with: Vec<With>,
    /// Of each leaf: more events never make it fail.
    grows: Vec<bool>,
    all: Vec<SharedEvents>,
    rollings: Rollings,
    /// Leaves that can hold for a user without any fact but that it was seen, and that no tally decides.
    newcomer: Vec<Question>,
}

/// With the other questions of a group that are answered alike.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum With {
    /// They only add up.
    Sums(u32),
    /// They look at each event, and the earliest decides.
    First(u32),
    /// They look at each event.
    Hits(u32),
    None,
}

impl Asks {
    pub(super) fn of<'p>(plan: &'p Plan, tallied: &Counts) -> Self {
        let mut asks = Self::default();
        for (question, leaf) in (0..).zip(plan.leaves()) {
            asks.grows.push(grows(leaf));
            if can_hold_at_once(leaf) && tallied.of_leaf(question).is_none() {
                asks.newcomer.push(question);
            }
        }
        let of_leaves = plan.leaves().iter().map(|leaf| match leaf {
            Leaf::Did(did) if leaf.anchor().is_none() => Some((&did.matcher, leaf.of(), leaf.same())),
            _ => None,
        });
        let of_measures = plan.measures().iter().map(|measure| {
            let is_alone = measure.scope.anchor().is_some();
            (!is_alone).then(|| (&measure.matcher, measure.of(), None))
        });
        let mut known: HashMap<Key<'p>, u32> = HashMap::default();
        let mut group_of = |events: Key<'p>| {
            *known.entry(events).or_insert_with(|| {
                asks.all.push(SharedEvents::of(events));
                u32::try_from(asks.all.len()).unwrap_or(u32::MAX) - 1
            })
        };
        let groups: Vec<Option<u32>> =
            of_leaves.chain(of_measures).map(|events| events.map(&mut group_of)).collect();
        asks.rollings = Rollings::of(plan, &groups);
        let with = |(question, group): (Question, Option<u32>)| match group {
            Some(group) if asks.rollings.is_sum(question) => With::Sums(group),
            Some(group) if is_first(plan.leaves().get(question as usize)) => With::First(group),
            Some(group) => With::Hits(group),
            None => With::None,
        };
        asks.with = (0..).zip(groups).map(with).collect();
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
        of: Subject<'_>,
        tell: &mut dyn FnMut(Question, bool),
    ) {
        let with = |leaf: &Question| self.with.get(*leaf as usize).copied().unwrap_or(With::None);
        asked.sort_unstable_by_key(|leaf| (with(leaf), *leaf));
        for together in asked.chunk_by(|a, b| with(a) == with(b)) {
            let with = together.first().map_or(With::None, with);
            let group = match with {
                With::Sums(group) | With::First(group) | With::Hits(group) => {
                    self.all.get_mut(group as usize)
                }
                With::None => None,
            };
            let group = group.map(|group| group.numbered(of.store));
            match (with, group) {
                (With::Sums(_), Some(group)) => {
                    self.rollings.answer(together, group, of, tell);
                }
                (_, Some(group)) => {
                    let from = if matches!(with, With::First(_)) { End::First } else { End::Latest };
                    group.ask((leaves, together, from), &self.grows, of, tell);
                }
                (_, None) => together.iter().for_each(|leaf| {
                    tell(
                        *leaf,
                        of.store.leaf_of(&leaves[*leaf as usize], Timestamp::from_millis(of.t), of.user),
                    );
                }),
            }
        }
    }

    /// What a measure of the plan is of a user.
    pub(super) fn measure(&mut self, plan: &Plan, measure: usize, of: Subject<'_>) -> ExactSum {
        let question = plan.leaves().len() + measure;
        let group = match self.with.get(question) {
            Some(With::Sums(group)) => self.all.get_mut(*group as usize),
            _ => None,
        };
        match group.zip(Question::try_from(question).ok()) {
            Some((group, question)) => self.rollings.number(question, group.numbered(of.store), of),
            None => of.store.measured_of(&plan.measures()[measure], Timestamp::from_millis(of.t), of.user),
        }
    }

    /// Facts of a user are others than they were, and not only by later ones.
    pub(super) fn forget(&mut self, user: u32) {
        self.rollings.forget(user);
    }

    /// The same of everyone.
    pub(super) fn forget_all(&mut self) {
        self.rollings.forget_all();
    }

    pub(super) fn memory(&self) -> usize {
        self.rollings.memory()
    }
}

/// Whether the earliest event decides.
fn is_first(leaf: Option<&Leaf>) -> bool {
    matches!(leaf, Some(Leaf::Did(did)) if did.decided_by() == Some(End::First))
}

/// Whether more events never make a leaf fail: it counts, to some number at least.
fn grows(leaf: &Leaf) -> bool {
    let at_least = |range: &Range| range.high == Bound::Unbounded;
    let Leaf::Did(behaviour) = leaf else { return false };
    let counts = match &behaviour.measure {
        Measure::Times(range) | Measure::Distinct { range, .. } | Measure::Active { range, .. } => {
            at_least(range)
        }
        _ => false,
    };
    counts && !behaviour.matcher.depends_on_time() && leaf.anchor().is_none()
}

/// Whether a leaf can hold for a user of whom nothing is known but when it was first seen.
fn can_hold_at_once(leaf: &Leaf) -> bool {
    let has_zero = |range: &Range| is_in(range, |bound| Number::Int(0).cmp(&bound));
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
