//! Who there is: external ids interned to dense numbers, when each was first seen, merged and forgotten ids.
//!
//! A *name* is an external id as text, numbered in order of arrival. Names point to users; merging lets a name
//! point to another user, forgetting lets it go.

use std::hash::BuildHasher;
use std::hint::black_box;

use super::bits::Bits;
use super::chunked::Chunked;
use super::log::Log;
use super::names::Names;
use super::shards::Shards;

/// First seen of a user who has no fact yet (a name that only a merge has mentioned), or has none any more.
pub(crate) const UNSEEN: i64 = i64::MAX;

/// A user that others were merged into.
#[derive(Clone, Debug)]
struct Merged {
    user: u32,
    /// Their numbers, those merged into them included.
    gone: Vec<u32>,
}

/// The users of a store; a clone is a pointer copy.
#[derive(Clone, Debug, Default)]
pub(crate) struct Users {
    /// A user is known by the name of its own number, and by those of the users merged into it.
    names: Names,
    /// Names by text.
    index: Shards<u32>,
    /// By user: when it was first seen, or [`UNSEEN`].
    seen: Chunked<i64>,
    merged: Shards<Merged>,
    /// The latest first-seen there is: at and after it the universe is everyone.
    last_seen: Option<i64>,
    /// Who was seen earlier than before, or is gone.
    log: Log<u32>,
    /// Whether someone who had been seen is gone.
    someone_gone: bool,
}

/// Ids that are looked up together.
pub(crate) const TOGETHER: usize = 32;

/// No more users fit.
#[derive(Debug)]
pub(crate) struct Full;

impl Users {
    /// How many numbers have been given out, those of forgotten users included.
    pub(crate) fn numbers(&self) -> usize {
        self.seen.len()
    }

    pub(crate) fn find(&self, id: &str) -> Option<u32> {
        self.names.user(self.find_name(self.index.hash(id), id)?)
    }

    fn find_name(&self, hash: u64, id: &str) -> Option<u32> {
        let is_it = self.names.is(id);
        let found = self.index.find(hash, |name| {
            // Asked next, nearly always: so the processor waits for it and for the name at once.
            black_box(self.first_seen(*name));
            is_it(name)
        });
        found.copied()
    }

