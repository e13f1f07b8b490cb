//! Answers: JSON throughout, and whatever is refused says why.

use std::error::Error;
use std::fmt::{self, Display, Formatter};

use axum::Json;
use axum::body::{Bytes, to_bytes};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

pub type Answer = Result<Json<Value>, Refused>;

/// Why nothing was done.
#[derive(Debug)]
pub struct Refused {
    status: StatusCode,
    why: String,
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        (self.status, Json(json!({ "error": self.why }))).into_response()
    }
}

impl Display for Refused {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(&self.why)
    }
}

impl Error for Refused {}

pub fn refuse(status: StatusCode, why: impl ToString) -> Refused {
    Refused { status, why: why.to_string() }
}

/// The request is no good.
pub fn bad(why: impl ToString) -> Refused {
    refuse(StatusCode::BAD_REQUEST, why)
}

pub fn unknown(what: &str, name: &str) -> Refused {
    refuse(StatusCode::NOT_FOUND, format!("there is no {what} {name:?}"))
}

pub fn text(body: &Bytes) -> Result<&str, Refused> {
    std::str::from_utf8(body).map_err(|error| bad(format!("the body is no UTF-8: {error}")))
}

/// What is refused before any of this program is asked (no such route, a body that is too large) says why as JSON, too.
pub async fn explained(response: Response) -> Response {
    let status = response.status();
    let is_json = response.headers().get(header::CONTENT_TYPE).is_some_and(|kind| kind == "application/json");
    if is_json || !status.is_client_error() {
        return response;
    }
    let told = to_bytes(response.into_body(), 1 << 12).await.unwrap_or_default();
    let told = String::from_utf8_lossy(&told);
    refuse(status, if told.is_empty() { status.canonical_reason().unwrap_or_default() } else { &told })
        .into_response()
}
