//! What the events of a user in a window add up to, and how that follows the window.

use std::cmp::Ordering;
use std::ops::Bound;

use crate::plan::ExactSum;
use crate::plan::bounds::Bounds;
use crate::plan::exact::is_in;
use crate::segment::{Measure, Range};
use crate::value::Number;

/// A measure that the order of events does not matter to, with what it must be.
#[derive(Clone, Debug)]
pub(super) enum Total {
    /// How many events there are: the smallest and the largest count for which it holds.
    Count(u64, u64),
    Sum(Range),
    Mean(Range),
    Least(Range),
    Greatest(Range),
}

impl Total {
    pub(super) fn of(measure: &Measure) -> Option<Self> {
        Some(match measure {
            Measure::Times(range) => {
                let (low, high) = whole_counts(range)?;
                Self::Count(low, high.unwrap_or(u64::MAX))
            }
            Measure::Sum { range, .. } => Self::Sum(*range),
            Measure::Avg { range, .. } => Self::Mean(*range),
            Measure::Min { range, .. } => Self::Least(*range),
            Measure::Max { range, .. } => Self::Greatest(*range),
            _ => return None,
        })
    }

    /// The count from which on more events change nothing.
    pub(super) fn enough(&self) -> u64 {
        match self {
            Self::Count(low, u64::MAX) => *low,
            Self::Count(_, high) => high + 1,
            _ => u64::MAX,
        }
    }

    /// Whether it is about the least or the greatest number.
    pub(super) fn is_end(&self) -> bool {
        matches!(self, Self::Least(_) | Self::Greatest(_))
    }
}

/// What events add up to.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Sums {
    /// The instants of the window; none later than the one that was asked about.
    inside: Bounds,
    events: u64,
    /// How many of them have a number.
    numbers: u64,
    sum: ExactSum,
    /// The least and the greatest number, where these are looked at.
    ends: Option<[End; 2]>,
}

/// The number of all than which none is less, or none is greater.
#[derive(Clone, Copy, Debug, PartialEq)]
struct End {
    beats: Ordering,
    /// With how many events have it.
    number: Option<(Number, u64)>,
}

impl End {
    fn add(&mut self, number: Number) {
        let against = self.number.map(|(best, _)| number.cmp(&best));
        match (against, &mut self.number) {
            (Some(Ordering::Equal), Some((_, times))) => *times += 1,
            (Some(other), _) if other != self.beats => {}
            _ => self.number = Some((number, 1)),
        }
    }

    /// Tells whether it is still known.
    fn take(&mut self, number: Number) -> bool {
        let Some((best, times)) = &mut self.number else { return false };
        if *best == number {
            *times = times.saturating_sub(1);
        }
        *times > 0
    }
}

/// Visits the events between some instants.
pub(super) type Visit<'a> = dyn FnMut(Bounds, &mut dyn FnMut(Option<Number>)) + 'a;

impl Sums {
    /// Of no events.
    pub(super) fn new(inside: Bounds, with_ends: bool) -> Self {
        let end = |beats| End { beats, number: None };
        let ends = with_ends.then(|| [end(Ordering::Less), end(Ordering::Greater)]);
        Self { inside, events: 0, numbers: 0, sum: ExactSum::ZERO, ends }
    }

    pub(super) fn inside(&self) -> Bounds {
        self.inside
    }

    /// An event is in the window.
    pub(super) fn add(&mut self, number: Option<Number>) {
        self.events += 1;
        let Some(number) = number else { return };
        self.numbers += 1;
        self.sum.add(number);
        self.ends.iter_mut().flatten().for_each(|end| end.add(number));
    }

    /// An event is in the window no more. Tells whether what is left is known: not where all that had the least or the
    /// greatest number are gone.
    fn take(&mut self, number: Option<Number>) -> bool {
        self.events = self.events.saturating_sub(1);
        let Some(number) = number else { return true };
        self.numbers = self.numbers.saturating_sub(1);
        self.sum.take(number);
        self.ends.iter_mut().flatten().all(|end| end.take(number))
    }

    /// Follows the window to where it is now by the events that come and go; `None`: they are to be added up anew.
    pub(super) fn follow(mut self, now: Bounds, visit: &mut Visit<'_>) -> Option<Self> {
        let before = std::mem::replace(&mut self.inside, now);
        if before.and(now).is_empty() {
            return None;
        }
        let mut is_known = true;
        for gone in without(before, now) {
            visit(gone, &mut |number| is_known &= self.take(number));
        }
        for come in without(now, before) {
            visit(come, &mut |number| self.add(number));
        }
        is_known.then_some(self)
    }

