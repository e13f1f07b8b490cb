//! Messages come in.

use axum::body::Bytes;
use axum::extract::State;
use axum::http::StatusCode;
use serde::de::IgnoredAny;

use super::Backend;
use super::answer::{Answer, refuse, text};
use super::deed::Deed;

/// Segment-spec messages: one, several lines of them, or `{"batch":[…]}`. What cannot be read is told, and the others count.
pub async fn post(State(backend): State<Backend>, body: Bytes) -> Answer {
    if body.starts_with(&[0x1f, 0x8b]) {
        // A few bytes of it may be gigabytes.
        return Err(refuse(StatusCode::UNSUPPORTED_MEDIA_TYPE, "gzip is not taken here"));
    }
    backend.edit(Deed::Messages(lines(text(&body)?))).await
}

/// Messages line by line. One that is laid out over several is put on one: between quotes JSON has no line breaks.
fn lines(body: &str) -> String {
    if body.contains('\n') && serde_json::from_str::<IgnoredAny>(body).is_ok() {
        body.replace(['\n', '\r'], " ")
    } else {
        body.to_owned()
    }
}
