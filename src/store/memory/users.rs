//! Who there is: external ids interned to dense numbers, when each was first seen, merged and forgotten ids.
//!
//! A *name* is an external id as text, numbered in order of arrival. Names point to users; merging lets a name
//! point to another user, forgetting lets it go.

use std::collections::HashMap;
use std::hash::BuildHasher;
use std::hint::black_box;
use std::sync::Arc;

use super::bits::Bits;
use super::chunked::{Chunked, Texts};
use super::log::Log;
use super::shards::Shards;

/// First seen of a user who has no fact yet (a name that only a merge has mentioned), or has none any more.
pub(crate) const UNSEEN: i64 = i64::MAX;

/// A name and the user it means.
#[derive(Clone, Copy, Debug)]
struct Entry {
    name: u32,
    user: u32,
    /// The length of the name where it is short, so that the text itself need not be fetched; else [`LONG`].
    len: u8,
    short: [u8; SHORT],
}

/// Longest name that an entry holds itself.
const SHORT: usize = 15;
const LONG: u8 = u8::MAX;

impl Entry {
    fn new(name: u32, user: u32, id: &str) -> Self {
        let mut entry = Self { name, user, len: LONG, short: [0; SHORT] };
        if let (Some(short), Ok(len)) = (entry.short.get_mut(..id.len()), u8::try_from(id.len())) {
            short.copy_from_slice(id.as_bytes());
            entry.len = len;
        }
        entry
    }

    fn is(&self, id: &str, names: &Texts) -> bool {
        match self.short() {
            Some(short) => short == id.as_bytes(),
            None => names.get(self.name) == Some(id),
        }
    }

    fn short(&self) -> Option<&[u8]> {
        self.short.get(..usize::from(self.len))
    }

    /// The bytes of the name.
    fn text<'a>(&'a self, names: &'a Texts) -> &'a [u8] {
        self.short().unwrap_or_else(|| names.get(self.name).unwrap_or_default().as_bytes())
    }
}

