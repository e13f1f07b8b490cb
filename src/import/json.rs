//! One JSON document as a flat list of nodes over its text: what lines are read into.
//!
//! Reading allocates nothing once the list has grown (it is reused from line to line), copies no string, and
//! keeps the text of every value, which imports need: a coerced value *is* its text, an id written as a
//! number is its digits, an instant of many digits loses none of them to an `f64`.
//! Nothing here recurses, so no depth of nesting is too deep.
//!
//! A key given twice counts once, the last one, as senders' own JSON libraries have it. A surrogate that
//! stands alone (half an emoji, cut by a sender) reads as U+FFFD.

mod reader;

use std::borrow::Cow;

use reader::{Open, Reader};

/// The nodes of one document, kept to be used again for the next.
#[derive(Debug, Default)]
pub(crate) struct Document {
    /// In the order of the text; a container is followed by what it holds.
    nodes: Vec<Node>,
    open: Vec<Open>,
}

/// One value; positions are bytes of the text.
#[derive(Clone, Copy, Debug)]
struct Node {
    shape: Shape,
    key_escaped: bool,
    /// A later sibling has the same key.
    shadowed: bool,
    key: (u32, u32),
    start: u32,
    end: u32,
    /// The index of the first node behind this value.
    next: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Shape {
    Null,
    True,
    False,
    /// A number without fraction and exponent.
    Whole,
    /// Any other number.
    Number,
    String,
    /// A string with a backslash in it.
    Escaped,
    Array,
    Object,
}

/// The text is no JSON.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Malformed;

/// A value within a document.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Json<'a> {
    tape: &'a Tape<'a>,
    node: &'a Node,
    index: u32,
}

/// A document that has been read: at least one node.
#[derive(Debug)]
pub(crate) struct Tape<'a> {
    text: &'a str,
    root: &'a Node,
    nodes: &'a [Node],
}

/// What a value is.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Kind<'a> {
    Null,
    Bool(bool),
    /// The digits of a number without fraction and exponent.
    Whole(&'a str),
    /// The text of any other number.
    Number(&'a str),
    String(Cow<'a, str>),
    Array,
    Object,
}

impl Document {
    /// Reads a text that holds one value and blanks around it.
    pub(crate) fn read<'a>(&'a mut self, text: &'a str) -> Result<Tape<'a>, Malformed> {
        self.nodes.clear();
        self.open.clear();
        u32::try_from(text.len()).map_err(|_| Malformed)?;
        Reader { bytes: text.as_bytes(), at: 0, nodes: &mut self.nodes, open: &mut self.open }.document()?;
        let root = self.nodes.first().ok_or(Malformed)?;
        Ok(Tape { text, root, nodes: &self.nodes })
    }
}

impl Tape<'_> {
    pub(crate) fn root(&self) -> Json<'_> {
        Json { tape: self, node: self.root, index: 0 }
    }
}

impl<'a> Json<'a> {
    pub(crate) fn kind(self) -> Kind<'a> {
        match self.node.shape {
            Shape::Null => Kind::Null,
            Shape::True => Kind::Bool(true),
            Shape::False => Kind::Bool(false),
            Shape::Whole => Kind::Whole(self.raw()),
            Shape::Number => Kind::Number(self.raw()),
            Shape::String | Shape::Escaped => Kind::String(self.string().unwrap_or_default()),
            Shape::Array => Kind::Array,
            Shape::Object => Kind::Object,
        }
    }

    /// Its text as it was written.
    pub(crate) fn raw(self) -> &'a str {
        self.slice(self.node.start, self.node.end)
    }

    /// The string it is.
    pub(crate) fn string(self) -> Option<Cow<'a, str>> {
        match self.node.shape {
            Shape::String => Some(Cow::Borrowed(self.slice(self.node.start + 1, self.node.end - 1))),
            Shape::Escaped => Some(Cow::Owned(unescape(self.slice(self.node.start + 1, self.node.end - 1)))),
            _ => None,
        }
    }

    pub(crate) fn is_null(self) -> bool {
        self.node.shape == Shape::Null
    }

    pub(crate) fn is_object(self) -> bool {
        self.node.shape == Shape::Object
    }

    pub(crate) fn is_array(self) -> bool {
        self.node.shape == Shape::Array
    }

    /// Whether it is an array or an object that holds nothing.
    pub(crate) fn is_empty_container(self) -> bool {
        (self.is_array() || self.is_object()) && self.node.next == self.index + 1
    }

    /// The key it stands under; empty outside of objects.
    pub(crate) fn key(self) -> Cow<'a, str> {
        let key = self.slice(self.node.key.0, self.node.key.1);
        if self.node.key_escaped { Cow::Owned(unescape(key)) } else { Cow::Borrowed(key) }
    }

    /// The values right inside an array or an object; of those with one key the last.
    pub(crate) fn children(self) -> impl Iterator<Item = Self> {
        let inside = self.is_array() || self.is_object();
        let (end, mut index) = (if inside { self.node.next } else { 0 }, self.index + 1);
        std::iter::from_fn(move || {
            while index < end {
                let child = self.nth(index)?;
                index = child.node.next;
                if !child.node.shadowed {
                    return Some(child);
                }
            }
            None
        })
    }

    /// The value under a key of an object.
    pub(crate) fn get(self, key: &str) -> Option<Self> {
        self.is_object().then(|| self.children().find(|child| child.key() == key)).flatten()
    }

    fn nth(self, index: u32) -> Option<Self> {
        let node = self.tape.nodes.get(index as usize)?;
        Some(Self { node, index, ..self })
    }

    fn slice(self, start: u32, end: u32) -> &'a str {
        self.tape.text.get(start as usize..end as usize).unwrap_or_default()
    }
}

/// The characters that a string's text stands for; its escapes have been checked.
fn unescape(raw: &str) -> String {
    let mut out = String::with_capacity(raw.len());
    let mut rest = raw;
    while let Some((plain, escape)) = rest.split_once('\\') {
        out.push_str(plain);
        let mut chars = escape.chars();
        match chars.next() {
            Some('n') => out.push('\n'),
            Some('t') => out.push('\t'),
            Some('r') => out.push('\r'),
            Some('b') => out.push('\u{8}'),
            Some('f') => out.push('\u{c}'),
            Some('u') => {
                let (c, len) = unicode(escape);
                out.push(c);
                rest = escape.get(len..).unwrap_or_default();
                continue;
            }
            Some(itself) => out.push(itself),
            None => {}
        }
        rest = chars.as_str();
    }
    out.push_str(rest);
    out
}

/// The character of `uXXXX`, or of a pair of surrogates, and how many bytes it took.
fn unicode(escape: &str) -> (char, usize) {
    let unit = |at: usize| escape.get(at..at + 4).and_then(|hex| u32::from_str_radix(hex, 16).ok());
    let high = unit(1).unwrap_or(0xFFFD);
    if let (0xD800..0xDC00, Some("\\u"), Some(low @ 0xDC00..0xE000)) = (high, escape.get(5..7), unit(7)) {
        let joined = 0x1_0000 + ((high - 0xD800) << 10) + (low - 0xDC00);
        return (char::from_u32(joined).unwrap_or(char::REPLACEMENT_CHARACTER), 11);
    }
    (char::from_u32(high).unwrap_or(char::REPLACEMENT_CHARACTER), 5)
}

#[cfg(test)]
mod tests;
