//! Campaign priority: each user is kept in so many campaigns at most, the highest first.
//!
//! A pure function over bitmaps: no store, no clock.

use std::collections::HashMap;
use std::fmt;

use roaring::RoaringBitmap;

/// What can be read as a set of users.
pub trait Audience {
    /// The users, by their dense ids.
    fn bitmap(&self) -> &RoaringBitmap;
}

impl Audience for RoaringBitmap {
    fn bitmap(&self) -> &RoaringBitmap {
        self
    }
}

impl<A: Audience + ?Sized> Audience for &A {
    fn bitmap(&self) -> &RoaringBitmap {
        (**self).bitmap()
    }
}

/// Why campaigns cannot be settled.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PriorityError {
    /// Each user was to be kept in no campaign at all.
    #[error("each user is to be kept in at most 0 campaigns: expected at least 1")]
    NoneAllowed,
    /// Two campaigns have one name.
    #[error("two campaigns are named {0:?}: expected each name once")]
    DuplicateName(String),
}

/// Keeps each user in at most `per_user` campaigns, the highest first.
///
/// The campaigns come in order of priority, the first the highest, each with its set of users. The time is a few
/// bulk operations on bitmaps for each campaign, however many users there are.
///
/// ```
/// use roaring::RoaringBitmap;
/// use whodid::exclusive;
///
/// let fading = RoaringBitmap::from([1, 2, 3]);
/// let power_users = RoaringBitmap::from([3, 4]);
/// let settled = exclusive([("win_back", &fading), ("upsell", &power_users)], 1)?;
/// assert_eq!(settled.members("win_back"), Some(&fading));
/// assert_eq!(settled.members("upsell"), Some(&RoaringBitmap::from([4])));
/// assert_eq!(settled.taken("win_back", "upsell"), Some(1));
/// assert_eq!(settled.members("newsletter"), None);
/// # Ok::<(), whodid::PriorityError>(())
/// ```
///
/// # Errors
/// `per_user` is 0, or two campaigns have one name.
pub fn exclusive<N: Into<String>, A: Audience>(
    campaigns: impl IntoIterator<Item = (N, A)>,
    per_user: u32,
) -> Result<Exclusive, PriorityError> {
    if per_user == 0 {
        return Err(PriorityError::NoneAllowed);
    }
    let mut settled = Exclusive { campaigns: Vec::new(), by_name: HashMap::new() };
    let mut places = Places::new(per_user);
    for (name, audience) in campaigns {
        let name = name.into();
        if settled.by_name.insert(name.clone(), settled.campaigns.len()).is_some() {
            return Err(PriorityError::DuplicateName(name));
        }
        let members = audience.bitmap() - &places.full;
        let lost = audience.bitmap() & &places.full;
        places.fill(&members);
        settled.campaigns.push(Campaign { name, members, lost });
    }
    Ok(settled)
}

/// How many campaigns each user was kept in so far.
struct Places {
    per_user: u32,
    /// Vertical counters: bit `i` of a user's count is whether the user is in plane `i`. Not kept for one place.
    planes: Vec<RoaringBitmap>,
    /// Users whose count has reached `per_user`.
    full: RoaringBitmap,
}

impl Places {
    fn new(per_user: u32) -> Self {
        Self { per_user, planes: Vec::new(), full: RoaringBitmap::new() }
    }

    /// One place more for each of these users, none of whom is full.
    fn fill(&mut self, users: &RoaringBitmap) {
        if self.per_user == 1 {
            self.full |= users;
            return;
        }
        let mut carry = users.clone();
        for plane in &mut self.planes {
            let next = &*plane & &carry;
            *plane ^= carry;
            carry = next;
        }
        if !carry.is_empty() {
            self.planes.push(carry);
        }
        self.full |= self.at_cap(users);
    }

    /// Those of these users whose count is the cap.
    fn at_cap(&self, users: &RoaringBitmap) -> RoaringBitmap {
        let bits = u32::BITS - self.per_user.leading_zeros();
        if self.planes.len() < bits as usize {
            return RoaringBitmap::new();
        }
        let mut users = users.clone();
        for (i, plane) in self.planes.iter().enumerate() {
            if self.per_user >> i & 1 == 1 {
                users &= plane;
            } else {
                users -= plane;
            }
        }
        users
    }
}

/// Campaigns with the users each keeps, as [`exclusive`] settled them.
#[derive(Clone, Debug, PartialEq)]
pub struct Exclusive {
    campaigns: Vec<Campaign>,
    by_name: HashMap<String, usize>,
}

/// One campaign, settled.
#[derive(Clone, Debug, PartialEq)]
pub struct Campaign {
    name: String,
    members: RoaringBitmap,
    lost: RoaringBitmap,
}