    /// How many events there are.
    pub(super) fn events(&self) -> u64 {
        self.events
    }

    /// What their numbers add up to.
    pub(super) fn sum(&self) -> &ExactSum {
        &self.sum
    }

    pub(super) fn holds(&self, asked: &Total) -> bool {
        let end_is_in = |place: usize, range: &Range| {
            let number = self.ends.and_then(|ends| ends.get(place)?.number);
            number.is_some_and(|(number, _)| is_in(range, |bound| number.cmp(&bound)))
        };
        match asked {
            Total::Count(low, high) => (*low..=*high).contains(&self.events),
            Total::Sum(range) => self.sum.is_in(range),
            Total::Mean(range) => self.numbers > 0 && self.sum.mean_is_in(self.numbers, range),
            Total::Least(range) => end_is_in(0, range),
            Total::Greatest(range) => end_is_in(1, range),
        }
    }
}

/// The instants of one stretch that are not in the other, with which it has some in common.
fn without(one: Bounds, other: Bounds) -> impl Iterator<Item = Bounds> {
    let before = Bounds { lo: one.lo, hi: other.lo.saturating_sub(1) };
    let after = Bounds { lo: other.hi.saturating_add(1), hi: one.hi };
    let parts = [(one.lo < other.lo, before), (one.hi > other.hi, after)];
    parts.into_iter().filter_map(|(is_there, part)| is_there.then_some(part))
}

/// The smallest and the largest count of a range, where there is one; `None` where a bound is no whole number, or no
/// count is below it.
pub(super) fn whole_counts(range: &Range) -> Option<(u64, Option<u64>)> {
    let whole = |bound: Number| u64::try_from(bound.as_i64()?).ok();
    let low = match range.low {
        Bound::Included(low) => whole(low)?,
        Bound::Excluded(low) => whole(low)?.checked_add(1)?,
        Bound::Unbounded => 0,
    };
    let high = match range.high {
        Bound::Included(high) => Some(whole(high)?),
        Bound::Excluded(high) => Some(whole(high)?.checked_sub(1)?),
        Bound::Unbounded => None,
    };
    Some((low, high))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Events with instants and numbers.
    type Events = Vec<(i64, Option<Number>)>;

    fn number() -> impl Strategy<Value = Number> {
        prop_oneof![
            (-2_i64..3).prop_map(Number::Int),
            prop::sample::select(vec![0.1, 1.0, -1e300, 1e300]).prop_map(Number::Float),
        ]
    }

    fn added_up(events: &Events, inside: Bounds) -> Sums {
        let mut sums = Sums::new(inside, true);
        let inside = events.iter().filter(|(at, _)| inside.contains(*at));
        inside.for_each(|(_, number)| sums.add(*number));
        sums
    }

    proptest! {
        #[test]
        fn what_follows_a_window_is_what_it_holds(
            events in prop::collection::vec((0..40_i64, prop::option::weighted(0.8, number())), 0..40),
            windows in prop::collection::vec((0..40_i64, -3..30_i64), 2..20),
        ) {
            let windows = windows.into_iter().map(|(lo, length)| Bounds { lo, hi: lo + length });
            let windows: Vec<Bounds> = windows.collect();
            for pair in windows.windows(2) {
                let [before, now] = [pair[0], pair[1]];
                let followed = added_up(&events, before).follow(now, &mut |inside, each| {
                    events.iter().filter(|(at, _)| inside.contains(*at)).for_each(|(_, number)| each(*number));
                });
                prop_assert!(followed.is_none_or(|followed| followed == added_up(&events, now)));
            }
        }
    }

    #[test]
    fn ends_are_known_until_the_last_of_them_goes() {
        let numbers = [3, 7, 7, 3, 5].map(Number::Int);
        let events: Events = (0..).zip(numbers.map(Some)).collect();
        let greatest = |lo| {
            let now = Bounds { lo, hi: 4 };
            let followed = added_up(&events, Bounds { lo: 0, hi: 4 }).follow(now, &mut |inside, each| {
                events.iter().filter(|(at, _)| inside.contains(*at)).for_each(|(_, number)| each(*number));
            });
            followed.and_then(|sums| sums.ends?[1].number)
        };
        let seven = Number::Int(7);
        assert_eq!([0, 1, 2, 3].map(greatest), [Some((seven, 2)), Some((seven, 2)), Some((seven, 1)), None]);
    }
}
