//! Who is asked about, and the instants of each that windows lie around.

#![allow(clippy::mutable_key_type)] // compiled patterns, which are no part of what makes keys equal

use foldhash::HashMap;
use roaring::RoaringBitmap;

use crate::plan::{Point, value_at};
use crate::store::{Among, EventStore, UserId};
use crate::time::Timestamp;

/// The users asked about and their own instants, as far as a batch needs them.
pub(super) struct Anchors<'p> {
    /// The users of the universe that are asked about.
    pub(super) universe: RoaringBitmap,
    /// When they were first seen, where that is needed.
    seen: HashMap<u32, i64>,
    /// The instants of each point that is an attribute or an event.
    points: HashMap<&'p Point, HashMap<u32, i64>>,
}

impl<'p> Anchors<'p> {
    /// Reads the universe, and what is no event.
    pub(super) fn read<S: EventStore + ?Sized>(
        store: &S,
        points: impl Iterator<Item = &'p Point>,
        mut needs_seen: bool,
        at: Timestamp,
        among: Among<'_>,
    ) -> Result<Self, S::Error> {
        let mut found: HashMap<&Point, HashMap<u32, i64>> = HashMap::default();
        for point in points {
            match point {
                Point::Seen => needs_seen = true,
                Point::First(_) | Point::Latest(_) => _ = found.entry(point).or_default(),
                Point::Attribute(name) if !found.contains_key(point) => {
                    let instants = found.entry(point).or_default();
                    store.writes(name, among, &mut |user, writes| {
                        if let Some(instant) = value_at(writes, at.millis()).and_then(|value| value.instant())
                        {
                            instants.insert(user.number(), instant);
                        }
                    })?;
                }
                Point::Attribute(_) => {}
            }
        }
        let mut anchors = Self { universe: RoaringBitmap::new(), seen: HashMap::default(), points: found };
        match among {
            Among::Everyone if !needs_seen => anchors.universe = store.universe(at)?,
            _ => {
                let seen = &mut anchors.seen;
                store.seen(among, &mut |user, first| {
                    if first <= at && among.contains(user) {
                        seen.insert(user.number(), first.millis());
                    }
                })?;
                anchors.universe = super::set(seen.keys().copied().collect());
            }
        }
        Ok(anchors)
    }

    /// When the users asked about were first seen.
    pub(super) fn all_seen(&self) -> impl Iterator<Item = (UserId, i64)> {
        self.seen.iter().map(|(user, seen)| (UserId::new(*user), *seen))
    }

    /// A user's instant of a point.
    pub(super) fn instant(&self, point: &Point, user: UserId) -> Option<i64> {
        match point {
            Point::Seen => self.seen.get(&user.number()).copied(),
            _ => self.points.get(point)?.get(&user.number()).copied(),
        }
    }

    /// All users that have an instant of a point.
    pub(super) fn instants(&self, point: &Point) -> Vec<(UserId, i64)> {
        let instants = match point {
            Point::Seen => Some(&self.seen),
            _ => self.points.get(point),
        };
        instants.into_iter().flatten().map(|(user, at)| (UserId::new(*user), *at)).collect()
    }

    /// Keeps an instant that an event gave.
    pub(super) fn found(&mut self, point: &'p Point, user: UserId, at: i64) {
        self.points.entry(point).or_default().insert(user.number(), at);
    }
}
