//! One leaf or measure for one user, touching no other user.

use std::ops::{ControlFlow, Range};

use super::super::attributes::Write;
use super::super::cell::Cell;
use super::super::part::{Part, Row};
use super::super::snapshot::Snapshot;
use super::hits::Question;
use crate::limits::SMALL;
use crate::plan::bounds::Bounds;
use crate::plan::filter::{BoundFilter, CompiledFilter};
use crate::plan::{End, Hit, LeafAt, Matcher, Point, StoredWrite, UserFacts, ValueRef};
use crate::time::Timestamp;

/// Events of a user that are not looked at as a whole without need.
const MANY: usize = if SMALL { 3 } else { 512 };
/// Parts of the time that is asked about.
const SHARES: [i64; 2] = [256, 16];

impl<'a> Question<'a> {
    /// Whether a leaf over events holds for a user.
    pub(super) fn holds_for(&self, leaf: &LeafAt<'_>, user: u32) -> bool {
        self.with_facts(user, |anchor| leaf.reach_of(anchor), |facts| leaf.holds(facts))
    }

    /// Whether a sequence is there for a user: one that is found among the latest events is.
    pub(super) fn is_there_for(&self, leaf: &LeafAt<'_>, user: u32) -> bool {
        let names = self.matchers.first().map(|first| self.store.matching_names(first.events()));
        let names = names.unwrap_or_default();
        let mut stretches = self.store.stretches(&names, (user, self.t, self.reach), End::Latest);
        stretches.any(|reach| Question { reach, ..*self }.holds_for(leaf, user))
    }

    /// Brings together what the question needs to know of a user, by which instants can matter for its anchor.
    pub(super) fn with_facts<R>(
        &self,
        user: u32,
        reach_of: impl FnOnce(Option<i64>) -> Bounds,
        ask: impl FnOnce(&UserFacts<'_>) -> R,
    ) -> R {
        let seen = self.store.users.first_seen(user);
        let anchor = self.anchor.and_then(|point| self.anchor_of(point, user));
        let of_user = (user, self.t, self.reach.and(reach_of(anchor)));
        let mut hits = Vec::new();
        for (number, matcher) in (0u32..).zip(self.matchers) {
            let names = self.store.matching_names(matcher.events());
            self.store.add_hits((matcher, &names), number, self.wanted, of_user, &mut hits);
        }
        ask(&UserFacts { seen, anchor, hits: &in_order(hits), writes: &[] })
    }

    fn anchor_of(&self, point: &Point, user: u32) -> Option<i64> {
        let (matcher, end) = match point {
            Point::Seen => return self.store.users.first_seen(user).filter(|&seen| seen <= self.t),
            Point::Attribute(name) => {
                let value = self.store.attributes.table(name)?.value_of(user, self.t);
                return self.store.value(value)?.instant();
            }
            Point::First(matcher) => (matcher, End::First),
            Point::Latest(matcher) => (matcher, End::Latest),
        };
        let names = self.store.matching_names(matcher.events());
        let of_user = (user, self.t, Bounds { lo: i64::MIN, hi: self.t });
        let mut stretches = self.store.stretches(&names, of_user, end);
        stretches.find_map(|part| self.store.end_of((matcher, &names), (user, self.t, part), end))
    }
}

/// Where an event stands in the order of arrival; looked up only where another has its instant.
#[derive(Clone, Copy)]
enum Arrival<'s> {
    Known(u64),
    Sealed(&'s Part, usize),
}

impl Arrival<'_> {
    fn place(self) -> u64 {
        match self {
            Self::Known(place) => place,
            Self::Sealed(part, row) => part.tie(row),
        }
    }
}

/// Hits in order of instant, then of arrival.
fn in_order<'s>(mut hits: Vec<(Arrival<'s>, Hit<'s>)>) -> Vec<Hit<'s>> {
    hits.sort_by(|(a, hit), (b, other)| {
        hit.at.cmp(&other.at).then_with(|| (a.place(), hit.matcher).cmp(&(b.place(), other.matcher)))
    });
    hits.into_iter().map(|(_, hit)| hit).collect()
}

/// What is looked at of each event: properties, which are numbered once, and whether they pass.
struct Looked<'s, 'm> {
    store: &'s Snapshot,
    filter: Option<BoundFilter<'m>>,
    /// The properties of the filter, by their places in its names, and the two that are wanted.
    properties: Vec<Option<u32>>,
    /// Those of some events, kept for the allocation.
    cells: Vec<Cell>,
    /// How many events have been looked at.
    events: usize,
}

