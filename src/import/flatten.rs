//! Nested objects as flat names, and JSON values as values.

use std::cmp::Reverse;

use super::declared::{Declarations, Declared, number};
use super::json::{Json, Kind};
use super::report::{Reason, Tally};
use crate::limits;
use crate::value::{Record, Scalar, Value};

/// The leaves of objects under their dotted names.
#[derive(Debug)]
pub(crate) struct Leaves<'a> {
    /// What the names stand in, for errors: `properties`.
    place: &'a str,
    /// Whether a null is a leaf; else it is missing.
    nulls: bool,
    all: Vec<Leaf<'a>>,
    /// Two leaves may have one name.
    unsettled: bool,
    /// Entries with an empty name, which are dropped.
    pub(crate) dropped_names: u64,
}

/// A value that is no object, under its dotted name.
#[derive(Debug)]
pub(crate) struct Leaf<'a> {
    pub(crate) name: String,
    pub(crate) json: Json<'a>,
    /// Of several leaves with one name the one of the lowest rank counts: the source first, then how many
    /// objects it lies within (so a literal key wins over a dotted name).
    rank: (u8, u32),
}

impl<'a> Leaves<'a> {
    pub(crate) fn new(place: &'a str, nulls: bool) -> Self {
        Self { place, nulls, all: Vec::with_capacity(16), unsettled: false, dropped_names: 0 }
    }

    pub(crate) fn has(&self, name: &str) -> bool {
        self.all.iter().any(|leaf| leaf.name == name)
    }

    /// From now on two leaves may have one name.
    pub(crate) fn unsettle(&mut self) {
        self.unsettled = true;
    }

    /// Adds the entries of an object, each name behind a prefix. Of one name in two sources the lower counts.
    pub(crate) fn add_entries(&mut self, object: Json<'a>, prefix: &str, source: u8) -> Result<(), Reason> {
        for entry in object.children() {
            let key = entry.key();
            if key.is_empty() {
                self.dropped_names += u64::from(self.nulls || !entry.is_null());
            } else {
                let name = if prefix.is_empty() { key.into_owned() } else { [prefix, &key].concat() };
                self.add(entry, name, source)?;
            }
        }
        Ok(())
    }

    /// Adds one value under a name: itself, or where it is an object its leaves.
    pub(crate) fn add(&mut self, json: Json<'a>, name: String, source: u8) -> Result<(), Reason> {
        self.unsettled |= source > 0 || name.contains('.');
        if !json.is_object() {
            return self.push(json, name, (source, 0));
        }
        // Without recursion: the leaves come in the order of the text, each with the objects it lies within.
        let mut levels = vec![(json.children(), name.len())];
        let mut path = name;
        while let Some((children, len)) = levels.last_mut() {
            path.truncate(*len);
            let Some(child) = children.next() else {
                levels.pop();
                continue;
            };
            let key = child.key();
            self.unsettled |= key.contains('.');
            path.push('.');
            path.push_str(&key);
            if child.is_object() {
                levels.push((child.children(), path.len()));
            } else {
                self.push(child, path.clone(), (source, u32::try_from(levels.len()).unwrap_or(u32::MAX)))?;
            }
        }
        Ok(())
    }

    fn push(&mut self, json: Json<'a>, name: String, rank: (u8, u32)) -> Result<(), Reason> {
        if json.is_null() && !self.nulls {
            return Ok(());
        }
        if name.len() > limits::MAX_NAME {
            let shown = name.get(..name.floor_char_boundary(64)).unwrap_or_default();
            let field = format!("the name {}.{shown}…", self.place);
            return Err(Reason::TooLong { field, bytes: name.len(), limit: limits::MAX_NAME });
        }
        self.all.push(Leaf { name, json, rank });
        Ok(())
    }

