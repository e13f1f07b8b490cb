//! What refers to a store, or wraps one, is a store as well.

/// Implements [`EventStore`](super::EventStore) by handing every call on, also those to overridden methods.
macro_rules! forward {
    ([$($generics:tt)*] $store:ty, $inner:ty, $self:ident => $to:expr) => {
        impl<$($generics)*> $crate::store::EventStore for $store {
            type Error = <$inner as $crate::store::EventStore>::Error;

            fn user(&$self, id: &str) -> Result<Option<$crate::store::UserId>, Self::Error> {
                $crate::store::EventStore::user(&$to, id)
            }

            fn ids(
                &$self,
                users: &::roaring::RoaringBitmap,
                visit: &mut dyn FnMut($crate::store::UserId, &str),
            ) -> Result<(), Self::Error> {
                $crate::store::EventStore::ids(&$to, users, visit)
            }

            fn seen(
                &$self,
                among: $crate::store::Among<'_>,
                visit: &mut dyn FnMut($crate::store::UserId, $crate::Timestamp),
            ) -> Result<(), Self::Error> {
                $crate::store::EventStore::seen(&$to, among, visit)
            }

            fn events(
                &$self,
                query: &$crate::store::EventQuery<'_>,
                visit: &mut dyn FnMut($crate::store::UserId, &[$crate::store::StoredEvent<'_>]),
            ) -> Result<(), Self::Error> {
                $crate::store::EventStore::events(&$to, query, visit)
            }

            fn writes(
                &$self,
                attribute: &str,
                among: $crate::store::Among<'_>,
                visit: &mut dyn FnMut($crate::store::UserId, &[$crate::store::StoredWrite<'_>]),
            ) -> Result<(), Self::Error> {
                $crate::store::EventStore::writes(&$to, attribute, among, visit)
            }

            fn universe(&$self, at: $crate::Timestamp) -> Result<::roaring::RoaringBitmap, Self::Error> {
                $crate::store::EventStore::universe(&$to, at)
            }

            fn resolve(
                &$self,
                leaves: &[&$crate::plan::Leaf],
                at: $crate::Timestamp,
                among: $crate::store::Among<'_>,
            ) -> Result<Vec<::roaring::RoaringBitmap>, Self::Error> {
                $crate::store::EventStore::resolve(&$to, leaves, at, among)
            }

            fn numbers(
                &$self,
                measures: &[&$crate::plan::Measure],
                at: $crate::Timestamp,
                among: $crate::store::Among<'_>,
                visit: &mut dyn FnMut($crate::store::UserId, &[$crate::plan::ExactSum]),
            ) -> Result<(), Self::Error> {
                $crate::store::EventStore::numbers(&$to, measures, at, among, visit)
            }

            fn answer(
                &$self,
                plan: &$crate::plan::Plan,
                at: $crate::Timestamp,
                among: $crate::store::Among<'_>,
            ) -> Result<Vec<::roaring::RoaringBitmap>, Self::Error> {
                $crate::store::EventStore::answer(&$to, plan, at, among)
            }

            fn answer_counts(
                &$self,
                plan: &$crate::plan::Plan,
                at: $crate::Timestamp,
            ) -> Result<Vec<u64>, Self::Error> {
                $crate::store::EventStore::answer_counts(&$to, plan, at)
            }

            fn answer_user(
                &$self,
                plan: &$crate::plan::Plan,
                user: $crate::store::UserId,
                at: $crate::Timestamp,
            ) -> Result<Vec<bool>, Self::Error> {
                $crate::store::EventStore::answer_user(&$to, plan, user, at)
            }
        }
    };
}

pub(crate) use forward;

forward!([S: super::EventStore + ?Sized] &S, S, self => (**self));
forward!([S: super::EventStore + ?Sized] Box<S>, S, self => (**self));
forward!([S: super::EventStore + ?Sized] std::rc::Rc<S>, S, self => (**self));
forward!([S: super::EventStore + ?Sized] std::sync::Arc<S>, S, self => (**self));
