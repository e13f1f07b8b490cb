//! A measure read as a number: of each user of the universe.

use roaring::RoaringBitmap;

use crate::plan::ExactSum;
use crate::store::UserId;

/// The measured number of every user of the universe; made by [`Evaluate::measure`](super::Evaluate::measure).
#[derive(Clone, Debug)]
pub struct Numbers {
    universe: RoaringBitmap,
    /// Of whom it is not 0, by user.
    some: Vec<(UserId, ExactSum)>,
}

impl Numbers {
    pub(super) fn new(universe: RoaringBitmap, mut some: Vec<(UserId, ExactSum)>) -> Self {
        some.sort_unstable_by_key(|(user, _)| *user);
        Self { universe, some }
    }

    /// The number of a user; `None` of one who is not in the universe.
    pub fn get(&self, user: UserId) -> Option<ExactSum> {
        if !self.universe.contains(user.number()) {
            return None;
        }
        let place = self.some.binary_search_by_key(&user, |(user, _)| *user);
        Some(place.ok().and_then(|i| self.some.get(i)).map_or(ExactSum::ZERO, |(_, number)| number.clone()))
    }

    /// Every user of the universe with the number, in the order of the users' numbers.
    pub fn iter(&self) -> impl Iterator<Item = (UserId, ExactSum)> + '_ {
        let mut some = self.some.iter().peekable();
        self.universe.iter().map(move |user| {
            let known = some.next_if(|(have, _)| have.number() == user);
            (UserId::new(user), known.map_or(ExactSum::ZERO, |(_, number)| number.clone()))
        })
    }

    /// Only the users of whom it is not 0.
    pub fn nonzero(&self) -> impl ExactSizeIterator<Item = (UserId, &ExactSum)> {
        self.some.iter().map(|(user, number)| (*user, number))
    }
}
