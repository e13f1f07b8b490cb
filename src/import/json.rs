//! One JSON document as a flat list of nodes over its text: what lines are read into.
//!
//! Reading allocates nothing once the list has grown (it is reused from line to line), copies no string, and
//! keeps the text of every value, which imports need: a coerced value *is* its text, an id written as a
//! number is its digits, an instant of many digits loses none of them to an `f64`.
//! Nothing here recurses, so no depth of nesting is too deep.
//!
//! A key given twice counts once, the last one, as senders' own JSON libraries have it. A surrogate that
//! stands alone (half an emoji, cut by a sender) reads as U+FFFD.

use std::borrow::Cow;
use std::collections::HashMap;

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

/// A container whose end has not been met yet.
#[derive(Debug)]
struct Open {
    node: u32,
    is_object: bool,
    /// One bit for each key so far, by its hash.
    keys: u128,
    /// Two keys may be equal: to be looked at when the object ends.
    suspect: bool,
}

/// The text is no JSON.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Malformed;

/// A value within a document.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Json<'a> {
    text: &'a str,
    nodes: &'a [Node],
    node: &'a Node,
    index: usize,
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
    pub(crate) fn read<'a>(&'a mut self, text: &'a str) -> Result<Json<'a>, Malformed> {
        self.nodes.clear();
        self.open.clear();
        u32::try_from(text.len()).map_err(|_| Malformed)?;
        Reader { bytes: text.as_bytes(), at: 0, nodes: &mut self.nodes, open: &mut self.open }.document()?;
        let node = self.nodes.first().ok_or(Malformed)?;
        Ok(Json { text, nodes: &self.nodes, node, index: 0 })
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
        (self.is_array() || self.is_object()) && self.node.next as usize == self.index + 1
    }

    /// The key it stands under; empty outside of objects.
    pub(crate) fn key(self) -> Cow<'a, str> {
        let key = self.slice(self.node.key.0, self.node.key.1);
        if self.node.key_escaped { Cow::Owned(unescape(key)) } else { Cow::Borrowed(key) }
    }

    /// The values right inside an array or an object; of those with one key the last.
    pub(crate) fn children(self) -> impl Iterator<Item = Self> {
        let inside = self.is_array() || self.is_object();
        let (end, mut index) = (if inside { self.node.next as usize } else { 0 }, self.index + 1);
        std::iter::from_fn(move || {
            while index < end {
                let child = self.nth(index)?;
                index = child.node.next as usize;
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

    fn nth(self, index: usize) -> Option<Self> {
        let node = self.nodes.get(index)?;
        Some(Self { node, index, ..self })
    }

    fn slice(self, start: u32, end: u32) -> &'a str {
        self.text.get(start as usize..end as usize).unwrap_or_default()
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
    if (0xD800..0xDC00).contains(&high) && escape.get(5..7) == Some("\\u") {
        if let Some(low @ 0xDC00..0xE000) = unit(7) {
            let joined = 0x1_0000 + ((high - 0xD800) << 10) + (low - 0xDC00);
            return (char::from_u32(joined).unwrap_or(char::REPLACEMENT_CHARACTER), 11);
        }
    }
    (char::from_u32(high).unwrap_or(char::REPLACEMENT_CHARACTER), 5)
}

struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
    nodes: &'a mut Vec<Node>,
    open: &'a mut Vec<Open>,
}

/// A key's place and whether it has a backslash; `(0, 0)` in arrays.
type Key = ((u32, u32), bool);
const NO_KEY: Key = ((0, 0), false);

impl Reader<'_> {
    fn document(&mut self) -> Result<(), Malformed> {
        let mut key = NO_KEY;
        loop {
            if self.value(key)? {
                // A container has begun and is not empty: its first value is next.
                key = self.next_key()?;
                continue;
            }
            loop {
                self.blanks();
                let Some(open) = self.open.last() else {
                    return if self.at == self.bytes.len() { Ok(()) } else { Err(Malformed) };
                };
                match (self.peek(), open.is_object) {
                    (Some(b','), _) => {
                        self.at += 1;
                        key = self.next_key()?;
                        break;
                    }
                    (Some(b'}'), true) | (Some(b']'), false) => {
                        self.at += 1;
                        self.close()?;
                    }
                    _ => return Err(Malformed),
                }
            }
        }
    }

    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    fn blanks(&mut self) {
        while let Some(b' ' | b'\t' | b'\n' | b'\r') = self.peek() {
            self.at += 1;
        }
    }

    /// Positions fit: `Document::read` has checked the length.
    #[allow(clippy::cast_possible_truncation)]
    fn position(&self) -> u32 {
        self.at as u32
    }

    /// Reads a scalar or the beginning of a container; whether something stands inside of it.
    fn value(&mut self, (key, key_escaped): Key) -> Result<bool, Malformed> {
        self.blanks();
        let start = self.position();
        let first = self.peek().ok_or(Malformed)?;
        let shape = match first {
            b'"' => self.string()?,
            b'{' => Shape::Object,
            b'[' => Shape::Array,
            b't' => self.literal(b"true", Shape::True)?,
            b'f' => self.literal(b"false", Shape::False)?,
            b'n' => self.literal(b"null", Shape::Null)?,
            _ => self.number()?,
        };
        let index = u32::try_from(self.nodes.len()).map_err(|_| Malformed)?;
        let end = self.position();
        self.nodes.push(Node { shape, key_escaped, shadowed: false, key, start, end, next: index + 1 });
        if !matches!(shape, Shape::Object | Shape::Array) {
            return Ok(false);
        }
        self.at += 1;
        let is_object = shape == Shape::Object;
        self.open.push(Open { node: index, is_object, keys: 0, suspect: false });
        self.blanks();
        if self.peek() == Some(if is_object { b'}' } else { b']' }) {
            self.at += 1;
            self.close()?;
            return Ok(false);
        }
        Ok(true)
    }

    /// The key before the next value, if the innermost container is an object.
    fn next_key(&mut self) -> Result<Key, Malformed> {
        if !self.open.last().is_some_and(|open| open.is_object) {
            return Ok(NO_KEY);
        }
        self.blanks();
        let start = self.position() + 1;
        let escaped = self.string()? == Shape::Escaped;
        let key = (start, self.position() - 1);
        self.blanks();
        if self.peek() != Some(b':') {
            return Err(Malformed);
        }
        self.at += 1;
        let bit = 1u128 << key_hash(self.bytes.get(key.0 as usize..key.1 as usize).unwrap_or_default());
        if let Some(open) = self.open.last_mut() {
            open.suspect |= escaped || open.keys & bit != 0;
            open.keys |= bit;
        }
        Ok((key, escaped))
    }

    fn close(&mut self) -> Result<(), Malformed> {
        let open = self.open.pop().ok_or(Malformed)?;
        let (end, next) = (self.position(), u32::try_from(self.nodes.len()).map_err(|_| Malformed)?);
        let node = self.nodes.get_mut(open.node as usize).ok_or(Malformed)?;
        (node.end, node.next) = (end, next);
        if open.suspect {
            self.shadow(open.node as usize + 1);
        }
        Ok(())
    }

    /// Marks the children from a node on whose key comes again later.
    fn shadow(&mut self, first: usize) {
        let text = |key: (u32, u32)| self.bytes.get(key.0 as usize..key.1 as usize).unwrap_or_default();
        let mut last = HashMap::<Cow<'_, [u8]>, usize>::new();
        let (mut index, mut shadowed) = (first, Vec::new());
        while let Some(node) = self.nodes.get(index) {
            let key = if node.key_escaped {
                Cow::Owned(unescape(&String::from_utf8_lossy(text(node.key))).into_bytes())
            } else {
                Cow::Borrowed(text(node.key))
            };
            shadowed.extend(last.insert(key, index));
            index = node.next as usize;
        }
        for index in shadowed {
            if let Some(node) = self.nodes.get_mut(index) {
                node.shadowed = true;
            }
        }
    }

    fn literal(&mut self, word: &[u8], shape: Shape) -> Result<Shape, Malformed> {
        let rest = self.bytes.get(self.at..).unwrap_or_default();
        if !rest.starts_with(word) {
            return Err(Malformed);
        }
        self.at += word.len();
        Ok(shape)
    }

    fn number(&mut self) -> Result<Shape, Malformed> {
        if self.peek() == Some(b'-') {
            self.at += 1;
        }
        let zero = self.peek() == Some(b'0');
        if self.digits()? > 1 && zero {
            return Err(Malformed);
        }
        let mut shape = Shape::Whole;
        if self.peek() == Some(b'.') {
            self.at += 1;
            self.digits()?;
            shape = Shape::Number;
        }
        if let Some(b'e' | b'E') = self.peek() {
            self.at += 1;
            if let Some(b'+' | b'-') = self.peek() {
                self.at += 1;
            }
            self.digits()?;
            shape = Shape::Number;
        }
        Ok(shape)
    }

    /// How many digits stand here; at least one.
    fn digits(&mut self) -> Result<usize, Malformed> {
        let start = self.at;
        while self.peek().is_some_and(|b| b.is_ascii_digit()) {
            self.at += 1;
        }
        if self.at > start { Ok(self.at - start) } else { Err(Malformed) }
    }

    /// A string from its quote to the one behind it.
    fn string(&mut self) -> Result<Shape, Malformed> {
        if self.peek() != Some(b'"') {
            return Err(Malformed);
        }
        self.at += 1;
        let mut shape = Shape::String;
        loop {
            self.at += plain_prefix(self.bytes.get(self.at..).unwrap_or_default());
            match self.peek() {
                Some(b'"') => {
                    self.at += 1;
                    return Ok(shape);
                }
                Some(b'\\') => {
                    self.escape()?;
                    shape = Shape::Escaped;
                }
                // The end of the text, or a control character.
                _ => return Err(Malformed),
            }
        }
    }

    fn escape(&mut self) -> Result<(), Malformed> {
        let rest = self.bytes.get(self.at + 1..).unwrap_or_default();
        match rest {
            [b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't', ..] => self.at += 2,
            [b'u', a, b, c, d, ..] if [a, b, c, d].iter().all(|hex| hex.is_ascii_hexdigit()) => self.at += 6,
            _ => return Err(Malformed),
        }
        Ok(())
    }
}

/// How many bytes from here on are neither a quote, nor a backslash, nor a control character.
///
/// Eight at a time: in each byte of `hits` the high bit is set where the byte is one of these. (A borrow may
/// set it above a true hit as well, never below, so the lowest is exact.)
fn plain_prefix(bytes: &[u8]) -> usize {
    const ONES: u64 = 0x0101_0101_0101_0101;
    const HIGHS: u64 = ONES << 7;
    let zero_bytes = |x: u64| x.wrapping_sub(ONES) & !x;
    let (words, _) = bytes.as_chunks::<8>();
    let mut done = 0;
    for word in words {
        let word = u64::from_le_bytes(*word);
        let controls = word.wrapping_sub(ONES * 0x20) & !word;
        let quotes = zero_bytes(word ^ (ONES * u64::from(b'"')));
        let backslashes = zero_bytes(word ^ (ONES * u64::from(b'\\')));
        let hits = (controls | quotes | backslashes) & HIGHS;
        if hits != 0 {
            return done + hits.trailing_zeros() as usize / 8;
        }
        done += 8;
    }
    let tail = bytes.get(done..).unwrap_or_default();
    done + tail.iter().take_while(|b| !matches!(b, b'"' | b'\\' | 0..0x20)).count()
}

/// A number below 128, from a key's length and its first and last eight bytes.
fn key_hash(key: &[u8]) -> u32 {
    let word = |part: &[u8]| part.iter().fold(0u64, |word, b| word << 8 | u64::from(*b));
    let first = word(key.get(..8).unwrap_or(key));
    let last = key.last_chunk::<8>().map_or(0, |last| u64::from_le_bytes(*last));
    let mixed = (first ^ last.rotate_left(32) ^ key.len() as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    (mixed >> 57) as u32
}

#[cfg(test)]
mod tests;
