//! Where in a document something stands: `all[1].did.in.last`.

use std::fmt;

/// A place in a document, as a chain of borrowed steps: nothing is allocated until an error is written.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Path<'a> {
    above: Option<&'a Path<'a>>,
    step: Step<'a>,
}

#[derive(Clone, Copy, Debug)]
enum Step<'a> {
    Root,
    Key(&'a str),
    Index(usize),
}

impl<'a> Path<'a> {
    /// The document itself.
    pub(crate) const ROOT: Path<'static> = Path { above: None, step: Step::Root };

    /// The member of that key.
    pub(crate) fn key(&'a self, key: &'a str) -> Self {
        Self { above: Some(self), step: Step::Key(key) }
    }

    /// The item of that index.
    pub(crate) fn index(&'a self, index: usize) -> Self {
        Self { above: Some(self), step: Step::Index(index) }
    }

    fn is_root(&self) -> bool {
        matches!(self.step, Step::Root)
    }
}

/// Whether a key can stand after a dot and be told from what surrounds it.
fn is_plain(key: &str) -> bool {
    !key.is_empty() && key.chars().all(|c| c.is_alphanumeric() || c == '_' || c == '-')
}

impl fmt::Display for Path<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(above) = self.above else { return Ok(()) };
        above.fmt(f)?;
        match self.step {
            Step::Root => Ok(()),
            Step::Index(index) => write!(f, "[{index}]"),
            Step::Key(key) if !is_plain(key) => write!(f, "[{}]", super::shown(key)),
            Step::Key(key) if above.is_root() => f.write_str(key),
            Step::Key(key) => write!(f, ".{key}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_read_as_people_write_them() {
        let all = Path::ROOT.key("all");
        let item = all.index(1);
        let did = item.key("did");
        assert_eq!(did.key("in").to_string(), "all[1].did.in");
        assert_eq!(Path::ROOT.to_string(), "");
        assert_eq!(
            Path::ROOT.key("segments").key("power users").key("all").to_string(),
            "segments[\"power users\"].all"
        );
    }
}
