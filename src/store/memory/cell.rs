//! Property and attribute values as the store keeps them: sixteen bytes, texts and lists through a dictionary.

use std::cmp::Ordering;
use std::hash::BuildHasher;
use std::sync::Arc;

use super::chunked::Chunked;
use super::interner::Interner;
use super::shards::Shards;
use crate::value::{Number, Scalar, Value};

/// A value in canonical form: equal values are equal cells, bit by bit.
///
/// A whole float is kept as the integer that it equals; the law cannot tell them apart.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Cell {
    /// No value.
    Missing,
    Bool(bool),
    Int(i64),
    /// Not whole, or beyond the `i64`s.
    Float(f64),
    /// The number of a text in [`Values`].
    Text(u32),
    /// Milliseconds.
    Instant(i64),
    /// The number of a list in [`Values`].
    Many(u32),
}

impl Cell {
    pub(crate) fn number(self) -> Option<Number> {
        match self {
            Self::Int(n) => Some(Number::Int(n)),
            Self::Float(x) => Some(Number::Float(x)),
            _ => None,
        }
    }

    fn rank(self) -> u8 {
        match self {
            Self::Missing => 0,
            Self::Bool(_) => 1,
            Self::Int(_) | Self::Float(_) => 2,
            Self::Instant(_) => 3,
            Self::Text(_) => 4,
            Self::Many(_) => 5,
        }
    }

    /// A total order: by kind, numbers and instants by value, texts and lists by their number.
    pub(crate) fn order(self, other: Self) -> Ordering {
        match (self, other) {
            (Self::Int(a), Self::Int(b)) | (Self::Instant(a), Self::Instant(b)) => a.cmp(&b),
            (Self::Bool(a), Self::Bool(b)) => a.cmp(&b),
            (Self::Text(a), Self::Text(b)) | (Self::Many(a), Self::Many(b)) => a.cmp(&b),
            _ => match (self.number(), other.number()) {
                (Some(a), Some(b)) => a.cmp(&b),
                _ => self.rank().cmp(&other.rank()),
            },
        }
    }
}

/// The dictionary behind [`Cell::Text`] and [`Cell::Many`]; a clone is a pointer copy.
#[derive(Clone, Debug, Default)]
pub(crate) struct Values {
    texts: Interner,
    many: Chunked<Arc<Value>>,
    many_index: Shards<u32>,
}

impl Values {
    /// The cell of a value, which has been checked (finite numbers).
    pub(crate) fn cell(&mut self, value: &Value) -> Cell {
        match value {
            Value::Scalar(one) => self.scalar(one),
            many => self.many(many),
        }
    }

    fn scalar(&mut self, value: &Scalar) -> Cell {
        match value {
            Scalar::Bool(b) => Cell::Bool(*b),
            Scalar::Int(n) => Cell::Int(*n),
            Scalar::Float(x) => Number::Float(*x).as_i64().map_or(Cell::Float(*x), Cell::Int),
            Scalar::String(text) => Cell::Text(self.texts.intern(text)),
            Scalar::Instant(at) => Cell::Instant(at.millis()),
        }
    }

    fn many(&mut self, value: &Value) -> Cell {
        let hash = self.many_index.hash(value);
        let many = &self.many;
        let is_it = |&i: &u32| many.get(i as usize).is_some_and(|have| **have == *value);
        if let Some(&known) = self.many_index.find(hash, is_it) {
            return Cell::Many(known);
        }
        let number = u32::try_from(self.many.len()).unwrap_or(u32::MAX);
        self.many.push(Arc::new(value.clone()));
        let many = &self.many;
        self.many_index.insert(hash, number, |hasher, &i| {
            hasher.hash_one(many.get(i as usize).map(AsRef::as_ref).unwrap_or(value))
        });
        Cell::Many(number)
    }

    /// Lets go the text or list of a cell that no fact holds.
    pub(crate) fn erase(&mut self, cell: Cell) {
        match cell {
            Cell::Text(number) => self.texts.erase(number),
            Cell::Many(number) => {
                if let Some(value) = self.many.get(number as usize) {
                    let hash = self.many_index.hash(value.as_ref());
                    self.many_index.remove(hash, |&i| i == number);
                    self.many.set(number as usize, Arc::new(Value::List(Vec::new())));
                }
            }
            _ => {}
        }
    }

    pub(crate) fn text(&self, number: u32) -> &str {
        self.texts.get(number)
    }

    pub(crate) fn list(&self, number: u32) -> Option<&Value> {
        self.many.get(number as usize).map(AsRef::as_ref)
    }

    pub(crate) fn memory(&self) -> usize {
        let many: usize = self.many.iter().map(|v| 64 + value_size(v)).sum();
        self.texts.memory() + many
    }
}

fn value_size(value: &Value) -> usize {
    let scalar = |s: &Scalar| size_of::<Scalar>() + if let Scalar::String(t) = s { t.capacity() } else { 0 };
    match value {
        Value::Scalar(one) => scalar(one),
        Value::List(many) => many.iter().map(scalar).sum(),
        Value::Records(records) => {
            records.iter().flat_map(|r| r.fields()).map(|(name, s)| name.capacity() + 24 + scalar(s)).sum()
        }
    }
}
