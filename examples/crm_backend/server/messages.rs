//! Messages come in.

use std::borrow::Cow;

use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::StatusCode;
use serde::de::IgnoredAny;
use serde_json::json;
use whodid::import::Importer;

use super::Backend;
use super::answer::{Answer, bad, refuse};
use super::arriving::Arriving;

/// Segment-spec messages: one, several lines of them, or `{"batch":[…]}`. What cannot be read is told, and the others count.
pub async fn post(State(backend): State<Backend>, body: Bytes) -> Answer {
    if body.starts_with(&[0x1f, 0x8b]) {
        // A few bytes of it may be gigabytes.
        return Err(refuse(StatusCode::UNSUPPORTED_MEDIA_TYPE, "gzip is not taken here"));
    }
    let lines = lines(&body);
    let mut inner = backend.lock();
    let now = (backend.clock)();
    let mut arriving = Arriving::new(inner.live.feed(), now);
    let read = Importer::segment_spec().instant_if_none(now).skip_rejected().read(&*lines, &mut arriving);
    let transitions = arriving.into_transitions();
    backend.tell(&mut inner, transitions);
    let report = read.map_err(bad)?;
    let reasons: Vec<String> = report.rejections.iter().map(ToString::to_string).collect();
    if report.messages == 0 && report.rejected > 0 {
        return Err(bad(reasons.join("; ")));
    }
    let (taken, duplicates, rejected) = (report.messages, report.duplicates, report.rejected);
    Ok(Json(json!({ "taken": taken, "duplicates": duplicates, "rejected": rejected, "reasons": reasons })))
}

/// Messages line by line. One that is laid out over several is put on one: between quotes JSON has no line breaks.
fn lines(body: &[u8]) -> Cow<'_, [u8]> {
    if body.contains(&b'\n') && serde_json::from_slice::<IgnoredAny>(body).is_ok() {
        body.iter().map(|byte| if matches!(byte, b'\n' | b'\r') { b' ' } else { *byte }).collect()
    } else {
        body.into()
    }
}
