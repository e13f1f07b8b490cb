//! Answers a plan: set algebra over what a store resolves.
use roaring::RoaringBitmap;

use crate::plan::Plan;
use crate::store::{Among, EventStore};
use crate::time::Timestamp;

pub(crate) fn answer<S: EventStore + ?Sized>(
    _store: &S,
    _plan: &Plan,
    _at: Timestamp,
    _among: Among<'_>,
) -> Result<Vec<RoaringBitmap>, S::Error> {
    todo!()
}
