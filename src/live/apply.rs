//! Facts, and what is done to facts.

use std::sync::Arc;

use super::crossing::Crossing;
use super::routes::{EVERYTHING, NEWCOMER, SEEN, TouchId};
use super::settle::Manner;
use super::transition::{Because, Changes, Merge, Movement, Transition};
use super::{Live, LiveError};
use crate::event::{AttributeWrite, Event, Fact, IngestError};
use crate::store::{Ingest, Known, Recorded, TOGETHER};
use crate::time::Timestamp;

impl Live {
    /// Takes an event in. One of an instant that is complete already counts at once; any other lets time pass
    /// up to just before it, and counts when its instant is complete. Where many users have facts of one instant, those of
    /// the next share in the work ([`Live::settle_at_most`]).
    ///
    /// Events of a user with very many of them cost little more than any other where they are counted or added up: what
    /// they add up to is kept, in 4 MiB at most, until a late fact has it added up anew. They cost little more, too, where
    /// the latest or the earliest decide. For conditions on each value of a property (`same`), for a sequence that is not
    /// there, for filters relative to now, and for an attribute that must have held or changed, all that lies in the
    /// window is looked at whenever something comes or goes, at 10 to 80 ns each.
    ///
    /// The engine believes what facts say: one that is dated a year ahead makes a year pass. Where clocks of others are
    /// not to be trusted, such facts are refused ([`Live::ahead_at_most`]), or dated back to your own clock before.
    ///
    /// # Errors
    /// The event is refused.
    pub fn record(&mut self, event: Event) -> Result<Changes, LiveError> {
        self.take(event.into())
    }

    /// Takes a write of an attribute in, as [`Live::record`] does an event.
    ///
    /// # Errors
    /// The write is refused.
    pub fn write(&mut self, write: AttributeWrite) -> Result<Changes, LiveError> {
        self.take(write.into())
    }

    /// Takes in that a user exists since an instant, as [`Live::record`] does an event.
    ///
    /// # Errors
    /// The id or the instant is refused.
    pub fn register(&mut self, user: &str, seen: impl Into<Timestamp>) -> Result<Changes, LiveError> {
        self.take(Fact::user(user, seen))
    }

    /// Takes a fact of any kind in.
    ///
    /// # Errors
    /// The fact is refused.
    pub fn take(&mut self, fact: Fact) -> Result<Changes, LiveError> {
        let mut changes = Changes::default();
        self.check(&fact)?;
        changes.recorded = Some(self.take_one(&fact, None, Some(self.share), &mut changes.transitions)?);
        Ok(changes)
    }

    /// Takes a batch in, in its order, all of it or nothing. A fact behind a later one of the batch is late, as it would be
    /// one by one: sort by [`Fact::at`] what is not. What the facts before a late one change is
    /// told before what that changes; one by one it may be told after it, where many change at one instant
    /// ([`Live::settle_at_most`]).
    ///
    /// What became of each fact it does not say: [`Live::feed`] does.
    ///
    /// # Errors
    /// The first fact that is refused, by its index.
    pub fn take_all(&mut self, facts: Vec<Fact>) -> Result<Changes, LiveError> {
        for (index, fact) in facts.iter().enumerate() {
            self.check(fact).map_err(|error| LiveError::Batch { index, error })?;
        }
        let room = self.store.check_room(facts.len());
        room.map_err(|(index, error)| LiveError::Batch { index, error })?;
        let mut changes = Changes::default();
        self.finish(&mut changes.transitions);
        changes.transitions.reserve(self.of_last_batch);
        let taken = self.take_each(&facts, &mut changes.transitions);
        taken.map_err(|(index, error)| LiveError::Batch { index, error })?;
        self.of_last_batch = changes.transitions.len();
        Ok(changes)
    }

    /// Takes facts in one after the other. Time passes for a run of them at once, up to just before its latest instant: before
    /// a late one, and in the end.
    fn take_each(&mut self, facts: &[Fact], out: &mut Vec<Transition>) -> Result<(), (usize, IngestError)> {
        let mut complete = self.complete();
        for (some, facts) in facts.chunks(TOGETHER).enumerate() {
            let users = self.store.reading().users_of(facts);
            for (place, (fact, known)) in facts.iter().zip(users).enumerate() {
                if fact.at().millis() <= complete {
                    self.pass(complete, out);
                }
                let taken = self.take_one(fact, known, None, out);
                if taken.map_err(|error| (some * TOGETHER + place, error))? == Recorded::New {
                    complete = complete.max(fact.at().millis() - 1);
                }
            }
        }
        self.pass(complete, out);
        Ok(())
    }

