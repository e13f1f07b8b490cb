//! What all formats share: options, the store that is written to, the report, and how an import ends.

use std::cell::Cell;
use std::fmt;
use std::io;

use super::message::{Merge, Stated};
use super::report::{Position, Progress, Reason, Rejection, Report};
use crate::event::Fact;
use crate::store::{BatchError, Ingest, Recorded};

/// Longest line that is taken unless the caller says otherwise.
const MAX_LINE: usize = 16 << 20;
/// Progress is told when this many more lines have been read.
const PROGRESS_LINES: u64 = 1 << 16;

/// Why an import ended before its input did. What came before is kept; the report says what, and where to
/// resume.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ImportError<E = crate::IngestError> {
    /// A message was rejected, and the importer was not told to skip those. Nothing of it is kept.
    #[error("{rejection}")]
    Rejected {
        /// Which message, and why.
        rejection: Rejection,
        /// What had been read until then.
        report: Box<Report>,
    },
    /// The reader failed, or what it holds is not compressed as its first bytes say.
    #[error("reading failed behind line {}: {source}", .report.lines)]
    Read {
        /// What the reader said.
        source: io::Error,
        /// What had been read until then.
        report: Box<Report>,
    },
    /// The store failed, or refused what is within the limits of the law.
    #[error("{position}: the store failed: {error}")]
    Store {
        /// The message that was to be written.
        position: Position,
        /// What the store said.
        error: E,
        /// What had been read until then.
        report: Box<Report>,
    },
    /// The columns that were declared are not those of the table.
    #[error("the columns do not fit: {problem}")]
    Columns {
        /// What does not fit.
        problem: String,
        /// What had been read until then: nothing but the header.
        report: Box<Report>,
    },
}

impl<E> ImportError<E> {
    /// What had been read and kept until then.
    pub fn report(&self) -> &Report {
        match self {
            Self::Rejected { report, .. }
            | Self::Read { report, .. }
            | Self::Store { report, .. }
            | Self::Columns { report, .. } => report,
        }
    }
}

/// What the caller chose, whatever the format.
pub(crate) struct Options<'p> {
    pub(crate) skip_rejected: bool,
    pub(crate) max_line: usize,
    pub(crate) start_at: Option<Position>,
    pub(crate) on_progress: Option<Box<dyn FnMut(Progress) + 'p>>,
}

impl Default for Options<'_> {
    fn default() -> Self {
        Self { skip_rejected: false, max_line: MAX_LINE, start_at: None, on_progress: None }
    }
}

impl fmt::Debug for Options<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Options")
            .field("skip_rejected", &self.skip_rejected)
            .field("max_line", &self.max_line)
            .field("start_at", &self.start_at)
            .finish_non_exhaustive()
    }
}

/// An import on its way into a store.
pub(crate) struct Run<'r, 'p, S: ?Sized> {
    store: &'r mut S,
    pub(crate) options: &'r mut Options<'p>,
    bytes: &'r Cell<u64>,
    report: Report,
    /// The lines that progress was told of last.
    told: u64,
}

/// What ended an import early.
pub(crate) enum Ended<E> {
    Rejected(Rejection),
    Read(io::Error),
    Store(Position, E),
    Columns(String),
}

impl<E> From<io::Error> for Ended<E> {
    fn from(error: io::Error) -> Self {
        Self::Read(error)
    }
}

impl<'r, 'p, S: Ingest + ?Sized> Run<'r, 'p, S> {
    pub(crate) fn new(store: &'r mut S, options: &'r mut Options<'p>, bytes: &'r Cell<u64>) -> Self {
        Self { store, options, bytes, report: Report::default(), told: 0 }
    }

    /// Counts a line; its number.
    pub(crate) fn line(&mut self) -> u64 {
        self.report.lines += 1;
        self.report.lines
    }

    /// The next row begins on this line.
    pub(crate) fn at_line(&mut self, line: u64) {
        self.report.lines = line;
    }

