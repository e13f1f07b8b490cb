//! Texts to dense numbers and back: names of events, properties and attributes, and the texts in values.

use std::hash::BuildHasher;

use super::chunked::Texts;
use super::shards::Shards;

/// Interns texts; a clone is a pointer copy.
#[derive(Clone, Debug, Default)]
pub(crate) struct Interner {
    texts: Texts,
    index: Shards<u32>,
}

impl Interner {
    /// The number of a text, new or known.
    pub(crate) fn intern(&mut self, text: &str) -> u32 {
        let hash = self.index.hash(text);
        let texts = &self.texts;
        if let Some(known) = self.index.find(hash, |&i| texts.get(i) == Some(text)) {
            return *known;
        }
        let number = u32::try_from(self.texts.len()).unwrap_or(u32::MAX);
        self.texts.push(text);
        let texts = &self.texts;
        self.index.insert(hash, number, |hasher, &i| hasher.hash_one(texts.get(i).unwrap_or_default()));
        number
    }

    /// Lets go a text; its number is not given out again.
    pub(crate) fn erase(&mut self, number: u32) {
        let hash = self.index.hash(self.get(number));
        self.index.remove(hash, |&i| i == number);
        self.texts.erase(number);
    }

    pub(crate) fn find(&self, text: &str) -> Option<u32> {
        let hash = self.index.hash(text);
        self.index.find(hash, |&i| self.texts.get(i) == Some(text)).copied()
    }

    pub(crate) fn get(&self, number: u32) -> &str {
        self.texts.get(number).unwrap_or_default()
    }

    pub(crate) fn len(&self) -> usize {
        self.texts.len()
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (u32, &str)> {
        (0u32..).zip(0..self.len()).map(|(number, _)| (number, self.get(number)))
    }

    pub(crate) fn memory(&self) -> usize {
        self.texts.memory() + self.index.memory()
    }
}