    /// The leaves, each name once; of two of one rank the one written later.
    pub(crate) fn settle(mut self) -> Vec<Leaf<'a>> {
        if self.unsettled {
            let mut ranked: Vec<_> = self.all.into_iter().enumerate().collect();
            ranked.sort_by(|(i, a), (j, b)| {
                a.name.cmp(&b.name).then(a.rank.cmp(&b.rank)).then(Reverse(i).cmp(&Reverse(j)))
            });
            ranked.dedup_by(|(_, later), (_, first)| later.name == first.name);
            self.all = ranked.into_iter().map(|(_, leaf)| leaf).collect();
        }
        self.all
    }
}

/// Reads JSON values as values, and counts what is odd about them.
#[derive(Debug)]
pub(crate) struct Values<'d> {
    pub(crate) declared: &'d Declarations,
    pub(crate) tally: Tally,
}

impl Values<'_> {
    /// The value that a leaf is; `place` is what its name stands in.
    pub(crate) fn read(
        &mut self,
        leaf: &Leaf<'_>,
        place: &str,
        kind: Option<Declared>,
    ) -> Result<Value, Reason> {
        let json = leaf.json;
        let too_long = |bytes| too_long(place, &leaf.name, bytes);
        if !json.is_array() {
            return self.scalar(json, kind).map(Value::Scalar).map_err(too_long);
        }
        let items = || json.children().filter(|item| !item.is_null());
        if items().all(|item| !item.is_array() && !item.is_object()) {
            let list: Result<_, usize> = items().map(|item| self.scalar(item, kind)).collect();
            return list.map(Value::List).map_err(too_long);
        }
        if items().all(Json::is_object) {
            self.tally.unparsed += u64::from(kind.is_some());
            return items()
                .map(|item| self.record(item, place, &leaf.name))
                .collect::<Result<_, _>>()
                .map(Value::Records);
        }
        self.text(json, kind).map(Value::Scalar).map_err(too_long)
    }

    /// A record out of an object: its leaves, in which no list has room.
    fn record(&mut self, object: Json<'_>, place: &str, name: &str) -> Result<Record, Reason> {
        let place = [place, ".", name].concat();
        let mut leaves = Leaves::new(&place, false);
        leaves.unsettle();
        leaves.add_entries(object, "", 0)?;
        self.tally.dropped_names += leaves.dropped_names;
        let mut record = Record::new();
        for Leaf { name: field, json, .. } in leaves.settle() {
            let path = [name, ".", &field].concat();
            let scalar = match self.declared.of(&path) {
                kind if !json.is_array() => self.scalar(json, kind),
                kind => self.text(json, kind),
            };
            let scalar = scalar.map_err(|bytes| too_long(&place, &field, bytes))?;
            record = record.with(field, scalar);
        }
        Ok(record)
    }

    /// A scalar, read as declared where it can be. The error is how long a string is that is too long.
    fn scalar(&mut self, json: Json<'_>, kind: Option<Declared>) -> Result<Scalar, usize> {
        if let Some(scalar) = kind.and_then(|kind| kind.read(json)) {
            return within_limits(scalar);
        }
        let scalar = match json.kind() {
            Kind::Bool(b) => Some(Scalar::Bool(b)),
            Kind::Whole(text) | Kind::Number(text) => number(text),
            Kind::String(text) => Some(Scalar::String(text.into_owned())),
            Kind::Null | Kind::Array | Kind::Object => None,
        };
        let Some(scalar) = scalar else {
            return self.text(json, kind);
        };
        self.tally.unparsed += u64::from(kind.is_some());
        within_limits(scalar)
    }

    /// What fits nothing else: its JSON text.
    fn text(&mut self, json: Json<'_>, kind: Option<Declared>) -> Result<Scalar, usize> {
        self.tally.coerced += 1;
        self.tally.unparsed += u64::from(kind.is_some_and(|kind| kind != Declared::String));
        within_limits(Scalar::String(json.raw().to_owned()))
    }
}

fn too_long(place: &str, name: &str, bytes: usize) -> Reason {
    Reason::TooLong { field: format!("{place}.{name}"), bytes, limit: limits::MAX_STRING }
}

fn within_limits(scalar: Scalar) -> Result<Scalar, usize> {
    match scalar {
        Scalar::String(text) if text.len() > limits::MAX_STRING => Err(text.len()),
        scalar => Ok(scalar),
    }
}