/// Rows of a part whose properties are looked up together.
const TOGETHER: usize = 32;

/// No value. Values are handed on by reference: as long as they are, copying each costs more than looking at it.
const MISSING: Cell = Cell::Missing;

impl<'s, 'm> Looked<'s, 'm> {
    fn new(store: &'s Snapshot, matcher: &'m Matcher, wanted: [Option<&str>; 2], t: i64) -> Self {
        let of_filter = matcher.compiled().into_iter().flat_map(CompiledFilter::names);
        let of_filter = of_filter.map(|name| Some(name.as_str()));
        let number = |name: Option<&str>| store.properties.find(name?);
        let properties = of_filter.chain(wanted).map(number).collect();
        let filter = matcher.compiled().map(|compiled| compiled.at(t));
        Self { store, filter, properties, cells: Vec::new(), events: 0 }
    }

    /// The wanted properties of an event that passes, by what tells a property by its place.
    fn of_event<'c>(&self, cell: impl Fn(usize) -> &'c Cell) -> Option<[&'c Cell; 2]> {
        let passes = |filter: &BoundFilter<'_>| filter.passes_by(|place| self.store.value(*cell(place)));
        let first = self.properties.len() - 2;
        self.filter.as_ref().is_none_or(passes).then(|| [cell(first), cell(first + 1)])
    }

    fn in_tail(
        &mut self,
        rows: impl Iterator<Item = Row<'s>>,
        visit: &mut impl FnMut(i64, Arrival<'s>, [&Cell; 2]) -> ControlFlow<()>,
    ) -> ControlFlow<()> {
        for row in rows {
            self.events += 1;
            let cell = |place: usize| {
                let number = self.properties.get(place).copied().flatten();
                let cell = row.properties.iter().find(|(have, _)| Some(*have) == number);
                cell.map_or(&MISSING, |(_, cell)| cell)
            };
            if let Some(wanted) = self.of_event(cell) {
                visit(row.at, Arrival::Known(row.tie), wanted)?;
            }
        }
        ControlFlow::Continue(())
    }

    /// The last rows first.
    fn in_part(
        &mut self,
        part: &'s Part,
        rows: Range<usize>,
        visit: &mut impl FnMut(i64, Arrival<'s>, [&Cell; 2]) -> ControlFlow<()>,
    ) -> ControlFlow<()> {
        let mut end = rows.end;
        while rows.start < end {
            let some = rows.start.max(end.saturating_sub(TOGETHER))..end;
            end = some.start;
            self.events += some.len();
            // Of one property after the other, so that the processor waits for many values at once.
            self.cells.clear();
            let cells = &mut self.cells;
            self.properties.iter().for_each(|number| part.add_cells(*number, some.clone(), cells));
            for (i, row) in some.clone().enumerate().rev() {
                let cell = |place| self.cells.get(place * some.len() + i).unwrap_or(&MISSING);
                if let Some(wanted) = self.of_event(cell) {
                    visit(part.at(row), Arrival::Sealed(part, row), wanted)?;
                }
            }
        }
        ControlFlow::Continue(())
    }
}

impl Snapshot {
    /// Asks about the events of a user that match, sorted, with a property each for value and group; `names` are
    /// the numbers of the matcher's names. What else is known of the user is left out.
    pub(crate) fn with_hits<R>(
        &self,
        matching: (&Matcher, &[u32]),
        wanted: [Option<&str>; 2],
        of_user: (u32, i64, Bounds),
        ask: impl FnOnce(&UserFacts<'_>) -> R,
    ) -> R {
        let mut hits = Vec::new();
        self.add_hits(matching, 0, wanted, of_user, &mut hits);
        ask(&UserFacts { hits: &in_order(hits), ..UserFacts::default() })
    }

    /// The instants that are asked about; before them those at one end alone, and then more, where the user has so many of
    /// the events there that it is worth while to see whether those decide.
    pub(crate) fn stretches(
        &self,
        names: &[u32],
        (user, t, reach): (u32, i64, Bounds),
        end: End,
    ) -> impl Iterator<Item = Bounds> {
        let part = move |share: &i64| {
            let seen = self.users.first_seen(user).unwrap_or(i64::MIN);
            let (from, to) = (reach.lo.max(seen), reach.hi.min(t));
            let length = to.saturating_sub(from) / share;
            match end {
                End::First => Bounds { hi: from.saturating_add(length), ..reach },
                End::Latest => Bounds { lo: to.saturating_sub(length), ..reach },
            }
        };
        let has_many = self.count_up_to(names, user, reach, MANY) == MANY;
        let shares = if has_many { &SHARES[..] } else { &[] };
        shares.iter().map(part).chain([reach])
    }

    /// Visits the events of a user that match, the latest among the first, until told to stop: instant, and the value of a
    /// property. Tells how many have been looked at.
    pub(crate) fn matching_values(
        &self,
        matching: (&Matcher, &[u32]),
        of: Option<&str>,
        of_user: (u32, i64, Bounds),
        mut visit: impl FnMut(i64, Option<ValueRef<'_>>) -> ControlFlow<()>,
    ) -> usize {
        self.events_of_user(matching, [of, None], of_user, |at, _, [value, _]| visit(at, self.value(*value)))
    }

    /// The first or the last instant of a user's events that match.
    fn end_of(&self, matching: (&Matcher, &[u32]), of_user: (u32, i64, Bounds), end: End) -> Option<i64> {
        let mut best = None;
        self.events_of_user(matching, [None; 2], of_user, |at, _, _| {
            best = Some(best.map_or(at, |best: i64| match end {
                End::First => best.min(at),
                End::Latest => best.max(at),
            }));
            ControlFlow::Continue(())
        });
        best
    }

    fn add_hits<'s>(
        &'s self,
        matching: (&Matcher, &[u32]),
        matcher: u32,
        wanted: [Option<&str>; 2],
        of_user: (u32, i64, Bounds),
        hits: &mut Vec<(Arrival<'s>, Hit<'s>)>,
    ) {
        self.events_of_user(matching, wanted, of_user, |at, arrival, [value, group]| {
            let (value, group) = (self.value(*value), self.scalar(*group));
            hits.push((arrival, Hit { at, matcher, value, group }));
            ControlFlow::Continue(())
        });
    }

    /// Visits the events of a user that match, until told to stop: instant, place in the order of arrival, and the
    /// properties that are wanted. The latest events come among the first. Tells how many have been looked at.
    fn events_of_user<'s>(
        &'s self,
        (matcher, names): (&Matcher, &[u32]),
        wanted: [Option<&str>; 2],
        (user, t, bounds): (u32, i64, Bounds),
        mut visit: impl FnMut(i64, Arrival<'s>, [&Cell; 2]) -> ControlFlow<()>,
    ) -> usize {
        if bounds.is_empty() {
            return 0;
        }
        let mut looked_at = Looked::new(self, matcher, wanted, t);
        for &name in names {
            let of_tail = self.tail.rows_of(name, user, bounds);
            let sealed = self.parts_of_user(name, user, bounds.lo, bounds.hi).iter().rev();
            let done = looked_at.in_tail(of_tail, &mut visit).is_break()
                || sealed
                    .map(|part| (part, part.rows_inside(user, bounds)))
                    .any(|(part, rows)| looked_at.in_part(part, rows, &mut visit).is_break());
            if done {
                break;
            }
        }
        looked_at.events
    }

    /// Whether a leaf about the history of an attribute holds for a user.
    pub(super) fn history_holds_for(
        &self,
        name: &str,
        leaf: &LeafAt<'_>,
        anchor: Option<&Point>,
        t: i64,
        user: u32,
    ) -> bool {
        let question =
            Question { store: self, t, matchers: &[], reach: Bounds::NONE, wanted: [None, None], anchor };
        let writes = self.attributes.table(name).map_or(&[][..], |table| table.writes_of(user));
        let stored: Vec<StoredWrite<'_>> = self.stored_since(writes, leaf.value_since()).collect();
        let no_events = |_| Bounds::NONE;
        question.with_facts(user, no_events, |facts| leaf.holds(&UserFacts { writes: &stored, ..*facts }))
    }

    /// The writes that say what the value is from an instant on.
    pub(super) fn stored_since<'a>(
        &'a self,
        writes: &'a [Write],
        since: i64,
    ) -> impl Iterator<Item = StoredWrite<'a>> {
        let before = writes.partition_point(|write| write.at <= since);
        writes.iter().skip(before.saturating_sub(1)).map(|write| self.stored(write))
    }

    /// A write as any store hands it over.
    pub(in crate::store::memory) fn stored(&self, write: &Write) -> StoredWrite<'_> {
        StoredWrite { at: Timestamp::from_millis(write.at), value: self.value(write.value) }
    }
}
