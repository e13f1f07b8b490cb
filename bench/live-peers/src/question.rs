//! The question, and how finely time is looked at.

/// Members did it at least so often …
pub const AT_LEAST: i64 = 5;
/// … in the last 30 days: in `(T − WINDOW, T]`, so an event at `t` no longer counts at `t + WINDOW`.
pub const WINDOW: u64 = 30 * 86_400_000;

/// When memberships are compared with what they were.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Grain {
    /// At every instant, as the crate's law has it.
    Instant,
    /// At the last instant of every batch: what happens and un-happens within one does not show.
    Batch,
}
