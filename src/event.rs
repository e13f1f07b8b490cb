//! Facts: what users did and who they are, before a store takes them in.

use crate::time::Timestamp;
use crate::value::Value;

/// Something a user did, at an instant, with properties and perhaps an id that makes its delivery idempotent.
#[derive(Clone, Debug, PartialEq)]
pub struct Event {
    pub(crate) user: String,
    pub(crate) name: String,
    pub(crate) at: Timestamp,
    /// As given: a store refuses a name given twice.
    pub(crate) properties: Vec<(String, Value)>,
    pub(crate) id: Option<String>,
}
