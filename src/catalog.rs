//! Named segments that may refer to each other, and static lists: one document.

use std::borrow::Cow;
use std::sync::Arc;

use foldhash::HashMap;

use crate::eval::AsPlan;
use crate::json::{Fault, Json, Object, Path, through_json};
use crate::limits;
use crate::plan::{Named, Plan, PlanError};
use crate::segment::{Segment, SegmentError, read_segment};

/// The version of the document that this crate writes.
const VERSION: i64 = 1;

/// Named segments, in order, and static lists of users.
///
/// A segment may name others (`{"segment":"power_users"}`) and lists (`{"list":"staff"}`) of its catalog, also
/// ones that come later: [`Catalog::plan`] checks that all of them are there. Lists hold external ids, which are
/// looked up when asked.
///
/// ```
/// use whodid::{Catalog, days, did, list};
/// let mut catalog = Catalog::from_json(
///     r#"{"version":1,
///         "segments":{"active":{"did":{"event":"login","in":{"last":"30d"}}}},
///         "lists":{"staff":["ada"]}}"#,
/// )?;
/// catalog.insert("guests", did("login").last(days(30)) & !list("staff"))?;
/// assert_eq!(catalog.segments().map(|(name, _)| name).collect::<Vec<_>>(), ["active", "guests"]);
/// assert_eq!(catalog.plan()?.leaves().len(), 2);
/// # Ok::<(), whodid::PlanError>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct Catalog {
    segments: Ordered<Segment>,
    lists: Ordered<Arc<[String]>>,
}

impl Catalog {
    /// An empty catalog.
    pub fn new() -> Self {
        Self::default()
    }

    /// Reads the document `{"version":1,"segments":{…},"lists":{…}}` and checks it whole, with all that
    /// segments name. Each key may be left out; without a version it is 1.
    ///
    /// # Errors
    /// What is wrong and where: `segments.trialing.all[1].did.in.last: given …, expected …`.
    pub fn from_json(text: &str) -> Result<Self, PlanError> {
        read_whole(&Json::parse(text).map_err(SegmentError::from)?, &Path::ROOT)
    }

    /// The document, on one line; it reads back equal where every segment in it is valid.
    pub fn to_json(&self) -> String {
        self.json().to_string()
    }

    fn json(&self) -> Json {
        let segments = self.segments.iter().map(|(name, segment)| (name.to_owned(), segment.json()));
        let ids = |ids: &Arc<[String]>| Json::Array(ids.iter().cloned().map(Json::String).collect());
        let lists = self.lists.iter().map(|(name, of)| (name.to_owned(), ids(of)));
        Json::Object(vec![
            ("version".to_owned(), Json::Int(VERSION)),
            ("segments".to_owned(), Json::Object(segments.collect())),
            ("lists".to_owned(), Json::Object(lists.collect())),
        ])
    }

    /// Adds a segment at the end, or puts it in place of the one of that name, which is answered.
    ///
    /// What it names may come later.
    ///
    /// # Errors
    /// The name is empty or too long, or the segment by itself is not valid.
    pub fn insert(
        &mut self,
        name: impl Into<String>,
        segment: impl Into<Segment>,
    ) -> Result<Option<Segment>, PlanError> {
        let (name, segment) = (name.into(), segment.into());
        check_name("segment", &name)?;
        segment.validate()?;
        Ok(self.segments.insert(name, segment))
    }

    /// The segment of that name.
    pub fn get(&self, name: &str) -> Option<&Segment> {
        self.segments.get(name)
    }

    /// How many segments come before that of a name.
    pub(crate) fn place(&self, name: &str) -> Option<usize> {
        self.segments.place(name)
    }

    /// Takes a segment out. Those that name it can no longer be asked.
    pub fn remove(&mut self, name: &str) -> Option<Segment> {
        self.segments.remove(name)
    }

    /// The segments, in order.
    pub fn segments(&self) -> impl ExactSizeIterator<Item = (&str, &Segment)> + Clone {
        self.segments.iter()
    }

    /// Adds a static list of external ids, or puts it in place of the one of that name.
    ///
    /// # Errors
    /// The name or an id is empty or too long.
    pub fn insert_list(
        &mut self,
        name: impl Into<String>,
        ids: impl IntoIterator<Item = impl Into<String>>,
    ) -> Result<(), PlanError> {
        let name = name.into();
        check_name("list", &name)?;
        let ids: Vec<String> = ids.into_iter().map(Into::into).collect();
        ids.iter().try_for_each(|id| check_name("user", id))?;
        self.lists.insert(name, ids.into());
        Ok(())
    }

    /// The external ids on the list of that name.
    pub fn list(&self, name: &str) -> Option<&[String]> {
        self.lists.get(name).map(|ids| &**ids)
    }

    /// Takes a list out; tells whether there was one. Segments that name it can no longer be asked.
    pub fn remove_list(&mut self, name: &str) -> bool {
        self.lists.remove(name).is_some()
    }

    /// The lists, in order.
    pub fn lists(&self) -> impl ExactSizeIterator<Item = (&str, &[String])> + Clone {
        self.lists.iter().map(|(name, ids)| (name, &**ids))
    }

