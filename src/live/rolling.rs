//! Leaves and measures that only add up what the events of a window say, whatever their order.
//!
//! For most users the events are looked at when it is asked. Of those who have very many, what was added up is kept, and
//! follows what has come and gone since.

use std::ops::ControlFlow;

use foldhash::HashMap;

use super::Question;
use super::group::Group;
use super::kept::{Kept, OfUser};
use super::sums::{Kind, Sums, Total};
use crate::limits::SMALL;
use crate::plan::bounds::Bounds;
use crate::plan::{ExactSum, Leaf, Measure, Plan, Scope, ValueRef};
use crate::segment::Quantity;
use crate::store::Snapshot;

/// Events of a user that are not added up anew without need.
const MANY: usize = if SMALL { 2 } else { 256 };

/// What is added up, of all leaves and measures.
#[derive(Clone, Debug, Default)]
pub(super) struct Rollings {
    all: Vec<Rolling>,
    /// Of each question: which it is about, and what of it.
    of_question: Vec<Option<(u32, Asked)>>,
    /// Of users with very many events.
    pub(super) kept: Kept,
    /// What is kept of the user that is asked about.
    of_user: OfUser,
    /// Kept for the allocation.
    added: Vec<Added>,
}

/// The events of a group in a window.
#[derive(Clone, Debug)]
struct Rolling {
    scope: Scope,
    kind: Kind,
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
                let (kind, total) = Total::of(&did.measure)?;
                Some((&did.matcher, &did.scope, kind, Asked::Whether(total)))
            }
            _ => None,
        };
        let of_measure = |measure: &'p Measure| {
            let asked = if matches!(measure.quantity, Quantity::Sum(_)) { Asked::Sum } else { Asked::Count };
            Some((&measure.matcher, &measure.scope, Kind::of(&measure.quantity), asked))
        };
        let asked = plan.leaves().iter().map(of_leaf).chain(plan.measures().iter().map(of_measure));
        let (mut rollings, mut places) = (Self::default(), HashMap::default());
        for (group, asked) in groups.iter().zip(asked) {
            rollings.of_question.push(group.zip(asked).map(|(group, (matcher, scope, kind, asked))| {
                let place = *places.entry((group, scope, kind)).or_insert_with(|| {
                    let stays = matcher.compiled().is_none_or(|filter| !filter.depends_on_time());
                    rollings.all.push(Rolling { scope: scope.clone(), kind, with_ends: false, stays });
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
            Some((sums, Asked::Sum)) => number = sums.sum(),
            Some((sums, Asked::Count)) => number.add_counted(1, sums.count()),
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
        } else if let Some(Rolling { scope, kind, with_ends, .. }) = self.all.get(*rolling as usize) {
            let sums = Sums::new(scope.at(t).reach(), *kind, *with_ends);
            self.added.push(Added { rolling: *rolling, enough, sums, source: Source::Few });
        }
    }

    /// By what is kept.
    fn follow(&mut self, group: &Group, of_user: (&Snapshot, u32, i64)) {
        let mut visit = |inside, each: &mut dyn FnMut(i64, Option<ValueRef<'_>>)| {
            group.values(of_user, inside, |at, value| {
                each(at, value);
                ControlFlow::Continue(())
            });
        };
        self.of_user = self.kept.take(of_user.1);
        for added in &mut self.added {
            let place = self.of_user.iter().position(|(rolling, _)| *rolling == added.rolling);
            let Some((_, sums)) = place.map(|place| self.of_user.swap_remove(place)) else { continue };
            if let Some(sums) = sums.follow(added.sums.inside(), &mut visit) {
                (added.sums, added.source) = (sums, Source::Kept);
            }
        }
    }

    /// What is not known yet, until there is enough of all.
    fn add_anew(&mut self, group: &Group, of_user: (&Snapshot, u32, i64)) {
        let added = &mut self.added;
        let is_new = |added: &Added| added.source == Source::Few;
        let new = added.iter().filter(|added| is_new(added));
        let Some(lo) = new.map(|added| added.sums.inside().lo).min() else { return };
        let mut is_whole = true;
        let looked = group.values(of_user, Bounds { lo, hi: of_user.2 }, |at, value| {
            let inside = added.iter_mut().filter(|added| is_new(added) && added.sums.inside().contains(at));
            inside.for_each(|added| added.sums.add(at, value));
            if added.iter().any(|added| is_new(added) && added.sums.count() < added.enough) {
                return ControlFlow::Continue(());
            }
            is_whole = false;
            ControlFlow::Break(())
        });
        if is_whole && looked >= MANY {
            added.iter_mut().filter(|added| is_new(added)).for_each(|added| added.source = Source::Many);
        }
    }

    /// Keeps what it would cost much to add up again.
    fn keep(&mut self, user: u32) {
        let Self { all, kept, of_user, added, .. } = self;
        let is_kept = |added: &Added| {
            let stays = || all.get(added.rolling as usize).is_some_and(|rolling| rolling.stays);
            added.source != Source::Few && Kept::has_room_for(&added.sums) && stays()
        };
        of_user.extend(added.drain(..).filter(is_kept).map(|added| (added.rolling, added.sums)));
        kept.put(user, std::mem::take(of_user));
    }
}
