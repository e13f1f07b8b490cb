//! A cursor an edge: the facts that cross it next, read ahead in order of time.
//!
//! What a cursor holds does not depend on how many facts there are: it reads ahead a few at a time, and adapts
//! how long a stretch it reads. Where only the last event of each user in each calendar unit crosses, a stretch is a
//! quarter of a unit at least: which are the last only the rest of the unit tells.

use super::edge::Edge;
use super::marks::unit_around;
use super::timeline::Timelines;
use super::users::Users;
use super::watch::{Source, Watch};
use crate::limits::SMALL;
use crate::plan::bounds::Bounds;
use crate::segment::EventPattern;
use crate::store::Snapshot;
use crate::time::Timestamp;

/// Facts read at a time, about.
const FEW: usize = if SMALL { 4 } else { 128 };
/// Events of a calendar unit that are read at a time, about, of which the last of each user are kept.
const FEW_OF_UNIT: usize = 8 * FEW;
/// A unit is read in so many stretches at most, as each takes a look at the rest of it.
const STRETCHES: i64 = 4;
/// The stretch that is read at first, about.
const HOUR: i64 = 3_600_000;

/// Where an edge stands.
#[derive(Clone, Debug)]
pub(super) struct Cursor {
    /// Where the latest stretch starts. All before it has crossed.
    start: i64,
    /// Facts of that stretch that have not crossed, in milliseconds after its start, and their users, the next one last.
    ahead: Vec<(u32, u32)>,
    /// All facts before this instant have been read.
    read_to: i64,
    /// Facts from here on have no say in what of the stretch is ahead: where it ends, or its unit.
    until: i64,
    /// How long a stretch is read next.
    width: i64,
    /// Nothing crosses before this instant.
    due: i64,
}

impl Cursor {
    /// Where an edge stands at `now`, with nothing read. How much is read at first depends on its place, in an irregular
    /// manner, so that edges do not read on at the same instants.
    pub(super) fn new(edge: &Edge, now: i64, place: usize) -> Self {
        let start = edge.first_after(now).max(Timestamp::MIN.millis());
        let width = HOUR + i64::try_from(place).unwrap_or(0).wrapping_mul(999_983).rem_euclid(HOUR);
        Self { start, ahead: Vec::new(), read_to: start, until: start, width, due: edge.due(start) }
    }

    /// Reads what crosses first; facts up to `known` are in the store.
    pub(super) fn prepare(&mut self, watch: &Watch, known: i64, facts: (&Snapshot, &Timelines)) {
        if let Source::Events(events) | Source::LastOf(events, ..) = &watch.source {
            facts.0.order_by_time(events, self.read_to);
        }
        self.read(watch, known, known, facts);
        self.due = watch.edge.due(self.first());
    }

    /// The first instant at which there may be a fact that has not crossed.
    fn first(&self) -> i64 {
        self.ahead.last().map_or(self.read_to, |(after, _)| self.at(*after))
    }

    /// So long after the start of the stretch.
    fn at(&self, after: u32) -> i64 {
        self.start.saturating_add(i64::from(after))
    }

    /// When the next fact crosses, or earlier.
    pub(super) fn due(&self) -> i64 {
        self.due
    }

    /// Whether all has crossed up to a fact that is the last.
    pub(super) fn has_passed(&self, last: i64) -> bool {
        self.ahead.is_empty() && last < self.read_to
    }

    /// Takes the facts that cross up to `end`, with the instants at which they do, and goes on to the next; facts up
    /// to `known` are in the store.
    pub(super) fn cross(
        &mut self,
        watch: &Watch,
        end: i64,
        known: i64,
        facts: (&Snapshot, &Timelines),
        visit: &mut dyn FnMut(i64, u32),
    ) {
        loop {
            self.due = watch.edge.due(self.first());
            if self.due > end {
                self.shrink();
                return;
            }
            if let Some((_, user)) = self.ahead.pop() {
                visit(self.due, user);
            } else if !self.read(watch, end, known, facts) {
                // Facts to come cross no earlier than they happen.
                self.due = known.saturating_add(1);
                return;
            }
        }
    }

