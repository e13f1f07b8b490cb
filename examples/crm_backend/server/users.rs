//! Users: the segments they are in, and their erasure.

use axum::Json;
use axum::extract::{Path, State};
use serde_json::json;
use whodid::{EventStore, UserId};

use super::Backend;
use super::answer::Answer;
use super::deed::Deed;
use super::engine::Engine;

/// The segments that a user is in.
pub async fn segments(State(backend): State<Backend>, Path(id): Path<String>) -> Answer {
    let Engine { live, .. } = &*backend.lock();
    let Ok(user): Result<Option<UserId>, _> = live.snapshot().user(&id);
    Ok(Json(json!({ "known": user.is_some(), "segments": live.segments_of(&id) })))
}

/// Erases a user. What it leaves by that is told, and what was told of it before is let go with all others' in time.
pub async fn forget(State(backend): State<Backend>, Path(id): Path<String>) -> Answer {
    backend.edit(Deed::Forget(id)).await
}
