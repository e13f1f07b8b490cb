//! The tail: the latest events in order of arrival, in chunks that snapshots share with the writer.

use std::sync::{Arc, OnceLock};

use super::cell::Cell;
use super::order::{self, Place};
use super::part::{Row, bucket_of};
use super::tail_index::TailIndex;
use crate::plan::bounds::Bounds;

/// An event in the tail, apart from its user.
#[derive(Clone, Copy, Debug)]
struct TailRow {
    name: u32,
    at: i64,
    tie: u64,
    properties: (u32, u32),
}

/// An event that is moved: out of parts to another user.
#[derive(Clone, Debug)]
pub(crate) struct OwnedRow {
    pub name: u32,
    pub at: i64,
    pub tie: u64,
    pub properties: Vec<(u32, Cell)>,
}

/// Events in order of arrival. Once a snapshot shares it, the writer starts another.
#[derive(Clone, Debug, Default)]
pub(crate) struct TailChunk {
    /// A column of its own, since it is searched.
    users: Vec<u32>,
    rows: Vec<TailRow>,
    properties: Vec<(u32, Cell)>,
    /// Row numbers by (name, user, at, tie), made by the first reader that asks.
    index: OnceLock<Vec<u32>>,
    /// Kept up by the writer, where that is asked for.
    recent: Option<TailIndex>,
}

impl TailChunk {
    fn push(&mut self, name: u32, row: Row<'_>, indexed: bool) {
        let start = u32::try_from(self.properties.len()).unwrap_or(u32::MAX);
        self.properties.extend_from_slice(row.properties);
        let end = u32::try_from(self.properties.len()).unwrap_or(u32::MAX);
        self.users.push(row.user);
        self.rows.push(TailRow { name, at: row.at, tie: row.tie, properties: (start, end) });
        self.index = OnceLock::new();
        if indexed {
            let index = self.recent.get_or_insert_default();
            while index.len() < self.rows.len() {
                let (users, rows) = (&self.users, &self.rows);
                index.push(|i| (rows[i as usize].name, users[i as usize]), |i| rows[i as usize].at);
            }
        }
    }

    fn emptied(mut self) -> Self {
        self.users.clear();
        self.rows.clear();
        self.properties.clear();
        self.recent.iter_mut().for_each(TailIndex::clear);
        Self { index: OnceLock::new(), ..self }
    }

    fn row(&self, i: usize) -> (u32, Row<'_>) {
        let TailRow { name, at, tie, properties: (start, end) } = self.rows[i];
        let properties = self.properties.get(start as usize..end as usize).unwrap_or_default();
        (name, Row { user: self.users[i], at, tie, properties })
    }

    fn len(&self) -> usize {
        self.rows.len()
    }

    fn sorted(&self) -> &[u32] {
        self.index.get_or_init(|| {
            let mut order: Vec<u32> = (0u32..).zip(&self.rows).map(|(i, _)| i).collect();
            order.sort_unstable_by_key(|&i| {
                let row = &self.rows[i as usize];
                (row.name, self.users[i as usize], row.at, row.tie, i)
            });
            order
        })
    }

    /// The rows of one name whose users pass, by (user, at, tie).
    fn of_name(&self, name: u32) -> &[u32] {
        let order = self.sorted();
        let start = order.partition_point(|&i| self.rows[i as usize].name < name);
        let end = start + order[start..].partition_point(|&i| self.rows[i as usize].name == name);
        &order[start..end]
    }

    /// The rows of one name and user, by (at, tie).
    fn of_user(&self, name: u32, user: u32) -> &[u32] {
        let rows = self.of_name(name);
        let start = rows.partition_point(|&i| self.users[i as usize] < user);
        let end = start + rows[start..].partition_point(|&i| self.users[i as usize] == user);
        &rows[start..end]
    }

    fn memory(&self) -> usize {
        self.users.capacity() * 4
            + self.rows.capacity() * size_of::<TailRow>()
            + self.properties.capacity() * size_of::<(u32, Cell)>()
            + self.index.get().map_or(0, |index| index.capacity() * 4)
            + self.recent.as_ref().map_or(0, TailIndex::memory)
            + 16
    }
}

