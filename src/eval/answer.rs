//! Answers a plan from any store, with roaring bitmaps.

use roaring::RoaringBitmap;

use super::algebra::{Points, Sets, fold};
use super::narrow::narrow;
use crate::plan::{ExactSum, Leaf, Plan, Point};
use crate::segment::Range;
use crate::store::{Among, EventStore};
use crate::time::Timestamp;

/// See [`EventStore::answer`].
pub(crate) fn answer<S: EventStore + ?Sized>(
    store: &S,
    plan: &Plan,
    at: Timestamp,
    among: Among<'_>,
) -> Result<Vec<RoaringBitmap>, S::Error> {
    let mut sets =
        Bitmaps { universe: universe(store, at, among)?, leaves: Vec::new(), measures: Vec::new() };
    let leaves = plan.leaves();
    sets.leaves = vec![None; leaves.len()];

    // What is cheap first: it may leave few users to scan the events of.
    let (scanned, cheap): (Vec<usize>, Vec<usize>) =
        (0..leaves.len()).partition(|i| needs_events(&leaves[*i]));
    sets.resolve(store, leaves, &cheap, at, among)?;
    let candidates = match plan.roots().len() {
        1 if !scanned.is_empty() && plan.measures().is_empty() => narrow(plan, &sets.universe, &sets.leaves),
        _ => None,
    };
    let among = candidates.as_ref().map_or(among, Among::Users);
    sets.resolve(store, leaves, &scanned, at, among)?;

    let measures: Vec<_> = plan.measures().iter().collect();
    sets.measures = vec![Vec::new(); measures.len()];
    if !measures.is_empty() {
        let numbers = &mut sets.measures;
        store.numbers(&measures, at, among, &mut |user, found| {
            for (numbers, number) in numbers.iter_mut().zip(found).filter(|(_, number)| !number.is_zero()) {
                numbers.push((user.number(), number.clone()));
            }
        })?;
    }
    let Ok(answers) = fold(plan, &mut sets);
    Ok(answers)
}

/// The users of the universe that are asked about.
fn universe<S: EventStore + ?Sized>(
    store: &S,
    at: Timestamp,
    among: Among<'_>,
) -> Result<RoaringBitmap, S::Error> {
    match among {
        Among::Everyone => store.universe(at),
        Among::Users(_) | Among::User(_) => crate::store::universe_among(store, at, among),
    }
}

fn needs_events(leaf: &Leaf) -> bool {
    !leaf.matchers().is_empty() || matches!(leaf.anchor(), Some(Point::First(_) | Point::Latest(_)))
}

/// Roaring bitmaps as sets, with the answers of leaves and measures at hand.
struct Bitmaps {
    universe: RoaringBitmap,
    leaves: Vec<Option<RoaringBitmap>>,
    /// The users of whom each measure is not 0, with the number.
    measures: Vec<Vec<(u32, ExactSum)>>,
}

impl Bitmaps {
    fn resolve<S: EventStore + ?Sized>(
        &mut self,
        store: &S,
        leaves: &[Leaf],
        which: &[usize],
        at: Timestamp,
        among: Among<'_>,
    ) -> Result<(), S::Error> {
        if which.is_empty() {
            return Ok(());
        }
        let asked: Vec<&Leaf> = which.iter().map(|i| &leaves[*i]).collect();
        for (i, answer) in which.iter().zip(store.resolve(&asked, at, among)?) {
            self.leaves[*i] = Some(answer);
        }
        Ok(())
    }
}

impl Sets for Bitmaps {
    type Set = RoaringBitmap;
    type Error = std::convert::Infallible;

    fn everyone(&mut self) -> Result<RoaringBitmap, Self::Error> {
        Ok(self.universe.clone())
    }

    fn no_one(&mut self) -> Result<RoaringBitmap, Self::Error> {
        Ok(RoaringBitmap::new())
    }

    fn leaf(&mut self, leaf: usize) -> Result<RoaringBitmap, Self::Error> {
        Ok(self.leaves.get_mut(leaf).and_then(Option::take).unwrap_or_default())
    }

    fn not(&mut self, of: &RoaringBitmap) -> Result<RoaringBitmap, Self::Error> {
        Ok(&self.universe - of)
    }

    fn all(
        &mut self,
        of: &[&RoaringBitmap],
        without: &[&RoaringBitmap],
    ) -> Result<RoaringBitmap, Self::Error> {
        let smallest = of.iter().min_by_key(|set| set.len());
        let mut all = smallest.map_or_else(|| self.universe.clone(), |set| (*set).clone());
        for set in of {
            if all.is_empty() {
                return Ok(all);
            }
            all &= *set;
        }
        without.iter().for_each(|set| all -= *set);
        Ok(all)
    }

    fn any(
        &mut self,
        of: &[&RoaringBitmap],
        or_not: &[&RoaringBitmap],
    ) -> Result<RoaringBitmap, Self::Error> {
        let mut any = RoaringBitmap::new();
        of.iter().for_each(|set| any |= *set);
        if or_not.is_empty() {
            return Ok(any);
        }
        // Missing in some: everyone but those who are in each.
        let in_each = self.all(or_not, &[&any])?;
        Ok(&self.universe - in_each)
    }

    fn score(
        &mut self,
        terms: &[Points<'_, RoaringBitmap>],
        range: &Range,
    ) -> Result<RoaringBitmap, Self::Error> {
        let users: Vec<u32> = self.universe.iter().collect();
        let mut totals = vec![ExactSum::ZERO; users.len()];
        for term in terms {
            match term {
                Points::If(points, set) => {
                    let places = places(&users, set.iter());
                    places.for_each(|place| totals[place].add_counted(*points, 1));
                }
                Points::Per(points, measure) => {
                    for (user, number) in &self.measures[*measure] {
                        if let Ok(place) = users.binary_search(user) {
                            totals[place].add_scaled(*points, number);
                        }
                    }
                }
            }
        }
        let in_range = users.iter().zip(&totals).filter(|(_, total)| total.is_in(range));
        Ok(RoaringBitmap::from_sorted_iter(in_range.map(|(user, _)| *user)).unwrap_or_default())
    }
}

/// The places of some of the users among all; both ascending.
fn places(all: &[u32], some: impl Iterator<Item = u32>) -> impl Iterator<Item = usize> {
    let mut from = 0;
    some.filter_map(move |user| {
        from += all[from..].iter().position(|have| *have >= user)?;
        (all[from] == user).then_some(from)
    })
}
