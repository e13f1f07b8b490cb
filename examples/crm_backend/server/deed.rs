//! What is asked that may change something: done, and done again when the service starts.

use axum::Json;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use whodid::import::{ImportError, Importer, Report};
use whodid::segment::Segment;
use whodid::{Announce, Changes, LiveError, Timestamp};

use super::answer::{Answer, Refused, bad, refuse, unknown};
use super::arriving::Arriving;
use super::campaigns::Campaigns;
use super::engine::Engine;
use super::told::Told;

/// A deed, and when it was done. Done again in the same order deeds change the same, in whatever steps time passed between
/// them: what time changes has instants of its own.
#[derive(Serialize, Deserialize)]
pub struct Entry {
    /// Time passes up to here before: what is dated earlier is late.
    pub reached: Timestamp,
    /// What time it was.
    pub at: Timestamp,
    pub deed: Deed,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Deed {
    /// Nothing but that time passed.
    Passed,
    /// The campaigns are other ones, the highest first.
    Campaigns(Vec<String>),
    /// Segment-spec messages, a line each.
    Messages(String),
    /// By name, as JSON: text, for a reader of entries goes less deep than segments may.
    PutSegment(String, String),
    RemoveSegment(String),
    PutList(String, Vec<String>),
    RemoveList(String),
    Forget(String),
}

impl Engine {
    /// Does what an entry says, and tells what that changes.
    pub fn apply(&mut self, Entry { reached, at, deed }: &Entry) -> Answer {
        const TOLD: Announce = Announce::Transitions;
        let passed = self.live.advance(*reached).map_err(bad)?;
        self.tell(passed.into_vec());
        match deed {
            Deed::Passed => Ok(Json(Value::Null)),
            Deed::Campaigns(names) => {
                let told = Told::new(format!("{}-campaigns-{:x}", self.name, at.millis()));
                self.campaigns = Campaigns::new(names, &self.live, told).map_err(bad)?;
                Ok(Json(Value::Null))
            }
            Deed::Messages(lines) => {
                let mut importer = Importer::segment_spec().instant_if_none(*at).skip_rejected();
                let mut feed = self.live.feed();
                let read = importer.read(lines.as_bytes(), &mut Arriving::new(&mut feed, *at));
                let changes = feed.into_changes();
                self.tell(changes.into_vec());
                taken(read)
            }
            Deed::PutSegment(name, text) => {
                let segment = Segment::from_json(text).map_err(bad)?;
                let changes = self.live.insert(name, segment, TOLD);
                self.count(changes, bad)
            }
            Deed::RemoveSegment(name) => {
                self.live.catalog().get(name).ok_or_else(|| unknown("segment", name))?;
                let changes = self.live.remove(name, TOLD);
                self.count(changes, in_use)
            }
            Deed::PutList(name, ids) => {
                let changes = self.live.insert_list(name, ids, TOLD);
                self.count(changes, bad)
            }
            Deed::RemoveList(name) => {
                self.live.catalog().list(name).ok_or_else(|| unknown("list", name))?;
                let changes = self.live.remove_list(name, TOLD);
                self.count(changes, in_use)
            }
            Deed::Forget(id) => {
                let changes = self.live.forget(id);
                self.count(changes, bad)
            }
        }
    }

    /// Tells what a deed changed, and answers how much that is.
    fn count(&mut self, changes: Result<Changes, LiveError>, refused: fn(LiveError) -> Refused) -> Answer {
        let transitions = changes.map_err(refused)?.into_vec();
        let count = transitions.len();
        self.tell(transitions);
        Ok(Json(json!({ "transitions": count })))
    }
}

fn taken(read: Result<Report, ImportError<LiveError>>) -> Answer {
    let report = read.map_err(bad)?;
    let reasons: Vec<String> = report.rejections.iter().map(ToString::to_string).collect();
    if report.messages == 0 && report.rejected > 0 {
        return Err(bad(reasons.join("; ")));
    }
    let (taken, duplicates, rejected) = (report.messages, report.duplicates, report.rejected);
    Ok(Json(json!({ "taken": taken, "duplicates": duplicates, "rejected": rejected, "reasons": reasons })))
}

/// Others name it.
fn in_use(error: LiveError) -> Refused {
    refuse(StatusCode::CONFLICT, error)
}
