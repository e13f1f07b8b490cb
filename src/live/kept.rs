//! What has been added up for users with very many events.

use foldhash::HashMap;

use super::sums::Sums;
use crate::limits::SMALL;

/// Bytes that are kept at the most: some ten thousand sums.
const MOST: usize = if SMALL { 12 * size_of::<OfRolling>() } else { 1 << 22 };
/// Of one thing at the most.
const LARGEST: usize = MOST / 16 + size_of::<OfRolling>();

/// By user: what is kept. Each counts every fact up to the end of its window: whoever changes such a fact has what is kept of
/// its user forgotten.
#[derive(Clone, Debug, Default)]
pub(super) struct Kept {
    of_users: HashMap<u32, Vec<OfRolling>>,
    bytes: usize,
}

/// What is kept of a user, with its number.
pub(super) type OfRolling = (u32, Sums);

impl Kept {
    /// Takes out all that is kept of a user.
    pub(super) fn take(&mut self, user: u32) -> Vec<OfRolling> {
        if self.of_users.is_empty() {
            return Vec::new();
        }
        let of_user = self.of_users.remove(&user).unwrap_or_default();
        self.bytes -= bytes(&of_user);
        of_user
    }

    /// Puts in what is to be kept of a user whose had been taken out, as far as there is room.
    pub(super) fn put(&mut self, user: u32, mut of_user: Vec<OfRolling>) {
        of_user.retain(|one| bytes_of(one) <= LARGEST);
        let mut more = bytes(&of_user);
        while more > MOST {
            more -= of_user.pop().map_or(more, |one| bytes_of(&one));
        }
        if of_user.is_empty() {
            return;
        }
        while self.bytes + more > MOST {
            self.let_half_go();
        }
        self.bytes += more;
        self.of_users.insert(user, of_user);
    }

    /// Lets every other user go, the only one too: of more than there is room for, some are always there.
    fn let_half_go(&mut self) {
        let mut stays = true;
        self.of_users.retain(|_, _| {
            stays = !stays;
            stays
        });
        self.bytes = self.of_users.values().map(|of_user| bytes(of_user)).sum();
    }

    pub(super) fn clear(&mut self) {
        self.of_users.clear();
        self.bytes = 0;
    }

    pub(super) fn memory(&self) -> usize {
        let spare = |of_user: &Vec<OfRolling>| (of_user.capacity() - of_user.len()) * size_of::<OfRolling>();
        let spare: usize = self.of_users.values().map(spare).sum();
        self.bytes + spare + self.of_users.capacity() * size_of::<(u32, Vec<OfRolling>)>()
    }
}

fn bytes(of_user: &[OfRolling]) -> usize {
    of_user.iter().map(bytes_of).sum()
}

fn bytes_of((_, sums): &OfRolling) -> usize {
    size_of::<OfRolling>() + sums.memory()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::live::sums::Kind;
    use crate::plan::ScalarRef;
    use crate::plan::bounds::Bounds;

    fn of_texts(texts: &[String]) -> Sums {
        let mut sums = Sums::new(Bounds::ALL, Kind::Values, false);
        texts.iter().for_each(|text| sums.add(0, Some(ScalarRef::Str(text).into())));
        sums
    }

    fn numbers(many: u32) -> Vec<OfRolling> {
        (0..many).map(|rolling| (rolling, Sums::new(Bounds::ALL, Kind::Numbers, false))).collect()
    }

    #[test]
    fn what_is_kept_is_bounded_and_told() {
        let mut kept = Kept::default();
        for user in 0..100 {
            kept.put(user, numbers(1 + user % 3));
            assert!(kept.bytes <= MOST && kept.memory() >= kept.bytes);
            assert_eq!(kept.bytes, kept.of_users.values().map(|of_user| bytes(of_user)).sum::<usize>());
        }
        let some = kept.of_users.len();
        assert!(some >= 2, "{some}");
        kept.put(100, numbers(1_000)); // as many as there is room for
        assert!((1..=12).contains(&kept.take(100).len()));
        (0..=100).for_each(|user| _ = kept.take(user));
        assert_eq!((kept.bytes, kept.of_users.len()), (0, 0));
    }

    #[test]
    fn long_texts_are_not_kept() {
        let mut kept = Kept::default();
        let [short, long] = [1, MOST].map(|length| of_texts(&["x".repeat(length)]));
        assert!(long.memory() > MOST);
        kept.put(0, vec![(0, long), (1, short.clone())]);
        assert!(kept.take(0).iter().all(|(rolling, _)| *rolling == 1));
        let mut less = short;
        let before = less.memory();
        less.add(0, Some(ScalarRef::Str("more").into()));
        assert_eq!(less.memory(), before + 4);
    }
}