/// The chunks, oldest first; a clone is a pointer copy for each, and there are few.
#[derive(Clone, Debug, Default)]
pub(crate) struct Tail {
    chunks: Vec<Arc<TailChunk>>,
    len: usize,
    /// Instants between which all rows lie, where there are any.
    span: (i64, i64),
    /// Whether the writer keeps an index of each chunk.
    indexed: bool,
}

impl Tail {
    /// From now on the writer keeps an index of each chunk, so that single users and stretches of time are
    /// found between any two writes.
    pub(crate) fn keep_index(&mut self) {
        if !std::mem::replace(&mut self.indexed, true) {
            let mut indexed = TailChunk::default();
            self.rows().for_each(|(name, row)| indexed.push(name, row, true));
            self.chunks = vec![Arc::new(indexed)];
        }
    }

    pub(crate) fn is_indexed(&self) -> bool {
        self.indexed
    }

    /// An empty tail that is kept alike; where the writer keeps an index, it has the room that this one had.
    pub(crate) fn emptied(mut self) -> Self {
        let last = self.chunks.pop().filter(|_| self.indexed).and_then(Arc::into_inner);
        let chunks = last.map(|chunk| Arc::new(chunk.emptied())).into_iter().collect();
        Self { chunks, indexed: self.indexed, ..Self::default() }
    }

    pub(crate) fn len(&self) -> usize {
        self.len
    }

    pub(crate) fn push(&mut self, name: u32, row: Row<'_>) {
        let (first, last) = if self.len == 0 { (row.at, row.at) } else { self.span };
        self.span = (first.min(row.at), last.max(row.at));
        self.len += 1;
        if let Some(open) = self.chunks.last_mut().and_then(Arc::get_mut) {
            return open.push(name, row, self.indexed);
        }
        self.compact();
        let mut chunk = TailChunk::default();
        chunk.push(name, row, self.indexed);
        self.chunks.push(Arc::new(chunk));
    }

    /// Joins chunks of like size, so that a snapshot after every event leaves a logarithm of chunks, not as many.
    fn compact(&mut self) {
        while let [.., a, b] = self.chunks.as_slice()
            && b.len() * 2 > a.len()
        {
            let mut joined = TailChunk::default();
            for chunk in [a, b] {
                (0..chunk.len())
                    .map(|i| chunk.row(i))
                    .for_each(|(name, row)| joined.push(name, row, self.indexed));
            }
            self.chunks.truncate(self.chunks.len() - 2);
            self.chunks.push(Arc::new(joined));
        }
    }

    /// The places of all rows, by (name, bucket, user, at, tie).
    pub(crate) fn order(&self) -> Vec<Place> {
        let mut places = Vec::with_capacity(self.len);
        for (chunk, of_chunk) in (0u32..).zip(&self.chunks) {
            let rows = of_chunk.rows.iter().zip(&of_chunk.users);
            let place = |(row, (&TailRow { name, at, .. }, &user))| Place { name, user, at, chunk, row };
            places.extend((0u32..).zip(rows).map(place));
        }
        order::sort(&mut places);
        let same =
            |a: &Place, b: &Place| (a.user, a.name, bucket_of(a.at)) == (b.user, b.name, bucket_of(b.at));
        for of_user in places.chunk_by_mut(same).filter(|of_user| of_user.len() > 1) {
            // in order of arrival, which mostly is that of time, and which ties follow but for rows that were moved
            let key = |place: &Place| (place.at, self.row(*place).tie, place.chunk, place.row);
            of_user.sort_unstable_by_key(key);
        }
        places
    }

