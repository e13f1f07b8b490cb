//! A plan folded over words of bits; roaring only for what is handed over.

use std::convert::Infallible;
use std::sync::Arc;

use roaring::RoaringBitmap;

use super::bits::Bits;
use super::snapshot::Snapshot;
use crate::eval::{Points, Sets, fold};
use crate::plan::{ExactSum, Node, NodeId, Plan, Term};
use crate::segment::Range;
use crate::store::Among;
use crate::time::Timestamp;
use crate::value::Number;

/// Sets as words; leaves are answered when the fold comes to them.
struct Words<'a> {
    store: &'a Snapshot,
    plan: &'a Plan,
    at: Timestamp,
    /// The universe, as far as it is asked about.
    everyone: Arc<Bits>,
    /// The leaves that have been answered ahead, on all cores.
    ahead: Vec<Bits>,
}

/// So many leaves or sets are worth waking the other cores for; each of the common ones takes microseconds.
#[cfg(feature = "parallel")]
const SEVERAL: usize = 6;

/// Answers all leaves of a plan at once, where they are several and the feature `parallel` is on.
#[cfg(feature = "parallel")]
fn ahead(store: &Snapshot, plan: &Plan, at: Timestamp) -> Vec<Bits> {
    use rayon::prelude::*;
    if plan.leaves().len() < SEVERAL {
        return Vec::new();
    }
    plan.leaves().par_iter().map(|leaf| store.leaf(leaf, at)).collect()
}

#[cfg(not(feature = "parallel"))]
fn ahead(_: &Snapshot, _: &Plan, _: Timestamp) -> Vec<Bits> {
    Vec::new()
}

/// The set of each segment of a plan.
pub(super) fn sets(store: &Snapshot, plan: &Plan, at: Timestamp, among: Among<'_>) -> Vec<Arc<Bits>> {
    let everyone = store.asked(at, among);
    let Ok(sets) = fold(plan, &mut Words { store, plan, at, everyone, ahead: ahead(store, plan, at) });
    sets
}

/// The same, handed over.
pub(super) fn answer(store: &Snapshot, plan: &Plan, at: Timestamp, among: Among<'_>) -> Vec<RoaringBitmap> {
    let sets = sets(store, plan, at, among);
    #[cfg(feature = "parallel")]
    if sets.len() >= SEVERAL {
        use rayon::prelude::*;
        return sets.par_iter().map(|set| set.to_roaring()).collect();
    }
    sets.iter().map(|set| set.to_roaring()).collect()
}

impl Words<'_> {
    fn made(&self, mut set: Bits) -> Arc<Bits> {
        set.and(&self.everyone);
        Arc::new(set)
    }
}

impl Sets for Words<'_> {
    type Set = Arc<Bits>;
    type Error = Infallible;

    fn everyone(&mut self) -> Result<Arc<Bits>, Infallible> {
        Ok(Arc::clone(&self.everyone))
    }

    fn no_one(&mut self) -> Result<Arc<Bits>, Infallible> {
        Ok(Arc::default())
    }

    fn leaf(&mut self, leaf: usize) -> Result<Arc<Bits>, Infallible> {
        Ok(match self.plan.leaves().get(leaf) {
            Some(asked) => {
                let answered = self.ahead.get_mut(leaf).map(std::mem::take);
                self.made(answered.unwrap_or_else(|| self.store.leaf(asked, self.at)))
            }
            None => Arc::default(),
        })
    }

    fn not(&mut self, of: &Arc<Bits>) -> Result<Arc<Bits>, Infallible> {
        let mut rest = Bits::clone(&self.everyone);
        rest.and_not(of);
        Ok(Arc::new(rest))
    }

    fn all(&mut self, of: &[&Arc<Bits>], without: &[&Arc<Bits>]) -> Result<Arc<Bits>, Infallible> {
        let Some((first, rest)) = of.split_first() else { return self.everyone() };
        let mut all = Bits::clone(first);
        rest.iter().for_each(|set| all.and(set));
        without.iter().for_each(|set| all.and_not(set));
        Ok(Arc::new(all))
    }

    fn any(&mut self, of: &[&Arc<Bits>], or_not: &[&Arc<Bits>]) -> Result<Arc<Bits>, Infallible> {
        let mut any = Bits::default();
        of.iter().for_each(|set| any.or(set));
        let Some((first, rest)) = or_not.split_first() else { return Ok(Arc::new(any)) };
        // Missing in some: everyone but those who are in each.
        let mut in_each = Bits::clone(first);
        rest.iter().for_each(|set| in_each.and(set));
        in_each.and_not(&any);
        self.not(&Arc::new(in_each))
    }

    fn score(&mut self, terms: &[Points<'_, Arc<Bits>>], range: &Range) -> Result<Arc<Bits>, Infallible> {
        Ok(Arc::new(match small_points(terms) {
            Some(terms) => counted(&self.everyone, &terms, range),
            None => self.summed(terms, range),
        }))
    }
}

