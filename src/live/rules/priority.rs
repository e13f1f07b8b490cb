//! Priority exclusion, applied as users come and go.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::{Rule, Signal};
use crate::live::Movement;
use crate::priority::PriorityError;

/// Keeps each user in at most so many campaigns, the highest first, while it enters and leaves their segments:
/// [`exclusive`](crate::exclusive), live.
///
/// One who enters a higher campaign is taken over: it leaves the lowest of those that kept it, where they are
/// too many. One who leaves a campaign enters the next lower one that wants it. Segments that are no campaign
/// pass through.
///
/// It knows what it was told: members that an engine has from the beginning are told to it first, as signals.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LiveExclusion {
    /// The highest first.
    campaigns: Vec<String>,
    per_user: u32,
    /// The campaigns whose segment each user is in, by rank.
    wanted: BTreeMap<String, BTreeSet<usize>>,
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
        let campaigns: Vec<String> = campaigns.into_iter().map(Into::into).collect();
        if per_user == 0 {
            return Err(PriorityError::NoneAllowed);
        }
        let mut names = BTreeSet::new();
        if let Some(twice) = campaigns.iter().find(|name| !names.insert(*name)) {
            return Err(PriorityError::DuplicateName(twice.clone()));
        }
        Ok(Self { campaigns, per_user, wanted: BTreeMap::new() })
    }

    /// The campaigns that keep a user, the highest first.
    pub fn kept(&self, id: &str) -> impl Iterator<Item = &str> {
        let ranks = self.wanted.get(id).into_iter().flatten().take(self.per_user as usize);
        ranks.filter_map(|rank| self.campaigns.get(*rank)).map(String::as_str)
    }
}

impl Rule for LiveExclusion {
    fn take(&mut self, signal: Signal) -> Vec<Signal> {
        let Some(rank) = self.campaigns.iter().position(|name| *name == signal.segment) else {
            return vec![signal];
        };
        let before: BTreeSet<String> = self.kept(&signal.id).map(str::to_owned).collect();
        let wanted = self.wanted.entry(signal.id.clone()).or_default();
        if signal.is_entry() {
            wanted.insert(rank)
        } else {
            wanted.remove(&rank)
        };
        if wanted.is_empty() {
            self.wanted.remove(&signal.id);
        }
        let after: BTreeSet<String> = self.kept(&signal.id).map(str::to_owned).collect();
        let moved =
            |segment: &String, movement| Signal { segment: segment.clone(), movement, ..signal.clone() };
        let left = before.difference(&after).map(|segment| moved(segment, Movement::Left));
        let entered = after.difference(&before).map(|segment| moved(segment, Movement::Entered));
        left.chain(entered).collect()
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

    proptest! {
        #[test]
        fn at_every_step_users_are_where_the_pure_function_keeps_them(
            steps in prop::collection::vec((0..4_usize, 0..3_u32), 0..60), per_user in 1..4_u32,
        ) {
            let names = ["a", "b", "c", "d"];
            let mut inside = vec![RoaringBitmap::new(); 4];
            let mut kept = vec![RoaringBitmap::new(); 4];
            let mut rule = LiveExclusion::new(names, per_user).unwrap();
            for (minute, (campaign, user)) in steps.into_iter().enumerate() {
                let is_in = !inside[campaign].contains(user);
                let movement = if is_in { Movement::Entered } else { Movement::Left };
                if is_in { inside[campaign].insert(user) } else { inside[campaign].remove(user) };
                let at = super::super::tests::at(minute as i64);
                for signal in rule.take(Signal::new(names[campaign], user.to_string(), movement, at)) {
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
