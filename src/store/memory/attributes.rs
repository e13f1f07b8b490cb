//! Attributes: for each name the history of every user that has one.

use std::collections::VecDeque;
use std::hash::BuildHasher;
use std::sync::Arc;

use hashbrown::hash_table;

use super::cell::Cell;
use super::interner::Interner;
use super::log::Log;
use super::shards::Shards;
use crate::limits::SMALL;

/// One write; a value of [`Cell::Missing`] removes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Write {
    pub at: i64,
    /// The place in the order of arrival.
    pub order: u64,
    pub value: Cell,
}

/// The writes of one attribute of one user, by instant; one an instant.
#[derive(Clone, Debug)]
enum History {
    One([Write; 1]),
    /// With the value of the last one beside it: most questions need no more, and so touch nothing else.
    Many(Arc<Vec<Write>>, Cell),
}

// a table has one for each user
const _: () = assert!(size_of::<History>() == size_of::<Write>());

impl History {
    /// Bytes beside the entry itself.
    fn memory(&self) -> usize {
        match self {
            Self::One(_) => 0,
            // a pointer's target and a buffer, each with what allocators add
            Self::Many(many, _) => 48 + many.capacity() * size_of::<Write>() + 16,
        }
    }

    fn writes(&self) -> &[Write] {
        match self {
            Self::One(one) => one,
            Self::Many(many, ..) => many,
        }
    }

    /// Adds a write; of two at one instant the later to arrive stays, and the value of the other is given back.
    fn add(&mut self, write: Write) -> Option<Cell> {
        let found = self.writes().binary_search_by_key(&write.at, |w| w.at);
        match (self, found) {
            (Self::One(one), Ok(_)) if write.order > one[0].order => {
                return Some(std::mem::replace(&mut one[0], write).value);
            }
            (Self::Many(many, last), Ok(i)) if write.order > many[i].order => {
                if i + 1 == many.len() {
                    *last = write.value;
                }
                return Some(std::mem::replace(&mut Arc::make_mut(many)[i], write).value);
            }
            (_, Ok(_)) => return Some(write.value),
            (Self::Many(many, last), Err(i)) => {
                if i == many.len() {
                    *last = write.value;
                }
                Arc::make_mut(many).insert(i, write);
            }
            (this @ Self::One(_), Err(i)) => {
                let mut many = Vec::with_capacity(2);
                many.extend_from_slice(this.writes());
                many.insert(i, write);
                let last = many.last().map_or(Cell::Missing, |write| write.value);
                *this = Self::Many(Arc::new(many), last);
            }
        }
        None
    }

    /// The value after all writes.
    fn last(&self) -> Cell {
        match self {
            Self::One([one]) => one.value,
            Self::Many(_, last) => *last,
        }
    }
}

/// The value at an instant.
pub(crate) fn value_at(writes: &[Write], t: i64) -> Cell {
    let until = writes.partition_point(|write| write.at <= t);
    until.checked_sub(1).and_then(|last| writes.get(last)).map_or(Cell::Missing, |write| write.value)
}

#[derive(Clone, Debug)]
struct Entry {
    user: u32,
    history: History,
}

/// One attribute of all users; a clone is a pointer copy.
#[derive(Clone, Debug, Default)]
pub(crate) struct Table {
    entries: Shards<Entry>,
    /// The latest write there is.
    last_at: Option<i64>,
    /// Whose history has changed.
    log: Log<u32>,
    newest: Newest,
}

/// The writes with the latest instants, in that order: who has one after some instant, where these are few. Clocks
/// differ, and some attributes are written ahead of time.
#[derive(Clone, Debug, Default)]
struct Newest {
    writes: VecDeque<(i64, u32)>,
    /// The latest instant of a write that had to make room.
    let_go: Option<i64>,
}

/// Writes that are remembered as the newest.
const NEWEST: usize = if SMALL { 3 } else { 256 };

impl Newest {
    fn add(&mut self, at: i64, user: u32) {
        if self.let_go.is_some_and(|let_go| at <= let_go) {
            return;
        }
        let after = self.writes.iter().rev().take_while(|(have, _)| *have > at).count();
        self.writes.insert(self.writes.len() - after, (at, user));
        if self.writes.len() > NEWEST {
            self.let_go = self.writes.pop_front().map(|(at, _)| at).max(self.let_go);
        }
    }

    fn memory(&self) -> usize {
        self.writes.capacity() * size_of::<(i64, u32)>()
    }

    /// The users with a write after an instant, some more than once; `None` where they are not all known.
    fn after(&self, at: i64) -> Option<impl Iterator<Item = u32>> {
        let all = self.let_go.is_none_or(|let_go| let_go <= at);
        all.then(|| self.writes.iter().rev().take_while(move |(have, _)| *have > at).map(|(_, user)| *user))
    }
}

impl Table {
    pub(crate) fn writes_of(&self, user: u32) -> &[Write] {
        let hash = self.entries.hash(&user);
        self.entries.find(hash, |e| e.user == user).map_or(&[], |e| e.history.writes())
    }

    /// The value of one user at an instant.
    pub(crate) fn value_of(&self, user: u32, t: i64) -> Cell {
        let hash = self.entries.hash(&user);
        let Some(Entry { history, .. }) = self.entries.find(hash, |e| e.user == user) else {
            return Cell::Missing;
        };
        if self.last_at.is_none_or(|last| last <= t) { history.last() } else { value_at(history.writes(), t) }
    }

