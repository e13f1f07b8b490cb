//! Objects: built with unique keys, read with known ones.

use std::collections::HashSet;

use super::{Fault, Json, Path, shown};

/// An object being built: tells whether it has a key.
#[derive(Default)]
pub(super) struct Members {
    all: Vec<(String, Json)>,
    /// The keys, once there are too many to look through.
    keys: HashSet<String>,
}

/// Up to so many members a look through all of them is quickest.
const FEW: usize = 16;

impl Members {
    pub(super) fn has(&self, key: &str) -> bool {
        if self.keys.is_empty() {
            self.all.iter().any(|(have, _)| have == key)
        } else {
            self.keys.contains(key)
        }
    }

    pub(super) fn push(&mut self, key: String, value: Json) {
        if self.all.len() == FEW {
            self.keys = self.all.iter().map(|(key, _)| key.clone()).collect();
        }
        if !self.keys.is_empty() {
            self.keys.insert(key.clone());
        }
        self.all.push((key, value));
    }

    pub(super) fn into_json(self) -> Json {
        Json::Object(self.all)
    }
}

/// An object being read, and where it stands.
#[derive(Clone, Copy)]
pub(crate) struct Object<'j, 'p> {
    pub(crate) members: &'j [(String, Json)],
    pub(crate) path: &'p Path<'p>,
}

impl<'j, 'p> Object<'j, 'p> {
    /// The object that a value is; `what` says what else was expected.
    pub(crate) fn read(json: &'j Json, path: &'p Path<'p>, what: &str) -> Result<Self, Fault> {
        match json {
            Json::Object(members) => Ok(Self { members, path }),
            other => Err(other.fault(path, what)),
        }
    }

    /// Refuses every key that is not among these.
    pub(crate) fn only(&self, known: &[&[&str]]) -> Result<(), Fault> {
        match self.members.iter().find(|(key, _)| !known.iter().any(|group| group.contains(&key.as_str()))) {
            None => Ok(()),
            Some((key, _)) => {
                let expected = format!("one of the keys {}", known.concat().join(", "));
                Err(Fault::new(&self.path.key(key), "an unknown key", expected))
            }
        }
    }

    pub(crate) fn get(&self, key: &str) -> Option<&'j Json> {
        self.members.iter().find(|(have, _)| have == key).map(|(_, value)| value)
    }

    /// Reads a member that must be there.
    pub(crate) fn need<T, E: From<Fault>>(
        &self,
        key: &str,
        read: impl FnOnce(&'j Json, &Path<'_>) -> Result<T, E>,
    ) -> Result<T, E> {
        match self.get(key) {
            Some(json) => read(json, &self.path.key(key)),
            None => Err(Fault::new(self.path, self.describe(), format!("the key {key:?}")).into()),
        }
    }

    /// Reads a member that may be left out.
    pub(crate) fn maybe<T, E: From<Fault>>(
        &self,
        key: &str,
        read: impl FnOnce(&'j Json, &Path<'_>) -> Result<T, E>,
    ) -> Result<Option<T>, E> {
        self.get(key).map(|json| read(json, &self.path.key(key))).transpose()
    }

    /// The one of these keys that is there; `None` where none is.
    pub(crate) fn at_most_one(&self, of: &[&'static str], what: &str) -> Result<Option<&'static str>, Fault> {
        let mut found = of.iter().copied().filter(|key| self.get(key).is_some());
        let first = found.next();
        match (first, found.next()) {
            (Some(a), Some(b)) => Err(Fault::new(self.path, format!("both {a:?} and {b:?}"), what)),
            _ => Ok(first),
        }
    }

    /// The one of these keys that is there.
    pub(crate) fn exactly_one(&self, of: &[&'static str], what: &str) -> Result<&'static str, Fault> {
        let one = self.at_most_one(of, what)?;
        one.ok_or_else(|| Fault::new(self.path, self.describe(), format!("{what}: one of {}", of.join(", "))))
    }

    /// The object as an error shows it: its keys.
    pub(crate) fn describe(&self) -> String {
        let keys: Vec<String> = self.members.iter().take(8).map(|(key, _)| shown(key)).collect();
        match (keys.len(), self.members.len()) {
            (0, _) => "an empty object".to_owned(),
            (shown, all) if shown < all => format!("an object with {}, …", keys.join(", ")),
            _ => format!("an object with {}", keys.join(", ")),
        }
    }
}