    /// All of a line has been taken.
    pub(crate) fn line_done(&mut self) {
        let (lines, bytes, events) = (self.report.lines, self.bytes.get(), self.report.events);
        if lines - self.told < PROGRESS_LINES {
            return;
        }
        self.told = lines;
        if let Some(tell) = &mut self.options.on_progress {
            tell(Progress { lines, bytes, events });
        }
    }

    /// Whether what stands here was taken by an import that this one resumes.
    pub(crate) fn is_before_start(&self, position: Position) -> bool {
        self.options.start_at.is_some_and(|start| position < start)
    }

    /// Takes all of a message, or rejects it.
    pub(crate) fn message(
        &mut self,
        position: Position,
        message: Result<Stated, Reason>,
    ) -> Result<(), Ended<S::Error>> {
        match message {
            Ok(stated) => self.take(stated).map_err(|error| Ended::Store(position, error)),
            Err(reason) => self.reject(position, reason),
        }
    }

    fn reject(&mut self, position: Position, reason: Reason) -> Result<(), Ended<S::Error>> {
        let rejection = Rejection { position, reason };
        self.report.reject(rejection.clone());
        if self.options.skip_rejected { Ok(()) } else { Err(Ended::Rejected(rejection)) }
    }

    /// Everything in it is within the limits, and merges that could fail are not made: so all of it is taken.
    fn take(&mut self, stated: Stated) -> Result<(), S::Error> {
        let Stated { kind, mut facts, merges, tally } = stated;
        let writes = facts.iter().filter(|fact| matches!(fact, Fact::Attribute(_))).count();
        let mut events = facts.iter().filter(|fact| matches!(fact, Fact::Event(_))).count() as u64;
        let mut count = |recorded| match recorded {
            Recorded::Duplicate => {
                (self.report.duplicates, events) = (self.report.duplicates + 1, events - 1)
            }
            Recorded::BeforeHorizon => {
                (self.report.before_horizon, events) = (self.report.before_horizon + 1, events - 1);
            }
            Recorded::New => {}
        };
        match facts.pop() {
            Some(only) if facts.is_empty() => count(self.store.take(only)?),
            last => {
                facts.extend(last);
                let taken = self.store.take_all(facts).map_err(|BatchError { error, .. }| error)?;
                taken.into_iter().for_each(count);
            }
        }
        self.report.events += events;
        self.report.attribute_writes += writes as u64;
        for merge in &merges {
            self.merge(merge)?;
        }
        self.report.take(kind, tally);
        Ok(())
    }

    /// Merges two ids, unless they are one user already, or the anonymous one is somebody else's.
    fn merge(&mut self, Merge { from, into, anonymous }: &Merge) -> Result<(), S::Error> {
        let owner = self.store.current_id(from)?;
        if owner == self.store.current_id(into)? {
            return Ok(());
        }
        if *anonymous && owner != *from {
            self.report.shared_devices += 1;
            return Ok(());
        }
        self.store.merge(from, into)?;
        self.report.merges += 1;
        Ok(())
    }

    /// The report, or the error with the report in it.
    pub(crate) fn finish(
        mut self,
        ended: Result<(), Ended<S::Error>>,
    ) -> Result<Report, ImportError<S::Error>> {
        self.report.bytes = self.bytes.get();
        let Err(ended) = ended else {
            return Ok(self.report);
        };
        self.report.resume = match &ended {
            Ended::Rejected(rejection) => Some(rejection.position),
            Ended::Store(position, _) => Some(*position),
            Ended::Read(_) => Some(Position { line: self.report.lines + 1, index: None }),
            Ended::Columns(_) => None,
        };
        let report = Box::new(self.report);
        Err(match ended {
            Ended::Rejected(rejection) => ImportError::Rejected { rejection, report },
            Ended::Read(source) => ImportError::Read { source, report },
            Ended::Store(position, error) => ImportError::Store { position, error, report },
            Ended::Columns(problem) => ImportError::Columns { problem, report },
        })
    }
}
