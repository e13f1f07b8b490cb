//! A sealed part: the events of one name within one bucket of 2^32 ms, by user, then time, then arrival.
//!
//! Six bytes an event: the low half of the user (the high halves are a small directory) and the instant within
//! the bucket as a coarse half (units of 65.536 s) and a fine half, so that scans read two bytes an event.

use std::ops::Range;
use std::sync::{Arc, OnceLock};

use super::cell::Cell;
use super::column::Column;
use super::slots::Slots;
use super::ties::Ties;

mod by_time;
mod by_user;

/// The bucket an instant falls into.
#[allow(clippy::cast_possible_truncation)] // instants of the years 1 to 9999 fall into buckets of 17 bits
pub(crate) fn bucket_of(at: i64) -> i32 {
    (at >> 32) as i32
}

/// One event on its way into a part.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Row<'a> {
    pub user: u32,
    pub at: i64,
    /// The place in the order of arrival where that cannot be told otherwise, else 0.
    pub tie: u64,
    pub properties: &'a [(u32, Cell)],
}

/// What rows of a bucket are sorted by first: the user, and below that the instant within the bucket.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // the low half of an instant
pub(crate) fn key(user: u32, at: i64) -> u64 {
    u64::from(user) << 32 | u64::from(at as u32)
}

/// Rows of one high half of user numbers.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Block {
    /// The users' high half.
    pub high: u16,
    pub start: u32,
    pub end: u32,
}

impl Block {
    pub(crate) fn rows(self) -> Range<usize> {
        self.start as usize..self.end as usize
    }
}

/// Low halves that share a mark.
const MARKED: usize = 64;
/// Rows of a block from which marks are worth their room.
const LARGE: u32 = 4096;

/// A sealed part. All row columns have one length, below 2^31.
#[derive(Clone, Debug)]
pub(crate) struct Part {
    bucket: i32,
    /// By `high`, without empty ones.
    blocks: Vec<Block>,
    /// For each block the first row of every 64th low half as far as there are rows, where the block is large.
    marks: Vec<Vec<u32>>,
    users: Vec<u16>,
    coarse: Vec<u16>,
    fine: Vec<u16>,
    ties: Ties,
    /// The earliest and the latest instant.
    first: i64,
    last: i64,
    /// By property.
    columns: Vec<(u32, Column)>,
    /// Rows that have been wiped.
    wiped: usize,
    /// Users without rows here who may have left values, as they were wiped while the part was made.
    left: Vec<u32>,
    /// Made by the first reader that asks.
    slots: OnceLock<Slots>,
}

/// What a filter leaves of a part.
pub(crate) enum Kept {
    None,
    Some(Box<Part>),
    All,
}

impl Kept {
    /// What is left, of this part; none of none.
    pub(crate) fn or(self, all: Arc<Part>) -> Option<Arc<Part>> {
        match self {
            Self::None => None,
            Self::Some(part) => Some(Arc::from(part)),
            Self::All => Some(all),
        }
    }
}

impl Part {
    /// A part of these rows, which are sorted by (user, at, tie) and lie in one bucket.
    pub(crate) fn new(bucket: i32, rows: &[Row<'_>]) -> Self {
        let ties = rows.iter().filter(|row| row.tie != 0).count();
        let mut part = Self::with_capacity(bucket, rows.len(), ties);
        part.extend(&rows.iter().map(|row| key(row.user, row.at)).collect::<Vec<_>>());
        rows.iter().enumerate().for_each(|(row, of)| part.add_tie(row, of.tie));
        part.finish();
        let mut names: Vec<u32> = rows.iter().flat_map(|row| row.properties).map(|(name, _)| *name).collect();
        names.sort_unstable();
        names.dedup();
        let mut cells = Vec::with_capacity(rows.len());
        for name in names {
            cells.clear();
            let cell = |row: &Row<'_>| {
                row.properties.iter().find(|(n, _)| *n == name).map_or(Cell::Missing, |(_, c)| *c)
            };
            cells.extend(rows.iter().map(cell));
            part.columns.push((name, Column::new(&cells)));
        }
        part
    }

    /// An empty part with room for so many rows, of which so many are not the first of their millisecond.
    pub(crate) fn with_capacity(bucket: i32, rows: usize, ties: usize) -> Self {
        let [users, coarse, fine] = [(); 3].map(|()| Vec::with_capacity(rows));
        Self {
            bucket,
            blocks: Vec::new(),
            marks: Vec::new(),
            users,
            coarse,
            fine,
            ties: Ties::with_capacity(ties),
            first: i64::MAX,
            last: i64::MIN,
            columns: Vec::new(),
            wiped: 0,
            left: Vec::new(),
            slots: OnceLock::new(),
        }
    }

