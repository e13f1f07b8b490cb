//! Leaves that count events in a window that ends now: kept by adding and taking away, without asking the store.
//!
//! The events of some names in one window are a *group*, whatever their count must be. An event that happens
//! adds one, one that the window lets go takes one away.

use chrono_tz::Tz;
use foldhash::HashMap;

use super::Question;
use super::marks::{Marks, unit_around};
use crate::plan::bounds::Bounds;
use crate::plan::calendar::Zone;
use crate::plan::exact::whole_counts;
use crate::plan::{Leaf, Plan};
use crate::segment::{EventPattern, Measure, Range};
use crate::store::Snapshot;
use crate::time::{DAY, Span, Unit};
use crate::window::Window;

/// Bits of a tally.
pub(super) const TALLY: u32 = 4;
/// The greatest tally.
pub(super) const MOST: u8 = (1 << TALLY) - 1;

/// Events that are counted together.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Key {
    pub(super) events: Vec<EventPattern>,
    /// `None`: ever; otherwise `Last`.
    pub(super) window: Option<Window>,
    /// Calendar units that hold some are counted, not events; they are shorter than the window.
    pub(super) unit: Option<(Unit, Tz)>,
}

/// A group, and the leaves that its tally decides.
#[derive(Clone, Debug)]
pub(super) struct Group {
    pub(super) key: Key,
    /// Each holds for tallies of this range.
    leaves: Vec<(Question, u8, u8)>,
    /// Bit by bit: whether some leaf holds for this tally and not for the one before, or the other way round.
    turns: u16,
    /// Where units are counted: the place of the marks of its events and units.
    pub(super) marks: Option<u32>,
    /// The numbers of its names, when there were so many names in the store.
    names: (Vec<u32>, usize),
}

/// The groups of a plan; those of the same events lie together.
#[derive(Clone, Debug, Default)]
pub(super) struct Counts {
    groups: Vec<Group>,
    /// By leaf: the group that decides it, and the tallies for which it holds.
    of_leaf: Vec<Option<(u32, u8, u8)>>,
    places: HashMap<Key, u32>,
    /// The events and units of all marks.
    marked: Vec<(Vec<EventPattern>, (Unit, Tz))>,
}

impl Counts {
    pub(super) fn of(plan: &Plan) -> Self {
        let counted = |leaf| counted(leaf).map(|(key, low, high)| (key.clone(), low, high));
        let of_leaf: Vec<Option<(Key, u8, u8)>> = plan.leaves().iter().map(counted).collect();
        let mut keys: Vec<Key> = of_leaf.iter().flatten().map(|(key, ..)| key.clone()).collect();
        keys.sort_by_cached_key(|key| (key.events.clone(), key.unit.is_some(), format!("{key:?}")));
        keys.dedup();
        let places: HashMap<Key, u32> = keys.iter().cloned().zip(0..).collect();
        let mut marked: Vec<(Vec<EventPattern>, (Unit, Tz))> = Vec::new();
        let group = |key: Key| {
            let marks = key.unit.map(|unit| {
                let one = (key.events.clone(), unit);
                let known = marked.iter().position(|have| *have == one);
                let place = known.unwrap_or_else(|| {
                    marked.push(one);
                    marked.len() - 1
                });
                u32::try_from(place).unwrap_or(u32::MAX)
            });
            let names = (Vec::new(), usize::MAX);
            Group { key, leaves: Vec::new(), turns: 0, marks, names }
        };
        let mut groups: Vec<Group> = keys.into_iter().map(group).collect();
        let mut place_of = Vec::with_capacity(of_leaf.len());
        for (leaf, counted) in (0..).zip(of_leaf) {
            let range = counted.and_then(|(key, low, high)| Some((*places.get(&key)?, low, high)));
            place_of.push(range);
            if let Some((place, low, high)) = range {
                groups[place as usize].add(leaf, low, high);
            }
        }
        Self { groups, of_leaf: place_of, places, marked }
    }

    pub(super) fn groups(&self) -> &[Group] {
        &self.groups
    }

    /// The group whose tally decides a leaf.
    pub(super) fn of_leaf(&self, leaf: Question) -> Option<u32> {
        self.range_of(leaf).map(|(group, ..)| group)
    }

    /// The group whose tally decides a leaf, and the tallies for which it holds.
    pub(super) fn range_of(&self, leaf: Question) -> Option<(u32, u8, u8)> {
        self.of_leaf.get(leaf as usize).copied().flatten()
    }

