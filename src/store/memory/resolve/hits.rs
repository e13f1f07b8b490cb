//! Any leaf over events, answered by its own law: the matching events of each user are brought together.

use super::super::bits::Bits;
use super::super::snapshot::Snapshot;
use super::scan::{BLOCK, Batch, Scan};
use crate::plan::bounds::Bounds;
use crate::plan::{ExactSum, Hit, LeafAt, Matcher, MeasureAt, Point, StoredWrite, UserFacts};
use crate::value::Number;

/// A question about the events of each user.
pub(super) struct Question<'a> {
    pub store: &'a Snapshot,
    pub t: i64,
    pub matchers: &'a [Matcher],
    pub reach: Bounds,
    /// The property that is measured, and the one of `same`.
    pub wanted: [Option<&'a str>; 2],
    pub anchor: Option<&'a Point>,
}

/// A hit on its way to its user.
struct Sorted<'a> {
    low: u16,
    tie: u64,
    hit: Hit<'a>,
}

impl<'a> Question<'a> {
    /// Visits the users of a block whose facts the question may be answered from: those with hits, or with an
    /// anchor where it has one.
    fn block(&self, scans: &[Scan<'a>], high: u16, visit: &mut dyn FnMut(u32, &UserFacts<'_>)) {
        let mut sorted = Vec::new();
        for (matcher, scan) in (0u32..).zip(scans) {
            scan.block(high, &mut |batch| self.collect(matcher, batch, &mut sorted));
        }
        // stable, so that what comes sorted from one part costs little
        sorted.sort_by_key(|s: &Sorted<'_>| (s.low, s.hit.at, s.tie));
        let mut hits = Vec::new();
        let mut ask = |user: u32, anchor, of_user: &[Sorted<'a>]| {
            hits.clear();
            hits.extend(of_user.iter().map(|s| s.hit));
            let seen = self.store.users.first_seen(user);
            visit(user, &UserFacts { seen, anchor, hits: &hits, writes: &[] });
        };
        let base = u32::from(high) << 16;
        let mut groups = sorted.chunk_by(|a, b| a.low == b.low).peekable();
        let Some(anchor) = self.anchor else {
            groups.for_each(|of_user| ask(base | u32::from(of_user[0].low), None, of_user));
            return;
        };
        for (user, anchor) in self.anchors(anchor, high) {
            while groups.next_if(|of_user| (base | u32::from(of_user[0].low)) < user).is_some() {}
            let of_user = groups.next_if(|of_user| base | u32::from(of_user[0].low) == user);
            ask(user, Some(anchor), of_user.unwrap_or_default());
        }
    }

    #[allow(clippy::cast_possible_truncation)] // the low half
    fn collect(&self, matcher: u32, batch: &Batch<'_>, sorted: &mut Vec<Sorted<'a>>) {
        batch.for_each_hit(|low, at, tie, [value, group]| {
            let value = self.wanted[0].and_then(|_| self.store.value(value));
            let group = self.wanted[1].and_then(|_| self.store.scalar(group));
            sorted.push(Sorted { low: low as u16, tie, hit: Hit { at, matcher, value, group } });
        });
    }

    /// The users of a block that have the anchor, and the anchor.
    fn anchors(&self, point: &Point, high: u16) -> Vec<(u32, i64)> {
        let base = u32::from(high) << 16;
        let users = (base..).take(BLOCK).take_while(|&user| (user as usize) < self.store.users.numbers());
        match point {
            Point::Seen => {
                let seen = |user| Some((user, self.store.users.first_seen(user)?));
                users.filter_map(seen).filter(|(_, seen)| *seen <= self.t).collect()
            }
            Point::Attribute(name) => {
                let Some(table) = self.store.attributes.table(name) else { return Vec::new() };
                let value = |user| self.store.value(table.value_of(user, self.t));
                users.filter_map(|user| Some((user, value(user)?.instant()?))).collect()
            }
            Point::First(matcher) => self.extremes(matcher, high, |at, have| at < have),
            Point::Latest(matcher) => self.extremes(matcher, high, |at, have| at > have),
        }
    }

    fn extremes(&self, matcher: &Matcher, high: u16, better: impl Fn(i64, i64) -> bool) -> Vec<(u32, i64)> {
        let ever = Bounds { lo: i64::MIN, hi: self.t };
        let scan = Scan::new(self.store, matcher, self.t, ever, [None, None]);
        let mut best: Vec<Option<i64>> = vec![None; self.store.room()];
        scan.block(high, &mut |batch| {
            batch.for_each_hit(|low, at, _, _| {
                let have = &mut best[low];
                if have.is_none_or(|have| better(at, have)) {
                    *have = Some(at);
                }
            });
        });
        let base = u32::from(high) << 16;
        (base..).zip(best).filter_map(|(user, at)| Some((user, at?))).collect()
    }

    fn scans(&self) -> Vec<Scan<'a>> {
        let scan = |matcher| Scan::new(self.store, matcher, self.t, self.reach, self.wanted);
        self.matchers.iter().map(scan).collect()
    }

    /// The users for whom a leaf holds, before the universe is taken into account.
    pub(super) fn holds(&self, leaf: &LeafAt<'_>) -> Bits {
        let mut bits = Bits::none(self.store.users.numbers());
        if self.anchor.is_none() && leaf.holds(&UserFacts::default()) {
            bits.words_mut().fill(!0);
        }
        let scans = self.scans();
        for high in self.store.blocks() {
            self.block(&scans, high, &mut |user, facts| bits.set(user, leaf.holds(facts)));
        }
        bits
    }

    /// The measured numbers that are not 0.
    pub(super) fn numbers(&self, measure: &MeasureAt<'_>, visit: &mut dyn FnMut(u32, ExactSum)) {
        let scans = self.scans();
        for high in self.store.blocks() {
            self.block(&scans, high, &mut |user, facts| {
                let number = measure.number(facts);
                if number.compare(Number::Int(0)).is_ne() {
                    visit(user, number);
                }
            });
        }
    }
}

/// A leaf about the history of an attribute.
pub(super) fn by_history(
    store: &Snapshot,
    name: &str,
    leaf: &LeafAt<'_>,
    anchor: Option<&Point>,
    t: i64,
) -> Bits {
    let mut bits = Bits::none(store.users.numbers());
    if anchor.is_none() && leaf.holds(&UserFacts::default()) {
        bits.words_mut().fill(!0);
    }
    let Some(table) = store.attributes.table(name) else { return bits };
    let question = Question { store, t, matchers: &[], reach: Bounds::NONE, wanted: [None, None], anchor };
    let anchors: Option<hashbrown::HashMap<u32, i64>> =
        anchor.map(|point| store.blocks().flat_map(|high| question.anchors(point, high)).collect());
    let (mut stored, since): (Vec<StoredWrite<'_>>, i64) = (Vec::new(), leaf.value_since());
    for (user, writes) in table.iter() {
        stored.clear();
        stored.extend(store.stored_since(writes, since));
        let seen = store.users.first_seen(user);
        let anchor = anchors.as_ref().and_then(|anchors| anchors.get(&user).copied());
        bits.set(user, leaf.holds(&UserFacts { seen, anchor, hits: &[], writes: &stored }));
    }
    bits
}
