//! Answers leaves and measures out of the required methods of a store: one pass over the events, and one over
//! each attribute, for a batch.

mod anchors;
mod events;

use roaring::RoaringBitmap;

use self::anchors::Anchors;
use self::events::{Ask, Found};
use super::{Among, EventStore, UserId};
use crate::plan::{ExactSum, Leaf, LeafAt, Measure, Point, UserFacts};
use crate::time::Timestamp;

/// The users of the universe that a question is about.
pub(crate) fn universe<S: EventStore + ?Sized>(
    store: &S,
    at: Timestamp,
    among: Among<'_>,
) -> Result<RoaringBitmap, S::Error> {
    let mut users = Vec::new();
    store.seen(among, &mut |user, seen| {
        if seen <= at && among.contains(user) {
            users.push(user.number());
        }
    })?;
    Ok(set(users))
}

/// A set of users collected in any order.
fn set(mut users: Vec<u32>) -> RoaringBitmap {
    users.sort_unstable();
    users.dedup();
    RoaringBitmap::from_sorted_iter(users).unwrap_or_default() // sorted: cannot fail
}

/// See [`EventStore::resolve`].
pub(super) fn resolve<S: EventStore + ?Sized>(
    store: &S,
    leaves: &[&Leaf],
    at: Timestamp,
    among: Among<'_>,
) -> Result<Vec<RoaringBitmap>, S::Error> {
    let points = leaves.iter().filter_map(|leaf| leaf.anchor());
    let seen = leaves.iter().any(|leaf| matches!(leaf, Leaf::Seen(_)));
    let mut batch = Batch {
        store,
        at,
        among,
        anchors: Anchors::read(store, points, seen, at, among)?,
        leaves: leaves.iter().map(|leaf| leaf.at(at)).collect(),
        answers: vec![Answer::default(); leaves.len()],
    };
    batch.events(leaves)?;
    batch.attributes(leaves)?;
    batch.by_id(leaves)?;
    Ok(batch.finish())
}

/// A batch of leaves being answered.
struct Batch<'s, 'p, S: ?Sized> {
    store: &'s S,
    at: Timestamp,
    among: Among<'s>,
    anchors: Anchors<'p>,
    leaves: Vec<LeafAt<'p>>,
    answers: Vec<Answer>,
}

/// What is known of a leaf's answer.
#[derive(Clone, Default)]
struct Answer {
    /// For whom it holds.
    holds: Vec<u32>,
    /// Of all users that were not looked at it holds as well,
    holds_otherwise: bool,
    /// and these were, in vain.
    fails: Vec<u32>,
}

impl Answer {
    fn add(&mut self, user: UserId, holds: bool) {
        match (holds, self.holds_otherwise) {
            (true, false) => self.holds.push(user.number()),
            (false, true) => self.fails.push(user.number()),
            _ => {}
        }
    }

    fn finish(self, universe: &RoaringBitmap) -> RoaringBitmap {
        if self.holds_otherwise { universe - set(self.fails) } else { set(self.holds) & universe }
    }
}