    /// Reads the next stretch, at least to where facts have not crossed at `end`; tells whether all of it has happened.
    fn read(&mut self, watch: &Watch, end: i64, known: i64, facts: (&Snapshot, &Timelines)) -> bool {
        // Of a unit all that will soon have crossed, for the less of it is left to be looked at.
        let end = if matches!(watch.source, Source::LastOf(..)) { known } else { end };
        let crossed = watch.edge.first_after(end);
        let Some((hi, until)) = self.stretch(watch, crossed, known) else { return false };
        let inside = Bounds { lo: self.read_to, hi };
        (self.start, self.read_to, self.until) = (inside.lo, hi.saturating_add(1), until);
        let ahead = &mut self.ahead;
        facts_between(watch, inside, facts, &mut |at, user| ahead.push((after(inside.lo, at), user)));
        if self.ahead.is_empty() {
            self.pass_over(watch, crossed.saturating_sub(1).min(known), facts);
        }
        self.ahead.sort_unstable_by_key(|(after, user)| !(u64::from(*after) << 32 | u64::from(*user)));
        if let Source::LastOf(events, ..) = &watch.source {
            self.adapt(self.of_width(), FEW_OF_UNIT);
            self.keep_last(events, facts.0);
            return true;
        }
        let many = self.ahead.partition_point(|(after, _)| self.at(*after) >= crossed);
        if many > 8 * FEW {
            self.keep_few(many);
        } else {
            self.adapt(many, FEW);
        }
        true
    }

    /// Passes over time behind an empty stretch in which there are no facts either, up to an instant up to which all have
    /// crossed: twice as much at a time.
    fn pass_over(&mut self, watch: &Watch, last: i64, facts: (&Snapshot, &Timelines)) {
        let mut length = self.read_to.saturating_sub(self.start).max(1);
        while self.read_to <= last {
            let hi = self.read_to.saturating_add(length).min(last);
            let mut is_empty = true;
            facts_between(watch, Bounds { lo: self.read_to, hi }, facts, &mut |_, _| is_empty = false);
            if !is_empty {
                return;
            }
            self.read_to = hi.saturating_add(1);
            (self.start, self.until) = (self.read_to, self.read_to);
            length = length.saturating_mul(2);
        }
    }

    /// The last instant of the next stretch, and the first from which on facts have no say in it; `None` where they have
    /// not all happened.
    fn stretch(&self, watch: &Watch, crossed: i64, known: i64) -> Option<(i64, i64)> {
        let later = |millis: i64| self.read_to.saturating_add(millis);
        let (wanted, most) = (later(self.width).max(crossed.saturating_sub(1)), later(i64::from(u32::MAX)));
        if let Source::LastOf(_, unit, tz) = &watch.source {
            // Windows are longer than a unit: all of it has happened when the first of it crosses.
            let (start, end) = unit_around(*unit, *tz, self.read_to);
            let least = later(end.saturating_sub(start) / STRETCHES);
            let hi = wanted.max(least).min(most).min(end.saturating_sub(1));
            return (end <= known.saturating_add(1)).then_some((hi, end));
        }
        let hi = wanted.min(most).min(known);
        (self.read_to <= known).then_some((hi, hi.saturating_add(1)))
    }

    /// How many a stretch as long as the next one holds, by what has just been read.
    fn of_width(&self) -> usize {
        let length = self.read_to.saturating_sub(self.start).max(1);
        let many = self.ahead.len() as u128 * u128::from(self.width.min(length).unsigned_abs());
        usize::try_from(many / u128::from(length.unsigned_abs())).unwrap_or(usize::MAX)
    }

    /// Stretches are to hold so many, up to four times as many.
    fn adapt(&mut self, many: usize, few: usize) {
        if many < few {
            self.width = self.width.saturating_mul(2);
        } else if many > 4 * few {
            self.width = (self.width / 2).max(1);
        }
    }

    /// Of so many that cross last lets most go, as if they had not been read.
    fn keep_few(&mut self, many: usize) {
        let Some((last, _)) = self.ahead.get(many.saturating_sub(4 * FEW)).copied() else { return };
        self.read_to = self.at(last).saturating_add(1);
        self.until = self.read_to;
        self.width = self.read_to.saturating_sub(self.start).max(1);
        let gone = self.ahead.partition_point(|(after, _)| *after > last);
        self.ahead.drain(..gone);
    }

    /// Lets those go whose users have another one in the unit.
    fn keep_last(&mut self, events: &[EventPattern], store: &Snapshot) {
        let mut later = Users::default();
        store.users_between(events, self.rest(), &mut |user| _ = later.insert(user));
        // From the last to the first.
        self.ahead.retain(|(_, user)| later.insert(*user));
        self.ahead.shrink_to_fit();
    }

    /// What has not been read and has a say.
    fn rest(&self) -> Bounds {
        Bounds { lo: self.read_to, hi: self.until.saturating_sub(1) }
    }

    /// Whether a user has some of the events there.
    fn is_in_rest(&self, events: &[EventPattern], user: u32, store: &Snapshot) -> bool {
        store.count_up_to(&store.names_matching(events).0, user, self.rest(), 1) > 0
    }

    /// A fact that is none any more.
    pub(super) fn lose(&mut self, key: i64, user: u32) {
        if key >= self.start {
            self.remove((after(self.start, key), user));
        }
    }

    fn remove(&mut self, one: (u32, u32)) {
        if let Ok(place) = self.ahead.binary_search_by(|have| one.cmp(have)) {
            self.ahead.remove(place);
        }
    }

