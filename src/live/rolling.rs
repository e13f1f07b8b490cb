//! Leaves and measures that only add up what the events of a window say, whatever their order.
//!
//! For most users the events are looked at when it is asked. Of those who have very many, what was added up is kept, and
//! follows what has come and gone since.

use std::ops::ControlFlow;

use foldhash::HashMap;

use super::Question;
use super::ask::Group;
use super::sums::{Sums, Total};
use crate::plan::bounds::Bounds;
use crate::plan::{ExactSum, Leaf, Measure, Plan, Scope};
use crate::segment::Quantity;
use crate::store::Snapshot;
use crate::value::Number;

/// Events of a user that are not added up anew without need. Builds with assertions, which tests are, begin early.
const MANY: usize = if cfg!(debug_assertions) { 2 } else { 256 };
/// Windows of users that are kept at the most; then all are let go.
const MOST: usize = if cfg!(debug_assertions) { 8 } else { 1 << 10 };

/// What is added up, of all leaves and measures.
#[derive(Clone, Debug, Default)]
pub(super) struct Rollings {
    all: Vec<Rolling>,
    /// Of each question: which it is about, and what of it.
    of_question: Vec<Option<(u32, Asked)>>,
    kept: HashMap<u32, Vec<(u32, Sums)>>,
    /// How many are kept.
    many: usize,
    /// Kept for the allocation.
    added: Vec<Added>,
}

/// The events of a group in a window.
#[derive(Clone, Debug)]
struct Rolling {
    scope: Scope,
    with_ends: bool,
    /// Whether an event that matches goes on to match.
    stays: bool,
}

/// What a question wants to know.
#[derive(Clone, Debug)]
enum Asked {
    Whether(Total),
    Count,
    Sum,
}

/// One of them for a user.
#[derive(Clone, Debug)]
struct Added {
    rolling: u32,
    enough: u64,
    sums: Sums,
    source: Source,
}

/// What something is added up from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Source {
    /// What was kept, and what came and went since.
    Kept,
    /// All of very many events.
    Many,
    Few,
}

