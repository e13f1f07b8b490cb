//! Segments and lists: made, changed and removed; who is in them, and why.

use axum::Json;
use axum::body::Bytes;
use axum::extract::{Path, Query, State};
use serde::Deserialize;
use serde_json::{Value, json};
use whodid::segment::Segment;
use whodid::{EventStore, UserId};

use super::Backend;
use super::answer::{Answer, bad, text, unknown};
use super::deed::Deed;
use super::engine::Engine;

pub async fn list(State(backend): State<Backend>) -> Json<Value> {
    let engine = backend.lock();
    let count = |name: &str| engine.live.count(name).unwrap_or(0);
    let names = engine.live.catalog().segments().map(|(name, _)| name);
    Json(names.map(|name| (name.to_owned(), json!({ "members": count(name) }))).collect())
}

pub async fn get(State(backend): State<Backend>, Path(name): Path<String>) -> Answer {
    let engine = backend.lock();
    let segment = engine.live.catalog().get(&name).ok_or_else(|| unknown("segment", &name))?;
    Ok(Json(json!({ "segment": segment, "in_words": segment.to_string() })))
}

pub async fn put(State(backend): State<Backend>, Path(name): Path<String>, body: Bytes) -> Answer {
    let segment = Segment::from_json(text(&body)?).map_err(bad)?;
    backend.edit(Deed::PutSegment(name, segment.to_json())).await
}

pub async fn delete(State(backend): State<Backend>, Path(name): Path<String>) -> Answer {
    backend.edit(Deed::RemoveSegment(name)).await
}

/// A static list: a JSON array of ids.
pub async fn put_list(State(backend): State<Backend>, Path(name): Path<String>, body: Bytes) -> Answer {
    let ids: Vec<String> = serde_json::from_str(text(&body)?).map_err(bad)?;
    backend.edit(Deed::PutList(name, ids)).await
}

pub async fn get_list(State(backend): State<Backend>, Path(name): Path<String>) -> Answer {
    let engine = backend.lock();
    let ids = engine.live.catalog().list(&name).ok_or_else(|| unknown("list", &name))?;
    Ok(Json(json!(ids)))
}

pub async fn delete_list(State(backend): State<Backend>, Path(name): Path<String>) -> Answer {
    backend.edit(Deed::RemoveList(name)).await
}

/// Some members at a time, in the order in which they were first heard of.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Page {
    /// The number that the page before names as the next.
    #[serde(default)]
    from: u32,
    #[serde(default = "some")]
    limit: usize,
}

fn some() -> usize {
    10_000
}

/// Who is in a segment, how many they are, and the id of the last event that is part of this.
pub async fn members(
    State(backend): State<Backend>,
    Path(name): Path<String>,
    Query(page): Query<Page>,
) -> Answer {
    let (members, snapshot, at, position) = {
        let Engine { live, told, .. } = &*backend.lock();
        let members = live.members(&name).ok_or_else(|| unknown("segment", &name))?;
        (members, live.snapshot(), live.now(), told.position())
    };
    let mut numbers = members.range(page.from..);
    let on_page = numbers.by_ref().take(page.limit).collect();
    let mut ids = Vec::new();
    let Ok(()) = snapshot.ids(&on_page, &mut |_, id| ids.push(id.to_owned()));
    Ok(Json(json!({
        "at": at, "last_event_id": position, "count": members.len(), "ids": ids, "next": numbers.next(),
    })))
}

/// Why a user is in a segment, or out of it: each of its conditions, and whether it holds.
pub async fn why(State(backend): State<Backend>, Path((name, id)): Path<(String, String)>) -> Answer {
    let Engine { live, .. } = &*backend.lock();
    let conditions = live.why(&id, &name).ok_or_else(|| unknown("segment", &name))?;
    let conditions: Vec<Value> =
        conditions.into_iter().map(|(words, holds)| json!({ "condition": words, "holds": holds })).collect();
    let Ok(user): Result<Option<UserId>, _> = live.snapshot().user(&id);
    Ok(Json(json!({
        "member": live.is_member(&id, &name), "known": user.is_some(),
        "segment": live.catalog().get(&name).map(ToString::to_string), "conditions": conditions,
    })))
}
