//! Priority exclusion, applied as users come and go.

use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZeroU32;

use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize};

use super::{Rule, Signal, just_before};
use crate::live::Movement;
use crate::priority::PriorityError;
use crate::time::Timestamp;

/// Keeps each user in at most so many campaigns, the highest first, while it enters and leaves their segments:
/// [`exclusive`](crate::exclusive), live.
///
/// One who enters a higher campaign is taken over: it leaves the lowest of those that kept it, where they are
/// too many. One who leaves a campaign enters the next lower one that wants it. What happens in one instant counts as
/// a whole, so that nobody enters a campaign only to be taken over by another at once: it is handed on when a later
/// signal comes, or by [`Rule::pass`], to be called when the transitions of an instant are all told. Segments that are
/// no campaign pass through.
///
/// It knows what it was told: members that an engine has from the beginning are told to it first, as signals.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LiveExclusion {
    /// The highest first, each once.
    #[serde(deserialize_with = "each_once")]
    campaigns: Vec<String>,
    per_user: NonZeroU32,
    /// The campaigns whose segment each user is in, by rank.
    #[serde(default)]
    wanted: BTreeMap<String, BTreeSet<usize>>,
    /// The instant that is being told, and of those concerned the ranks that kept them before it.
    #[serde(default)]
    telling: Option<(Timestamp, BTreeMap<String, BTreeSet<usize>>)>,
}

impl LiveExclusion {
    /// Campaigns by the names of their segments, the highest first.
    ///
    /// # Errors
    /// `per_user` is 0, or a name comes twice.
    pub fn new(
        campaigns: impl IntoIterator<Item = impl Into<String>>,
        per_user: u32,
    ) -> Result<Self, PriorityError> {
        let per_user = NonZeroU32::new(per_user).ok_or(PriorityError::NoneAllowed)?;
        let campaigns = distinct(campaigns.into_iter().map(Into::into).collect())?;
        Ok(Self { campaigns, per_user, wanted: BTreeMap::new(), telling: None })
    }

    /// The campaigns that keep a user, the highest first.
    pub fn kept(&self, id: &str) -> impl Iterator<Item = &str> {
        self.ranks(id).filter_map(|rank| self.campaigns.get(rank)).map(String::as_str)
    }

    fn ranks(&self, id: &str) -> impl Iterator<Item = usize> {
        let wanted = self.wanted.get(id).into_iter().flatten().copied();
        wanted.filter(|rank| *rank < self.campaigns.len()).take(self.per_user.get() as usize)
    }

    /// Hands on what the instant that was told has changed.
    fn settle(&mut self) -> Vec<Signal> {
        let Some((at, told)) = self.telling.take() else { return Vec::new() };
        let mut ready = Vec::new();
        for (id, before) in told {
            let after: BTreeSet<usize> = self.ranks(&id).collect();
            let moves = [(&before, &after, Movement::Left), (&after, &before, Movement::Entered)];
            for (some, others, movement) in moves {
                let campaigns = some.difference(others).filter_map(|rank| self.campaigns.get(*rank));
                ready.extend(campaigns.map(|campaign| Signal::new(campaign, &*id, movement, at)));
            }
        }
        ready
    }
}

fn distinct(campaigns: Vec<String>) -> Result<Vec<String>, PriorityError> {
    let mut names = BTreeSet::new();
    match campaigns.iter().find(|name| !names.insert(*name)) {
        Some(twice) => Err(PriorityError::DuplicateName(twice.clone())),
        None => Ok(campaigns),
    }
}

fn each_once<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    distinct(Vec::deserialize(deserializer)?).map_err(D::Error::custom)
}

impl Rule for LiveExclusion {
    fn take(&mut self, signal: Signal) -> Vec<Signal> {
        let mut ready = self.pass(just_before(signal.at));
        let Some(rank) = self.campaigns.iter().position(|name| *name == signal.segment) else {
            ready.push(signal);
            return ready;
        };
        let before = self.ranks(&signal.id).collect();
        let (_, told) = self.telling.get_or_insert((signal.at, BTreeMap::new()));
        told.entry(signal.id.clone()).or_insert(before);
        let wanted = self.wanted.entry(signal.id.clone()).or_default();
        if signal.is_entry() {
            wanted.insert(rank)
        } else {
            wanted.remove(&rank)
        };
        if wanted.is_empty() {
            self.wanted.remove(&signal.id);
        }
        ready
    }

