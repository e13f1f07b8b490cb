//! A store with the required methods and nothing else: what an outside store is.

use roaring::RoaringBitmap;
use whodid::store::{Among, EventQuery, StoredEvent, StoredWrite};
use whodid::{EventStore, Timestamp, UserId};

/// Another store, without what it overrides.
pub struct Bare<'s, S>(pub &'s S);

impl<S: EventStore> EventStore for Bare<'_, S> {
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
