//! The rows of a table as facts.

use std::cell::Cell as Counter;
use std::io::{self, Read};

use csv::{ByteRecord, ReaderBuilder, Terminator};
use smol_str::SmolStr;

use super::super::input;
use super::super::message::{Stated, short};
use super::super::report::{Position, Reason, Tally};
use super::super::run::{Ended, Run};
use super::cell::{InstantReader, Reader};
use super::{Column, Csv, Event, Mapped};
use crate::event::{self, AttributeWrite, Fact, Short};
use crate::limits;
use crate::store::Ingest;
use crate::time::Timestamp;
use crate::value::{Scalar, Value};

/// How far the parser may read ahead of the row at hand.
const READ_AHEAD: usize = 64 * 1024;

pub(super) fn read<S: Ingest + ?Sized>(
    reader: impl Read,
    csv: &Csv,
    run: &mut Run<'_, '_, S>,
) -> Result<(), Ended<S::Error>> {
    let passed = Passed::default();
    let guarded = Guarded { reader: input::text(reader)?, passed: &passed, limit: run.options.max_line };
    let mut builder = ReaderBuilder::new();
    // The parser's own pair of ends would leave the second to the next row, whose line could not be told.
    builder.has_headers(false).flexible(true).delimiter(csv.delimiter).terminator(Terminator::Any(b'\n'));
    let mut rows = builder.from_reader(guarded);
    let mut row = ByteRecord::new();
    let mut table = None;
    while rows.read_byte_record(&mut row).map_err(io::Error::from)? {
        passed.since_row.set(0);
        if row.as_slice() == b"\r" {
            continue;
        }
        let position = Position { line: passed.first_line(&row, rows.position()), index: None };
        run.at_line(position.line);
        let Some(table) = &table else {
            let header = csv.header.then_some(&row);
            let table = table.insert(Table::new(csv, header, row.len()).map_err(Ended::Columns)?);
            if !csv.header {
                run.message(position, table.row(&row))?;
            }
            continue;
        };
        if !run.is_before_start(position) {
            run.message(position, table.row(&row))?;
        }
        run.line_done();
    }
    Ok(())
}

/// What has passed on its way to the parser.
#[derive(Default)]
struct Passed {
    since_row: Counter<usize>,
    all: Counter<u64>,
    last: Counter<u8>,
}

impl Passed {
    /// The line on which a row begins whose end has just been met.
    fn first_line(&self, row: &ByteRecord, end: &csv::Position) -> u64 {
        let inside = row.as_slice().iter().filter(|b| **b == b'\n').count() as u64;
        let is_torn = end.byte() == self.all.get() && self.last.get() != b'\n';
        end.line().saturating_sub(inside + u64::from(!is_torn))
    }
}

/// Fails where a row has grown too long: behind a quote left open, all of the table would be one cell.
struct Guarded<'c, R> {
    reader: R,
    passed: &'c Passed,
    limit: usize,
}

impl<R: Read> Read for Guarded<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.passed.since_row.get() > self.limit.saturating_add(READ_AHEAD) {
            let problem = format!("a row has more than {} bytes: is a quote left open?", self.limit);
            return Err(io::Error::new(io::ErrorKind::InvalidData, problem));
        }
        let n = self.reader.read(buffer)?;
        self.passed.since_row.set(self.passed.since_row.get() + n);
        self.passed.all.set(self.passed.all.get() + n as u64);
        if let Some(last) = buffer.get(..n).and_then(<[u8]>::last) {
            self.passed.last.set(*last);
        }
        Ok(n)
    }
}

/// A column that is in the table.
#[derive(Clone, Debug)]
struct Place {
    index: usize,
    /// As errors name it.
    name: String,
}

/// The declared columns, found.
struct Table {
    width: usize,
    user: Place,
    event: EventName,
    at: Option<(Place, InstantReader)>,
    at_if_none: Option<Timestamp>,
    id: Option<Place>,
    properties: Vec<Target>,
    attributes: Vec<Target>,
}

enum EventName {
    Nothing,
    Named(SmolStr),
    In(Place),
}

/// A column that becomes a property or an attribute of that name.
struct Target {
    place: Place,
    name: String,
    reader: Reader,
}

impl Table {
    /// The error is which column does not fit.
    fn new(csv: &Csv, header: Option<&ByteRecord>, width: usize) -> Result<Self, String> {
        let find = |column: &Column| find(column, header, width);
        let targets = |mapped: &[Mapped]| {
            let targets = mapped.iter().map(|mapped| {
                let place = find(&mapped.column)?;
                let own = header.map(|header| String::from_utf8_lossy(trimmed(header, place.index)));
                let name = mapped.name.clone().or(own.map(Into::into));
                let name = name.ok_or_else(|| format!("column {} has no name", mapped.column))?;
                let reader = Reader::new(&mapped.cell, csv.zone)?;
                Ok(Target { place, name, reader })
            });
            distinct(targets.collect::<Result<_, String>>()?)
        };
        Ok(Self {
            width,
            user: find(csv.user.as_ref().ok_or("none is declared that holds the user")?)?,
            event: match &csv.event {
                Event::Nothing if !csv.properties.is_empty() || csv.id.is_some() => {
                    return Err("properties and ids belong to events, and no event is declared".into());
                }
                Event::Nothing => EventName::Nothing,
                Event::Named(name) => EventName::Named(legal(name)?.into()),
                Event::In(column) => EventName::In(find(column)?),
            },
            at: match &csv.at {
                None => None,
                Some((column, format)) => Some((find(column)?, InstantReader::new(format, csv.zone)?)),
            },
            at_if_none: csv.at_if_none,
            id: csv.id.as_ref().map(find).transpose()?,
            properties: targets(&csv.properties)?,
            attributes: targets(&csv.attributes)?,
        })
    }