impl Rollings {
    /// Of questions, leaves before measures, with the groups that they are asked with.
    pub(super) fn of<'p>(plan: &'p Plan, groups: &[Option<u32>]) -> Self {
        let of_leaf = |leaf: &'p Leaf| match leaf {
            Leaf::Did(did) if did.same.is_none() => {
                Some((&did.matcher, &did.scope, Asked::Whether(Total::of(&did.measure)?)))
            }
            _ => None,
        };
        let of_measure = |measure: &'p Measure| {
            let asked = match measure.quantity {
                Quantity::Times => Asked::Count,
                Quantity::Sum(_) => Asked::Sum,
                _ => return None,
            };
            Some((&measure.matcher, &measure.scope, asked))
        };
        let asked = plan.leaves().iter().map(of_leaf).chain(plan.measures().iter().map(of_measure));
        let (mut rollings, mut places) = (Self::default(), HashMap::default());
        for (group, asked) in groups.iter().zip(asked) {
            rollings.of_question.push(group.zip(asked).map(|(group, (matcher, scope, asked))| {
                let place = *places.entry((group, scope)).or_insert_with(|| {
                    let stays = matcher.compiled().is_none_or(|filter| !filter.depends_on_time());
                    rollings.all.push(Rolling { scope: scope.clone(), with_ends: false, stays });
                    rollings.all.len() - 1
                });
                rollings.all[place].with_ends |= matches!(&asked, Asked::Whether(total) if total.is_end());
                (u32::try_from(place).unwrap_or(u32::MAX), asked)
            }));
        }
        rollings
    }

    /// Whether a question only adds up.
    pub(super) fn is_total(&self, question: Question) -> bool {
        self.asked_by(question).is_some()
    }

    fn asked_by(&self, question: Question) -> Option<&(u32, Asked)> {
        self.of_question.get(question as usize)?.as_ref()
    }

    /// Answers leaves of one group that only add up.
    pub(super) fn answer(
        &mut self,
        leaves: &[Question],
        group: &Group,
        of_user: (&Snapshot, u32, i64),
        tell: &mut dyn FnMut(Question, bool),
    ) {
        self.add_up(leaves, group, of_user);
        for leaf in leaves {
            if let Some((sums, Asked::Whether(total))) = self.sums_of(*leaf) {
                tell(*leaf, sums.holds(total));
            }
        }
        self.keep(of_user.1);
    }

    /// The number of a measure that only adds up.
    pub(super) fn number(
        &mut self,
        measure: Question,
        group: &Group,
        of_user: (&Snapshot, u32, i64),
    ) -> ExactSum {
        self.add_up(&[measure], group, of_user);
        let mut number = ExactSum::ZERO;
        match self.sums_of(measure) {
            Some((sums, Asked::Sum)) => number = sums.sum().clone(),
            Some((sums, Asked::Count)) => number.add_counted(1, sums.events()),
            _ => {}
        }
        self.keep(of_user.1);
        number
    }

    /// What a question that has just been added up for is about.
    fn sums_of(&self, question: Question) -> Option<(&Sums, &Asked)> {
        let (rolling, asked) = self.asked_by(question)?;
        let added = self.added.iter().find(|added| added.rolling == *rolling)?;
        Some((&added.sums, asked))
    }

    /// Adds up what questions are about, by what is kept where that can follow.
    fn add_up(&mut self, questions: &[Question], group: &Group, (store, user, t): (&Snapshot, u32, i64)) {
        self.added.clear();
        questions.iter().for_each(|question| self.ask(*question, t));
        let of_user = (store, user, t);
        self.follow(group, of_user);
        self.add_anew(group, of_user);
    }

    fn ask(&mut self, question: Question, t: i64) {
        let Some((rolling, asked)) = self.of_question.get(question as usize).and_then(Option::as_ref) else {
            return;
        };
        let enough = if let Asked::Whether(total) = asked { total.enough() } else { u64::MAX };
        if let Some(added) = self.added.iter_mut().find(|added| added.rolling == *rolling) {
            added.enough = added.enough.max(enough);
        } else if let Some(Rolling { scope, with_ends, .. }) = self.all.get(*rolling as usize) {
            let sums = Sums::new(scope.at(t).reach(), *with_ends);
            self.added.push(Added { rolling: *rolling, enough, sums, source: Source::Few });
        }
    }

    /// By what is kept.
    fn follow(&mut self, group: &Group, of_user: (&Snapshot, u32, i64)) {
        let Some(kept) = self.kept.get_mut(&of_user.1) else { return };
        let mut visit = |inside, each: &mut dyn FnMut(Option<Number>)| {
            group.numbers(of_user, inside, |_, number| {
                each(number);
                ControlFlow::Continue(())
            });
        };
        for added in &mut self.added {
            let place = kept.iter().position(|(rolling, _)| *rolling == added.rolling);
            let Some((_, sums)) = place.map(|place| kept.swap_remove(place)) else { continue };
            self.many -= 1;
            if let Some(sums) = sums.follow(added.sums.inside(), &mut visit) {
                (added.sums, added.source) = (sums, Source::Kept);
            }
        }
    }

    /// What is not known yet, until there is enough of all.
    fn add_anew(&mut self, group: &Group, of_user: (&Snapshot, u32, i64)) {
        let mut wanted: Vec<&mut Added> =
            self.added.iter_mut().filter(|added| added.source != Source::Kept).collect();
        let Some(lo) = wanted.iter().map(|added| added.sums.inside().lo).min() else { return };
        let mut is_whole = true;
        let looked = group.numbers(of_user, Bounds { lo, hi: of_user.2 }, |at, number| {
            let inside = wanted.iter_mut().filter(|added| added.sums.inside().contains(at));
            inside.for_each(|added| added.sums.add(number));
            if wanted.iter().any(|added| added.sums.events() < added.enough) {
                return ControlFlow::Continue(());
            }
            is_whole = false;
            ControlFlow::Break(())
        });
        if is_whole && looked >= MANY {
            wanted.into_iter().for_each(|added| added.source = Source::Many);
        }
    }

    /// Keeps what it would cost much to add up again.
    fn keep(&mut self, user: u32) {
        let Self { all, kept, many, added, .. } = self;
        let stays = |added: &Added| {
            added.source != Source::Few
                && all.get(added.rolling as usize).is_some_and(|rolling| rolling.stays)
        };
        for added in added.drain(..).filter(stays) {
            if *many == MOST {
                kept.clear();
                *many = 0;
            }
            kept.entry(user).or_default().push((added.rolling, added.sums));
            *many += 1;
        }
        if kept.get(&user).is_some_and(Vec::is_empty) {
            kept.remove(&user);
        }
    }

    /// Facts of a user are other ones than they were, and not only by later ones.
    pub(super) fn forget(&mut self, user: u32) {
        self.many -= self.kept.remove(&user).map_or(0, |of_user| of_user.len());
    }

    pub(super) fn forget_all(&mut self) {
        self.kept.clear();
        self.many = 0;
    }

    pub(super) fn memory(&self) -> usize {
        let of_user = |of_user: &Vec<(u32, Sums)>| of_user.capacity() * size_of::<(u32, Sums)>();
        let lists: usize = self.kept.values().map(of_user).sum();
        lists + self.kept.capacity() * size_of::<(u32, Vec<(u32, Sums)>)>()
    }
}
