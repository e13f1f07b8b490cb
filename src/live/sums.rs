//! What the events of a user in a window add up to, and how that follows the window.

use std::cmp::Ordering;

use chrono_tz::Tz;

use crate::plan::bounds::Bounds;
use crate::plan::calendar::{Units, Zone};
use crate::plan::exact::{is_in, whole_counts};
use crate::plan::value_ref::DistinctSet;
use crate::plan::{ExactSum, ScalarRef, ValueRef};
use crate::segment::{Measure, Quantity, Range};
use crate::time::Unit;
use crate::value::Number;

/// What of events is added up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Kind {
    /// How many there are, and their numbers.
    Numbers,
    /// The distinct values of a property.
    Values,
    /// The calendar units that hold some.
    Units(Unit, Tz),
}

/// What must be so of what is added up.
#[derive(Clone, Debug)]
pub(super) enum Wanted {
    /// How many there are: the smallest and the largest count for which it holds.
    Count(u64, u64),
    Sum(Range),
    Mean(Range),
    Least(Range),
    Greatest(Range),
}

impl Wanted {
    pub(super) fn of(measure: &Measure) -> Option<(Kind, Self)> {
        let count = |range| {
            let (low, high) = whole_counts(range)?;
            Some(Self::Count(low, high.unwrap_or(u64::MAX)))
        };
        Some(match measure {
            Measure::Times(range) => (Kind::Numbers, count(range)?),
            Measure::Sum { range, .. } => (Kind::Numbers, Self::Sum(*range)),
            Measure::Avg { range, .. } => (Kind::Numbers, Self::Mean(*range)),
            Measure::Min { range, .. } => (Kind::Numbers, Self::Least(*range)),
            Measure::Max { range, .. } => (Kind::Numbers, Self::Greatest(*range)),
            Measure::Distinct { range, .. } => (Kind::Values, count(range)?),
            Measure::Active { unit, tz, range } => (Kind::Units(*unit, *tz), count(range)?),
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
    pub(super) fn is_extreme(&self) -> bool {
        matches!(self, Self::Least(_) | Self::Greatest(_))
    }
}

impl Kind {
    pub(super) fn of(quantity: &Quantity) -> Self {
        match quantity {
            Quantity::Times | Quantity::Sum(_) => Self::Numbers,
            Quantity::Distinct(_) => Self::Values,
            Quantity::Active { unit, tz } => Self::Units(*unit, *tz),
        }
    }
}

/// What events add up to.
#[derive(Clone, Debug)]
pub(super) struct Sums {
    /// The instants of the window; none later than the one that was asked about.
    inside: Bounds,
    what: What,
}

#[derive(Clone, Debug)]
enum What {
    Numbers(Numbers),
    Values(DistinctSet),
    Units(Units, DistinctSet),
}

/// How many events there are, and their numbers.
#[derive(Clone, Debug, Default, PartialEq)]
struct Numbers {
    events: u64,
    numbers: u64,
    sum: ExactSum,
    /// The least and the greatest, where these are looked at.
    extremes: Option<[Extreme; 2]>,
}

/// The number of all than which none is less, or none is greater.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Extreme {
    beats: Ordering,
    /// With how many events have it.
    number: Option<(Number, u64)>,
}

impl Extreme {
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

impl Numbers {
    fn add(&mut self, number: Option<Number>) {
        self.events += 1;
        let Some(number) = number else { return };
        self.numbers += 1;
        self.sum.add(number);
        self.extremes.iter_mut().flatten().for_each(|extreme| extreme.add(number));
    }

    /// Tells whether what is left is known: not where all that had the least or the greatest number are gone.
    fn take(&mut self, number: Option<Number>) -> bool {
        self.events = self.events.saturating_sub(1);
        let Some(number) = number else { return true };
        self.numbers = self.numbers.saturating_sub(1);
        self.sum.take(number);
        self.extremes.iter_mut().flatten().all(|extreme| extreme.take(number))
    }

    fn holds(&self, wanted: &Wanted) -> bool {
        let extreme_is_in = |place: usize, range: &Range| {
            let number = self.extremes.and_then(|extremes| extremes.get(place)?.number);
            number.is_some_and(|(number, _)| is_in(range, |bound| number.cmp(&bound)))
        };
        match wanted {
            Wanted::Count(low, high) => (*low..=*high).contains(&self.events),
            Wanted::Sum(range) => self.sum.is_in(range),
            Wanted::Mean(range) => self.numbers > 0 && self.sum.mean_is_in(self.numbers, range),
            Wanted::Least(range) => extreme_is_in(0, range),
            Wanted::Greatest(range) => extreme_is_in(1, range),
        }
    }
}

/// Visits the events between some instants: when, and the property looked at.
pub(super) type Visit<'a> = dyn FnMut(Bounds, &mut dyn FnMut(i64, Option<ValueRef<'_>>)) + 'a;

impl Sums {
    /// Of no events.
    pub(super) fn new(inside: Bounds, kind: Kind, with_extremes: bool) -> Self {
        let extreme = |beats| Extreme { beats, number: None };
        let what = match kind {
            Kind::Numbers => {
                let extremes = with_extremes.then(|| [extreme(Ordering::Less), extreme(Ordering::Greater)]);
                What::Numbers(Numbers { extremes, ..Numbers::default() })
            }
            Kind::Values => What::Values(DistinctSet::default()),
            Kind::Units(unit, tz) => What::Units(Zone::of(tz).units(unit), DistinctSet::default()),
        };
        Self { inside, what }
    }

    pub(super) fn inside(&self) -> Bounds {
        self.inside
    }

