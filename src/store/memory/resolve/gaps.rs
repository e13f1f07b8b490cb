//! How long after each event of some names the next event of some others comes, of the same user.
//!
//! Decides two-step sequences with a `within`, and single steps with a `then_not`, by one comparison an event. The
//! index has the users and instants of the events in columns of its own, so that it does not care how the store lays
//! them out.

use std::sync::Arc;

use super::super::bits::Bits;
use super::super::kernel;
use super::super::part::{Part, key};
use super::super::snapshot::Snapshot;
use super::cache::{Carried, Index};
use super::rows::Rows;
use super::scan::{for_each, mask_instants};
use crate::plan::bounds::Bounds;

/// A gap that is longer than all that can be told apart, or endless.
const ENDLESS: u32 = u32::MAX;

/// All of time.
const EVER: Bounds = Bounds { lo: i64::MIN, hi: i64::MAX };

/// The gap after each event.
#[derive(Clone, Debug)]
pub(super) struct Gaps {
    made: Arc<Made>,
    /// What is so instead of users who have had an event since: them, and their gaps, by user.
    changed: Vec<u32>,
    since: Vec<Gap>,
}

/// By bucket: the events, and their gaps in milliseconds, strictly positive.
#[derive(Clone, Debug)]
struct Made(Vec<(Part, Vec<u32>)>);

#[derive(Clone, Copy, Debug)]
struct Gap {
    user: u32,
    at: i64,
    gap: u32,
}

/// The gaps between what: names before, and names after.
pub(super) type About<'a> = (&'a [u32], &'a [u32]);

/// What is asked of an event and the gap after it.
#[derive(Clone, Copy, Debug)]
pub(super) enum Follows {
    /// The next comes within so many milliseconds, and at or before an instant.
    Within(u32, i64),
    /// None comes within so many milliseconds.
    NotWithin(u32),
}

impl Follows {
    fn holds(self, at: i64, gap: u32) -> bool {
        match self {
            Self::Within(most, until) => gap <= most && at + i64::from(gap) <= until,
            Self::NotWithin(least) => gap > least,
        }
    }
}

impl Made {
    fn new(store: &Snapshot, (before, after): About<'_>) -> Self {
        let (earlier, later) = (Rows::new(store, before, EVER), Rows::new(store, after, EVER));
        let buckets: Vec<i32> = earlier.buckets();
        let mut made: Vec<_> = buckets.iter().map(|bucket| (Part::new(*bucket, &[]), Vec::new())).collect();
        let mut rows = Vec::new();
        for high in store.blocks() {
            let next = Next::of_block(&later, high);
            for (bucket, (part, gaps)) in buckets.iter().zip(&mut made) {
                if earlier.of(*bucket, high, &mut rows) {
                    rows.sort();
                }
                let mut from = 0;
                let of_block = u32::from(high) << 16;
                part.extend(
                    &rows.iter().map(|(low, at)| key(of_block | u32::from(*low), *at)).collect::<Vec<_>>(),
                );
                gaps.extend(rows.iter().map(|(low, at)| next.gap(*low, *at, &mut from)));
            }
        }
        made.iter_mut().for_each(|(part, gaps)| {
            part.finish();
            gaps.shrink_to_fit();
        });
        Self(made)
    }

    fn rows(&self) -> usize {
        self.0.iter().map(|(_, gaps)| gaps.len()).sum()
    }

    /// The users with an event in the bounds that is followed as asked.
    fn users(&self, store: &Snapshot, bounds: Bounds, follows: Follows) -> Bits {
        let (room, mut bits) = (store.room(), Bits::none(store.room() * store.blocks().count()));
        let (mut mask, mut instants) = (Vec::new(), None);
        for (part, gaps) in &self.0 {
            let (start, end) = part.span();
            if end < bounds.lo || start > bounds.hi {
                continue;
            }
            for block in part.blocks() {
                let words = &mut bits.words_mut()[usize::from(block.high) * room / 64..][..room / 64];
                let (users, gaps) = (&part.users()[block.rows()], &gaps[block.rows()]);
                mask.clear();
                match follows {
                    Follows::Within(most, _) => kernel::between(gaps, 0, most, &mut mask),
                    Follows::NotWithin(least) => {
                        kernel::between(gaps, least.saturating_add(1), ENDLESS, &mut mask)
                    }
                }
                mask_instants(part, block.rows(), bounds, &mut instants);
                if let Some(instants) = &instants {
                    kernel::and(&mut mask, instants);
                }
                if let Follows::Within(most, until) = follows
                    && part.last_instant().saturating_add(most.into()) > until
                {
                    for_each(Some(&mask), users.len(), |i| {
                        let in_time = part.at(block.start as usize + i) + i64::from(gaps[i]) <= until;
                        let low = usize::from(users[i]);
                        words[low / 64] |= u64::from(in_time) << (low % 64);
                    });
                } else {
                    for_each(Some(&mask), users.len(), |i| {
                        let low = usize::from(users[i]);
                        words[low / 64] |= 1 << (low % 64);
                    });
                }
            }
        }
        bits
    }
}

impl Gaps {
    pub(super) fn new(store: &Snapshot, about: About<'_>) -> Self {
        Self { made: Arc::new(Made::new(store, about)), changed: Vec::new(), since: Vec::new() }
    }

