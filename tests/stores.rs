//! The stores of this crate pass the suite that a third party's runs.

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
