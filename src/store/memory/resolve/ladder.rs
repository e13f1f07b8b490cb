//! Users in the order of their instants, with the set of all before every so many: the users of a stretch of time are
//! the difference of two such sets and a few thousand users to set right, whatever the number of users.

use super::super::kernel;
use crate::limits::SMALL;

/// Users between two steps.
const STEP: usize = if SMALL { 8 } else { 1 << 15 };
/// Below so many users comparing all of them is as quick.
pub(super) const WORTH: usize = if SMALL { 4 } else { 1 << 14 };

/// The place of a user who is gone.
const GONE: u32 = u32::MAX;

#[derive(Clone, Debug)]
pub(super) struct Ladder {
    /// By unit: how many users have an earlier one.
    starts: Vec<u32>,
    /// The users by unit.
    order: Vec<u32>,
    /// The first users in that order: after every [`STEP`] of them, and all.
    steps: Vec<Vec<u64>>,
}

impl Ladder {
    /// Of users and their units; sets have so many words.
    pub(super) fn new(units: impl Iterator<Item = (u32, u16)> + Clone, words: usize) -> Self {
        let mut starts = vec![0u32; (1 << 16) + 1];
        units.clone().for_each(|(_, unit)| starts[usize::from(unit) + 1] += 1);
        let mut sum = 0;
        for start in &mut starts {
            sum += *start;
            *start = sum;
        }
        let (mut order, mut next) = (vec![0; sum as usize], starts.clone());
        for (user, unit) in units {
            let place = &mut next[usize::from(unit)];
            order[*place as usize] = user;
            *place += 1;
        }
        let mut set = vec![0u64; words];
        let step = |users: &[u32]| {
            flip(&mut set, users);
            set.clone()
        };
        let steps = order.chunks(STEP).map(step).collect();
        Self { starts, order, steps }
    }

    /// Those whose unit lies in a range, both ends included.
    pub(super) fn within(&self, low: u16, high: u16, words: &mut [u64]) {
        self.first(self.starts[usize::from(high) + 1] as usize, words);
        self.first(self.starts[usize::from(low)] as usize, words);
    }

    /// Takes out, or puts in, the first so many users.
    fn first(&self, users: usize, words: &mut [u64]) {
        let (below, above) = (users / STEP, users.div_ceil(STEP));
        let (from_below, from_above) = (users - below * STEP, self.order.len().min(above * STEP) - users);
        let (steps, others) = if from_below <= from_above {
            (below, &self.order[below * STEP..users])
        } else {
            (above, &self.order[users..users + from_above])
        };
        if let Some(step) = steps.checked_sub(1).and_then(|i| self.steps.get(i)) {
            kernel::xor(words, step);
        }
        flip(words, others);
    }

    /// The users of a unit.
    pub(super) fn of(&self, unit: u16) -> impl Iterator<Item = u32> {
        let (from, until) = (self.starts[usize::from(unit)], self.starts[usize::from(unit) + 1]);
        self.order[from as usize..until as usize].iter().copied().filter(|user| *user != GONE)
    }

    /// Lets a user, whose unit this is, go.
    pub(super) fn erase(&mut self, user: u32, unit: u16) {
        let (from, until) = (self.starts[usize::from(unit)], self.starts[usize::from(unit) + 1]);
        let of_unit = &mut self.order[from as usize..until as usize];
        if let Some(place) = of_unit.iter_mut().find(|of| **of == user) {
            *place = GONE;
            for words in &mut self.steps {
                if let Some(word) = words.get_mut(user as usize / 64) {
                    *word &= !(1 << (user % 64));
                }
            }
        }
    }

    pub(super) fn memory(&self) -> usize {
        let steps: usize = self.steps.iter().map(|step| step.capacity() * 8 + 24).sum();
        (self.starts.capacity() + self.order.capacity()) * 4 + steps
    }
}

/// Changes the bits of users; one who is gone has none.
fn flip(words: &mut [u64], users: &[u32]) {
    for &user in users {
        if let Some(word) = words.get_mut(user as usize / 64) {
            *word ^= 1 << (user % 64);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stretches_are_those_of_the_obvious_loop() {
        let unit = |user: u32| u16::try_from(user * 7919 % 30).unwrap();
        let users = || (0..100u32).filter(|user| user % 3 > 0);
        let mut ladder = Ladder::new(users().map(|user| (user, unit(user))), 2);
        let mut gone = Vec::new();
        for erased in [None, Some(1), Some(50), Some(98), Some(3)] {
            if let Some(user) = erased {
                ladder.erase(user, unit(user));
                gone.push(user);
            }
            for low in 0..30 {
                for high in low..30 {
                    let mut words = [0; 2];
                    ladder.within(low, high, &mut words);
                    let mut want = [0u64; 2];
                    let inside = |user: &u32| (low..=high).contains(&unit(*user)) && !gone.contains(user);
                    users().filter(inside).for_each(|user| want[user as usize / 64] |= 1 << (user % 64));
                    assert_eq!(words, want, "{low} {high} {gone:?}");
                }
            }
        }
    }
}