    #[allow(clippy::cast_possible_truncation)] // halves, and rows are below 2^31
    /// Adds rows by their keys, which are in order and come after all others.
    pub(crate) fn extend(&mut self, keys: &[u64]) {
        for keys in keys.chunk_by(|a, b| a >> 48 == b >> 48) {
            let Some(high) = keys.first().map(|key| (key >> 48) as u16) else { continue };
            let start = self.users.len() as u32;
            let end = start + keys.len() as u32;
            match self.blocks.last_mut() {
                Some(block) if block.high == high => block.end = end,
                _ => {
                    self.close_block();
                    self.blocks.push(Block { high, start, end });
                    self.marks.push(Vec::new());
                }
            }
            self.users.extend(keys.iter().map(|key| (key >> 32) as u16));
            self.mark_from(start);
        }
        self.coarse.extend(keys.iter().map(|key| (key >> 16) as u16));
        self.fine.extend(keys.iter().map(|key| *key as u16));
        let (start, _) = self.span();
        let within = |key: &u64| i64::from(*key as u32);
        self.first = keys.iter().map(within).min().map_or(self.first, |first| self.first.min(start | first));
        self.last = keys.iter().map(within).max().map_or(self.last, |last| self.last.max(start | last));
    }

    /// Says where a row stands in the order of arrival; rows in order.
    pub(crate) fn add_tie(&mut self, row: usize, tie: u64) {
        self.ties.push(row, tie);
    }