    /// The users of up to [`TOGETHER`] external ids, in steps of which none waits for another id: so the processor waits for
    /// all of them at once. What a fact of theirs reads first is at hand then.
    pub(crate) fn find_each<'i>(
        &self,
        ids: impl Iterator<Item = &'i str> + Clone,
    ) -> [Option<u32>; TOGETHER] {
        let (mut hashes, mut first, mut users) = ([0; TOGETHER], [None; TOGETHER], [None; TOGETHER]);
        for (hash, id) in hashes.iter_mut().zip(ids.clone()) {
            *hash = self.index.hash(id);
        }
        for ((first, hash), _) in first.iter_mut().zip(hashes).zip(ids.clone()) {
            // The first that may be it mostly is, and to look for others would make the processor guess.
            *first = self.index.find(hash, |_| true).copied();
        }
        let named = first.iter().flatten();
        // Nearly all mean the user of their own number.
        let mut seen = named.clone().fold(0, |seen, &name| seen ^ u8::from(self.first_seen(name).is_some()));
        seen ^= self.names.peek(named.copied());
        for (((user, first), hash), id) in users.iter_mut().zip(first).zip(hashes).zip(ids) {
            let is_it = self.names.is(id);
            let found = first.filter(&is_it).or_else(|| self.index.find(hash, is_it).copied());
            *user = found.and_then(|name| self.names.user(name));
        }
        black_box(seen);
        users
    }

    /// The user of an external id, new or known; new ones are not seen yet.
    pub(crate) fn intern(&mut self, id: &str) -> Result<u32, Full> {
        let hash = self.index.hash(id);
        if let Some(user) = self.find_name(hash, id).and_then(|name| self.names.user(name)) {
            return Ok(user);
        }
        let user = u32::try_from(self.seen.len()).ok().filter(|&user| user < u32::MAX).ok_or(Full)?;
        self.names.push(id, user);
        let names = &self.names;
        self.index.insert(hash, user, |hasher, &name| hasher.hash_one(names.text(name)));
        self.seen.push(UNSEEN);
        Ok(user)
    }

    /// A fact of the user at this instant: it was first seen then, or earlier.
    pub(crate) fn saw(&mut self, user: u32, at: i64) {
        let Some(&before) = self.seen.get(user as usize) else { return };
        if at < before {
            self.seen.set(user as usize, at);
            self.log.push(user);
            self.last_seen = self.last_seen.max(Some(at));
        }
    }

    pub(crate) fn first_seen(&self, user: u32) -> Option<i64> {
        self.seen.get(user as usize).copied().filter(|&at| at != UNSEEN)
    }

    /// Whether a user that had been seen is still there.
    pub(crate) fn is_alive(&self, user: u32) -> bool {
        !self.someone_gone || self.first_seen(user).is_some()
    }

    pub(crate) fn seen(&self) -> &Chunked<i64> {
        &self.seen
    }

    /// The external id by which a user is known, if it has been seen.
    pub(crate) fn id(&self, user: u32) -> Option<&str> {
        self.first_seen(user).map(|_| self.names.text(user))
    }

    /// Looks ahead at the ids of some users, all at once; of numbers that no user has there is nothing to see.
    pub(crate) fn peek_ids(&self, users: [u32; TOGETHER]) -> u8 {
        let seen = users.iter().filter_map(|user| self.first_seen(*user)).fold(0, |seen, at| seen ^ at);
        self.names.peek(users.into_iter()) ^ seen.to_le_bytes()[0]
    }

    /// The external id by which the user that an id names is known, seen or not; `None` for an unknown id.
    pub(crate) fn resolve(&self, id: &str) -> Option<&str> {
        self.find(id).map(|user| self.names.text(user))
    }

    /// An instant from which on everyone has been seen.
    pub(crate) fn last_seen(&self) -> i64 {
        self.last_seen.unwrap_or(i64::MIN)
    }

    /// Who was seen earlier than before, or is gone, in order.
    pub(crate) fn log(&self) -> &Log<u32> {
        &self.log
    }

    /// The users first seen at or before an instant.
    pub(crate) fn universe(&self, at: i64) -> Bits {
        let mut bits = Bits::none(self.numbers());
        for (words, seen) in bits.words_mut().chunks_mut(self.seen.chunk_len() / 64).zip(self.seen.slices()) {
            for (word, seen) in words.iter_mut().zip(seen.chunks(64)) {
                let known =
                    seen.iter().enumerate().map(|(i, &first)| u64::from(first <= at && first != UNSEEN) << i);
                *word = known.fold(0, |word, bit| word | bit);
            }
        }
        bits
    }

    /// Takes out who was merged into a user, the user itself behind them: the numbers of all of its names.
    fn take_merged(&mut self, user: u32) -> Vec<u32> {
        let taken = self.merged.remove(self.merged.hash(&user), |merged| merged.user == user);
        let mut all = taken.map(|merged| merged.gone).unwrap_or_default();
        all.push(user);
        all
    }

    /// Lets go a user and every name that means it; the bytes of the names are gone at once. Gives back the numbers
    /// of the user and of those merged into it.
    pub(crate) fn forget(&mut self, user: u32) -> Vec<u32> {
        let all = self.take_merged(user);
        for &name in &all {
            let hash = self.index.hash(self.names.text(name));
            self.index.remove(hash, |&other| other == name);
            self.names.erase(name);
        }
        self.unsee(user);
        all
    }

    fn unsee(&mut self, user: u32) {
        if self.first_seen(user).is_some() {
            self.someone_gone = true;
            self.log.push(user);
        }
        self.seen.set(user as usize, UNSEEN);
    }

    /// Lets every name of `from` mean `into`; `from` is no user afterwards. The facts are the caller's to move.
    pub(crate) fn merge(&mut self, from: u32, into: u32) {
        let mut moved = self.take_merged(from);
        moved.iter().for_each(|&name| self.names.turn(name, into));
        let hash = self.merged.hash(&into);
        match self.merged.find_mut(hash, |merged| merged.user == into) {
            Some(merged) => merged.gone.append(&mut moved),
            None => {
                let merged = Merged { user: into, gone: moved };
                self.merged.insert(hash, merged, |hasher, merged| hasher.hash_one(merged.user));
            }
        }
        if let Some(at) = self.first_seen(from) {
            self.saw(into, at);
        }
        self.unsee(from);
    }

    pub(crate) fn memory(&self) -> usize {
        let lists = self.merged.iter().map(|merged| merged.gone.capacity() * 4);
        self.names.memory()
            + self.index.memory()
            + self.seen.memory()
            + self.merged.memory()
            + self.log.memory()
            + lists.sum::<usize>()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_resolve_through_chains_and_are_let_go_together() {
        let mut users = Users::default();
        let [a, b, c] = ["a", "b", "c"].map(|id| users.intern(id).unwrap());
        users.saw(a, 5);
        users.saw(c, 9);
        users.merge(a, b);
        users.merge(b, c);
        assert_eq!(["a", "b", "c"].map(|id| users.find(id)), [Some(c); 3]);
        assert_eq!(["a", "b", "c", "d"].map(|id| users.resolve(id)), [Some("c"), Some("c"), Some("c"), None]);
        assert_eq!((users.first_seen(c), users.id(c), users.id(a)), (Some(5), Some("c"), None));
        assert_eq!((users.universe(4).len(), users.universe(5).len()), (0, 1));
        assert_eq!(users.forget(c), [a, b, c]);
        assert_eq!(["a", "b", "c"].map(|id| users.find(id)), [None; 3]);
        assert_eq!(users.universe(i64::MAX).len(), 0);
        assert_ne!(users.intern("a").unwrap(), a);
    }
}