    /// The row at a place.
    pub(crate) fn row(&self, place: Place) -> Row<'_> {
        self.chunks[place.chunk as usize].row(place.row as usize).1
    }

    /// All rows, with their names, in order of arrival.
    pub(crate) fn rows(&self) -> impl Iterator<Item = (u32, Row<'_>)> {
        self.chunks.iter().flat_map(|chunk| (0..chunk.len()).map(|i| chunk.row(i)))
    }

    /// The rows of one name, chunk by chunk, each by (user, at, tie).
    pub(crate) fn rows_of_name(&self, name: u32) -> impl Iterator<Item = Row<'_>> {
        self.chunks.iter().flat_map(move |chunk| chunk.of_name(name).iter().map(|&i| chunk.row(i as usize).1))
    }

    /// The rows of one name and user inside, in no order.
    pub(crate) fn rows_of(&self, name: u32, user: u32, inside: Bounds) -> impl Iterator<Item = Row<'_>> {
        self.chunks.iter().flat_map(move |chunk| {
            let at = move |i: u32| chunk.rows[i as usize].at;
            let (indexed, sorted) = match &chunk.recent {
                Some(index) => {
                    let key = |i: u32| (chunk.rows[i as usize].name, chunk.users[i as usize]);
                    (Some(index.rows_of((name, user), inside, key, at)), &[][..])
                }
                None => (None, chunk.of_user(name, user)),
            };
            let rows = indexed.into_iter().flatten().chain(sorted.iter().copied());
            rows.filter(move |i| inside.contains(at(*i))).map(|i| chunk.row(i as usize).1)
        })
    }

    /// The rows of one name whose instants lie in the range, both ends included, in no order.
    pub(crate) fn rows_between(&self, name: u32, lo: i64, hi: i64) -> impl Iterator<Item = Row<'_>> {
        self.chunks.iter().flat_map(move |chunk| {
            let at = |i: u32| chunk.rows[i as usize].at;
            let ordered = chunk.recent.as_ref().map(|index| index.between(name, lo, hi, at));
            let all = if ordered.is_some() { 0 } else { u32::try_from(chunk.len()).unwrap_or(u32::MAX) };
            let is_wanted =
                move |i: &u32| chunk.rows[*i as usize].name == name && (lo..=hi).contains(&at(*i));
            let rows = ordered.into_iter().flatten().flatten().copied().chain((0..all).filter(is_wanted));
            rows.map(|i| chunk.row(i as usize).1)
        })
    }

    /// Keeps the rows that pass; gives back the values of the others.
    pub(crate) fn retain(&mut self, keep: impl Fn(u32, Row<'_>) -> bool) -> Vec<Cell> {
        if self.rows().all(|(name, row)| keep(name, row)) {
            return Vec::new();
        }
        let (mut kept, mut gone) = (TailChunk::default(), Vec::new());
        for (name, row) in self.rows() {
            if keep(name, row) {
                kept.push(name, row, self.indexed);
            } else {
                gone.extend(row.properties.iter().map(|(_, cell)| *cell));
            }
        }
        self.len = kept.len();
        self.chunks = vec![Arc::new(kept)];
        gone
    }

    /// Gives the rows of a user to another; tells their names and instants.
    pub(crate) fn merge(&mut self, from: u32, into: u32) -> Vec<(u32, i64)> {
        let of_from = |(_, row): &(u32, Row<'_>)| row.user == from;
        let moved = self.rows().filter(of_from).map(|(name, row)| (name, row.at)).collect();
        for chunk in self.chunks.iter_mut().filter(|chunk| chunk.users.contains(&from)) {
            let chunk = Arc::make_mut(chunk);
            chunk.users.iter_mut().filter(|user| **user == from).for_each(|user| *user = into);
            chunk.index = OnceLock::new();
            if let Some(index) = chunk.recent.take() {
                let (users, rows) = (&chunk.users, &chunk.rows);
                chunk.recent = Some(index.again(|i| (rows[i as usize].name, users[i as usize])));
            }
        }
        moved
    }

    /// Instants between which all rows lie; `None` where there is none.
    pub(crate) fn instants(&self) -> Option<(i64, i64)> {
        (self.len > 0).then_some(self.span)
    }

    pub(crate) fn memory(&self) -> usize {
        self.chunks.iter().map(|chunk| chunk.memory()).sum()
    }
}
