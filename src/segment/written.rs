//! The written form of a segment: JSON text, and serde by way of the same tree.

use super::validate::{self, Outline, Place};
use super::{EventPattern, Filter, Segment, SegmentError, Test, read, write};
use crate::json::{Json, Object, Path, through_json};
use crate::window::Window;

impl Segment {
    /// Reads the JSON form and validates it. Integers and depth are read exactly as the law says, which not
    /// every library behind [`serde::Deserialize`] does: `serde_json::from_str` refuses nesting beyond 128
    /// levels, which the deepest segments have, and takes an integer beyond 64 bits for a float.
    ///
    /// ```
    /// use whodid::segment::Segment;
    /// let active = Segment::from_json(r#"{"did":{"event":"login","in":{"last":"30d"}}}"#)?;
    /// assert_eq!(Segment::from_json(&active.to_json())?, active);
    /// # Ok::<(), whodid::segment::SegmentError>(())
    /// ```
    ///
    /// # Errors
    /// What is wrong and where: see [`SegmentError`].
    pub fn from_json(text: &str) -> Result<Self, SegmentError> {
        read_segment(&Json::parse(text)?, &Path::ROOT).map(|(segment, _)| segment)
    }

    /// The JSON form, on one line. That of a valid segment reads back equal; that of another is for people.
    pub fn to_json(&self) -> String {
        self.json().to_string()
    }

    /// The JSON form, as a tree.
    pub(crate) fn json(&self) -> Json {
        write::segment(self, 1)
    }

    /// Whether the segment keeps the law's limits and rules. Evaluating one that does not is an error, so
    /// this is for finding out earlier. Names of segments and lists are a catalog's to look up.
    ///
    /// # Errors
    /// The first thing that is wrong; the path is that of the JSON form.
    pub fn validate(&self) -> Result<(), SegmentError> {
        validate::outline(self, &Path::ROOT).map(|_| ())
    }
}

/// Reads and validates a segment that stands at a path of a document.
pub(crate) fn read_segment(json: &Json, path: &Path<'_>) -> Result<(Segment, Outline), SegmentError> {
    let segment = read::segment(json, path, 1)?;
    let outline = as_written(json, path, |path| validate::outline(&segment, path))?;
    Ok((segment, outline))
}

/// Validates what was read from JSON at a path, with errors that name places of that JSON: in it a list of
/// filters may stand without the key `all` that the tree has.
fn as_written<T>(
    json: &Json,
    path: &Path<'_>,
    validate: impl FnOnce(&Path<'_>) -> Result<T, SegmentError>,
) -> Result<T, SegmentError> {
    validate(path).map_err(|error| {
        let base = path.to_string();
        error.map_path(|full| match full.strip_prefix(base.as_str()) {
            Some(inside) => base + &without_unwritten_all(json, inside),
            None => full.to_owned(),
        })
    })
}

/// Leaves `all` out of a path where the JSON has a list.
fn without_unwritten_all(json: &Json, path: &str) -> String {
    let (mut at, mut out, mut rest) = (Some(json), String::new(), path);
    while !rest.is_empty() {
        let end = rest[1..].find(['.', '[']).map_or(rest.len(), |i| i + 1);
        let (step, tail) = rest.split_at(end);
        rest = tail;
        let key = step.strip_prefix('.').unwrap_or(step);
        at = match (at, step.strip_prefix('[').and_then(|i| i.strip_suffix(']'))) {
            (Some(Json::Array(_)), None) if key == "all" => continue,
            (Some(Json::Array(items)), Some(index)) => index.parse().ok().and_then(|i: usize| items.get(i)),
            (Some(Json::Object(members)), None) => members.iter().find(|(k, _)| k == key).map(|(_, v)| v),
            _ => None,
        };
        out.push_str(step);
    }
    out
}

fn read_window(json: &Json, path: &Path<'_>) -> Result<Window, SegmentError> {
    let window = read::window(json, path, 1)?;
    as_written(json, path, |path| Outline::default().window(&window, Place::Anywhere, path, 1))?;
    Ok(window)
}

fn read_filter(json: &Json, path: &Path<'_>) -> Result<Filter, SegmentError> {
    let filter = read::filter(json, path, 1)?;
    as_written(json, path, |path| Outline::default().filter(&filter, path, 1))?;
    Ok(filter)
}

fn read_test(json: &Json, path: &Path<'_>) -> Result<Test, SegmentError> {
    let test = read::test(&Object::read(json, path, "a test: an object")?, &[], 1)?;
    as_written(json, path, |path| Outline::default().test(&test, path, 1))?;
    Ok(test)
}

fn read_pattern(json: &Json, path: &Path<'_>) -> Result<EventPattern, SegmentError> {
    let pattern = read::pattern(json, path)?;
    validate::pattern(&pattern, path)?;
    Ok(pattern)
}

through_json! {
    /// The JSON form of the law, validated when read; see [`Segment::from_json`].
    Segment: |json, path| read_segment(json, path).map(|(segment, _)| segment), |it| Ok(write::segment(it, 1));
    /// The form that stands in an `in`; also those that only a test on a value takes.
    Window: read_window, |it| Ok(write::window(it, 1));
    /// The form that stands in a `where`.
    Filter: read_filter, |it| Ok(write::filter(it, 1));
    /// An object with one comparison: `{"gt":100}`.
    Test: read_test, |it| Ok(write::lone_test(it));
}

through_json! {
    text:
    /// As text: `"email_*"`.
    EventPattern: read_pattern, |it| Ok(Json::String(it.to_string()));
}