    fn pass(&mut self, to: Timestamp) -> Vec<Signal> {
        if self.telling.as_ref().is_some_and(|(at, _)| *at <= to) { self.settle() } else { Vec::new() }
    }

    fn wake(&self) -> Option<Timestamp> {
        self.telling.as_ref().map(|(at, _)| *at)
    }

    fn forget(&mut self, id: &str) {
        self.wanted.remove(id);
        self.telling.iter_mut().for_each(|(_, told)| _ = told.remove(id));
    }

    /// Whatever kept either kept the one who was both.
    fn merge(&mut self, from: &str, into: &str, at: Timestamp) -> Vec<Signal> {
        let ready = self.pass(just_before(at));
        let kept: [BTreeSet<usize>; 2] = [from, into].map(|id| self.ranks(id).collect());
        let (_, told) = self.telling.get_or_insert((at, BTreeMap::new()));
        let [theirs, own] = kept;
        let theirs = told.remove(from).unwrap_or(theirs);
        told.entry(into.to_owned()).or_insert(own).extend(theirs);
        if let Some(wanted) = self.wanted.remove(from) {
            self.wanted.entry(into.to_owned()).or_default().extend(wanted);
        }
        ready
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{entered, left, run};
    use super::*;
    use crate::exclusive;
    use proptest::prelude::*;
    use roaring::RoaringBitmap;

    #[test]
    fn a_higher_campaign_takes_users_over_and_gives_them_back() {
        let mut rule = LiveExclusion::new(["high", "low"], 1).unwrap();
        let signals =
            [entered("low", 0), entered("high", 1), entered("other", 2), left("high", 3), left("low", 4)];
        let passed = [
            entered("low", 0),
            left("low", 1),
            entered("high", 1),
            entered("other", 2),
            left("high", 3),
            entered("low", 3),
            left("low", 4),
        ];
        assert_eq!(run(&mut rule, &signals), passed);
        assert!(LiveExclusion::new(["a", "a"], 1).is_err() && LiveExclusion::new(["a"], 0).is_err());
    }

    #[test]
    fn nobody_enters_a_campaign_only_to_leave_it_at_once() {
        let mut rule = LiveExclusion::new(["high", "low"], 1).unwrap();
        let signals = [entered("low", 0), entered("high", 0), left("high", 1), left("low", 1)];
        assert_eq!(run(&mut rule, &signals), [entered("high", 0), left("high", 1)]);
        // From one to the other, whichever is told first.
        let signals =
            [entered("high", 2), left("high", 3), entered("low", 3), left("low", 4), entered("high", 4)];
        let passed =
            [entered("high", 2), left("high", 3), entered("low", 3), left("low", 4), entered("high", 4)];
        assert_eq!(run(&mut rule, &signals), passed);
    }

    proptest! {
        #[test]
        fn at_every_step_users_are_where_the_pure_function_keeps_them(
            steps in prop::collection::vec((0..4_usize, 0..3_u32, any::<bool>()), 0..60), per_user in 1..4_u32,
        ) {
            let names = ["a", "b", "c", "d"];
            let mut inside = vec![RoaringBitmap::new(); 4];
            let mut kept = vec![RoaringBitmap::new(); 4];
            let mut rule = LiveExclusion::new(names, per_user).unwrap();
            let mut minute = 0;
            for (campaign, user, passes) in steps {
                let is_in = !inside[campaign].contains(user);
                let movement = if is_in { Movement::Entered } else { Movement::Left };
                if is_in { inside[campaign].insert(user) } else { inside[campaign].remove(user) };
                let at = super::super::tests::at(minute);
                let none = rule.take(Signal::new(names[campaign], user.to_string(), movement, at));
                prop_assert_eq!(none, []);
                if !passes {
                    continue;
                }
                minute += 1;
                let mut moved = BTreeSet::new();
                for signal in rule.pass(at) {
                    prop_assert!(moved.insert((signal.segment.clone(), signal.id.clone())), "{:?} twice", signal);
                    let place = names.iter().position(|name| *name == signal.segment).unwrap();
                    let user = signal.id.parse().unwrap();
                    let changed = match signal.movement {
                        Movement::Entered => kept[place].insert(user),
                        Movement::Left => kept[place].remove(user),
                    };
                    prop_assert!(changed, "{:?} changes nothing", signal);
                }
                let settled = exclusive(names.into_iter().zip(&inside), per_user).unwrap();
                for (name, kept) in names.iter().zip(&kept) {
                    prop_assert_eq!(settled.members(name), Some(kept));
                }
            }
        }
    }
}
