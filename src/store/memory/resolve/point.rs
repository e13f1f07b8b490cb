//! One leaf or measure for one user, touching no other user.

use super::super::attributes::Write;
use super::super::cell::Cell;
use super::super::snapshot::Snapshot;
use super::hits::Question;
use crate::plan::bounds::Bounds;
use crate::plan::filter::BoundFilter;
use crate::plan::{Hit, LeafAt, Matcher, Point, StoredWrite, UserFacts};
use crate::time::Timestamp;

impl<'a> Question<'a> {
    /// Whether a leaf over events holds for a user.
    pub(super) fn holds_for(&self, leaf: &LeafAt<'_>, user: u32) -> bool {
        self.with_facts(user, |facts| leaf.holds(facts))
    }

    /// Brings together what the question needs to know of a user.
    pub(super) fn with_facts<R>(&self, user: u32, ask: impl FnOnce(&UserFacts<'_>) -> R) -> R {
        let seen = self.store.users.first_seen(user);
        let anchor = self.anchor.and_then(|point| self.anchor_of(point, user));
        let mut hits: Vec<(u64, Hit<'a>)> = Vec::new();
        for (number, matcher) in (0u32..).zip(self.matchers) {
            let names = self.store.matching_names(matcher.events());
            self.store.events_of_user(
                matcher,
                &names,
                self.wanted,
                (user, self.t, self.reach),
                &mut |at, tie, get| {
                    let value = |wanted: Option<&str>| wanted.map_or(Cell::Missing, get);
                    let [of, same] = self.wanted;
                    let (value, group) = (self.store.value(value(of)), self.store.scalar(value(same)));
                    hits.push((tie, Hit { at, matcher: number, value, group }));
                },
            );
        }
        hits.sort_by_key(|(tie, hit)| (hit.at, *tie));
        let hits: Vec<Hit<'_>> = hits.into_iter().map(|(_, hit)| hit).collect();
        ask(&UserFacts { seen, anchor, hits: &hits, writes: &[] })
    }

    fn anchor_of(&self, point: &Point, user: u32) -> Option<i64> {
        let ever = Bounds { lo: i64::MIN, hi: self.t };
        let mut best = None;
        match point {
            Point::Seen => return self.store.users.first_seen(user).filter(|&seen| seen <= self.t),
            Point::Attribute(name) => {
                let value = self.store.attributes.table(name)?.value_of(user, self.t);
                return self.store.value(value)?.instant();
            }
            Point::First(matcher) | Point::Latest(matcher) => {
                let better = if matches!(point, Point::First(_)) { i64::min } else { i64::max };
                let names = self.store.matching_names(matcher.events());
                let mut meet = |at, _, _: Get<'_>| best = Some(best.map_or(at, |best: i64| better(best, at)));
                self.store.events_of_user(matcher, &names, [None; 2], (user, self.t, ever), &mut meet)
            }
        }
        best
    }
}

/// Looks up the cell of a property of the event at hand.
type Get<'g> = &'g dyn Fn(&str) -> Cell;

impl Snapshot {
    /// Asks about the events of a user that match, sorted, with a property each for value and group; `names` are
    /// the numbers of the matcher's names. What else is known of the user is left out.
    pub(crate) fn with_hits<R>(
        &self,
        (matcher, names): (&Matcher, &[u32]),
        wanted: [Option<&str>; 2],
        user: u32,
        t: i64,
        reach: Bounds,
        ask: impl FnOnce(&UserFacts<'_>) -> R,
    ) -> R {
        let mut hits: Vec<(u64, Hit<'_>)> = Vec::new();
        self.events_of_user(matcher, names, wanted, (user, t, reach), &mut |at, tie, get| {
            let value = |wanted: Option<&str>| wanted.map_or(Cell::Missing, get);
            let [of, same] = wanted;
            let (value, group) = (self.value(value(of)), self.scalar(value(same)));
            hits.push((tie, Hit { at, matcher: 0, value, group }));
        });
        hits.sort_by_key(|(tie, hit)| (hit.at, *tie));
        let hits: Vec<Hit<'_>> = hits.into_iter().map(|(_, hit)| hit).collect();
        ask(&UserFacts { hits: &hits, ..UserFacts::default() })
    }

    /// Visits the events of a user that match: instant, place in the order of arrival, and what looks up the
    /// properties of the filter and those that are wanted.
    fn events_of_user(
        &self,
        matcher: &Matcher,
        names: &[u32],
        wanted: [Option<&str>; 2],
        (user, t, bounds): (u32, i64, Bounds),
        visit: &mut dyn FnMut(i64, u64, Get<'_>),
    ) {
        if bounds.is_empty() {
            return;
        }
        let filter = matcher.compiled().map(|compiled| (compiled.names(), compiled.at(t)));
        let filter = filter.as_ref().map(|(names, bound)| (*names, bound));
        // Looked up once, not for each event.
        let of_filter = filter.iter().flat_map(|(names, _)| names.iter().map(String::as_str));
        let numbered = |name| Some((name, self.properties.find(name)?));
        let properties: Vec<(&str, u32)> =
            of_filter.chain(wanted.into_iter().flatten()).filter_map(numbered).collect();
        let place = |name: &str| properties.iter().position(|(have, _)| *have == name);
        for &name in names {
            for part in self.parts_of_user(name, user, bounds.lo, bounds.hi) {
                let rows = part.rows_inside(user, bounds);
                if rows.is_empty() {
                    continue;
                }
                let columns: Vec<_> = properties.iter().map(|(_, number)| part.column(*number)).collect();
                for row in rows {
                    let get = |name: &str| {
                        let column = place(name).and_then(|place| *columns.get(place)?);
                        column.map_or(Cell::Missing, |column| column.get(row))
                    };
                    if self.passes(filter, &get) {
                        visit(part.at(row), part.tie(row), &get);
                    }
                }
            }
            for row in self.tail.rows_of(name, user).filter(|row| bounds.contains(row.at)) {
                let get = |name: &str| {
                    let property =
                        place(name).and_then(|place| properties.get(place)).map(|(_, number)| *number);
                    let cell = row.properties.iter().find(|(have, _)| Some(*have) == property);
                    cell.map_or(Cell::Missing, |(_, cell)| *cell)
                };
                if self.passes(filter, &get) {
                    visit(row.at, row.tie, &get);
                }
            }
        }
    }

    fn passes(&self, filter: Option<(&[String], &BoundFilter<'_>)>, get: Get<'_>) -> bool {
        filter.is_none_or(|(names, bound)| {
            bound.passes_by(|i| names.get(i).and_then(|name| self.value(get(name))))
        })
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
        let stored: Vec<StoredWrite<'_>> = writes.iter().map(|write| self.stored(write)).collect();
        question.with_facts(user, |facts| leaf.holds(&UserFacts { writes: &stored, ..*facts }))
    }

    /// A write as any store hands it over.
    pub(in crate::store::memory) fn stored(&self, write: &Write) -> StoredWrite<'_> {
        StoredWrite { at: Timestamp::from_millis(write.at), value: self.value(write.value) }
    }
}
