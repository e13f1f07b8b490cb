//! Numbers that tell states apart, for the indexes made of them.

use std::sync::atomic::{AtomicU64, Ordering};

/// A number never given before in this process.
pub(super) fn next_version() -> u64 {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    NEXT.fetch_add(1, Ordering::Relaxed)
}