/// The terms where each is so many points for a set, and no sum of them leaves an `i32`.
fn small_points<'a>(terms: &[Points<'a, Arc<Bits>>]) -> Option<Vec<(i32, &'a Bits)>> {
    let of = |term: &Points<'a, Arc<Bits>>| match term {
        Points::If(points, set) => Some((i32::try_from(*points).ok()?, &***set)),
        Points::Per(..) => None,
    };
    let terms = terms.iter().map(of).collect::<Option<Vec<_>>>()?;
    let most = terms.iter().try_fold(0i32, |sum, (points, _)| sum.checked_add(points.checked_abs()?));
    most.map(|_| terms)
}

/// Adds points up, 64 users at a time.
fn counted(everyone: &Bits, terms: &[(i32, &Bits)], range: &Range) -> Bits {
    let mut members = everyone.clone();
    for (i, members) in members.words_mut().iter_mut().enumerate().filter(|(_, word)| **word != 0) {
        let mut totals = [0i32; 64];
        for (points, set) in terms {
            let word = set.words().get(i).copied().unwrap_or(0);
            let earned = |bit: usize| if word >> bit & 1 == 1 { *points } else { 0 };
            totals.iter_mut().enumerate().for_each(|(bit, total)| *total += earned(bit));
        }
        let inside =
            |total: i32| crate::plan::exact::is_in(range, |bound| Number::Int(total.into()).cmp(&bound));
        let word = totals.iter().enumerate().map(|(bit, total)| u64::from(inside(*total)) << bit);
        *members &= word.fold(0, |word, bit| word | bit);
    }
    members
}

impl Words<'_> {
    /// Adds points and measured numbers up exactly.
    fn summed(&self, terms: &[Points<'_, Arc<Bits>>], range: &Range) -> Bits {
        let mut totals = vec![ExactSum::ZERO; self.store.users.numbers()];
        for term in terms {
            match term {
                Points::If(points, set) => set.iter().for_each(|user| {
                    if let Some(total) = totals.get_mut(user as usize) {
                        total.add_counted(*points, 1);
                    }
                }),
                Points::Per(points, measure) => {
                    let Some(measure) = self.plan.measures().get(*measure) else { continue };
                    self.store.measured(measure, self.at, &mut |user, number| {
                        if let Some(total) = totals.get_mut(user as usize) {
                            total.add_scaled(*points, &number);
                        }
                    });
                }
            }
        }
        let mut members = Bits::none(totals.len());
        let inside = |user: &u32| totals.get(*user as usize).is_some_and(|total| total.is_in(range));
        self.everyone.iter().filter(inside).for_each(|user| members.insert(user));
        members
    }
}

/// Whether one user is in each segment of a plan: only what decides is asked, and no other user is touched.
pub(super) fn answer_user(store: &Snapshot, plan: &Plan, user: u32, at: Timestamp) -> Vec<bool> {
    let known = store.users.first_seen(user).is_some_and(|seen| seen <= at.millis());
    let mut one = One { store, plan, at, user, known: Known::new(plan.nodes().len()) };
    plan.roots().map(|root| known && one.node(root)).collect()
}

struct One<'a> {
    store: &'a Snapshot,
    plan: &'a Plan,
    at: Timestamp,
    user: u32,
    known: Known,
}

/// What is known already, by node: of a small plan without an allocation.
struct Known {
    /// Of the first 64 nodes: known, and so.
    few: [u64; 2],
    /// Of the others.
    many: Vec<Option<bool>>,
}

impl Known {
    fn new(nodes: usize) -> Self {
        Self { few: [0; 2], many: vec![None; nodes.saturating_sub(64)] }
    }

    fn get(&self, id: NodeId) -> Option<bool> {
        match id.checked_sub(64) {
            None => (self.few[0] >> id & 1 == 1).then_some(self.few[1] >> id & 1 == 1),
            Some(id) => self.many.get(id).copied().flatten(),
        }
    }

    fn set(&mut self, id: NodeId, holds: bool) {
        match id.checked_sub(64) {
            None => {
                self.few[0] |= 1 << id;
                self.few[1] |= u64::from(holds) << id;
            }
            Some(id) => self.many[id] = Some(holds),
        }
    }
}

impl One<'_> {
    fn node(&mut self, id: NodeId) -> bool {
        if let Some(known) = self.known.get(id) {
            return known;
        }
        let holds = match &self.plan.nodes()[id] {
            Node::Everyone => true,
            Node::NoOne => false,
            Node::Leaf(leaf) => {
                let leaf = self.plan.leaves().get(*leaf);
                leaf.is_some_and(|leaf| self.store.leaf_of(leaf, self.at, self.user))
            }
            Node::Not(of) => !self.node(*of),
            Node::All(of) => of.iter().all(|id| self.node(*id)),
            Node::Any(of) => of.iter().any(|id| self.node(*id)),
            Node::Score(terms, range) => {
                let mut total = ExactSum::ZERO;
                terms.iter().for_each(|term| self.add(*term, &mut total));
                total.is_in(range)
            }
        };
        self.known.set(id, holds);
        holds
    }

    fn add(&mut self, term: Term, total: &mut ExactSum) {
        match term {
            Term::If(points, id) if self.node(id) => total.add_counted(points, 1),
            Term::If(..) => {}
            Term::Per(points, measure) => {
                if let Some(measure) = self.plan.measures().get(measure) {
                    total.add_scaled(points, &self.store.measured_of(measure, self.at, self.user));
                }
            }
        }
    }
}