    /// Takes a fact in. One that is not late lets time pass up to just before it, settling such a share of an instant, or
    /// leaves that to the caller.
    fn take_one(
        &mut self,
        fact: &Fact,
        user: Option<u32>,
        share: Option<usize>,
        out: &mut Vec<Transition>,
    ) -> Result<Recorded, IngestError> {
        let at = fact.at().millis();
        let (touch, name) = self.touch_of(fact);
        let new_name = match fact {
            Fact::Event(event) if touch.is_none() => Some(&event.name),
            _ => None,
        };
        let is_late = at <= self.complete();
        if is_late && (new_name.is_some() || !self.is_apart(fact, touch, at)) {
            // Before the store knows of it: what is under way must not see it. Nothing can fail from here on.
            self.check_room(1)?;
            self.finish(out);
        }
        let attribute = match fact {
            Fact::Attribute(write) if !self.timelines.is_empty() => Some(write.name.clone()),
            _ => None,
        };
        let unread = at > self.future.read_to;
        let recorded = self.store.take_known(fact, Known { user, name })?;
        if recorded != Recorded::New {
            return Ok(recorded);
        }
        if matches!(fact, Fact::Event(_)) {
            self.last_event = self.last_event.max(at);
        }
        let (user, before) = self.store.last_touched();
        self.foresee(fact, user);
        let of_plan = (&self.watches, &self.counts);
        let touch = touch.or_else(|| new_name.map(|name| self.routes.event(of_plan, name)));
        let seen_first = before.is_none_or(|before| at < before);
        if seen_first {
            self.seen_earlier(at, before, user);
        }
        if let Some(attribute) = attribute {
            self.timelines.wrote(&attribute, at, user);
        }
        if is_late {
            let touches = touch.into_iter().chain(seen_first.then_some(SEEN));
            self.late(touches.collect(), at, user, out);
            return Ok(recorded);
        }
        if let Some(share) = share {
            if at - 1 > self.complete() {
                self.finish(out);
                self.pass_to(at - 1, share, out);
            }
            self.settle_some(share, out);
        }
        if unread && at <= self.future.read_to {
            // What has been read meanwhile has it already.
            return Ok(recorded);
        }
        // In the order in which they are settled.
        let touches = seen_first.then_some(NEWCOMER).into_iter().chain(touch);
        self.pending.extend(touches.map(|touch| Crossing { at, user, touch }));
        Ok(recorded)
    }

    /// Whether a fact may be taken in, whatever there is already.
    fn check(&self, fact: &Fact) -> Result<(), IngestError> {
        fact.check()?;
        let Some(span) = self.ahead else { return Ok(()) };
        let most = Timestamp::from_millis(self.complete()).plus(span);
        if fact.at() <= most {
            return Ok(());
        }
        Err(IngestError::TooFarAhead { fact: fact.to_string(), at: fact.at(), most })
    }

    /// A user was first seen at an instant, and not as thought before.
    fn seen_earlier(&mut self, at: i64, before: Option<i64>, user: u32) {
        self.timelines.saw(at, before, user);
        let Some(before) = before else { return };
        for place in &self.routes.touch(SEEN).edges {
            if let Some(cursor) = self.cursors.all.get_mut(*place as usize) {
                cursor.lose(before, user);
            }
        }
    }

    fn check_room(&self, facts: usize) -> Result<(), IngestError> {
        self.store.check_room(facts).map_err(|(_, error)| error)
    }

    /// A fact of an instant that is complete already.
    fn late(&mut self, touches: Vec<TouchId>, at: i64, user: u32, out: &mut Vec<Transition>) {
        self.asks.forget(user);
        for touch in &touches {
            self.passed_by(*touch, at, user);
        }
        let now = self.told_to();
        let due: Vec<Crossing> = touches.into_iter().map(|touch| Crossing { at: now, user, touch }).collect();
        self.settle(&due, &Manner { fact: Some(at), ..Manner::late(now) }, out);
    }

    /// A fact whose edges may have read beyond it.
    fn passed_by(&mut self, touch: TouchId, at: i64, user: u32) {
        let now = self.told_to();
        for place in &self.routes.touch(touch).edges {
            if let (Some(cursor), Some(watch)) =
                (self.cursors.all.get_mut(*place as usize), self.watches.edges.get(*place as usize))
            {
                cursor.late(watch, (at, user), now, self.store.reading());
                self.cursors.moved(*place);
            }
        }
    }

    /// Whom a fact concerns, and the number that the store has given the name of an event; of an event whose name is new
    /// that is not known.
    fn touch_of(&mut self, fact: &Fact) -> (Option<TouchId>, Option<u32>) {
        match fact {
            Fact::Event(event) => self.routes.known(self.store.reading(), &event.name).unzip(),
            Fact::Attribute(write) => (self.routes.attribute(&write.name), None),
            Fact::User { .. } => (None, None),
        }
    }

