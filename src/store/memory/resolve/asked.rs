//! Which events a matcher means within some instants, before any of them is looked at.

use super::super::bits::Bits;
use super::super::snapshot::Snapshot;
use super::instants::Which;
use super::scan::Scan;
use crate::plan::Matcher;
use crate::plan::bounds::Bounds;

/// The events of a matcher within some instants.
pub(super) struct Asked<'a> {
    pub store: &'a Snapshot,
    pub matcher: &'a Matcher,
    pub t: i64,
    pub bounds: Bounds,
    pub names: Vec<u32>,
}

impl<'a> Asked<'a> {
    pub(super) fn new(store: &'a Snapshot, matcher: &'a Matcher, t: i64, bounds: Bounds) -> Self {
        Self { store, matcher, t, bounds, names: store.matching_names(matcher.events()) }
    }

    pub(super) fn is_filtered(&self) -> bool {
        self.matcher.compiled().is_some()
    }

    /// Ready to be scanned, with the property that is measured.
    pub(super) fn scan(&self, of: Option<&str>) -> Scan<'a> {
        Scan::new(self.store, self.matcher, self.t, self.bounds, [of, None])
    }

    /// The users with at least `k` of the events, where those that come after them are none.
    pub(super) fn by_recency(&self, k: u32) -> Bits {
        let counted = Bounds { lo: i64::MIN, hi: self.bounds.hi };
        self.store.instants_within(&self.names, Which::Latest(k), counted, self.bounds)
    }

    /// Instants between which all of the events lie, perhaps with some room; `None` where there is no event.
    pub(super) fn instants(&self) -> Option<(i64, i64)> {
        let Bounds { lo, hi } = self.bounds;
        let parts = self.store.parts_of_names(&self.names, self.bounds);
        let sealed = parts.flat_map(|part| [part.span().0, part.last_instant()]);
        let all =
            sealed.chain(self.store.tail.instants().into_iter().flat_map(|(first, last)| [first, last]));
        let (first, last) = all.fold((i64::MAX, i64::MIN), |(a, b), at| (a.min(at), b.max(at)));
        let (first, last) = (first.max(lo), last.min(hi));
        (first <= last).then_some((first, last))
    }
}
