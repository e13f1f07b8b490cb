//! What segments name: checked whole before anything is compiled.

use std::sync::Arc;

use foldhash::HashMap;
use regex::Regex;

use super::normalize::Named;
use crate::json::Path;
use crate::limits;
use crate::segment::{Outline, Segment, SegmentError, outline_to_plan};

/// Why a segment or a catalog cannot be asked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PlanError {
    /// A segment is not valid.
    #[error(transparent)]
    Segment(#[from] SegmentError),
    /// A segment names one that there is not.
    #[error("{path}: there is no segment {name:?}")]
    UnknownSegment {
        /// Where it is named.
        path: String,
        /// The name.
        name: String,
    },
    /// A segment names a static list that there is not.
    #[error("{path}: there is no list {name:?}")]
    UnknownList {
        /// Where it is named.
        path: String,
        /// The name.
        name: String,
    },
    /// Segments name each other in a circle.
    #[error("the segments name each other in a circle: {}", names.join(" → "))]
    Cycle {
        /// The names, the first again at the end.
        names: Vec<String>,
    },
    /// A segment is too deep with those that it names.
    #[error(
        "{path}: more than {limit} expressions and filters inside each other, with the segments named there"
    )]
    TooDeep {
        /// Where the one is named that goes beyond the limit.
        path: String,
        /// How many are allowed.
        limit: usize,
    },
    /// A name of a segment or a list is empty or longer than 512 bytes.
    #[error("the name {name:?} of a {what} has {} bytes where 1 to 512 are allowed", name.len())]
    Name {
        /// `segment` or `list`.
        what: &'static str,
        /// The name.
        name: String,
    },
}

/// Checks segments with all that they name, each named one once.
pub(super) struct References<'n> {
    named: &'n dyn Named,
    /// How deep each named segment is, with all that it names.
    depths: HashMap<&'n str, usize>,
    /// The named segments that are being checked, the outermost first; at most as many as the depth allows.
    open: Vec<&'n str>,
    /// The regular expressions of all that was checked, held until it is compiled.
    patterns: Vec<Arc<Regex>>,
}

impl<'n> References<'n> {
    pub(super) fn new(named: &'n dyn Named) -> Self {
        Self { named, depths: HashMap::default(), open: Vec::new(), patterns: Vec::new() }
    }

    /// Checks a segment that no name stands for.
    pub(super) fn check(&mut self, segment: &Segment) -> Result<(), PlanError> {
        let mut outline = outline_to_plan(segment, &Path::ROOT)?;
        self.patterns.extend(outline.patterns.take().unwrap_or_default());
        self.depth(&outline).map(|_| ())
    }

    /// Checks the segment of a name.
    pub(super) fn check_name(&mut self, name: &str) -> Result<(), PlanError> {
        match self.named.segment(name) {
            Some((name, segment)) => self.check_named(name, segment).map(|_| ()),
            None => Err(PlanError::UnknownSegment { path: "segments".to_owned(), name: name.to_owned() }),
        }
    }

    /// Checks a named segment and answers its depth.
    fn check_named(&mut self, name: &'n str, segment: &Segment) -> Result<usize, PlanError> {
        if let Some(depth) = self.depths.get(name) {
            return Ok(*depth);
        }
        let mut outline = outline_to_plan(segment, &Path::ROOT.key("segments").key(name))?;
        self.patterns.extend(outline.patterns.take().unwrap_or_default());
        self.open.push(name);
        let depth = self.depth(&outline)?;
        self.open.pop();
        self.depths.insert(name, depth);
        Ok(depth)
    }

    /// The depth of a segment with all that it names.
    fn depth(&mut self, outline: &Outline) -> Result<usize, PlanError> {
        for list in &outline.lists {
            if self.named.list(&list.name).is_none() {
                return Err(PlanError::UnknownList { path: list.path.clone(), name: list.name.clone() });
            }
        }
        let mut depth = outline.depth;
        for reference in &outline.segments {
            let Some((name, segment)) = self.named.segment(&reference.name) else {
                let (path, name) = (reference.path.clone(), reference.name.clone());
                return Err(PlanError::UnknownSegment { path, name });
            };
            if let Some(from) = self.open.iter().position(|open| *open == name) {
                let names = self.open.iter().skip(from).chain([&name]).map(|name| (*name).to_owned());
                return Err(PlanError::Cycle { names: names.collect() });
            }
            let too_deep = || PlanError::TooDeep { path: reference.path.clone(), limit: limits::MAX_DEPTH };
            // As many open ones as this are too deep already: going on could only exhaust the stack.
            if self.open.len() >= limits::MAX_DEPTH {
                return Err(too_deep());
            }
            let below = self.check_named(name, segment)?;
            depth = depth.max(reference.level + below);
            if depth > limits::MAX_DEPTH {
                return Err(too_deep());
            }
        }
        Ok(depth)
    }
}