impl<'p, S: EventStore + ?Sized> Batch<'_, 'p, S> {
    fn finish(self) -> Vec<RoaringBitmap> {
        let universe = &self.anchors.universe;
        self.answers.into_iter().map(|answer| answer.finish(universe)).collect()
    }

    /// Leaves over events, in one pass; it also finds the anchors that are events.
    fn events(&mut self, leaves: &[&'p Leaf]) -> Result<(), S::Error> {
        let is_asked = |leaf: &Leaf| {
            !leaf.matchers().is_empty() || matches!(leaf.anchor(), Some(Point::First(_) | Point::Latest(_)))
        };
        let (mut asks, mut of) = (Vec::new(), Vec::new());
        for (i, leaf) in leaves.iter().enumerate().filter(|(_, leaf)| is_asked(leaf)) {
            of.push(i);
            asks.push(Ask {
                matchers: leaf.matchers(),
                of: leaf.of(),
                same: leaf.same(),
                anchor: leaf.anchor(),
                reach: self.leaves[i].reach(),
            });
            self.answers[i].holds_otherwise =
                leaf.anchor().is_none() && self.leaves[i].holds(&UserFacts::default());
        }
        let (answers, bound) = (&mut self.answers, &self.leaves);
        let mut visit = |user, found: &[Found<'_>]| {
            for Found { ask, facts } in found {
                let leaf = of[*ask];
                answers[leaf].add(user, bound[leaf].holds(facts));
            }
        };
        events::scan(self.store, &asks, &mut self.anchors, self.at, self.among, &mut visit)
    }

    /// Leaves over attributes, in one pass for each attribute.
    fn attributes(&mut self, leaves: &[&'p Leaf]) -> Result<(), S::Error> {
        let mut names: Vec<&str> = leaves.iter().filter_map(|leaf| leaf.attribute()).collect();
        names.sort_unstable();
        names.dedup();
        for name in names {
            let of: Vec<usize> = (0..leaves.len()).filter(|i| leaves[*i].attribute() == Some(name)).collect();
            for i in &of {
                // Changes need a write, and a window around something needs that.
                self.answers[*i].holds_otherwise =
                    leaves[*i].anchor().is_none() && self.leaves[*i].holds(&UserFacts::default());
            }
            let (answers, bound, anchors) = (&mut self.answers, &self.leaves, &self.anchors);
            self.store.writes(name, self.among, &mut |user, writes| {
                for i in &of {
                    let anchor = leaves[*i].anchor().and_then(|point| anchors.instant(point, user));
                    let facts = UserFacts { anchor, writes, ..UserFacts::default() };
                    answers[*i].add(user, bound[*i].holds(&facts));
                }
            })?;
        }
        Ok(())
    }

    /// Leaves that only the identity of a user decides.
    fn by_id(&mut self, leaves: &[&Leaf]) -> Result<(), S::Error> {
        for (i, leaf) in leaves.iter().enumerate() {
            match leaf {
                Leaf::Seen(_) => {
                    for (user, seen) in self.anchors.all_seen() {
                        let facts = UserFacts { seen: Some(seen), ..UserFacts::default() };
                        self.answers[i].add(user, self.leaves[i].holds(&facts));
                    }
                }
                Leaf::List(list) => {
                    for id in list.ids() {
                        if let Some(user) = self.store.user(id)? {
                            self.answers[i].add(user, true);
                        }
                    }
                }
                _ => {}
            }
        }
        let shares: Vec<_> = leaves
            .iter()
            .enumerate()
            .filter_map(|(i, leaf)| if let Leaf::Sample(share) = leaf { Some((i, share)) } else { None })
            .collect();
        if shares.is_empty() {
            return Ok(());
        }
        let answers = &mut self.answers;
        self.store.ids(&self.anchors.universe, &mut |user, id| {
            for (i, share) in &shares {
                answers[*i].add(user, share.contains(id));
            }
        })
    }
}

/// See [`EventStore::numbers`].
pub(super) fn numbers<S: EventStore + ?Sized>(
    store: &S,
    measures: &[&Measure],
    at: Timestamp,
    among: Among<'_>,
    visit: &mut dyn FnMut(UserId, &[ExactSum]),
) -> Result<(), S::Error> {
    let points = measures.iter().filter_map(|measure| measure.anchor());
    let mut anchors = Anchors::read(store, points, false, at, among)?;
    let bound: Vec<_> = measures.iter().map(|measure| measure.at(at.millis())).collect();
    let asks: Vec<Ask<'_>> = measures
        .iter()
        .zip(&bound)
        .map(|(measure, bound)| Ask {
            matchers: std::slice::from_ref(measure.matcher()),
            of: measure.of(),
            same: None,
            anchor: measure.anchor(),
            reach: bound.reach(),
        })
        .collect();
    let mut all = vec![ExactSum::ZERO; measures.len()];
    events::scan(store, &asks, &mut anchors, at, among, &mut |user, found| {
        all.fill(ExactSum::ZERO);
        for Found { ask, facts } in found {
            all[*ask] = bound[*ask].number(facts);
        }
        if all.iter().any(|number| !number.is_zero()) {
            visit(user, &all);
        }
    })
}