    /// Marks the rows of the last block from one on, and those before it in a block that has become large.
    fn mark_from(&mut self, row: u32) {
        let (Some(block), Some(marks)) = (self.blocks.last(), self.marks.last_mut()) else { return };
        if block.end - block.start < LARGE {
            return;
        }
        let first = if marks.is_empty() { block.start } else { row };
        for (row, low) in (first..).zip(&self.users[first as usize..]) {
            // a mark without rows of its own is where the next begins
            while marks.len() <= usize::from(*low) / MARKED {
                marks.push(row);
            }
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.users.len()
    }

    /// How many rows are of users who are still there.
    pub(crate) fn events(&self) -> usize {
        self.len() - self.wiped
    }

    pub(crate) fn bucket(&self) -> i32 {
        self.bucket
    }

    /// The instants a row of this part can have.
    pub(crate) fn span(&self) -> (i64, i64) {
        let start = i64::from(self.bucket) << 32;
        (start, start + 0xffff_ffff)
    }

    /// The earliest instant of a row, or of one that has been wiped.
    pub(crate) fn first_instant(&self) -> i64 {
        self.first
    }

    /// The latest instant of a row, or of one that has been wiped.
    pub(crate) fn last_instant(&self) -> i64 {
        self.last
    }

    pub(crate) fn blocks(&self) -> &[Block] {
        &self.blocks
    }

    /// The low halves of the users.
    pub(crate) fn users(&self) -> &[u16] {
        &self.users
    }

    pub(crate) fn coarse(&self) -> &[u16] {
        &self.coarse
    }

    pub(crate) fn fine(&self) -> &[u16] {
        &self.fine
    }

    pub(crate) fn at(&self, row: usize) -> i64 {
        (i64::from(self.bucket) << 32) | i64::from(self.within(row))
    }

    /// The instant of a row within the bucket.
    pub(crate) fn within(&self, row: usize) -> u32 {
        u32::from(self.coarse[row]) << 16 | u32::from(self.fine[row])
    }

    /// How many rows are not the first of their millisecond.
    pub(crate) fn ties(&self) -> usize {
        self.ties.len()
    }

    /// The place in the order of arrival; 0 for the first event of its millisecond.
    pub(crate) fn tie(&self, row: usize) -> u64 {
        self.ties.get(row)
    }

    /// The same of rows asked for in order; see [`Ties::get_next`].
    pub(crate) fn next_tie(&self, row: usize, next: &mut usize) -> u64 {
        self.ties.get_next(row, next)
    }

    pub(crate) fn column(&self, property: u32) -> Option<&Column> {
        let i = self.columns.binary_search_by_key(&property, |(name, _)| *name).ok()?;
        self.columns.get(i).map(|(_, column)| column)
    }

    /// Adds a property of each of some rows, missing where the part has none of it.
    pub(crate) fn add_cells(&self, property: Option<u32>, rows: Range<usize>, cells: &mut Vec<Cell>) {
        match property.and_then(|property| self.column(property)) {
            Some(column) => column.add_cells(rows, cells),
            None => cells.resize(cells.len() + rows.len(), Cell::Missing),
        }
    }

    /// The properties that a row has.
    pub(crate) fn properties(&self, row: usize) -> impl Iterator<Item = (u32, Cell)> {
        let cells = self.columns.iter().map(move |(name, column)| (*name, column.get(row)));
        cells.filter(|(_, cell)| *cell != Cell::Missing)
    }

    /// All rows are there.
    pub(crate) fn finish(&mut self) {
        self.close_block();
        for column in [&mut self.users, &mut self.coarse, &mut self.fine] {
            column.shrink_to_fit();
        }
        self.blocks.shrink_to_fit();
        self.marks.shrink_to_fit();
        self.ties.shrink();
    }

    /// All rows of the last block are there.
    fn close_block(&mut self) {
        self.marks.last_mut().into_iter().for_each(Vec::shrink_to_fit);
    }

    pub(crate) fn all_users(&self) -> Vec<u32> {
        let mut all = Vec::with_capacity(self.len());
        for block in &self.blocks {
            let high = u32::from(block.high) << 16;
            all.extend(self.users[block.rows()].iter().map(|&low| high | u32::from(low)));
        }
        all
    }

    /// The properties that some row has.
    pub(crate) fn properties_held(&self) -> impl Iterator<Item = u32> {
        self.columns.iter().map(|(property, _)| *property)
    }

    /// The properties of all rows, by property.
    pub(crate) fn take_columns(&mut self, columns: impl Iterator<Item = (u32, Column)>) {
        self.columns = columns.collect();
    }

    /// The rows whose user and instant pass; hands over the values of the others.
    pub(crate) fn filter(&self, mut keep: impl FnMut(u32, i64) -> bool, gone: &mut impl FnMut(Cell)) -> Kept {
        let users = self.all_users();
        let mut order = Vec::new();
        for (row, &user) in (0u32..).zip(&users) {
            if keep(user, self.at(row as usize)) {
                order.push(row);
            } else {
                self.properties(row as usize).for_each(|(_, cell)| gone(cell));
            }
        }
        match order.len() {
            0 => Kept::None,
            all if all == self.len() => Kept::All,
            _ => Kept::Some(Box::new(self.pick(&users, &order))),
        }
    }

    /// A part of some of the rows.
    fn pick(&self, users: &[u32], rows: &[u32]) -> Self {
        let mut out = Self::with_capacity(self.bucket, rows.len(), 0);
        out.extend(
            &rows.iter().map(|row| key(users[*row as usize], self.at(*row as usize))).collect::<Vec<_>>(),
        );
        rows.iter().enumerate().for_each(|(to, row)| out.add_tie(to, self.tie(*row as usize)));
        out.columns = self.columns.iter().map(|(name, column)| (*name, column.pick(rows))).collect();
        out.finish();
        out
    }

    /// Wipes what the rows of a user say: instants, order and properties. The rows stay, of a user who is gone,
    /// until the part is merged or is [thin](Self::is_thin); values that they alone had, until [`Part::sweep`].
    pub(crate) fn wipe(&mut self, user: u32) {
        let rows = self.wipe_rows(user);
        for (_, column) in &mut self.columns {
            column.blank(rows.clone());
        }
    }

    /// Wipes all but properties, and tells of which rows.
    pub(crate) fn wipe_rows(&mut self, user: u32) -> Range<usize> {
        let rows = self.rows_of(user);
        self.coarse[rows.clone()].fill(0);
        self.fine[rows.clone()].fill(0);
        self.wiped += rows.len();
        rows
    }

    /// These users have been wiped while the part was made.
    pub(crate) fn was_wiped(&mut self, users: Vec<u32>) {
        self.left = users;
    }

    /// Lets go the values that only rows had which have been wiped.
    pub(crate) fn sweep(&mut self) {
        self.columns.iter_mut().for_each(|(_, column)| column.sweep());
        self.left = Vec::new();
    }

    /// Whether one of some users has rows here, or has had some.
    pub(crate) fn tells_of(&self, users: &[u32]) -> bool {
        users.iter().any(|user| self.left.contains(user) || !self.rows_of(*user).is_empty())
    }

    /// Whether so many rows have been wiped that the others should be written anew.
    pub(crate) fn is_thin(&self) -> bool {
        self.wiped > self.len() / 4
    }

    /// Bytes for (users and instants, properties).
    pub(crate) fn memory(&self) -> (usize, usize) {
        let rows = (self.users.capacity() + self.coarse.capacity() + self.fine.capacity()) * 2;
        let columns =
            self.columns.iter().map(|(_, column)| column.memory() + size_of::<(u32, Column)>()).sum();
        let marks: usize = self.marks.iter().map(|marks| marks.capacity() * 4 + 24).sum();
        let slots = self.slots.get().map_or(0, Slots::memory);
        let blocks = self.blocks.capacity() * size_of::<Block>();
        let left = self.left.capacity() * 4;
        (size_of::<Self>() + blocks + marks + slots + rows + left + self.ties.memory(), columns)
    }
}
