//! What is wrong with a segment, and where.

use crate::json::{Fault, Path, SyntaxError, shown};

/// Why a segment cannot be read, or may not be asked.
///
/// The path names the place in the JSON form, also for segments built in code: `all[1].did.in.last`. It is
/// empty for the segment itself.
///
/// ```
/// use whodid::segment::{Segment, SegmentError};
/// let error = Segment::from_json(r#"{"all":[{"did":{"event":"x","in":{"last":"1q"}}}]}"#).unwrap_err();
/// assert_eq!(error.path(), "all[0].did.in.last");
/// assert!(error.to_string().starts_with("all[0].did.in.last: given \"1q\", expected a span"));
/// # assert!(matches!(error, SegmentError::Unexpected { .. }));
/// ```
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SegmentError {
    /// The text is no JSON, or holds a key twice or a number that no 64 bits can.
    #[error("line {line}, column {column}: {message}")]
    Syntax {
        /// From 1.
        line: usize,
        /// From 1, in characters.
        column: usize,
        /// What was found there and what was expected.
        message: String,
    },
    /// Something else was expected there: another kind of value, a known key, a key that is missing.
    #[error("{}given {given}, expected {expected}", place(path))]
    Unexpected {
        /// Where.
        path: String,
        /// What stands there.
        given: String,
        /// What may stand there.
        expected: String,
    },
    /// What stands there can be read, but no segment may say so.
    #[error("{}given {given}, expected {expected}", place(path))]
    Invalid {
        /// Where.
        path: String,
        /// What is said there.
        given: String,
        /// What may be said there.
        expected: String,
    },
    /// A regular expression that does not compile.
    #[error("{}the regular expression {} does not compile: {message}", place(path), shown(pattern))]
    Regex {
        /// Where.
        path: String,
        /// The expression.
        pattern: String,
        /// What the `regex` crate says.
        message: String,
    },
    /// Expressions and filters inside each other beyond the limit.
    #[error("{}more than {limit} expressions and filters inside each other", place(path))]
    TooDeep {
        /// Where the limit is passed.
        path: String,
        /// How many are allowed.
        limit: usize,
    },
    /// More expressions and filters than allowed.
    #[error("{}more than {limit} expressions and filters in one segment", place(path))]
    TooLarge {
        /// Where the limit is passed.
        path: String,
        /// How many are allowed.
        limit: usize,
    },
    /// A name, a salt or a text beyond its limit.
    #[error("{}given {what} of {bytes} bytes, expected at most {limit}", place(path))]
    TooLong {
        /// Where.
        path: String,
        /// What is too long: `a name`.
        what: &'static str,
        /// How long it is.
        bytes: usize,
        /// How long it may be.
        limit: usize,
    },
}

/// A path before what is said of it.
fn place(path: &str) -> String {
    if path.is_empty() { String::new() } else { format!("{path}: ") }
}

impl SegmentError {
    /// Where in the JSON form: `all[1].did.in.last`; empty for the segment itself and for a text that is no
    /// JSON.
    pub fn path(&self) -> &str {
        match self {
            Self::Syntax { .. } => "",
            Self::Unexpected { path, .. }
            | Self::Invalid { path, .. }
            | Self::Regex { path, .. }
            | Self::TooDeep { path, .. }
            | Self::TooLarge { path, .. }
            | Self::TooLong { path, .. } => path,
        }
    }

    /// The same error at another path.
    pub(super) fn map_path(mut self, map: impl FnOnce(&str) -> String) -> Self {
        match &mut self {
            Self::Syntax { .. } => {}
            Self::Unexpected { path, .. }
            | Self::Invalid { path, .. }
            | Self::Regex { path, .. }
            | Self::TooDeep { path, .. }
            | Self::TooLarge { path, .. }
            | Self::TooLong { path, .. } => *path = map(path),
        }
        self
    }

    pub(super) fn invalid(path: &Path<'_>, given: impl Into<String>, expected: impl Into<String>) -> Self {
        Self::Invalid { path: path.to_string(), given: given.into(), expected: expected.into() }
    }
}

impl From<Fault> for SegmentError {
    fn from(Fault { path, given, expected }: Fault) -> Self {
        Self::Unexpected { path, given, expected }
    }
}

impl From<SyntaxError> for SegmentError {
    fn from(SyntaxError { line, column, message }: SyntaxError) -> Self {
        Self::Syntax { line, column, message }
    }
}