/// The users of a store; a clone is a pointer copy.
#[derive(Clone, Debug, Default)]
pub(crate) struct Users {
    names: Texts,
    index: Shards<Entry>,
    /// By user: the name by which it is known.
    known_as: Chunked<u32>,
    /// By user: when it was first seen, or [`UNSEEN`].
    seen: Chunked<i64>,
    /// By user: the names merged into it.
    aliases: Arc<HashMap<u32, Vec<u32>>>,
    /// The latest first-seen there is: at and after it the universe is everyone.
    last_seen: Option<i64>,
    /// By user: the numbers of users merged into it.
    merged: Arc<HashMap<u32, Vec<u32>>>,
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
        let hash = self.index.hash(id.as_bytes());
        self.index.find(hash, |e| e.is(id, &self.names)).map(|e| e.user)
    }

    /// The users of up to [`TOGETHER`] external ids, in steps of which none waits for another id: so the processor waits for
    /// all of them at once. What a fact of theirs reads first is at hand then.
    pub(crate) fn find_each<'i>(
        &self,
        ids: impl Iterator<Item = &'i str> + Clone,
    ) -> [Option<u32>; TOGETHER] {
        let (mut hashes, mut first, mut users) = ([0; TOGETHER], [None; TOGETHER], [None; TOGETHER]);
        let mut seen = 0;
        for (hash, id) in hashes.iter_mut().zip(ids.clone()) {
            *hash = self.index.hash(id.as_bytes());
        }
        for ((first, hash), _) in first.iter_mut().zip(hashes).zip(ids.clone()) {
            // The first that may be it mostly is, and to look for others would make the processor guess.
            *first = self.index.find(hash, |_| true);
            seen ^= first.map_or(0, |entry| entry.user ^ u32::from(entry.short[SHORT - 1]));
        }
        for (((user, first), hash), id) in users.iter_mut().zip(first).zip(hashes).zip(ids) {
            let is_it = |entry: &Entry| entry.is(id, &self.names);
            let found = first.filter(|entry| is_it(entry)).or_else(|| self.index.find(hash, is_it));
            *user = found.map(|entry| entry.user);
        }
        for user in users.iter().flatten() {
            seen ^= u32::from(self.first_seen(*user).is_some());
        }
        black_box(seen);
        users
    }

    /// The user of an external id, new or known; new ones are not seen yet.
    pub(crate) fn intern(&mut self, id: &str) -> Result<u32, Full> {
        let hash = self.index.hash(id.as_bytes());
        let names = &self.names;
        if let Some(known) = self.index.find(hash, |e| e.is(id, names)) {
            return Ok(known.user);
        }
        let user = u32::try_from(self.seen.len()).ok().filter(|&u| u < u32::MAX).ok_or(Full)?;
        let name = self.add_name(id, hash, user)?;
        self.known_as.push(name);
        self.seen.push(UNSEEN);
        Ok(user)
    }

    fn add_name(&mut self, id: &str, hash: u64, user: u32) -> Result<u32, Full> {
        let name = u32::try_from(self.names.len()).ok().filter(|&n| n < u32::MAX).ok_or(Full)?;
        self.names.push(id);
        let names = &self.names;
        self.index.insert(hash, Entry::new(name, user, id), |hasher, e| hasher.hash_one(e.text(names)));
        Ok(name)
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
        self.first_seen(user)?;
        self.names.get(*self.known_as.get(user as usize)?)
    }

    /// Looks ahead at the ids of some users, all at once; of numbers that no user has there is nothing to see.
    pub(crate) fn peek_ids(&self, users: [u32; TOGETHER]) -> u8 {
        let names = users.map(|user| self.known_as.get(user as usize).copied().unwrap_or(u32::MAX));
        let seen = users.iter().filter_map(|user| self.first_seen(*user)).fold(0, |seen, at| seen ^ at);
        self.names.peek(names) ^ seen.to_le_bytes()[0]
    }

    /// The external id by which the user that an id names is known, seen or not; `None` for an unknown id.
    pub(crate) fn resolve(&self, id: &str) -> Option<&str> {
        self.names.get(*self.known_as.get(self.find(id)? as usize)?)
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

    fn names_of(&self, user: u32) -> Vec<u32> {
        let merged = self.aliases.get(&user).into_iter().flatten().copied();
        self.known_as.get(user as usize).copied().into_iter().chain(merged).collect()
    }

    fn hash_of(&self, name: u32) -> u64 {
        self.index.hash(self.names.get(name).unwrap_or_default().as_bytes())
    }

    /// Lets go a user and every name that means it; the bytes of the names are gone at once. Gives back the numbers
    /// of the user and of those merged into it.
    pub(crate) fn forget(&mut self, user: u32) -> Vec<u32> {
        for name in self.names_of(user) {
            let hash = self.hash_of(name);
            self.index.remove(hash, |e| e.name == name);
            self.names.erase(name);
        }
        self.unsee(user);
        Arc::make_mut(&mut self.aliases).remove(&user);
        let mut all = Arc::make_mut(&mut self.merged).remove(&user).unwrap_or_default();
        all.push(user);
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
        let moved = self.names_of(from);
        for &name in &moved {
            let hash = self.hash_of(name);
            if let Some(entry) = self.index.find_mut(hash, |e| e.name == name) {
                entry.user = into;
            }
        }
        let aliases = Arc::make_mut(&mut self.aliases);
        aliases.remove(&from);
        aliases.entry(into).or_default().extend(moved);
        let merged = Arc::make_mut(&mut self.merged);
        let mut gone = merged.remove(&from).unwrap_or_default();
        gone.push(from);
        merged.entry(into).or_default().append(&mut gone);
        if let Some(at) = self.first_seen(from) {
            self.saw(into, at);
        }
        self.unsee(from);
    }

    pub(crate) fn memory(&self) -> usize {
        let lists = self.aliases.values().chain(self.merged.values());
        let aliases: usize = lists.map(|numbers| numbers.capacity() * 4 + 48).sum();
        self.names.memory()
            + self.index.memory()
            + self.known_as.memory()
            + self.seen.memory()
            + self.log.memory()
            + aliases
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
