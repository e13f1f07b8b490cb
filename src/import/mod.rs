//! Reading messages and tables into a store: [`Importer`].

mod declared;
mod flatten;
mod input;
mod instant;
mod json;
mod message;
#[cfg(test)]
mod notebook;
mod report;
mod run;
mod segment_spec;

pub use report::{Position, Progress, Reason, Rejection, Report};
pub use run::ImportError;
pub use segment_spec::SegmentSpec;

use run::Options;

/// Reads messages or tables into a store: [`Importer::segment_spec`], [`Importer::csv`].
#[derive(Debug)]
pub struct Importer<'p, Format> {
    format: Format,
    options: Options<'p>,
}

impl<'p, Format> Importer<'p, Format> {
    /// Passes over what is rejected; the report says what it was, where and why.
    #[must_use]
    pub fn skip_rejected(mut self) -> Self {
        self.options.skip_rejected = true;
        self
    }

    /// Stops at the first message that is rejected, which is what happens unless told otherwise.
    #[must_use]
    pub fn stop_at_rejected(mut self) -> Self {
        self.options.skip_rejected = false;
        self
    }

    /// Is told how far the import has come, at most every 2^16 lines.
    #[must_use]
    pub fn on_progress(mut self, tell: impl FnMut(Progress) + 'p) -> Self {
        self.options.on_progress = Some(Box::new(tell));
        self
    }

    /// Starts at a position, usually [`Report::resume`] of an import that stopped: what stands before it is
    /// passed over unread.
    #[must_use]
    pub fn start_at(mut self, position: Position) -> Self {
        self.options.start_at = Some(position);
        self
    }

    /// The longest line (of a table: row) in bytes that is taken; 16 MiB unless this says otherwise.
    ///
    /// A longer line of messages is rejected, and never held whole. A longer row ends the import, since behind
    /// an open quote there is no telling where the next row begins.
    #[must_use]
    pub fn max_line(mut self, bytes: usize) -> Self {
        self.options.max_line = bytes;
        self
    }
}