    /// With the events of the log since a position.
    pub(super) fn carried(&self, store: &Snapshot, about: About<'_>, since: u64) -> Carried<Self> {
        let names = [about.0, about.1].concat();
        let Some(arrived) = store.events_since(since, &names, EVER) else { return Carried::Lost };
        if arrived.is_empty() {
            return Carried::Same;
        }
        // looking users up one by one pays for few only
        if self.since.len() + arrived.len() > 256 + self.made.rows() / 4 {
            return Carried::Lost;
        }
        let mut again = Vec::new();
        let mut gaps = Vec::new();
        for of_user in arrived.chunk_by(|a, b| a.0 == b.0) {
            let Some(&(user, first)) = of_user.first() else { continue };
            again.push(user);
            // what came longer before than a gap can tell has the gap that it had
            let from = first.saturating_sub(1 << 32);
            self.visit(user, |gap| gaps.extend((gap.at < from).then_some(gap)));
            of_user_from(store, about, user, from, &mut gaps);
        }
        let is_again = |user: u32| again.binary_search(&user).is_ok();
        gaps.extend(self.since.iter().copied().filter(|gap| !is_again(gap.user)));
        // stable, since it merges what is sorted
        gaps.sort_by_key(|gap| gap.user);
        let mut changed: Vec<u32> = self.changed.iter().copied().filter(|user| !is_again(*user)).collect();
        changed.append(&mut again);
        changed.sort();
        Carried::New(Self { made: Arc::clone(&self.made), changed, since: gaps })
    }

    /// Visits the gaps of one user.
    fn visit(&self, user: u32, visit: impl FnMut(Gap)) {
        if self.changed.binary_search(&user).is_ok() {
            let start = self.since.partition_point(|gap| gap.user < user);
            let rest = self.since.get(start..).unwrap_or_default();
            rest.iter().take_while(|gap| gap.user == user).copied().for_each(visit);
        } else {
            let of_part = |(part, gaps): &'_ (Part, Vec<u32>)| {
                let rows = part.rows_of(user);
                rows.map(|row| Gap { user, at: part.at(row), gap: gaps[row] }).collect::<Vec<_>>()
            };
            self.made.0.iter().flat_map(of_part).for_each(visit);
        }
    }

    /// The users with an event in the bounds that is followed as asked.
    pub(super) fn users(&self, store: &Snapshot, bounds: Bounds, follows: Follows) -> Bits {
        let mut bits = self.made.users(store, bounds, follows);
        self.changed.iter().for_each(|user| bits.remove(*user));
        for gap in &self.since {
            if bounds.contains(gap.at) && follows.holds(gap.at, gap.gap) {
                bits.insert(gap.user);
            }
        }
        bits
    }
}

impl Index for Gaps {
    fn shared(&self) -> (usize, usize) {
        let bytes = |(part, gaps): &(Part, Vec<u32>)| part.memory().0 + gaps.capacity() * 4 + 24;
        (Arc::as_ptr(&self.made).addr(), self.made.0.iter().map(bytes).sum())
    }

    fn own(&self) -> usize {
        self.changed.capacity() * 4 + self.since.capacity() * size_of::<Gap>()
    }

    fn erase(&mut self, user: u32) {
        self.changed.retain(|of| *of != user);
        self.since.retain(|gap| gap.user != user);
        if self.made.0.iter().any(|(part, _)| !part.rows_of(user).is_empty()) {
            for (part, gaps) in &mut Arc::make_mut(&mut self.made).0 {
                gaps[part.rows_of(user)].fill(ENDLESS);
                part.wipe(user);
            }
        }
    }

    #[cfg(test)]
    fn says(&self, user: u32) -> bool {
        let says = |(part, gaps): &(Part, Vec<u32>)| {
            part.rows_of(user).any(|row| gaps[row] != ENDLESS || part.at(row) != part.span().0)
        };
        self.made.0.iter().any(says)
            || self.changed.contains(&user)
            || self.since.iter().any(|gap| gap.user == user)
    }
}

/// The gaps of one user after events from an instant on.
fn of_user_from(store: &Snapshot, (before, after): About<'_>, user: u32, from: i64, gaps: &mut Vec<Gap>) {
    let instants = |names: &[u32]| {
        let mut instants = Vec::new();
        for &name in names {
            store.instants_of(name, user, Bounds { lo: from, hi: i64::MAX }, &mut instants);
        }
        instants.sort_unstable();
        instants
    };
    let later = instants(after);
    for at in instants(before) {
        let next = later.get(later.partition_point(|then| *then <= at));
        let gap = next.map_or(ENDLESS, |then| u32::try_from(then - at).unwrap_or(ENDLESS));
        gaps.push(Gap { user, at, gap });
    }
}

/// The later events of one block, by user and time.
struct Next {
    rows: Vec<(u16, i64)>,
}

impl Next {
    fn of_block(later: &Rows<'_>, high: u16) -> Self {
        let (mut rows, mut of_bucket) = (Vec::new(), Vec::new());
        for bucket in later.buckets() {
            later.of(bucket, high, &mut of_bucket);
            rows.append(&mut of_bucket);
        }
        // stable, since the parts come in order of time but for those of one bucket
        rows.sort();
        Self { rows }
    }

    /// How long after an instant the user's next event comes. `from` only goes forward.
    fn gap(&self, user: u16, at: i64, from: &mut usize) -> u32 {
        let later = self.rows.get(*from..).unwrap_or_default();
        *from += later.iter().take_while(|row| **row <= (user, at)).count();
        match self.rows.get(*from) {
            Some((next, then)) if *next == user => u32::try_from(then - at).unwrap_or(ENDLESS),
            _ => ENDLESS,
        }
    }
}
