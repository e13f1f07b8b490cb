//! Answers leaves out of the required methods of a store: a scan for each batch.
use roaring::RoaringBitmap;

use super::{Among, EventStore, UserId};
use crate::plan::{ExactSum, Leaf, Measure};
use crate::time::Timestamp;

pub(super) fn universe<S: EventStore + ?Sized>(
    store: &S,
    at: Timestamp,
    among: Among<'_>,
) -> Result<RoaringBitmap, S::Error> {
    let mut users = Vec::new();
    store.seen(among, &mut |user, seen| {
        if seen <= at && among.contains(user) {
            users.push(user.number());
        }
    })?;
    Ok(users.into_iter().collect())
}

pub(super) fn resolve<S: EventStore + ?Sized>(
    _store: &S,
    _leaves: &[&Leaf],
    _at: Timestamp,
    _among: Among<'_>,
) -> Result<Vec<RoaringBitmap>, S::Error> {
    todo!()
}

pub(super) fn measure<S: EventStore + ?Sized>(
    _store: &S,
    _measures: &[&Measure],
    _at: Timestamp,
    _among: Among<'_>,
    _visit: &mut dyn FnMut(UserId, &[ExactSum]),
) -> Result<(), S::Error> {
    todo!()
}