    /// The group of the same events in the same window.
    pub(super) fn place(&self, of: &Group) -> Option<u32> {
        self.places.get(&of.key).copied()
    }

    /// Counts the events of everyone, of the groups that pass: for each group the users who have some, in order, with
    /// their tallies.
    pub(super) fn tally(
        &self,
        store: &Snapshot,
        t: i64,
        wanted: impl Fn(u32) -> bool,
    ) -> Vec<(u32, Vec<(u32, u32)>)> {
        let places: Vec<u32> = (0..).take(self.groups.len()).filter(|place| wanted(*place)).collect();
        let (of_units, of_events): (Vec<u32>, Vec<u32>) =
            places.into_iter().partition(|place| self.groups[*place as usize].key.unit.is_some());
        let mut all = Vec::new();
        for place in of_units {
            let units = self.groups[place as usize].units(store, t);
            let count = |units: &[(u32, i64)]| {
                let count = u32::try_from(units.len()).unwrap_or(u32::MAX);
                units.first().map(|(user, _)| (*user, count))
            };
            all.push((place, units.chunk_by(|a, b| a.0 == b.0).filter_map(count).collect()));
        }
        for of_events in of_events.chunk_by(|a, b| self.events(*a) == self.events(*b)) {
            self.tally_events(store, t, of_events, &mut all);
        }
        all
    }

    /// Counts events of the same names for some groups.
    fn tally_events(&self, store: &Snapshot, t: i64, places: &[u32], all: &mut Vec<(u32, Vec<(u32, u32)>)>) {
        let Some(events) = places.first().map(|place| self.events(*place)) else { return };
        let bounds: Vec<Bounds> = places.iter().map(|place| self.groups[*place as usize].bounds(t)).collect();
        let hull = bounds.iter().copied().fold(Bounds::NONE, Bounds::hull);
        let mut tallies = vec![0_u32; store.user_numbers() * places.len()];
        store.scan_events(events, hull, &mut |at, user| {
            let first = user as usize * places.len();
            let of_user = tallies.get_mut(first..first + places.len()).unwrap_or_default();
            for (tally, _) in of_user.iter_mut().zip(&bounds).filter(|(_, bounds)| bounds.contains(at)) {
                *tally = tally.saturating_add(1);
            }
        });
        for (i, place) in places.iter().enumerate() {
            let of_group = (0..).zip(tallies.iter().skip(i).step_by(places.len()).copied());
            all.push((*place, of_group.filter(|(_, tally)| *tally > 0).collect()));
        }
    }

    /// Who has had an event in the latest units.
    pub(super) fn mark_all(&self, store: &Snapshot, t: i64) -> Vec<Marks> {
        let read = |(events, unit): &(Vec<EventPattern>, (Unit, Tz))| {
            let mut marks = Marks::new(*unit, t);
            let inside = Bounds { lo: marks.start(), hi: t };
            store.events_between(events, inside, &mut |at, user, _| _ = marks.mark(user, at));
            marks
        };
        self.marked.iter().map(read).collect()
    }

    fn events(&self, place: u32) -> &[EventPattern] {
        self.groups.get(place as usize).map_or(&[], |group| &group.key.events)
    }

    /// The instants of the unit about an instant that lie in the window at `t`.
    pub(super) fn of_unit(&self, place: u32, at: i64, t: i64) -> Bounds {
        let group = self.groups.get(place as usize);
        let unit = group.and_then(|group| Some((group.bounds(t), group.key.unit?)));
        unit.map_or(Bounds::NONE, |(bounds, (unit, tz))| {
            let (start, end) = unit_around(unit, tz, at);
            bounds.and(Bounds { lo: start, hi: end - 1 })
        })
    }

    /// Whether two groups are about the same events.
    pub(super) fn are_alike(&self, a: u32, b: u32) -> bool {
        self.events(a) == self.events(b)
    }

    /// Whether a user has one event inside, and no more.
    pub(super) fn is_alone(&mut self, place: u32, (store, user): (&Snapshot, u32), inside: Bounds) -> bool {
        let group = self.groups.get_mut(place as usize);
        group.is_some_and(|group| store.count_up_to(group.names(store), user, inside, 2) < 2)
    }

