//! The kinds that a caller declares for names, and reading a value as one.

use foldhash::fast::RandomState;
use hashbrown::HashMap;

use super::instant;
use super::json::{Json, Kind};
use crate::value::Scalar;

/// What the values of a name are to be read as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Declared {
    Instant,
    Number,
    String,
}

/// The kinds declared for names; of several for one name the last.
#[derive(Clone, Debug, Default)]
pub(crate) struct Declarations(HashMap<String, Declared, RandomState>);

impl Declarations {
    pub(crate) fn add(&mut self, names: impl IntoIterator<Item = impl Into<String>>, kind: Declared) {
        self.0.extend(names.into_iter().map(|name| (name.into(), kind)));
    }

    pub(crate) fn of(&self, name: &str) -> Option<Declared> {
        if self.0.is_empty() { None } else { self.0.get(name).copied() }
    }
}

impl Declared {
    /// The scalar that a JSON scalar is when read so; `None` where it does not parse.
    pub(crate) fn read(self, json: Json<'_>) -> Option<Scalar> {
        match (self, json.kind()) {
            (Self::Instant, _) => instant::from_json(json).map(Scalar::Instant),
            (Self::Number, Kind::Whole(text) | Kind::Number(text)) => number(text),
            (Self::Number, Kind::String(text)) => number(text.trim_ascii()),
            (Self::String, Kind::String(text)) => Some(Scalar::String(text.into_owned())),
            (Self::String, Kind::Bool(_) | Kind::Whole(_) | Kind::Number(_)) => {
                Some(Scalar::String(json.raw().to_owned()))
            }
            _ => None,
        }
    }
}

/// A finite number in decimal: an integer where it is written as one and fits, else a float.
pub(crate) fn number(text: &str) -> Option<Scalar> {
    if let Ok(whole) = text.parse::<i64>() {
        return Some(Scalar::Int(whole));
    }
    // `inf`, `nan` and their kin are no numbers of anybody's.
    let float: f64 = text.parse().ok().filter(|float: &f64| float.is_finite())?;
    Some(Scalar::Float(float))
}
