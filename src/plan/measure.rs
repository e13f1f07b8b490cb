//! Measures: the exact number of a user, and the behaviours that hold such a number against a range.

use std::hash::{Hash, Hasher};
use std::ops::Bound;

use foldhash::HashMap;

use super::PlanError;
use super::bounds::Bounds;
use super::calendar::Zone;
use super::exact::{ExactSum, is_in};
use super::facts::{Hit, UserFacts, inside};
use super::matcher::{Matcher, Scope, ScopeAt};
use super::test::{BoundTest, CompiledTest};
use super::value_ref::{DistinctSet, ScalarRef};
use crate::json::Path;
use crate::segment::{self, Did, Earned, Measured, Points, Quantity, Range, Score, Segment, outline};
use crate::value::Number;

/// A measured number, ready to be asked: of events that match, inside a window.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Measure {
    pub(crate) matcher: Matcher,
    pub(crate) scope: Scope,
    pub(crate) quantity: Quantity,
}

/// An end of what a user did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    First,
    Latest,
}

/// A behaviour, ready to be asked.
#[derive(Clone, Debug)]
pub struct Behaviour {
    pub(crate) matcher: Matcher,
    pub(crate) scope: Scope,
    pub(crate) measure: segment::Measure,
    pub(crate) same: Option<String>,
    /// Of `first_value` and `latest_value`.
    test: Option<CompiledTest>,
}

/// Behaviours are equal when what was written is.
impl PartialEq for Behaviour {
    fn eq(&self, other: &Self) -> bool {
        self.written() == other.written()
    }
}

impl Eq for Behaviour {}

impl Hash for Behaviour {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.written().hash(state);
    }
}

impl Measure {
    pub(crate) fn new(written: &Measured) -> Result<Self, regex::Error> {
        Ok(Self {
            matcher: Matcher::new(&written.events)?,
            scope: Scope::new(written.window.as_ref())?,
            quantity: written.quantity.clone(),
        })
    }

    /// The measure of what is written, once it is found valid.
    pub(crate) fn valid(written: &Measured) -> Result<Self, PlanError> {
        let range = Range { low: Bound::Included(Number::Int(0)), high: Bound::Unbounded };
        let points = Points { points: 1, earned: Earned::Per(written.clone()) };
        outline(&Segment::Score(Score { of: vec![points], range }), &Path::ROOT)?;
        Self::new(written).map_err(super::bad_pattern)
    }

    /// Which events.
    pub fn matcher(&self) -> &Matcher {
        &self.matcher
    }

    /// When.
    pub fn scope(&self) -> &Scope {
        &self.scope
    }

    /// What is measured.
    pub fn quantity(&self) -> &Quantity {
        &self.quantity
    }

    /// The property whose value is measured.
    pub(crate) fn of(&self) -> Option<&str> {
        match &self.quantity {
            Quantity::Sum(of) | Quantity::Distinct(of) => Some(of),
            Quantity::Times | Quantity::Active { .. } => None,
        }
    }

    pub(crate) fn at(&self, t: i64) -> MeasureAt<'_> {
        MeasureAt { measure: self, scope: self.scope.at(t) }
    }
}

/// A [`Measure`] at one `T`.
#[derive(Clone, Debug)]
pub(crate) struct MeasureAt<'p> {
    pub(crate) measure: &'p Measure,
    pub(crate) scope: ScopeAt<'p>,
}

impl MeasureAt<'_> {
    /// The instants of events that can matter for some user.
    pub(crate) fn reach(&self) -> Bounds {
        self.scope.reach()
    }

    /// The number: 0 where nothing matches or the user has no anchor.
    pub(crate) fn number(&self, facts: &UserFacts<'_>) -> ExactSum {
        let Some(bounds) = self.scope.bounds(facts.anchor) else { return ExactSum::ZERO };
        let hits = inside(facts.hits, bounds);
        let mut number = ExactSum::ZERO;
        match &self.measure.quantity {
            Quantity::Times => number.add_counted(1, hits.len() as u64),
            Quantity::Sum(_) => numbers(hits).for_each(|n| number.add(n)),
            Quantity::Distinct(_) => number.add_counted(1, distinct(hits)),
            Quantity::Active { unit, tz } => {
                number.add_counted(1, active(hits, Zone::of(*tz).units(*unit), u64::MAX));
            }
        }
        number
    }
}