    /// Counts the events of a user anew.
    pub(super) fn again(&mut self, place: u32, (store, user, t): (&Snapshot, u32, i64)) -> u32 {
        let Some(group) = self.groups.get_mut(place as usize) else { return 0 };
        let bounds = group.bounds(t);
        let unit = group.key.unit;
        let names = group.names(store);
        let count = match unit {
            None => store.count_up_to(names, user, bounds, usize::MAX),
            Some((unit, tz)) => {
                let mut at = Vec::new();
                names.iter().for_each(|name| store.instants_of(*name, user, bounds, &mut at));
                let mut units = Zone::of(tz).units(unit);
                at.iter_mut().for_each(|at| *at = units.of(*at));
                at.sort_unstable();
                at.dedup();
                at.len()
            }
        };
        u32::try_from(count).unwrap_or(u32::MAX)
    }
}

impl Group {
    fn add(&mut self, leaf: Question, low: u8, high: u8) {
        self.leaves.push((leaf, low, high));
        let holds = |tally: u8| low <= tally && tally <= high;
        for tally in (1..=MOST).filter(|tally| holds(*tally) != holds(tally - 1)) {
            self.turns |= 1 << tally;
        }
    }

    /// The numbers of its names.
    fn names(&mut self, store: &Snapshot) -> &[u32] {
        if self.names.1 != store.name_count() {
            self.names = store.names_matching(&self.key.events);
        }
        &self.names.0
    }

    /// Each user with each unit that holds some of its events, in order.
    fn units(&self, store: &Snapshot, t: i64) -> Vec<(u32, i64)> {
        let Some((unit, tz)) = self.key.unit else { return Vec::new() };
        let mut units = Zone::of(tz).units(unit);
        let mut found = Vec::new();
        store.scan_events(&self.key.events, self.bounds(t), &mut |at, user| {
            let one = (user, units.of(at));
            if found.last() != Some(&one) {
                found.push(one);
            }
        });
        found.sort_unstable();
        found.dedup();
        found
    }

    /// The instants of the window.
    pub(super) fn bounds(&self, t: i64) -> Bounds {
        Bounds::of_facts(self.key.window.as_ref(), t, None)
    }

    /// The leaves that hold for one tally and not for the other.
    pub(super) fn turned(&self, before: u8, after: u8) -> impl Iterator<Item = Question> {
        let (low, high) = (before.min(after), before.max(after));
        // The bits behind that of the lower, up to that of the higher.
        let between = (2_u32 << high) - (2_u32 << low);
        let leaves = if u32::from(self.turns) & between == 0 { &[][..] } else { &self.leaves };
        leaves.iter().filter_map(move |(leaf, low, high)| {
            let holds = |tally: u8| *low <= tally && tally <= *high;
            (holds(before) != holds(after)).then_some(*leaf)
        })
    }
}

/// The group of a leaf, where tallies decide it.
pub(super) fn key_of(leaf: &Leaf) -> Option<Key> {
    counted(leaf).map(|(key, ..)| key)
}

/// The group of a leaf, and the tallies for which it holds; `None` where tallies cannot decide it.
fn counted(leaf: &Leaf) -> Option<(Key, u8, u8)> {
    let Leaf::Did(behaviour) = leaf else { return None };
    if behaviour.matcher.filter().is_some() || behaviour.same.is_some() || leaf.anchor().is_some() {
        return None;
    }
    let window = behaviour.scope.window();
    let (unit, range) = match (&behaviour.measure, window) {
        (Measure::Times(range), None | Some(Window::Last(_))) => (None, range),
        (Measure::Active { unit, tz, range }, Some(Window::Last(span))) if is_longer(*span, *unit) => {
            (Some((*unit, *tz)), range)
        }
        _ => return None,
    };
    let (low, high) = tallies_in(range)?;
    let key = Key { events: behaviour.matcher.events().to_vec(), window: window.cloned(), unit };
    Some((key, low, high))
}

/// Whether a span is surely longer than any unit, also one that some zone repeats.
fn is_longer(span: Span, unit: Unit) -> bool {
    let days = match unit {
        Unit::Day => 3,
        Unit::Week => 10,
        Unit::Month => 35,
        _ => return false,
    };
    let least = i64::try_from(span.millis).unwrap_or(i64::MAX) / DAY + span.all_months().saturating_mul(28);
    least >= days
}

/// The tallies of a range; `None` where it has bounds that no tally tells apart.
fn tallies_in(range: &Range) -> Option<(u8, u8)> {
    let (low, high) = whole_counts(range)?;
    let low = u8::try_from(low).ok().filter(|low| *low <= MOST)?;
    let high = match high {
        None => MOST,
        Some(high) => u8::try_from(high).ok().filter(|high| *high < MOST)?,
    };
    Some((low, high))
}