impl Campaign {
    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The users it keeps.
    pub fn members(&self) -> &RoaringBitmap {
        &self.members
    }

    /// The users it was given and does not keep.
    pub fn lost(&self) -> &RoaringBitmap {
        &self.lost
    }

    /// How many of the users that a campaign was given and does not keep are kept here.
    fn took_from(&self, lower: &Self) -> u64 {
        self.members.intersection_len(&lower.lost)
    }
}

impl Exclusive {
    /// The campaigns in order of priority.
    pub fn campaigns(&self) -> &[Campaign] {
        &self.campaigns
    }

    /// The campaign of this name.
    pub fn campaign(&self, name: &str) -> Option<&Campaign> {
        self.campaigns.get(*self.by_name.get(name)?)
    }

    /// The users the campaign of this name keeps; `None` where no campaign has it.
    pub fn members(&self, name: &str) -> Option<&RoaringBitmap> {
        Some(&self.campaign(name)?.members)
    }

    /// How many users the higher campaign took from the lower: users of both that the higher keeps and the lower
    /// does not. A lower campaign takes none from a higher. `None` where a name is unknown.
    pub fn taken(&self, higher: &str, lower: &str) -> Option<u64> {
        Some(self.campaign(higher)?.took_from(self.campaign(lower)?))
    }

    /// For the campaign of this name, every campaign that took users from it and how many, in order of priority;
    /// nothing where no campaign has the name.
    pub fn lost_to(&self, name: &str) -> impl Iterator<Item = (&str, u64)> {
        let rank = self.by_name.get(name).copied().unwrap_or(0);
        let lower = self.campaigns.get(rank);
        let took = move |higher: &Campaign| lower.map_or(0, |lower| higher.took_from(lower));
        let pairs = self.campaigns.iter().take(rank).map(move |higher| (higher.name(), took(higher)));
        pairs.filter(|(_, taken)| *taken > 0)
    }
}

/// A table: each campaign in order of priority, how many it was given, keeps and lost, and to whom.
///
/// ```
/// # use roaring::RoaringBitmap;
/// # use whodid::exclusive;
/// let (fading, power_users) = (RoaringBitmap::from([1, 2, 3]), RoaringBitmap::from([3, 4]));
/// let settled = exclusive([("win_back", fading), ("upsell", power_users)], 1)?;
/// assert_eq!(settled.to_string(), "
/// campaign  given  kept  lost  to
/// win_back      3     3     0
/// upsell        2     1     1  win_back 1
/// ".trim_start());
/// # Ok::<(), whodid::PriorityError>(())
/// ```
impl fmt::Display for Exclusive {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = self.campaigns.iter().map(|campaign| campaign.name.chars().count());
        let name = names.chain(["campaign".len()]).max().unwrap_or(0);
        let given = |campaign: &Campaign| campaign.members.len() + campaign.lost.len();
        let largest = self.campaigns.iter().map(given).max().unwrap_or(0).to_string().len();
        let (wide, narrow) = (largest.max(5), largest.max(4));
        writeln!(
            f,
            "{:name$}  {:>wide$}  {:>narrow$}  {:>narrow$}  to",
            "campaign", "given", "kept", "lost"
        )?;
        for campaign in &self.campaigns {
            let (kept, lost) = (campaign.members.len(), campaign.lost.len());
            write!(f, "{:name$}  {:>wide$}  {kept:>narrow$}  {lost:>narrow$}", campaign.name, kept + lost)?;
            for (i, (higher, taken)) in self.lost_to(&campaign.name).enumerate() {
                write!(f, "{}{higher} {taken}", if i == 0 { "  " } else { ", " })?;
            }
            writeln!(f)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Sets over few users, so that they meet, and over many, so that whole containers do.
    fn campaigns() -> impl Strategy<Value = Vec<(String, RoaringBitmap)>> {
        let few = proptest::collection::vec(0_u32..40, 0..40).prop_map(RoaringBitmap::from_iter);
        let range = (0_u32..200_000, 0_u32..90_000).prop_map(|(start, len)| (start..start + len).collect());
        let set = prop_oneof![8 => few, 1 => range];
        let named =
            |sets: Vec<_>| sets.into_iter().enumerate().map(|(i, set)| (format!("c{i}"), set)).collect();
        proptest::collection::vec(set, 0..12).prop_map(named)
    }

    fn settle(given: &[(String, RoaringBitmap)], per_user: u32) -> Exclusive {
        exclusive(given.iter().map(|(name, set)| (name, set)), per_user).unwrap()
    }

    fn union<'a>(sets: impl IntoIterator<Item = &'a RoaringBitmap>) -> RoaringBitmap {
        sets.into_iter().fold(RoaringBitmap::new(), |all, set| all | set)
    }

