//! A store without what it overrides.

use roaring::RoaringBitmap;

use crate::store::{Among, EventQuery, EventStore, StoredEvent, StoredWrite, UserId};
use crate::time::Timestamp;

/// A store of which only the required methods are used: everything else is as [`EventStore`] provides it.
///
/// For holding what a store overrides against what it would inherit.
#[derive(Clone, Debug)]
pub struct Inherited<S>(pub S);

impl<S: EventStore> EventStore for Inherited<S> {
    type Error = S::Error;

    fn user(&self, id: &str) -> Result<Option<UserId>, S::Error> {
        self.0.user(id)
    }

    fn ids(&self, users: &RoaringBitmap, visit: &mut dyn FnMut(UserId, &str)) -> Result<(), S::Error> {
        self.0.ids(users, visit)
    }

    fn seen(&self, among: Among<'_>, visit: &mut dyn FnMut(UserId, Timestamp)) -> Result<(), S::Error> {
        self.0.seen(among, visit)
    }

    fn events(
        &self,
        query: &EventQuery<'_>,
        visit: &mut dyn FnMut(UserId, &[StoredEvent<'_>]),
    ) -> Result<(), S::Error> {
        self.0.events(query, visit)
    }

    fn writes(
        &self,
        attribute: &str,
        among: Among<'_>,
        visit: &mut dyn FnMut(UserId, &[StoredWrite<'_>]),
    ) -> Result<(), S::Error> {
        self.0.writes(attribute, among, visit)
    }
}
