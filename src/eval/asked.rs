//! What can be asked, each by its plan.

use std::borrow::Cow;

use crate::plan::{Plan, PlanError};
use crate::segment::builder::{Behavior, Change, Occurrence, OfAttribute, OfBehavior, Seen, Steps, Tested};
use crate::segment::{Sample, Score, Segment};

/// What can be asked: a segment as built or as read, a catalog, or the plan of either, which saves making it
/// again.
pub trait AsPlan {
    /// The plan of it.
    ///
    /// # Errors
    /// It is not valid, or names what there is not.
    fn as_plan(&self) -> Result<Cow<'_, Plan>, PlanError>;
}

impl AsPlan for Plan {
    fn as_plan(&self) -> Result<Cow<'_, Plan>, PlanError> {
        Ok(Cow::Borrowed(self))
    }
}

impl AsPlan for Segment {
    fn as_plan(&self) -> Result<Cow<'_, Plan>, PlanError> {
        Plan::of(self).map(Cow::Owned)
    }
}

impl<Q: AsPlan + ?Sized> AsPlan for &Q {
    fn as_plan(&self) -> Result<Cow<'_, Plan>, PlanError> {
        (**self).as_plan()
    }
}

macro_rules! as_segment {
    ($([$($generics:ident),*] $from:ty),* $(,)?) => {$(
        impl<$($generics),*> AsPlan for $from
        where
            $from: Clone + Into<Segment>,
        {
            fn as_plan(&self) -> Result<Cow<'_, Plan>, PlanError> {
                Plan::of(&self.clone().into()).map(Cow::Owned)
            }
        }
    )*};
}

as_segment! {
    [M, W, S] Behavior<M, W, S>,
    [W] Occurrence<W>,
    [K] Tested<OfAttribute, K>,
    [K] Tested<OfBehavior, K>,
    [W] Change<W>,
    [W] Seen<W>,
    [P, W] Steps<P, W>,
    [] Score,
    [] Sample,
}