    /// Puts the instants at which the values of a new fact turn among those of the others.
    fn foresee(&mut self, fact: &Fact, user: u32) {
        let after = self.complete().max(fact.at().millis());
        for ((turning, _), turns) in self.watches.turning.iter().zip(&mut self.turns) {
            turns.add(user, after, |t| turning.of_fact(fact, t));
        }
    }

    /// Makes all facts of `from` facts of `into`, and reports what that changes at [`Live::now`]. It costs what `from` has: some
    /// microseconds where that is little; more where a snapshot is held, for parts of the store that are written to are
    /// copied then.
    ///
    /// # Errors
    /// An id is refused, or both are one user already.
    pub fn merge(&mut self, from: &str, into: &str) -> Result<Changes, LiveError> {
        self.store.check_merge(from, into)?;
        self.check_room(2)?;
        let mut changes = Changes::default();
        self.finish(&mut changes.transitions);
        let gone = self.known(from);
        let seen = [from, into].map(|id| {
            let store = self.store.reading();
            store.number_of(id).and_then(|user| store.first_seen(user))
        });
        if let Some((user, _)) = &gone {
            self.timelines.forget(*user, self.store.reading());
        }
        self.store.merge(from, into)?;
        let user = self.store.reading().number_of(into);
        if let (Some((from, _)), Some(into)) = (&gone, user) {
            self.hand_over((*from, into), seen);
        }
        let start = changes.transitions.len();
        if let Some((user, id)) = &gone {
            self.settle_whole(*user, Some(Arc::clone(id)), Because::Merge, &mut changes.transitions);
        }
        if let Some(user) = user {
            self.settle_whole(user, None, Because::Merge, &mut changes.transitions);
        }
        let from = gone.map_or_else(|| Arc::from(from), |(_, id)| id);
        let into = user.and_then(|user| self.store.reading().id_of(user)).unwrap_or(into);
        let made = changes.transitions.get(start..).unwrap_or_default();
        let left = made.iter().filter(|one| one.id == from && one.movement == Movement::Left);
        let still_in = left.filter(|one| self.is_member(into, &one.segment) == Some(true));
        let still_in = still_in.map(|one| Arc::clone(&one.segment)).collect();
        let transitions = start..changes.transitions.len();
        changes.merges.push(Merge { from, into: into.into(), at: self.now(), transitions, still_in });
        Ok(changes)
    }

    /// Lets everything that waits for one user wait for another; they were first seen at some instants.
    fn hand_over(&mut self, (from, into): (u32, u32), seen: [Option<i64>; 2]) {
        let edges = self.cursors.all.iter_mut().zip(&self.watches.edges);
        let store = self.store.reading();
        edges.for_each(|(cursor, watch)| cursor.merge(&watch.source, (from, into), store));
        let of_from = self.pending.iter_mut().filter(|crossing| crossing.user == from);
        of_from.for_each(|crossing| crossing.user = into);
        self.future.merge(from, into);
        self.turns.iter_mut().for_each(|turns| turns.merge(from, into));
        self.state.marks.iter_mut().for_each(|marks| marks.merge(from, into));
        self.timelines.again(into, self.store.reading());
        if let Some(now) = self.store.reading().first_seen(into) {
            for before in seen.into_iter().flatten().filter(|before| *before != now) {
                self.seen_earlier(now, Some(before), into);
            }
            self.passed_by(SEEN, now, into);
        }
    }

    /// Erases a user, and reports the segments it left at [`Live::now`]. It costs as much as [`Live::merge`] does; and where events
    /// have properties, about a millisecond for each million values of those that some event of the user has, as values that
    /// no one else has are looked for.
    ///
    /// # Errors
    /// None today.
    pub fn forget(&mut self, user: &str) -> Result<Changes, LiveError> {
        let mut changes = Changes::default();
        self.finish(&mut changes.transitions);
        let gone = self.known(user);
        if let Some((user, _)) = &gone {
            self.timelines.forget(*user, self.store.reading());
        }
        self.store.forget(user)?;
        if let Some((user, id)) = gone {
            self.settle_whole(user, Some(id), Because::Forget, &mut changes.transitions);
        }
        Ok(changes)
    }

    /// A user who has been seen, and the id by which it is known.
    fn known(&self, id: &str) -> Option<(u32, Arc<str>)> {
        let store = self.store.reading();
        let user = store.number_of(id)?;
        Some((user, store.id_of(user)?.into()))
    }

    /// Asks everything about a user.
    fn settle_whole(
        &mut self,
        user: u32,
        gone: Option<Arc<str>>,
        because: Because,
        out: &mut Vec<Transition>,
    ) {
        self.asks.forget(user);
        self.parting = gone.map(|id| (user, id));
        let manner = Manner { because: Some(because), ..Manner::late(self.now) };
        self.settle(&[Crossing { at: self.now, user, touch: EVERYTHING }], &manner, out);
        self.parting = None;
    }
}