impl Behaviour {
    pub(crate) fn new(written: &Did) -> Result<Self, regex::Error> {
        use segment::Measure as M;
        let window = match &written.measure {
            M::First(window) | M::Latest(window) => Some(window),
            _ => written.window.as_ref(),
        };
        let test = match &written.measure {
            M::FirstValue { test, .. } | M::LatestValue { test, .. } => Some(CompiledTest::new(test)?),
            _ => None,
        };
        Ok(Self {
            matcher: Matcher::new(&written.events)?,
            scope: Scope::new(window)?,
            measure: written.measure.clone(),
            same: written.same.clone(),
            test,
        })
    }

    fn written(&self) -> (&Matcher, &Scope, &segment::Measure, &Option<String>) {
        (&self.matcher, &self.scope, &self.measure, &self.same)
    }

    /// Which events.
    pub fn matcher(&self) -> &Matcher {
        &self.matcher
    }

    /// When; of `first` and `latest` the window that the one event must lie in.
    pub fn scope(&self) -> &Scope {
        &self.scope
    }

    /// What is measured, and what it must be.
    pub fn measure(&self) -> &segment::Measure {
        &self.measure
    }

    /// The property whose values take the events apart.
    pub fn same(&self) -> Option<&str> {
        self.same.as_deref()
    }

    /// The property whose value is measured or tested.
    pub(crate) fn of(&self) -> Option<&str> {
        use segment::Measure as M;
        match &self.measure {
            M::Sum { of, .. }
            | M::Avg { of, .. }
            | M::Min { of, .. }
            | M::Max { of, .. }
            | M::Distinct { of, .. }
            | M::FirstValue { of, .. }
            | M::LatestValue { of, .. } => Some(of),
            M::Times(_) | M::Active { .. } | M::First(_) | M::Latest(_) => None,
        }
    }

    /// The property whose value is tested, with the test.
    pub(crate) fn tested(&self) -> Option<(&str, &CompiledTest)> {
        self.of().zip(self.test.as_ref())
    }

    /// Whether one event of a user's, the first or the most recent of all, decides.
    pub(crate) fn looks_at_all_time(&self) -> bool {
        matches!(self.measure, segment::Measure::First(_) | segment::Measure::Latest(_))
    }

    /// At which end the one event lies that decides, where one does.
    pub(crate) fn decided_by(&self) -> Option<End> {
        use segment::Measure as M;
        match self.measure {
            M::First(_) | M::FirstValue { .. } => Some(End::First),
            M::Latest(_) | M::LatestValue { .. } => Some(End::Latest),
            _ => None,
        }
    }

    pub(crate) fn at(&self, t: i64) -> BehaviourAt<'_> {
        BehaviourAt {
            behaviour: self,
            t,
            scope: self.scope.at(t),
            test: self.test.as_ref().map(|test| test.at(t)),
        }
    }
}

/// A [`Behaviour`] at one `T`.
#[derive(Clone, Debug)]
pub(crate) struct BehaviourAt<'p> {
    pub(crate) behaviour: &'p Behaviour,
    t: i64,
    pub(crate) scope: ScopeAt<'p>,
    test: Option<BoundTest<'p>>,
}

