//! One instant a user, kept up as events arrive: an index, and the instants of those who have had events since.

use std::sync::Arc;

use super::super::bits::Bits;
use super::super::snapshot::Snapshot;
use super::cache::{Carried, Index};
use super::instants::{Than, UserInstants, Which};
use crate::limits::SMALL;
use crate::plan::bounds::Bounds;

/// The instants of users who have had events since the index was made are kept apart up to so many.
const APART: usize = if SMALL { 3 } else { 1 << 14 };

/// One instant for each user that has it.
#[derive(Clone, Debug)]
pub(super) struct Instants {
    made: Arc<UserInstants>,
    /// What is so instead, by user.
    since: Vec<(u32, i64)>,
}

/// The instants of what: names, which one, and the range counted.
pub(super) type About<'a> = (&'a [u32], Which, Bounds);

impl Instants {
    pub(super) fn new(store: &Snapshot, (names, which, range): About<'_>) -> Self {
        Self { made: Arc::new(UserInstants::new(store, names, which, range)), since: Vec::new() }
    }

    /// With the events of the log since a position.
    pub(super) fn carried(&self, store: &Snapshot, about: About<'_>, since: u64) -> Carried<Self> {
        let Some(arrived) = store.events_since(since, about.0, about.2) else { return Carried::Lost };
        if arrived.is_empty() {
            return Carried::Same;
        }
        // looking users up one by one pays for few only
        if matches!(about.1, Which::Latest(2..)) && arrived.len() > 256 + self.made.rows() / 128 {
            return Carried::Lost;
        }
        let changed = self.changed(store, about, arrived);
        if changed.is_empty() {
            // Where events were only added, what is the same in the end has been all along.
            return if since >= store.moved { Carried::Same } else { Carried::New(self.clone()) };
        }
        let this = Self { made: Arc::clone(&self.made), since: merged(&self.since, &changed) };
        if this.since.len() <= APART {
            return Carried::New(this);
        }
        match this.made.with(&this.since) {
            Some(made) => Carried::New(Self { made: Arc::new(made), since: Vec::new() }),
            None => Carried::Lost,
        }
    }

    /// The instants that events, sorted by user, change.
    fn changed(&self, store: &Snapshot, about: About<'_>, arrived: Vec<(u32, i64)>) -> Vec<(u32, i64)> {
        let (_, which, _) = about;
        let mut changed = Vec::new();
        for of_user in arrived.chunk_by(|a, b| a.0 == b.0) {
            let Some(&(user, _)) = of_user.first() else { continue };
            let instants = of_user.iter().map(|(_, at)| *at);
            let best = if which == Which::First { instants.min() } else { instants.max() };
            let best = best.unwrap_or_default();
            let known = self.since.binary_search_by_key(&user, |(user, _)| *user);
            let known = known.ok().and_then(|place| self.since.get(place)).map(|(_, at)| *at);
            let than = match known {
                Some(at) if best < at => Than::Earlier,
                Some(at) if best > at => Than::Later,
                Some(_) => Than::Same,
                None => self.made.compare(user, best),
            };
            let at = match (which, than) {
                (Which::First | Which::Latest(1), Than::None)
                | (Which::First, Than::Earlier)
                | (Which::Latest(1), Than::Later) => Some(best),
                (_, Than::Earlier) | (Which::First, Than::Later) => None,
                _ => exact(store, about, user, known.or_else(|| self.made.at_least(user))),
            };
            changed.extend(at.map(|at| (user, at)));
        }
        changed
    }

    /// The users whose instant lies in the bounds.
    pub(super) fn within(&self, store: &Snapshot, about: About<'_>, bounds: Bounds) -> Bits {
        let mut bits = self.made.within(bounds, |user| exact(store, about, user, None));
        bits.grow(store.users.numbers());
        self.since.iter().for_each(|(user, at)| bits.set(*user, bounds.contains(*at)));
        bits
    }
}

impl Index for Instants {
    fn shared(&self) -> (usize, usize) {
        (Arc::as_ptr(&self.made).addr(), self.made.memory())
    }

    fn own(&self) -> usize {
        self.since.capacity() * size_of::<(u32, i64)>()
    }

    fn erase(&mut self, user: u32) {
        self.since.retain(|(of, _)| *of != user);
        Arc::make_mut(&mut self.made).erase(user);
    }

    #[cfg(test)]
    fn says(&self, user: u32) -> bool {
        self.since.iter().any(|(of, _)| *of == user) || self.made.at_least(user).is_some()
    }
}

/// Both by user; of one user the second counts.
fn merged(before: &[(u32, i64)], after: &[(u32, i64)]) -> Vec<(u32, i64)> {
    let (mut all, mut before) = (Vec::with_capacity(before.len() + after.len()), before.iter().peekable());
    for &(user, at) in after {
        while let Some(earlier) = before.next_if(|(of, _)| *of < user) {
            all.push(*earlier);
        }
        before.next_if(|(of, _)| *of == user);
        all.push((user, at));
    }
    all.extend(before);
    all
}

/// The instant of one user, exactly. `at_least`: it is not before this.
pub(super) fn exact(
    store: &Snapshot,
    (names, which, range): About<'_>,
    user: u32,
    at_least: Option<i64>,
) -> Option<i64> {
    let (mut instants, wanted) = (Vec::new(), if let Which::Latest(k) = which { k as usize } else { 1 });
    let lo = if which == Which::First { range.lo } else { range.lo.max(at_least.unwrap_or(i64::MIN)) };
    for &name in names {
        let parts = store.parts_of_user(name, user, lo, range.hi);
        let mut buckets: Vec<_> = parts.chunk_by(|a, b| a.bucket() == b.bucket()).collect();
        if which != Which::First {
            buckets.reverse();
        }
        let before = instants.len();
        for bucket in buckets {
            // enough of this name are in the buckets before
            if instants.len() - before >= wanted {
                break;
            }
            for part in bucket {
                instants.extend(part.rows_inside(user, range).map(|row| part.at(row)));
            }
        }
        instants.extend(store.tail.rows_of(name, user, range).map(|row| row.at));
    }
    instants.sort_unstable();
    match which {
        Which::First => instants.first().copied(),
        Which::Latest(k) => instants.len().checked_sub(k as usize).and_then(|i| instants.get(i)).copied(),
    }
}
