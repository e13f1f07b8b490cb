//! JSON as a small tree, with one strict reader for text and one for whatever serde reads.
//!
//! Both refuse a key given twice, an integer outside `i64`, a number no `f64` can hold and absurd nesting, so
//! that what is built from the tree never has to ask where it came from.

mod lex;
mod object;
mod path;
mod serde_tree;
mod value;
mod write;

pub(crate) use lex::SyntaxError;
pub(crate) use object::Object;
pub(crate) use path::Path;
pub(crate) use serde_tree::{text, through_json};
pub(crate) use value::{instant_text, read_scalar, read_value, span_text, write_scalar, write_value};

/// How deep arrays and objects may nest. The deepest legal segment needs four levels for each of its 64 (a
/// score holds an object, an object, a list and an object), a few in its leaf and two in a catalog.
pub(crate) const MAX_NESTING: usize = 320;

/// A JSON document, or a part of one. Keys of an object are unique, in the order written.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Json {
    Null,
    Bool(bool),
    Int(i64),
    /// Finite, and never `-0.0`.
    Float(f64),
    String(String),
    Array(Vec<Json>),
    Object(Vec<(String, Json)>),
}

/// What stands at a place of a document although something else should.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Fault {
    pub(crate) path: String,
    pub(crate) given: String,
    pub(crate) expected: String,
}

impl Fault {
    pub(crate) fn new(path: &Path<'_>, given: impl Into<String>, expected: impl Into<String>) -> Self {
        Self { path: path.to_string(), given: given.into(), expected: expected.into() }
    }
}

impl std::fmt::Display for Fault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if !self.path.is_empty() {
            write!(f, "{}: ", self.path)?;
        }
        write!(f, "given {}, expected {}", self.given, self.expected)
    }
}

/// Longest piece of a document that an error repeats, in characters.
const SHOWN: usize = 60;

/// A text as an error shows it: quoted, and cut where it is long.
pub(crate) fn shown(text: &str) -> String {
    match text.char_indices().nth(SHOWN) {
        Some((cut, _)) => format!("{:?}… ({} bytes)", &text[..cut], text.len()),
        None => format!("{text:?}"),
    }
}

impl Json {
    /// Reads a whole text.
    pub(crate) fn parse(text: &str) -> Result<Self, SyntaxError> {
        lex::parse(text)
    }

    /// The value as an error shows it.
    pub(crate) fn describe(&self) -> String {
        match self {
            Self::Null => "null".to_owned(),
            Self::Bool(b) => b.to_string(),
            Self::Int(n) => n.to_string(),
            Self::Float(x) => format!("{x:?}"),
            Self::String(text) => shown(text),
            Self::Array(items) if items.is_empty() => "an empty list".to_owned(),
            Self::Array(_) => "a list".to_owned(),
            Self::Object(_) => "an object".to_owned(),
        }
    }

    /// This value, which is not what was expected.
    pub(crate) fn fault(&self, path: &Path<'_>, expected: impl Into<String>) -> Fault {
        Fault::new(path, self.describe(), expected)
    }

    /// The text of a string.
    pub(crate) fn text(&self, path: &Path<'_>, what: &str) -> Result<&str, Fault> {
        match self {
            Self::String(text) => Ok(text),
            other => Err(other.fault(path, what)),
        }
    }

    /// The items of a list.
    pub(crate) fn list(&self, path: &Path<'_>, what: &str) -> Result<&[Self], Fault> {
        match self {
            Self::Array(items) => Ok(items),
            other => Err(other.fault(path, what)),
        }
    }

    /// The two items of a pair.
    pub(crate) fn pair(&self, path: &Path<'_>, what: &str) -> Result<[&Self; 2], Fault> {
        match self {
            Self::Array(items) if let [a, b] = items.as_slice() => Ok([a, b]),
            Self::Array(items) => Err(Fault::new(path, format!("a list of {}", items.len()), what)),
            other => Err(other.fault(path, what)),
        }
    }
}
