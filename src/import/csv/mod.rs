//! Tables with a declared mapping of columns, from a reader into a store.

mod cell;
mod rows;
#[cfg(test)]
mod tests;

use std::cell::Cell as Counter;
use std::fmt;
use std::io::Read;

use chrono_tz::Tz;

pub use cell::{Cell, InstantFormat};

use super::Importer;
use super::input::Counted;
use super::report::Report;
use super::run::{ImportError, Options, Run};
use crate::store::Ingest;
use crate::time::Timestamp;

/// A table in CSV: see [`Importer::csv`].
#[derive(Clone, Debug)]
pub struct Csv {
    user: Option<Column>,
    event: Event,
    at: Option<(Column, InstantFormat)>,
    at_if_none: Option<Timestamp>,
    zone: Tz,
    id: Option<Column>,
    properties: Vec<Mapped>,
    attributes: Vec<Mapped>,
    delimiter: u8,
    header: bool,
}

/// What a row says the user did.
#[derive(Clone, Debug)]
enum Event {
    Nothing,
    Named(String),
    In(Column),
}

/// A column that becomes a property or an attribute.
#[derive(Clone, Debug)]
struct Mapped {
    column: Column,
    /// `None`: as the header has it.
    name: Option<String>,
    cell: Cell,
}

/// A column of a table: by the name that the header gives it, or by its index, the first being 0.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Column {
    /// By its name.
    Name(String),
    /// By its index.
    Index(usize),
}

impl From<&str> for Column {
    fn from(name: &str) -> Self {
        Self::Name(name.to_owned())
    }
}

impl From<String> for Column {
    fn from(name: String) -> Self {
        Self::Name(name)
    }
}

impl From<usize> for Column {
    fn from(index: usize) -> Self {
        Self::Index(index)
    }
}

impl fmt::Display for Column {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(name) => write!(f, "{name:?}"),
            Self::Index(index) => write!(f, "{index}"),
        }
    }
}

impl<'p> Importer<'p, Csv> {
    /// Reads a table in CSV, each row being an event, attribute writes, or both, of one user.
    ///
    /// Cells that are empty are missing. A row whose cells do not read as declared is rejected, whole. A row
    /// that is no event (neither [`event`](Self::event) nor [`event_in`](Self::event_in) was called) registers
    /// its user.
    ///
    /// ```
    /// use whodid::import::{Cell, Importer};
    /// use whodid::{EventStore, MemoryStore};
    ///
    /// let table = "customer_id,date,dollars\n00001,19970101,11.77\n00002,19970112,12.00\n";
    /// let mut store = MemoryStore::new();
    /// let report = Importer::csv()
    ///     .user("customer_id")
    ///     .event("purchase")
    ///     .at("date", "%Y%m%d")
    ///     .property("dollars", Cell::Float)
    ///     .read(table.as_bytes(), &mut store)?;
    /// assert_eq!(report.events, 2);
    /// # Ok::<(), whodid::import::ImportError>(())
    /// ```
    pub fn csv() -> Self {
        let format = Csv {
            user: None,
            event: Event::Nothing,
            at: None,
            at_if_none: None,
            zone: Tz::UTC,
            id: None,
            properties: Vec::new(),
            attributes: Vec::new(),
            delimiter: b',',
            header: true,
        };
        Self { format, options: Options::default() }
    }

    /// The column of the user's external id; there must be one.
    #[must_use]
    pub fn user(mut self, column: impl Into<Column>) -> Self {
        self.format.user = Some(column.into());
        self
    }

    /// Each row is an event of this name.
    #[must_use]
    pub fn event(mut self, name: impl Into<String>) -> Self {
        self.format.event = Event::Named(name.into());
        self
    }

    /// Each row is an event whose name stands in this column.
    #[must_use]
    pub fn event_in(mut self, column: impl Into<Column>) -> Self {
        self.format.event = Event::In(column.into());
        self
    }

    /// The column of the instant, and how it is written; a text is a pattern, such as `%Y-%m-%d`.
    #[must_use]
    pub fn at(mut self, column: impl Into<Column>, format: impl Into<InstantFormat>) -> Self {
        self.format.at = Some((column.into(), format.into()));
        self
    }

    /// The instant of rows that have none; without it they are rejected.
    #[must_use]
    pub fn instant_if_none(mut self, at: impl Into<Timestamp>) -> Self {
        self.format.at_if_none = Some(at.into());
        self
    }

    /// The zone of instants that are written without an offset; UTC unless this says otherwise.
    #[must_use]
    pub fn zone(mut self, zone: Tz) -> Self {
        self.format.zone = zone;
        self
    }

    /// The column of the event's id, which makes its delivery idempotent.
    #[must_use]
    pub fn id(mut self, column: impl Into<Column>) -> Self {
        self.format.id = Some(column.into());
        self
    }

    /// A column that is a property of the event, under the name that the header gives it.
    #[must_use]
    pub fn property(mut self, column: impl Into<Column>, cell: Cell) -> Self {
        self.format.properties.push(Mapped { column: column.into(), name: None, cell });
        self
    }

    /// A column that is a property of the event, under a name of its own.
    #[must_use]
    pub fn property_as(mut self, name: impl Into<String>, column: impl Into<Column>, cell: Cell) -> Self {
        self.format.properties.push(Mapped { column: column.into(), name: Some(name.into()), cell });
        self
    }

    /// A column that is an attribute of the user, under the name that the header gives it.
    #[must_use]
    pub fn attribute(mut self, column: impl Into<Column>, cell: Cell) -> Self {
        self.format.attributes.push(Mapped { column: column.into(), name: None, cell });
        self
    }

    /// A column that is an attribute of the user, under a name of its own.
    #[must_use]
    pub fn attribute_as(mut self, name: impl Into<String>, column: impl Into<Column>, cell: Cell) -> Self {
        self.format.attributes.push(Mapped { column: column.into(), name: Some(name.into()), cell });
        self
    }

    /// What stands between cells; a comma unless this says otherwise.
    #[must_use]
    pub fn delimiter(mut self, delimiter: u8) -> Self {
        self.format.delimiter = delimiter;
        self
    }

    /// The first row is data already: columns go by their index.
    #[must_use]
    pub fn without_header(mut self) -> Self {
        self.format.header = false;
        self
    }

    /// Reads all rows of a reader (a file, a socket, bytes; compressed or not) into a store.
    ///
    /// It buffers by itself, and holds one row at a time.
    ///
    /// # Errors
    /// Columns that the table does not have; the first rejected row, unless told to skip them; a reader or a
    /// store that fails. What came before is kept, and the error's report says where to resume.
    pub fn read<S: Ingest + ?Sized>(
        &mut self,
        reader: impl Read,
        store: &mut S,
    ) -> Result<Report, ImportError<S::Error>> {
        let bytes = Counter::new(0);
        let reader = Counted::new(reader, &bytes);
        let mut run = Run::new(store, &mut self.options, &bytes);
        let ended = rows::read(reader, &self.format, &mut run);
        run.finish(ended)
    }
}