impl BehaviourAt<'_> {
    /// The instants of events that can matter for some user.
    pub(crate) fn reach(&self) -> Bounds {
        if self.behaviour.looks_at_all_time() {
            Bounds { lo: i64::MIN, hi: self.t }
        } else {
            self.scope.reach()
        }
    }

    /// Those that can matter for a user of that anchor.
    pub(crate) fn reach_of(&self, anchor: Option<i64>) -> Bounds {
        if self.behaviour.looks_at_all_time() { self.reach() } else { self.scope.reach_of(anchor) }
    }

    pub(crate) fn holds(&self, facts: &UserFacts<'_>) -> bool {
        let Some(bounds) = self.scope.bounds(facts.anchor) else { return false };
        if self.behaviour.looks_at_all_time() {
            let known = inside(facts.hits, Bounds { lo: i64::MIN, hi: self.t });
            let only = match self.behaviour.measure {
                segment::Measure::First(_) => known.first(),
                _ => known.last(),
            };
            return only.is_some_and(|hit| bounds.contains(hit.at));
        }
        let hits = inside(facts.hits, bounds);
        match self.behaviour.same {
            None => self.is_met(hits),
            Some(_) => groups(hits).into_values().any(|hits| self.is_met(&hits)),
        }
    }

    /// Whether the answer stays what it is by these events, which are all at one end, whichever lie behind them.
    pub(crate) fn is_decided(&self, facts: &UserFacts<'_>, known: End) -> bool {
        self.behaviour.decided_by() == Some(known)
            && !inside(facts.hits, self.reach_of(facts.anchor)).is_empty()
    }

    /// Whether the measure of these events is what it must be.
    fn is_met(&self, hits: &[Hit<'_>]) -> bool {
        use segment::Measure as M;
        match &self.behaviour.measure {
            M::Times(range) => count_is_in(hits.len() as u64, range),
            M::Distinct { range, .. } => count_is_in(distinct(hits), range),
            M::Active { unit, tz, range } => {
                count_is_in(active(hits, Zone::of(*tz).units(*unit), enough(range)), range)
            }
            M::Sum { range, .. } => sum(hits).0.is_in(range),
            M::Avg { range, .. } => {
                let (sum, count) = sum(hits);
                count > 0 && sum.mean_is_in(count, range)
            }
            M::Min { range, .. } => numbers(hits).min().is_some_and(|n| is_in(range, |bound| n.cmp(&bound))),
            M::Max { range, .. } => numbers(hits).max().is_some_and(|n| is_in(range, |bound| n.cmp(&bound))),
            M::FirstValue { .. } => self.passes(hits.first()),
            M::LatestValue { .. } => self.passes(hits.last()),
            M::First(_) | M::Latest(_) => false, // decided before
        }
    }

    fn passes(&self, hit: Option<&Hit<'_>>) -> bool {
        hit.zip(self.test.as_ref()).is_some_and(|(hit, test)| test.passes(hit.value))
    }
}

/// The hits taken apart by the property of `same`; those without it are left out.
fn groups<'a>(hits: &[Hit<'a>]) -> HashMap<ScalarRef<'a>, Vec<Hit<'a>>> {
    let mut groups: HashMap<_, Vec<_>> = HashMap::default();
    for hit in hits {
        if let Some(group) = hit.group {
            groups.entry(group).or_default().push(*hit);
        }
    }
    groups
}

fn numbers<'h>(hits: &'h [Hit<'_>]) -> impl Iterator<Item = Number> + 'h {
    hits.iter().filter_map(|hit| hit.value?.number())
}

/// The sum of the numbers, and how many there are.
fn sum(hits: &[Hit<'_>]) -> (ExactSum, u64) {
    let (mut sum, mut count) = (ExactSum::ZERO, 0);
    for n in numbers(hits) {
        sum.add(n);
        count += 1;
    }
    (sum, count)
}

fn distinct(hits: &[Hit<'_>]) -> u64 {
    let mut seen = DistinctSet::default();
    hits.iter().filter_map(|hit| hit.value).for_each(|value| seen.insert(value));
    seen.len()
}

/// How many units hold a hit, at most `enough`: units never run backwards, so a new one differs from the last.
fn active(hits: &[Hit<'_>], mut units: super::calendar::Units, enough: u64) -> u64 {
    let (mut last, mut count) = (None, 0);
    for hit in hits {
        let unit = Some(units.of(hit.at));
        count += u64::from(unit != last);
        last = unit;
        if count >= enough {
            break;
        }
    }
    count
}

pub(crate) fn count_is_in(count: u64, range: &Range) -> bool {
    let count = Number::Int(i64::try_from(count).unwrap_or(i64::MAX));
    is_in(range, |bound| count.cmp(&bound))
}

/// The count from which on the outcome no longer changes.
fn enough(range: &Range) -> u64 {
    let last = match (range.low, range.high) {
        (Bound::Included(n) | Bound::Excluded(n), Bound::Unbounded) => n,
        (_, Bound::Included(n) | Bound::Excluded(n)) => n,
        (Bound::Unbounded, Bound::Unbounded) => return 0,
    };
    let Some(last) = last.as_i64() else { return u64::MAX };
    u64::try_from(last).unwrap_or(0).saturating_add(1)
}
