//! Leaves and measures that only add up what the events of a window say, whatever their order.
//!
//! For most users the events are looked at when it is asked. Of those who have very many, what was added up is kept, and
//! follows what has come and gone since.

use std::ops::ControlFlow;

use foldhash::HashMap;

use super::Question;
use super::kept::{Kept, OfRolling};
use super::shared::{SharedEvents, Subject};
use super::sums::{Kind, Sums, Wanted};
use crate::limits::SMALL;
use crate::plan::bounds::Bounds;
use crate::plan::{ExactSum, Leaf, Measure, Plan, Scope, ValueRef};
use crate::segment::Quantity;

/// Events of a user that are not added up anew without need.
const MANY: usize = if SMALL { 2 } else { 256 };

/// What is added up, of all leaves and measures.
#[derive(Clone, Debug, Default)]
pub(super) struct Rollings {
    all: Vec<Rolling>,
    /// Of each question: which it is about, and what of it.
    of_question: Vec<Option<(u32, Asked)>>,
    /// Of users with very many events.
    kept: Kept,
    /// What is being added up; empty between questions.
    added: Vec<Added>,
}

/// The events of a group in a window.
#[derive(Clone, Debug)]
struct Rolling {
    scope: Scope,
    kind: Kind,
    with_extremes: bool,
    /// Whether an event that matches goes on to match.
    stays: bool,
    /// Where it is being added up.
    place: Option<usize>,
}

/// What a question wants to know.
#[derive(Clone, Debug)]
enum Asked {
    Whether(Wanted),
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
    /// Only what had to be looked at now: few events, or not all.
    Anew,
}

impl Rollings {
    /// Of questions, leaves before measures, with the groups that they are asked with.
    pub(super) fn of<'p>(plan: &'p Plan, groups: &[Option<u32>]) -> Self {
        let of_leaf = |leaf: &'p Leaf| match leaf {
            Leaf::Did(did) if did.same.is_none() => {
                let (kind, wanted) = Wanted::of(&did.measure)?;
                Some((&did.matcher, &did.scope, kind, Asked::Whether(wanted)))
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
                    let stays = !matcher.depends_on_time();
                    rollings.all.push(Rolling {
                        scope: scope.clone(),
                        kind,
                        with_extremes: false,
                        stays,
                        place: None,
                    });
                    rollings.all.len() - 1
                });
                rollings.all[place].with_extremes |=
                    matches!(&asked, Asked::Whether(wanted) if wanted.is_extreme());
                (u32::try_from(place).unwrap_or(u32::MAX), asked)
            }));
        }
        rollings
    }

    /// Whether a question only adds up.
    pub(super) fn is_sum(&self, question: Question) -> bool {
        self.asked_by(question).is_some()
    }

    fn asked_by(&self, question: Question) -> Option<&(u32, Asked)> {
        self.of_question.get(question as usize)?.as_ref()
    }

    /// Answers leaves about the same events that only add up.
    pub(super) fn answer(
        &mut self,
        leaves: &[Question],
        events: &SharedEvents,
        of: Subject<'_>,
        tell: &mut dyn FnMut(Question, bool),
    ) {
        let others = self.add_up(leaves, events, of);
        for leaf in leaves {
            if let Some((sums, Asked::Whether(wanted))) = self.sums_of(*leaf) {
                tell(*leaf, sums.holds(wanted));
            }
        }
        self.keep(of.user, others);
    }

    /// The number of a measure that only adds up.
    pub(super) fn number(&mut self, measure: Question, events: &SharedEvents, of: Subject<'_>) -> ExactSum {
        let others = self.add_up(&[measure], events, of);
        let mut number = ExactSum::ZERO;
        match self.sums_of(measure) {
            Some((sums, Asked::Sum)) => number = sums.sum(),
            Some((sums, Asked::Count)) => number.add_counted(1, sums.count()),
            _ => {}
        }
        self.keep(of.user, others);
        number
    }

    /// What a question that has just been added up for is about.
    fn sums_of(&self, question: Question) -> Option<(&Sums, &Asked)> {
        let (rolling, asked) = self.asked_by(question)?;
        let added = self.added.get(self.place_of(*rolling)?)?;
        Some((&added.sums, asked))
    }

    /// Where something is that is being added up.
    fn place_of(&self, rolling: u32) -> Option<usize> {
        self.all.get(rolling as usize)?.place
    }

    /// Adds up what questions are about, by what is kept where that can follow. Gives back what is kept of other questions.
    fn add_up(&mut self, questions: &[Question], events: &SharedEvents, of: Subject<'_>) -> Vec<OfRolling> {
        questions.iter().for_each(|question| self.want(*question, of.t));
        let others = self.follow(events, of);
        self.add_anew(events, of);
        others
    }

    fn want(&mut self, question: Question, t: i64) {
        let Some(Some((rolling, asked))) = self.of_question.get(question as usize) else { return };
        let enough = if let Asked::Whether(wanted) = asked { wanted.enough() } else { u64::MAX };
        let Some(of) = self.all.get_mut(*rolling as usize) else { return };
        if let Some(added) = of.place.and_then(|place| self.added.get_mut(place)) {
            added.enough = added.enough.max(enough);
        } else {
            of.place = Some(self.added.len());
            let sums = Sums::new(of.scope.at(t).reach(), of.kind, of.with_extremes);
            self.added.push(Added { rolling: *rolling, enough, sums, source: Source::Anew });
        }
    }

    /// By what is kept.
    fn follow(&mut self, events: &SharedEvents, of: Subject<'_>) -> Vec<OfRolling> {
        let mut kept = self.kept.take(of.user);
        let mut visit = |inside, each: &mut dyn FnMut(i64, Option<ValueRef<'_>>)| {
            events.values(of, inside, |at, value| {
                each(at, value);
                ControlFlow::Continue(())
            });
        };
        kept.retain_mut(|(rolling, sums)| {
            let place = self.place_of(*rolling);
            let Some(added) = place.and_then(|place| self.added.get_mut(place)) else { return true };
            if sums.follow(added.sums.inside(), &mut visit) {
                std::mem::swap(&mut added.sums, sums);
                added.source = Source::Kept;
            }
            false
        });
        kept
    }

    /// What is not known yet, until there is enough of all.
    fn add_anew(&mut self, events: &SharedEvents, of: Subject<'_>) {
        let added = &mut self.added;
        let is_new = |added: &Added| added.source == Source::Anew;
        let new = added.iter().filter(|added| is_new(added));
        let Some(lo) = new.map(|added| added.sums.inside().lo).min() else { return };
        let mut is_whole = true;
        let looked = events.values(of, Bounds { lo, hi: of.t }, |at, value| {
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

    /// Keeps what it would cost much to add up again, beside what is kept of other questions.
    fn keep(&mut self, user: u32, mut of_user: Vec<OfRolling>) {
        for added in self.added.drain(..) {
            let Some(rolling) = self.all.get_mut(added.rolling as usize) else { continue };
            rolling.place = None;
            if rolling.stays && added.source != Source::Anew {
                of_user.push((added.rolling, added.sums));
            }
        }
        self.kept.put(user, of_user);
    }

    /// Facts of a user are others than they were, and not only by later ones.
    pub(super) fn forget(&mut self, user: u32) {
        self.kept.take(user);
    }

    /// The same of everyone.
    pub(super) fn forget_all(&mut self) {
        self.kept.clear();
    }

    pub(super) fn memory(&self) -> usize {
        self.kept.memory()
    }
}
