//! The benchmark's raw little-endian columns, and how they read as facts.

use std::error::Error;
use std::fs;
use std::path::Path;

use serde_json::Value as Json;
use whodid::{AttributeWrite, Event, Timestamp};

/// The data of `gen.py`: row `i` of the user columns is the user with the external id `u%07d` of `i`.
pub struct Columns {
    pub as_of: Timestamp,
    pub names: Vec<String>,
    plans: Vec<String>,
    countries: Vec<String>,
    /// External ids, ready as text: a backend has them so.
    pub ids: Vec<String>,
    plan: Vec<u8>,
    country: Vec<u8>,
    age: Vec<i32>,
    signup: Vec<i64>,
    pub user: Vec<u32>,
    pub name: Vec<u8>,
    pub at: Vec<i64>,
    /// NaN where there is none.
    pub amount: Vec<f64>,
    /// 0 where there is none.
    pub item: Vec<u32>,
}

fn column<const N: usize, T>(path: &Path, read: fn([u8; N]) -> T) -> Result<Vec<T>, Box<dyn Error>> {
    let bytes = fs::read(path).map_err(|error| format!("{}: {error}", path.display()))?;
    let (values, rest) = bytes.as_chunks::<N>();
    if !rest.is_empty() {
        return Err(format!("{}: {} bytes are no multiple of {N}", path.display(), bytes.len()).into());
    }
    Ok(values.iter().map(|bytes| read(*bytes)).collect())
}

fn texts(meta: &Json, key: &str) -> Result<Vec<String>, Box<dyn Error>> {
    let list = meta[key].as_array().ok_or_else(|| format!("meta.json: {key} is no list"))?;
    list.iter()
        .map(|text| {
            text.as_str().map(str::to_owned).ok_or_else(|| format!("meta.json: {key}: {text}").into())
        })
        .collect()
}

fn kept<T>(column: &mut Vec<T>, keep: &[bool]) {
    let mut keep = keep.iter();
    column.retain(|_| keep.next() == Some(&true));
}

impl Columns {
    /// Reads the columns in a folder.
    pub fn read(folder: &Path) -> Result<Self, Box<dyn Error>> {
        let meta: Json = serde_json::from_str(&fs::read_to_string(folder.join("meta.json"))?)?;
        let signup = column(&folder.join("user_signup.i64"), i64::from_le_bytes)?;
        Ok(Self {
            as_of: Timestamp::from_millis(meta["as_of"].as_i64().ok_or("meta.json: as_of")?),
            names: texts(&meta, "names")?,
            plans: texts(&meta, "plans")?,
            countries: texts(&meta, "countries")?,
            ids: (0..signup.len()).map(|i| format!("u{i:07}")).collect(),
            plan: column(&folder.join("user_plan.u8"), u8::from_le_bytes)?,
            country: column(&folder.join("user_country.u8"), u8::from_le_bytes)?,
            age: column(&folder.join("user_age.i32"), i32::from_le_bytes)?,
            signup,
            user: column(&folder.join("event_user.u32"), u32::from_le_bytes)?,
            name: column(&folder.join("event_name.u8"), u8::from_le_bytes)?,
            at: column(&folder.join("event_ts.i64"), i64::from_le_bytes)?,
            amount: column(&folder.join("event_amount.f64"), f64::from_le_bytes)?,
            item: column(&folder.join("event_item.u32"), u32::from_le_bytes)?,
        })
    }

    pub fn users(&self) -> usize {
        self.signup.len()
    }

    /// Keeps the events from an instant on.
    pub fn keep_since(&mut self, since: Timestamp) {
        let keep: Vec<bool> = self.at.iter().map(|at| *at >= since.millis()).collect();
        kept(&mut self.user, &keep);
        kept(&mut self.name, &keep);
        kept(&mut self.at, &keep);
        kept(&mut self.amount, &keep);
        kept(&mut self.item, &keep);
    }

    /// Lets the columns of events go, once they are taken in.
    pub fn let_events_go(&mut self) {
        (self.user, self.name, self.at) = (Vec::new(), Vec::new(), Vec::new());
        (self.amount, self.item) = (Vec::new(), Vec::new());
    }

    pub fn events(&self) -> usize {
        self.at.len()
    }

    /// The attributes of all users, written when they signed up, which is when they were first seen.
    pub fn attributes(&self) -> impl Iterator<Item = AttributeWrite> + '_ {
        (0..self.users()).flat_map(|i| {
            let id = self.ids[i].as_str();
            let at = Timestamp::from_millis(self.signup[i]);
            let plan = AttributeWrite::set(id, "plan", self.plans[usize::from(self.plan[i])].as_str(), at);
            let country = self.countries[usize::from(self.country[i])].as_str();
            let country = AttributeWrite::set(id, "country", country, at);
            let age = (self.age[i] >= 0).then(|| AttributeWrite::set(id, "age", self.age[i], at));
            [Some(plan), Some(country), age].into_iter().flatten()
        })
    }

    /// The event in a row; rows are in order of arrival.
    pub fn event(&self, row: usize) -> Event {
        let user = self.ids[self.user[row] as usize].as_str();
        let name = self.names[usize::from(self.name[row])].as_str();
        let mut event = Event::new(user, name, Timestamp::from_millis(self.at[row]));
        if !self.amount[row].is_nan() {
            event = event.with("amount", self.amount[row]);
        }
        if self.item[row] != 0 {
            event = event.with("item", self.item[row]);
        }
        event
    }
}