    /// All users with their writes, in no order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (u32, &[Write])> {
        self.entries.iter().map(|e| (e.user, e.history.writes()))
    }

    /// Whose history has changed, in order.
    pub(crate) fn log(&self) -> &Log<u32> {
        &self.log
    }

    /// The users with a write after an instant, some more than once; `None` where they are many.
    pub(crate) fn few_after(&self, at: i64) -> Option<impl Iterator<Item = u32>> {
        self.newest.after(at)
    }

    /// Adds a write; gives back the value of one that it replaces, or its own where that one stays.
    fn add(&mut self, user: u32, write: Write) -> Option<Cell> {
        self.log.push(user);
        self.newest.add(write.at, user);
        self.last_at = self.last_at.max(Some(write.at));
        let hash = self.entries.hash(&user);
        match self.entries.entry(hash, |e| e.user == user, |hasher, e| hasher.hash_one(e.user)) {
            hash_table::Entry::Occupied(mut known) => known.get_mut().history.add(write),
            hash_table::Entry::Vacant(place) => {
                place.insert(Entry { user, history: History::One([write]) });
                None
            }
        }
    }

    fn remove(&mut self, user: u32) -> Option<History> {
        let hash = self.entries.hash(&user);
        self.entries.find(hash, |e| e.user == user)?;
        self.log.push(user);
        self.newest.writes.retain(|(_, of)| *of != user);
        self.entries.remove(hash, |e| e.user == user).map(|e| e.history)
    }
}

/// All attributes; a clone is a pointer copy.
#[derive(Clone, Debug, Default)]
pub(crate) struct Attributes {
    names: Interner,
    tables: Arc<Vec<Arc<Table>>>,
}

impl Attributes {
    pub(crate) fn table(&self, name: &str) -> Option<&Table> {
        let number = self.names.find(name)?;
        self.tables.get(number as usize).map(AsRef::as_ref)
    }

    /// Adds a write; gives back the value that no history holds for it any more.
    pub(crate) fn add(&mut self, name: &str, user: u32, write: Write) -> Option<Cell> {
        let number = self.names.intern(name) as usize;
        let tables = Arc::make_mut(&mut self.tables);
        if number == tables.len() {
            tables.push(Arc::default());
        }
        tables.get_mut(number).and_then(|table| Arc::make_mut(table).add(user, write))
    }

    /// Drops the histories of a user; gives back the values.
    pub(crate) fn forget(&mut self, user: u32) -> Vec<Cell> {
        let mut gone = Vec::new();
        for table in Arc::make_mut(&mut self.tables) {
            if !table.writes_of(user).is_empty() {
                let history = Arc::make_mut(table).remove(user);
                gone.extend(history.iter().flat_map(History::writes).map(|write| write.value));
            }
        }
        gone
    }

    /// Gives the histories of a user to another; gives back the values that lose against another of their instant.
    pub(crate) fn merge(&mut self, from: u32, into: u32) -> Vec<Cell> {
        let mut gone = Vec::new();
        for table in Arc::make_mut(&mut self.tables) {
            if table.writes_of(from).is_empty() {
                continue;
            }
            let table = Arc::make_mut(table);
            if let Some(history) = table.remove(from) {
                gone.extend(history.writes().iter().filter_map(|write| table.add(into, *write)));
            }
        }
        gone
    }

    #[cfg(test)]
    pub(crate) fn tables(&self) -> impl Iterator<Item = &Table> {
        self.tables.iter().map(AsRef::as_ref)
    }

    pub(crate) fn memory(&self) -> usize {
        let table = |table: &Arc<Table>| {
            let histories: usize = table.entries.iter().map(|entry| entry.history.memory()).sum();
            size_of::<Table>()
                + 16
                + table.entries.memory()
                + table.log.memory()
                + table.newest.memory()
                + histories
        };
        self.names.memory() + self.tables.iter().map(table).sum::<usize>()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_writes_are_all_that_are_after_an_instant() {
        let mut newest = Newest::default();
        let mut all: Vec<(i64, u32)> = Vec::new();
        for (user, at) in (0u32..).zip([5, 9, 1, 9, 12, 3, 20, 20, 2, 11, 21]) {
            newest.add(at, user);
            all.push((at, user));
            for t in 0..24 {
                let mut want: Vec<u32> =
                    all.iter().filter(|(at, _)| *at > t).map(|(_, user)| *user).collect();
                let got = newest.after(t).map(|users| {
                    let mut users: Vec<u32> = users.collect();
                    users.sort_unstable();
                    users
                });
                want.sort_unstable();
                assert!(got.as_ref().is_none_or(|got| *got == want), "{got:?} {want:?} at {t}");
                assert!(got.is_some() || want.len() >= NEWEST, "{want:?} at {t}");
            }
        }
    }

    #[test]
    fn the_value_of_one_user_is_that_of_its_writes() {
        let mut table = Table::default();
        // late ones, and some at one instant in any order of arrival
        let writes = [(5, 1), (9, 2), (7, 3), (9, 5), (9, 4), (5, 6), (12, 7), (1, 8), (12, 9)];
        for (i, (at, order)) in writes.into_iter().enumerate() {
            table.add(3, Write { at, order, value: Cell::Int(i as i64) });
            for t in 0..14 {
                assert_eq!(table.value_of(3, t), value_at(table.writes_of(3), t), "{i} {t}");
            }
        }
        assert_eq!([table.value_of(3, 12), table.value_of(4, 12)], [Cell::Int(8), Cell::Missing]);
    }
}
