//! The outside store of `examples/sqlite_store.rs`, each in a file of its own.

#![allow(clippy::expect_used)]

#[path = "../../examples/sqlite_store.rs"]
#[allow(dead_code)]
mod sqlite_store;

use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};

use rusqlite::Connection;

pub use sqlite_store::SqliteStore;

/// A store in a new file, which is gone with the store: nothing else names it.
pub fn new_store() -> SqliteStore {
    static FILES: AtomicU32 = AtomicU32::new(0);
    let number = FILES.fetch_add(1, Ordering::Relaxed);
    let file =
        PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("{}-{number}.sqlite", std::process::id()));
    let db = Connection::open(&file).expect("a new file");
    // Nobody survives a crash here, so nothing waits for the disk.
    db.execute_batch("PRAGMA journal_mode = MEMORY; PRAGMA synchronous = OFF").expect("pragmas");
    let store = SqliteStore::new(db).expect("a new store");
    std::fs::remove_file(file).expect("the file is there");
    store
}