    /// Whether an event is the last of its user in the unit, of which all that is ahead is; the one that was lets go.
    fn becomes_last(&mut self, events: &[EventPattern], (key, user): (i64, u32), store: &Snapshot) -> bool {
        let names = store.names_matching(events).0;
        let later = Bounds { lo: key.saturating_add(1), hi: self.until.saturating_sub(1) };
        if store.count_up_to(&names, user, later, 1) > 0 {
            return false;
        }
        let earlier = Bounds { lo: self.start, hi: key.saturating_sub(1) };
        if let Some(last) = store.latest_of(&names, user, earlier) {
            self.remove((after(self.start, last), user));
        }
        true
    }

    /// Gives back room that long stretches took.
    fn shrink(&mut self) {
        if self.ahead.capacity() > (2 * self.ahead.len()).max(8 * FEW) {
            self.ahead.shrink_to(4 * FEW);
        }
    }

    /// A fact that arrived late: where it has been passed by, it is put in.
    pub(super) fn late(&mut self, watch: &Watch, (key, user): (i64, u32), now: i64, store: &Snapshot) {
        if key < self.start || key >= self.until {
            return;
        }
        let due = watch.edge.due(key);
        if due <= now {
            return;
        }
        if let Source::LastOf(events, ..) = &watch.source
            && !self.becomes_last(events, (key, user), store)
        {
            return;
        }
        let one = (after(self.start, key), user);
        if key < self.read_to {
            let place = self.ahead.partition_point(|have| *have > one);
            // Of events each counts.
            if matches!(watch.source, Source::Events(_)) || self.ahead.get(place) != Some(&one) {
                self.ahead.insert(place, one);
            }
            self.due = self.due.min(due);
        }
    }

    /// One user turned out to be another, which the store knows already.
    pub(super) fn merge(&mut self, source: &Source, (from, into): (u32, u32), store: &Snapshot) {
        if self.ahead.iter().any(|(_, user)| *user == from) {
            self.ahead.iter_mut().filter(|(_, user)| *user == from).for_each(|(_, user)| *user = into);
            self.ahead.sort_by(|a, b| b.cmp(a));
            if !matches!(source, Source::Events(_)) {
                self.ahead.dedup();
            }
        }
        if let Source::LastOf(events, ..) = source {
            // From the last to the first.
            let mut later = self.is_in_rest(events, into, store);
            self.ahead.retain(|(_, user)| *user != into || !std::mem::replace(&mut later, true));
        }
    }

    pub(super) fn memory(&self) -> usize {
        self.ahead.capacity() * size_of::<(u32, u32)>() + size_of::<Self>()
    }
}

/// The facts of an edge between some instants.
fn facts_between(
    watch: &Watch,
    inside: Bounds,
    (store, timelines): (&Snapshot, &Timelines),
    visit: &mut dyn FnMut(i64, u32),
) {
    match &watch.source {
        Source::Events(events) | Source::LastOf(events, ..) => {
            store.events_between(events, inside, &mut |at, user, _| visit(at, user));
        }
        other => timelines.between(other, inside, visit),
    }
}

