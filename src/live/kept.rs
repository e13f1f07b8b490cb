//! What has been added up for users with very many events.

use foldhash::HashMap;

use super::sums::Sums;
use crate::limits::SMALL;

/// What is kept at the most, by its weight, before all is let go.
const MOST: usize = if SMALL { 12 } else { 1 << 10 };

/// By user: what is kept, each with its number.
#[derive(Clone, Debug, Default)]
pub(super) struct Kept {
    of_users: HashMap<u32, OfUser>,
    weight: usize,
}

pub(super) type OfUser = Vec<(u32, Sums)>;

impl Kept {
    /// Takes out all of a user's.
    pub(super) fn take(&mut self, user: u32) -> OfUser {
        if self.of_users.is_empty() {
            return OfUser::new();
        }
        let of_user = self.of_users.remove(&user).unwrap_or_default();
        self.weight -= weight(&of_user);
        of_user
    }

    /// Whether something is not too large to be kept.
    pub(super) fn has_room_for(sums: &Sums) -> bool {
        sums.weight() <= MOST / 4
    }

    /// Puts in what is to be kept of a user whose had been taken out.
    pub(super) fn put(&mut self, user: u32, of_user: OfUser) {
        let more = weight(&of_user);
        if !(1..=MOST).contains(&more) {
            return;
        }
        if self.weight + more > MOST {
            self.clear();
        }
        self.weight += more;
        self.of_users.insert(user, of_user);
    }

    pub(super) fn clear(&mut self) {
        self.of_users.clear();
        self.weight = 0;
    }

    pub(super) fn memory(&self) -> usize {
        let list = |of_user: &OfUser| of_user.capacity() * size_of::<(u32, Sums)>();
        let sums = self.of_users.values().flatten().map(|(_, sums)| sums.memory());
        let lists = self.of_users.values().map(list);
        lists.chain(sums).sum::<usize>() + self.of_users.capacity() * size_of::<(u32, OfUser)>()
    }
}

fn weight(of_user: &OfUser) -> usize {
    of_user.iter().map(|(_, sums)| sums.weight()).sum()
}