    fn row(&self, row: &ByteRecord) -> Result<Stated, Reason> {
        if row.len() != self.width {
            return Err(Reason::WrongColumns { count: row.len(), expected: self.width });
        }
        let user = cell(row, &self.user)?.ok_or(Reason::NoUser)?;
        let user = short(&self.user.name, user.into())?;
        let at = match &self.at {
            None => None,
            Some((place, reader)) => match cell(row, place)? {
                None => None,
                Some(text) => Some(reader.read(text.trim_ascii()).ok_or(Reason::BadInstant)?),
            },
        };
        let at = at.or(self.at_if_none).ok_or(Reason::NoInstant)?;
        let event = match &self.event {
            EventName::Nothing => None,
            EventName::Named(name) => Some(name.clone()),
            EventName::In(place) => {
                Some(short(&place.name, cell(row, place)?.ok_or(Reason::NoEventName)?.into())?)
            }
        };
        let mut facts = Vec::with_capacity(1 + self.attributes.len());
        match event {
            None => facts.push(Fact::user(user.clone(), at)),
            Some(name) => facts.push(self.event(row, user.clone(), name, at)?.into()),
        }
        for (name, value) in values(row, &self.attributes)? {
            let (user, name) = (user.clone(), name.into());
            facts.push(AttributeWrite { user, name, value: Some(value), at }.into());
        }
        Ok(Stated { kind: "row", facts, merges: Vec::new(), tally: Tally::default() })
    }

    fn event(
        &self,
        row: &ByteRecord,
        user: SmolStr,
        name: SmolStr,
        at: Timestamp,
    ) -> Result<event::Event, Reason> {
        let id = match &self.id {
            None => None,
            Some(place) => cell(row, place)?.map(|id| short(&place.name, id.into())).transpose()?,
        };
        let properties = values(row, &self.properties)?;
        if properties.len() > limits::MAX_PROPERTIES {
            let (field, count) = ("properties".to_owned(), properties.len());
            return Err(Reason::TooMany { field, count, limit: limits::MAX_PROPERTIES });
        }
        Ok(event::Event { user, name, at, properties, id })
    }
}

/// The cells that are not empty, as values.
fn values(row: &ByteRecord, targets: &[Target]) -> Result<Vec<(String, Value)>, Reason> {
    let mut values = Vec::with_capacity(targets.len());
    for Target { place, name, reader } in targets {
        let Some(text) = cell(row, place)? else { continue };
        let value = reader.read(text).ok_or_else(|| Reason::BadValue {
            column: place.name.clone(),
            text: format!("{:?}", Short(text)),
            expected: reader.expected(),
        })?;
        if let Scalar::String(text) = &value
            && text.len() > limits::MAX_STRING
        {
            let (field, bytes) = (place.name.clone(), text.len());
            return Err(Reason::TooLong { field, bytes, limit: limits::MAX_STRING });
        }
        values.push((name.clone(), value.into()));
    }
    Ok(values)
}

/// The text of a cell that is not empty.
fn cell<'r>(row: &'r ByteRecord, place: &Place) -> Result<Option<&'r str>, Reason> {
    let bytes = trimmed(row, place.index);
    let text = std::str::from_utf8(bytes).map_err(|_| Reason::NotUtf8 { column: place.name.clone() })?;
    Ok((!text.is_empty()).then_some(text))
}

/// The bytes of a cell, without the first half of the row's end.
fn trimmed(row: &ByteRecord, index: usize) -> &[u8] {
    let bytes = row.get(index).unwrap_or_default();
    if index + 1 == row.len() { bytes.strip_suffix(b"\r").unwrap_or(bytes) } else { bytes }
}

fn find(column: &Column, header: Option<&ByteRecord>, width: usize) -> Result<Place, String> {
    let index = match (column, header) {
        (Column::Index(index), _) => *index,
        (Column::Name(_), None) => {
            return Err(format!("column {column} has a name, and the table has no header"));
        }
        (Column::Name(name), Some(header)) => {
            let mut places = (0..header.len()).filter(|index| trimmed(header, *index) == name.as_bytes());
            let first = places.next().ok_or_else(|| format!("there is no column {column}"))?;
            if places.next().is_some() {
                return Err(format!("there are several columns {column}: say which by its index"));
            }
            first
        }
    };
    if index >= width {
        return Err(format!("there is no column {index}: the table has {width}"));
    }
    let name = match column {
        Column::Name(name) => name.clone(),
        Column::Index(index) => index.to_string(),
    };
    Ok(Place { index, name })
}

/// Targets whose names are legal, each once.
fn distinct(targets: Vec<Target>) -> Result<Vec<Target>, String> {
    for (i, Target { name, .. }) in targets.iter().enumerate() {
        legal(name)?;
        if targets.iter().take(i).any(|before| before.name == *name) {
            return Err(format!("{:?} is declared twice", Short(name)));
        }
    }
    Ok(targets)
}

fn legal(name: &str) -> Result<&str, String> {
    match name.len() {
        0 => Err("a name is empty".into()),
        1..=limits::MAX_NAME => Ok(name),
        len => {
            Err(format!("{:?} has {len} bytes where at most {} are allowed", Short(name), limits::MAX_NAME))
        }
    }
}