/// How long after another instant one is, of the same stretch.
fn after(start: i64, at: i64) -> u32 {
    u32::try_from(at.saturating_sub(start)).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::Event;
    use crate::store::{Ingest, MemoryStore};
    use crate::time::{Unit, days};
    use crate::window::Window;
    use chrono_tz::Tz;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    const HOURS: i64 = 3_600_000;
    /// A day before clocks are set ahead in Berlin.
    const START: i64 = 1_774_620_000_000;
    const IDS: [&str; 6] = ["u0", "u1", "u2", "u3", "u4", "u5"];

    #[derive(Clone, Debug)]
    enum Step {
        /// Hours from now, and milliseconds.
        Event(usize, i64, i64),
        Merge(usize, usize),
        Pass(i64),
    }

    fn step() -> impl Strategy<Value = Step> {
        prop_oneof![
            6 => (0..IDS.len(), -110..1_i64, -1..2_i64).prop_map(|(user, hours, near)| Step::Event(user, hours, near)),
            1 => (0..IDS.len(), 0..IDS.len()).prop_map(|(from, into)| Step::Merge(from, into)),
            3 => prop_oneof![0..3_i64, 0..30_i64].prop_map(Step::Pass),
        ]
    }

    /// A cursor over the last events of days, and all that has happened.
    struct Run {
        watch: Watch,
        cursor: Cursor,
        store: MemoryStore,
        events: Vec<(String, i64)>,
        now: i64,
    }

    impl Run {
        fn new(before: &[(usize, i64)]) -> Self {
            let source = Source::LastOf(vec!["a".into()], Unit::Day, Tz::Europe__Berlin);
            let watch = Watch { source, edge: Edge::Leaves(Window::Last(days(3))), questions: Vec::new() };
            let (store, now) = (MemoryStore::new().seal_after(5), START);
            let cursor = Cursor::new(&watch.edge, now, 0);
            let mut run = Self { watch, cursor, store, events: Vec::new(), now };
            before.iter().for_each(|(user, hours)| run.record(IDS[*user], START - hours * HOURS));
            run.cursor.width = 1;
            run.cursor.prepare(&run.watch, now, (run.store.reading(), &Timelines::default()));
            run
        }

        fn record(&mut self, id: &str, at: i64) {
            self.store.record(Event::new(id, "a", Timestamp::from_millis(at))).unwrap();
            self.store.record(Event::new(id, "b", Timestamp::from_millis(at + HOURS))).unwrap();
            let user = self.store.reading().number_of(id).unwrap();
            let name = self.store.reading().id_of(user).unwrap().to_owned();
            self.events.push((name, at));
        }

        fn merge(&mut self, from: &str, into: &str) {
            let known = |store: &MemoryStore, id: &str| {
                let user = store.reading().number_of(id)?;
                Some((user, store.reading().id_of(user)?.to_owned()))
            };
            let gone = known(&self.store, from);
            if self.store.merge(from, into).is_err() {
                return;
            }
            let (Some((from, id)), Some((into, name))) = (gone, known(&self.store, into)) else { return };
            self.cursor.merge(&self.watch.source, (from, into), self.store.reading());
            self.events.iter_mut().filter(|(of, _)| *of == id).for_each(|(of, _)| of.clone_from(&name));
        }

        fn step(&mut self, step: &Step) {
            // However few there are, stretches are short.
            self.cursor.width = 1;
            match step {
                Step::Event(user, hours, near) => {
                    let at = (self.now + hours * HOURS + near).min(self.now);
                    self.record(IDS[*user], at);
                    let user = self.store.reading().number_of(IDS[*user]).unwrap();
                    self.cursor.late(&self.watch, (at, user), self.now, self.store.reading());
                }
                Step::Merge(from, into) => self.merge(IDS[*from], IDS[*into]),
                Step::Pass(hours) => self.pass(self.now + hours * HOURS),
            }
        }

        /// What crosses is as all events have it.
        fn pass(&mut self, to: i64) {
            let mut last = BTreeMap::new();
            for (id, at) in &self.events {
                let latest = last.entry((id, unit_around(Unit::Day, Tz::Europe__Berlin, *at))).or_insert(*at);
                *latest = *at.max(latest);
            }
            let all = last.into_iter().map(|((id, _), at)| (self.watch.edge.due(at), id.clone()));
            let mut expected: Vec<_> = all.filter(|(due, _)| self.now < *due && *due <= to).collect();
            let mut crossed = Vec::new();
            let facts = (self.store.reading(), &Timelines::default());
            if self.cursor.due() <= to {
                self.cursor.cross(&self.watch, to, to, facts, &mut |due, user| {
                    crossed.push((due, facts.0.id_of(user).unwrap().to_owned()));
                });
            }
            assert!(crossed.is_sorted_by_key(|(due, _)| *due));
            expected.sort_unstable();
            crossed.sort_unstable();
            assert_eq!(crossed, expected);
            self.now = to;
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(600) })]

        #[test]
        fn the_last_of_each_user_and_day_crosses(
            before in prop::collection::vec((0..IDS.len(), 0..120_i64), 0..30),
            steps in prop::collection::vec(step(), 1..60),
        ) {
            let mut run = Run::new(&before);
            steps.iter().for_each(|step| run.step(step));
            run.pass(run.now + 120 * HOURS);
        }
    }

    /// Or else one who waits would read the next unit at once.
    #[test]
    fn long_steps_leave_short_stretches() {
        let (a_day, days_of_events) = (24 * HOURS, 7);
        let mut run = Run::new(&[]);
        run.store = MemoryStore::new();
        let of_a_day = 8 * FEW_OF_UNIT as i64;
        for n in 0..days_of_events * of_a_day {
            let at = Timestamp::from_millis(START + n * (a_day / of_a_day));
            run.store.record(Event::new(format!("u{}", n % of_a_day), "a", at)).unwrap();
        }
        let mut crossed = 0;
        let facts = (run.store.reading(), &Timelines::default());
        let first = START + 3 * a_day;
        run.cursor = Cursor::new(&run.watch.edge, first, 0);
        for day in 1..days_of_events {
            let to = first + day * a_day;
            run.cursor.cross(&run.watch, to, to, facts, &mut |_, _| crossed += 1);
        }
        assert!(crossed > 5 * of_a_day, "{crossed}");
        assert!((HOURS..=a_day / 2).contains(&run.cursor.width), "{}", run.cursor.width);
    }
}