    /// The law, one user at a time: the campaigns that keep the user.
    fn kept_in(user: u32, given: &[(String, RoaringBitmap)], per_user: usize) -> Vec<&str> {
        let theirs = given.iter().filter(|(_, set)| set.contains(user));
        theirs.take(per_user).map(|(name, _)| name.as_str()).collect()
    }

    proptest! {
        #[test]
        fn each_user_is_kept_by_the_highest(given in campaigns(), per_user in 1_u32..9) {
            let settled = settle(&given, per_user);
            for user in union(given.iter().map(|(_, set)| set)).iter().step_by(97).chain(0..40) {
                let keeps = |campaign: &&Campaign| campaign.members.contains(user);
                let kept: Vec<_> = settled.campaigns().iter().filter(keeps).map(Campaign::name).collect();
                prop_assert_eq!(kept, kept_in(user, &given, per_user as usize));
            }
        }

        #[test]
        fn with_one_place_campaigns_are_disjoint(given in campaigns()) {
            let settled = settle(&given, 1);
            let kept: u64 = settled.campaigns().iter().map(|campaign| campaign.members.len()).sum();
            prop_assert_eq!(kept, union(settled.campaigns().iter().map(Campaign::members)).len());
        }

        #[test]
        fn the_union_is_preserved(given in campaigns(), per_user in 1_u32..9) {
            let settled = settle(&given, per_user);
            let all = union(given.iter().map(|(_, set)| set));
            prop_assert_eq!(union(settled.campaigns().iter().map(Campaign::members)), all);
            for (campaign, (_, set)) in settled.campaigns().iter().zip(&given) {
                prop_assert!(campaign.members.is_disjoint(&campaign.lost));
                prop_assert_eq!(&(&campaign.members | &campaign.lost), set);
            }
        }

        #[test]
        fn a_lower_campaign_never_matters_to_a_higher(given in campaigns(), per_user in 1_u32..9, cut in 0_usize..12) {
            let cut = cut.min(given.len());
            let (whole, above) = (settle(&given, per_user), settle(&given[..cut], per_user));
            prop_assert_eq!(&whole.campaigns()[..cut], above.campaigns());
        }

        #[test]
        fn taken_is_what_both_had_and_only_the_higher_keeps(given in campaigns(), per_user in 1_u32..4) {
            let settled = settle(&given, per_user);
            for (i, (higher, has)) in given.iter().enumerate() {
                for (j, (lower, had)) in given.iter().enumerate() {
                    let [high, low] = [higher, lower].map(|name| settled.members(name).unwrap());
                    let taken = ((has & had) & high) - low;
                    prop_assert_eq!(settled.taken(higher, lower), Some(taken.len()));
                    prop_assert!(i < j || taken.is_empty());
                }
            }
        }

        #[test]
        fn room_for_all_keeps_all(given in campaigns(), more in 0_u32..3) {
            let settled = settle(&given, (given.len() as u32).max(1) + more);
            prop_assert!(settled.campaigns().iter().all(|campaign| campaign.lost.is_empty()));
        }
    }

    #[test]
    fn the_same_input_gives_the_same_answer_in_any_form() {
        let [a, b] = [RoaringBitmap::from([1, 2]), RoaringBitmap::from([2, 3])];
        let borrowed = exclusive([("a", &a), ("b", &b)], 1).unwrap();
        assert_eq!(exclusive(vec![("a".to_owned(), a), ("b".to_owned(), b)], 1).unwrap(), borrowed);
    }

    #[test]
    fn the_largest_cap_is_a_cap() {
        let set = RoaringBitmap::from([7]);
        let settled = exclusive([("a", &set), ("b", &set)], u32::MAX).unwrap();
        assert_eq!(settled.members("b"), Some(&set));
    }

    #[test]
    fn wrong_input_is_named() {
        let none = RoaringBitmap::new();
        assert_eq!(exclusive([("a", &none)], 0), Err(PriorityError::NoneAllowed));
        let twice = exclusive([("a", &none), ("b", &none), ("a", &none)], 1);
        assert_eq!(twice, Err(PriorityError::DuplicateName("a".into())));
        let settled = exclusive([("a", &none)], 1).unwrap();
        assert_eq!((settled.members("b"), settled.taken("a", "b")), (None, None));
        assert_eq!(settled.lost_to("b").count(), 0);
        let empty = exclusive(Vec::<(String, RoaringBitmap)>::new(), 1).unwrap();
        assert_eq!((empty.campaigns().len(), empty.lost_to("b").count()), (0, 0));
    }
}