    /// An event is in the window.
    pub(super) fn add(&mut self, at: i64, value: Option<ValueRef<'_>>) {
        match &mut self.what {
            What::Numbers(numbers) => numbers.add(value.and_then(ValueRef::number)),
            What::Values(values) => value.into_iter().for_each(|value| values.insert(value)),
            What::Units(units, active) => active.insert(ScalarRef::Int(units.of(at)).into()),
        }
    }

    /// An event is in the window no more. Tells whether what is left is known.
    fn take(&mut self, at: i64, value: Option<ValueRef<'_>>) -> bool {
        match &mut self.what {
            What::Numbers(numbers) => return numbers.take(value.and_then(ValueRef::number)),
            What::Values(values) => value.into_iter().for_each(|value| values.remove(value)),
            What::Units(units, active) => active.remove(ScalarRef::Int(units.of(at)).into()),
        }
        true
    }

    /// Follows the window to where it is now by the events that come and go. Tells whether what is left is known; else
    /// they are to be added up anew.
    pub(super) fn follow(&mut self, now: Bounds, visit: &mut Visit<'_>) -> bool {
        let before = std::mem::replace(&mut self.inside, now);
        if before.and(now).is_empty() {
            return false;
        }
        let mut is_known = true;
        for gone in without(before, now) {
            visit(gone, &mut |at, value| is_known &= self.take(at, value));
        }
        for come in without(now, before) {
            visit(come, &mut |at, value| self.add(at, value));
        }
        is_known
    }

    /// How many there are of what is counted.
    pub(super) fn count(&self) -> u64 {
        match &self.what {
            What::Numbers(numbers) => numbers.events,
            What::Values(set) | What::Units(_, set) => set.len(),
        }
    }

    /// What numbers add up to.
    pub(super) fn sum(&self) -> ExactSum {
        match &self.what {
            What::Numbers(numbers) => numbers.sum.clone(),
            _ => ExactSum::ZERO,
        }
    }

    pub(super) fn holds(&self, wanted: &Wanted) -> bool {
        match (&self.what, wanted) {
            (What::Numbers(numbers), _) => numbers.holds(wanted),
            (_, Wanted::Count(low, high)) => (*low..=*high).contains(&self.count()),
            _ => false,
        }
    }

    /// Bytes that it holds elsewhere.
    pub(super) fn memory(&self) -> usize {
        match &self.what {
            What::Numbers(_) => 0,
            What::Values(set) | What::Units(_, set) => set.memory(),
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value::{Scalar, Value};
    use proptest::prelude::*;

    /// Events with their instants.
    type Events = Vec<(i64, Option<Value>)>;

    fn value() -> impl Strategy<Value = Value> {
        let number = prop_oneof![
            (-2_i64..3).prop_map(Scalar::Int),
            prop::sample::select(vec![0.1, 1.0, -1e300, 1e300]).prop_map(Scalar::Float),
        ];
        let list = prop::collection::vec(number.clone(), 0..3).prop_map(Value::List);
        prop_oneof![6 => number.prop_map(Value::Scalar), 1 => Just(Value::from("s")), 1 => list]
    }

    fn each(events: &Events, inside: Bounds, visit: &mut dyn FnMut(i64, Option<ValueRef<'_>>)) {
        let inside = events.iter().filter(|(at, _)| inside.contains(*at));
        inside.for_each(|(at, value)| visit(*at, value.as_ref().map(ValueRef::from)));
    }

    fn added_up(events: &Events, inside: Bounds, kind: Kind) -> Sums {
        let mut sums = Sums::new(inside, kind, true);
        each(events, inside, &mut |at, value| sums.add(at, value));
        sums
    }

    fn follow(mut sums: Sums, now: Bounds, events: &Events) -> Option<Sums> {
        let is_known = sums.follow(now, &mut |inside, visit| each(events, inside, visit));
        is_known.then_some(sums)
    }

    fn kind() -> impl Strategy<Value = Kind> {
        prop::sample::select(vec![Kind::Numbers, Kind::Values, Kind::Units(Unit::Hour, Tz::UTC)])
    }

    proptest! {
        #[test]
        fn what_follows_a_window_is_what_it_holds(
            events in prop::collection::vec((0..40_i64, prop::option::weighted(0.8, value())), 0..40),
            windows in prop::collection::vec((0..40_i64, -3..30_i64), 2..20),
            kind in kind(),
        ) {
            let tens = |tens: i64| tens * 600_000;
            let events: Events = events.into_iter().map(|(at, value)| (tens(at), value)).collect();
            let mut sums = added_up(&events, Bounds::NONE, kind);
            for (lo, length) in windows {
                let now = Bounds { lo: tens(lo), hi: tens(lo + length) };
                let anew = added_up(&events, now, kind);
                sums = follow(sums, now, &events).unwrap_or_else(|| anew.clone());
                prop_assert_eq!((sums.count(), sums.inside()), (anew.count(), anew.inside()));
                if let (What::Numbers(followed), What::Numbers(anew)) = (&sums.what, &anew.what) {
                    prop_assert_eq!(followed, anew);
                }
            }
        }
    }

    #[test]
    fn ends_are_known_until_the_last_of_them_goes() {
        let events: Events = (0..).zip([3, 7, 7, 3, 5].map(|n| Some(Value::from(n)))).collect();
        let greatest = |lo| {
            let sums = added_up(&events, Bounds { lo: 0, hi: 4 }, Kind::Numbers);
            match follow(sums, Bounds { lo, hi: 4 }, &events)?.what {
                What::Numbers(numbers) => numbers.extremes?[1].number,
                _ => None,
            }
        };
        let seven = Number::Int(7);
        assert_eq!([0, 1, 2, 3].map(greatest), [Some((seven, 2)), Some((seven, 2)), Some((seven, 1)), None]);
    }
}
