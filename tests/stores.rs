//! The stores of this crate, and an outside one, pass the suite for stores of one's own.

#[path = "evaluators/sqlite.rs"]
mod sqlite;

use whodid::MemoryStore;
use whodid::testing::{PlainStore, conformance};

#[test]
fn the_plain_store_conforms() {
    conformance(PlainStore::new);
}

#[test]
fn the_memory_store_conforms() {
    conformance(MemoryStore::new);
}

#[test]
fn the_sqlite_store_conforms() {
    conformance(sqlite::new_store);
}
