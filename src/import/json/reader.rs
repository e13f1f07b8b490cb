//! From the text of a document to its nodes.

use std::borrow::Cow;
use std::collections::HashMap;

use super::{Malformed, Node, Shape, unescape};

/// A container whose end has not been met yet.
#[derive(Debug)]
pub(super) struct Open {
    node: u32,
    is_object: bool,
    /// One bit for each key so far, by its hash.
    keys: u128,
    /// Two keys may be equal: to be looked at when the object ends.
    suspect: bool,
}

pub(super) struct Reader<'a> {
    pub(super) bytes: &'a [u8],
    pub(super) at: usize,
    pub(super) nodes: &'a mut Vec<Node>,
    pub(super) open: &'a mut Vec<Open>,
}

/// A key's place and whether it has a backslash; `(0, 0)` in arrays.
type Key = ((u32, u32), bool);
const NO_KEY: Key = ((0, 0), false);

impl Reader<'_> {
    pub(super) fn document(&mut self) -> Result<(), Malformed> {
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
        let bit = 1u128 << key_hash(self.bytes, key.0 as usize, key.1 as usize);
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
        if open.suspect && self.has_twins(open.node as usize + 1) {
            self.shadow(open.node as usize + 1);
        }
        Ok(())
    }

    /// Marks the children from a node on whose key comes again later.
    fn shadow(&mut self, first: usize) {
        let mut last = HashMap::new();
        let (mut index, mut shadowed) = (first, Vec::new());
        while let Some(node) = self.nodes.get(index) {
            shadowed.extend(last.insert(self.key_of(node), index));
            index = node.next as usize;
        }
        for index in shadowed {
            if let Some(node) = self.nodes.get_mut(index) {
                node.shadowed = true;
            }
        }
    }

    /// Whether two of the children from a node on may have one key: surely, where they are many.
    fn has_twins(&self, first: usize) -> bool {
        let mut keys = [(0, 0); 32];
        let (mut index, mut count) = (first, 0);
        while let Some(node) = self.nodes.get(index) {
            let (Some(slot), false) = (keys.get_mut(count), node.key_escaped) else { return true };
            *slot = node.key;
            (index, count) = (node.next as usize, count + 1);
        }
        let text = |key: (u32, u32)| self.bytes.get(key.0 as usize..key.1 as usize);
        let keys = keys.get(..count).unwrap_or_default();
        keys.iter().enumerate().any(|(i, a)| keys.iter().skip(i + 1).any(|b| text(*a) == text(*b)))
    }

    fn key_of(&self, node: &Node) -> Cow<'_, [u8]> {
        let key = self.bytes.get(node.key.0 as usize..node.key.1 as usize).unwrap_or_default();
        if !node.key_escaped {
            return Cow::Borrowed(key);
        }
        Cow::Owned(unescape(&String::from_utf8_lossy(key)).into_bytes())
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
pub(super) fn plain_prefix(bytes: &[u8]) -> usize {
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
fn key_hash(text: &[u8], start: usize, end: usize) -> u32 {
    let eight = |at: usize| {
        let rest = text.get(at..).unwrap_or_default();
        let near_the_end = || rest.iter().rev().fold(0, |word, b| word << 8 | u64::from(*b));
        rest.first_chunk::<8>().map_or_else(near_the_end, |eight| u64::from_le_bytes(*eight))
    };
    let (first, last) = match end - start {
        0 => (0, 0),
        // What follows a short key is shifted out.
        len @ 1..8 => (eight(start) << (8 * (8 - len)), 0),
        _ => (eight(start), eight(end - 8)),
    };
    let mixed = (first ^ last.rotate_left(29) ^ (end - start) as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    (mixed >> 57) as u32
}