    /// The plan of all segments, in order: each distinct leaf once.
    ///
    /// # Errors
    /// A segment is not valid, names what there is not, names itself through others, or is too deep with those
    /// that it names.
    pub fn plan(&self) -> Result<Plan, PlanError> {
        Plan::of_all(self.segments.iter().map(|(name, _)| name), self)
    }

    /// The plan of a segment that may name those of the catalog, and its lists.
    ///
    /// # Errors
    /// As [`Catalog::plan`], of the segment and those that it names.
    pub fn plan_of(&self, segment: &Segment) -> Result<Plan, PlanError> {
        Plan::of_one(segment, self)
    }
}

/// Catalogs are equal when they hold the same segments and lists in the same order.
impl PartialEq for Catalog {
    fn eq(&self, other: &Self) -> bool {
        self.segments.values == other.segments.values && self.lists.values == other.lists.values
    }
}

impl Eq for Catalog {}

impl AsPlan for Catalog {
    fn as_plan(&self) -> Result<Cow<'_, Plan>, PlanError> {
        self.plan().map(Cow::Owned)
    }
}

impl Named for Catalog {
    fn segment(&self, name: &str) -> Option<(&str, &Segment)> {
        self.segments.get_key_value(name)
    }

    fn list(&self, name: &str) -> Option<Arc<[String]>> {
        self.lists.get(name).cloned()
    }
}

fn check_name(what: &'static str, name: &str) -> Result<(), PlanError> {
    match name.len() {
        1..=limits::MAX_NAME => Ok(()),
        _ => Err(PlanError::Name { what, name: name.to_owned() }),
    }
}

/// Values by name, in the order in which the names came.
#[derive(Clone, Debug)]
struct Ordered<T> {
    values: Vec<(String, T)>,
    places: HashMap<String, usize>,
}

impl<T> Default for Ordered<T> {
    fn default() -> Self {
        Self { values: Vec::new(), places: HashMap::default() }
    }
}

impl<T> Ordered<T> {
    fn iter(&self) -> impl ExactSizeIterator<Item = (&str, &T)> + Clone {
        self.values.iter().map(|(name, value)| (name.as_str(), value))
    }

    fn place(&self, name: &str) -> Option<usize> {
        self.places.get(name).copied()
    }

    fn get_key_value(&self, name: &str) -> Option<(&str, &T)> {
        let (name, value) = self.values.get(self.place(name)?)?;
        Some((name, value))
    }

    fn get(&self, name: &str) -> Option<&T> {
        self.get_key_value(name).map(|(_, value)| value)
    }

    fn insert(&mut self, name: String, value: T) -> Option<T> {
        if let Some((_, have)) = self.place(&name).and_then(|place| self.values.get_mut(place)) {
            return Some(std::mem::replace(have, value));
        }
        self.places.insert(name.clone(), self.values.len());
        self.values.push((name, value));
        None
    }

    fn remove(&mut self, name: &str) -> Option<T> {
        let place = self.places.remove(name)?;
        let (_, value) = self.values.remove(place);
        self.places.values_mut().filter(|later| **later > place).for_each(|later| *later -= 1);
        Some(value)
    }
}

/// Reads the document; what segments name is not looked up.
fn read(json: &Json, path: &Path<'_>) -> Result<Catalog, PlanError> {
    let keys = "an object with keys of version, segments, lists";
    let object = Object::read(json, path, keys)?;
    object.only(&[&["version", "segments", "lists"]])?;
    object.maybe("version", |json, path| match json {
        Json::Int(VERSION) => Ok(()),
        other => Err(other.fault(path, "the version 1")),
    })?;
    let mut catalog = Catalog::new();
    object.maybe("segments", |json, path| {
        let segments = Object::read(json, path, "an object with a segment for each name")?;
        for (name, json) in segments.members {
            check_name("segment", name)?;
            let (segment, _) = read_segment(json, &path.key(name))?;
            catalog.segments.insert(name.clone(), segment);
        }
        Ok::<_, PlanError>(())
    })?;
    object.maybe("lists", |json, path| {
        let lists = Object::read(json, path, "an object with a list of ids for each name")?;
        for (name, json) in lists.members {
            let path = path.key(name);
            let ids = json.list(&path, "a list of ids")?.iter().enumerate();
            let ids = ids.map(|(i, id)| id.text(&path.index(i), "an id").map(str::to_owned));
            catalog.insert_list(name, ids.collect::<Result<Vec<_>, _>>()?)?;
        }
        Ok::<_, PlanError>(())
    })?;
    Ok(catalog)
}

impl From<Fault> for PlanError {
    fn from(fault: Fault) -> Self {
        SegmentError::from(fault).into()
    }
}

/// Reads the document and checks it whole.
fn read_whole(json: &Json, path: &Path<'_>) -> Result<Catalog, PlanError> {
    let catalog = read(json, path)?;
    catalog.plan()?;
    Ok(catalog)
}

through_json! {
    /// The document `{"version":1,"segments":{…},"lists":{…}}`, checked whole when it is read.
    Catalog: read_whole, |catalog| Ok(catalog.json());
}
