//! What changes something: done to the engine, and written down so that it can be done again.

use axum::Json;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use whodid::import::{ImportError, Importer, Report};
use whodid::segment::Segment;
use whodid::{Announce, Changes, Ingest, Live, LiveError, MemoryStore, Timestamp, Transition};

use super::answer::{Answer, Refused, bad, refuse};
use super::arriving::Arriving;

/// Something that is asked of the service, and when. Done again in the same order it does the same, whatever time passed in
/// smaller steps in between: what that changed has its own instant.
#[derive(Serialize, Deserialize)]
pub struct Entry {
    /// The instant up to which time had passed for the engine: what is dated earlier is late.
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
    PutSegment(String, Box<Segment>),
    RemoveSegment(String),
    PutList(String, Vec<String>),
    RemoveList(String),
    Forget(String),
}

/// Every change of the catalog makes transitions.
const TOLD: Announce = Announce::Transitions;

impl Deed {
    /// Does it: what that changed, and what is answered.
    pub fn apply(&self, live: &mut Live, at: Timestamp) -> (Vec<Transition>, Answer) {
        match self {
            Self::Passed => (Vec::new(), Ok(Json(Value::Null))),
            Self::Campaigns(names) => (Vec::new(), Ok(Json(json!({ "campaigns": names })))),
            Self::Messages(lines) => {
                let mut feed = live.feed();
                let read = read(lines, &mut feed, at);
                (feed.into_transitions(), taken(read))
            }
            Self::PutSegment(name, segment) => counted(live.insert(name, Segment::clone(segment), TOLD), bad),
            Self::RemoveSegment(name) => counted(live.remove(name, TOLD), in_use),
            Self::PutList(name, ids) => counted(live.insert_list(name, ids, TOLD), bad),
            Self::RemoveList(name) => {
                let remove = live.edit(TOLD, |catalog| {
                    catalog.remove_list(name);
                    Ok(())
                });
                counted(remove, in_use)
            }
            Self::Forget(id) => counted(live.forget(id), bad),
        }
    }

    /// Lets a store hold what it would hold.
    pub fn fill(&self, store: &mut MemoryStore, at: Timestamp) {
        match self {
            // What was refused then is refused again.
            Self::Messages(lines) => _ = read(lines, store, at),
            Self::Forget(id) => _ = store.forget(id),
            _ => {}
        }
    }
}

fn read<I: Ingest>(lines: &str, to: &mut I, at: Timestamp) -> Result<Report, ImportError<I::Error>> {
    let mut importer = Importer::segment_spec().instant_if_none(at).skip_rejected();
    importer.read(lines.as_bytes(), &mut Arriving::new(to, at))
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

fn counted(
    changes: Result<Changes, LiveError>,
    refused: fn(LiveError) -> Refused,
) -> (Vec<Transition>, Answer) {
    match changes {
        Ok(changes) => {
            let count = changes.len();
            (changes.into_vec(), Ok(Json(json!({ "transitions": count }))))
        }
        Err(error) => (Vec::new(), Err(refused(error))),
    }
}

/// Others name it.
fn in_use(error: LiveError) -> Refused {
    refuse(StatusCode::CONFLICT, error)
}
