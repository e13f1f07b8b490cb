//! Newline-delimited messages of the Segment spec, from a reader into a store.

use std::cell::Cell;
use std::io::Read;

use super::Importer;
use super::declared::{Declarations, Declared};
use super::input::{self, Counted, Line};
use super::json::{Document, Json, Tape};
use super::message::{self, Fields, Settings};
use super::report::{Position, Reason, Report};
use super::run::{Ended, ImportError, Options, Run};
use crate::store::Ingest;
use crate::time::Timestamp;

/// Messages of the Segment spec, one JSON object a line: see [`Importer::segment_spec`].
#[derive(Clone, Debug)]
pub struct SegmentSpec(Settings);

impl<'p> Importer<'p, SegmentSpec> {
    /// Reads messages of the Segment spec, as [the module](super) says.
    pub fn segment_spec() -> Self {
        let settings = Settings {
            declared: Declarations::default(),
            stitch: true,
            context: false,
            instant_if_none: None,
        };
        Self { format: SegmentSpec(settings), options: Options::default() }
    }

    /// Properties and traits of these names are instants.
    #[must_use]
    pub fn instants(self, names: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.declare(names, Declared::Instant)
    }

    /// Properties and traits of these names are numbers, also where a message has them in quotes.
    #[must_use]
    pub fn numbers(self, names: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.declare(names, Declared::Number)
    }

    /// Properties and traits of these names are strings, also where a message has them as numbers or bools.
    #[must_use]
    pub fn strings(self, names: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.declare(names, Declared::String)
    }

    fn declare(mut self, names: impl IntoIterator<Item = impl Into<String>>, kind: Declared) -> Self {
        self.format.0.declared.add(names, kind);
        self
    }

    /// Whether an anonymous id is merged into the user it turns out to be; it is unless this says otherwise.
    #[must_use]
    pub fn stitch(mut self, stitch: bool) -> Self {
        self.format.0.stitch = stitch;
        self
    }

    /// Whether the leaves of `context` are event properties under `context.`; they are left out unless this
    /// says otherwise.
    #[must_use]
    pub fn context(mut self, context: bool) -> Self {
        self.format.0.context = context;
        self
    }

    /// The instant of messages that carry none; without it they are rejected.
    #[must_use]
    pub fn instant_if_none(mut self, at: impl Into<Timestamp>) -> Self {
        self.format.0.instant_if_none = Some(at.into());
        self
    }

    /// Reads all lines of a reader (a file, a socket, bytes; compressed or not) into a store.
    ///
    /// It buffers by itself, and holds one line at a time.
    ///
    /// # Errors
    /// The first rejected message, unless told to skip them; a reader or a store that fails. What came before
    /// is kept, and the error's report says where to resume.
    pub fn read<S: Ingest + ?Sized>(
        &mut self,
        reader: impl Read,
        store: &mut S,
    ) -> Result<Report, ImportError<S::Error>> {
        let bytes = Cell::new(0);
        let reader = Counted::new(reader, &bytes);
        let mut run = Run::new(store, &mut self.options, &bytes);
        let ended = lines(reader, &self.format.0, &mut run);
        run.finish(ended)
    }
}

fn lines<S: Ingest + ?Sized>(
    reader: impl Read,
    settings: &Settings,
    run: &mut Run<'_, '_, S>,
) -> Result<(), Ended<S::Error>> {
    let mut reader = input::text(reader)?;
    let (mut line, mut document) = (Vec::new(), Document::default());
    let limit = run.options.max_line;
    loop {
        let read = input::next_line(&mut *reader, &mut line, limit)?;
        if read == Line::End {
            return Ok(());
        }
        let position = Position { line: run.line(), index: None };
        if read == Line::TooLong {
            if !run.is_before_start(position) {
                run.message(position, Err(Reason::LineTooLong { limit }))?;
            }
        } else {
            take_line(&line, &mut document, settings, position, run)?;
        }
        run.line_done();
    }
}

/// Takes the message or the batch of one line.
fn take_line<S: Ingest + ?Sized>(
    line: &[u8],
    document: &mut Document,
    settings: &Settings,
    position: Position,
    run: &mut Run<'_, '_, S>,
) -> Result<(), Ended<S::Error>> {
    // A batch may have begun before the start and end behind it.
    let last = Position { index: Some(usize::MAX), ..position };
    if run.is_before_start(last) || line.trim_ascii().is_empty() {
        return Ok(());
    }
    let tape = std::str::from_utf8(line).ok().and_then(|text| document.read(text).ok());
    let Some(json) = tape.as_ref().map(Tape::root).filter(|json| json.is_object()) else {
        return run.message(position, Err(Reason::NotAnObject));
    };
    let fields = Fields::of(json);
    let Some(batch) = fields.batch else {
        return run.message(position, message::read(&fields, settings));
    };
    for (index, item) in batch.children().enumerate() {
        let position = Position { index: Some(index), ..position };
        if !run.is_before_start(position) {
            run.message(position, read_item(item, settings))?;
        }
    }
    Ok(())
}

fn read_item(item: Json<'_>, settings: &Settings) -> Result<message::Stated, Reason> {
    if item.is_object() { message::read(&Fields::of(item), settings) } else { Err(Reason::NotAnObject) }
}

#[cfg(test)]
mod tests;
