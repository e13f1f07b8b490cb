//! Events that will leave the window, for engines that are told so from outside.

use std::collections::VecDeque;

use crate::question::WINDOW;
use crate::stream::Event;

/// The events inside the window, oldest first: arrival is in order of time, so a queue will do.
#[derive(Default)]
pub struct Expiry(VecDeque<Event>);

impl Expiry {
    pub fn push(&mut self, event: Event) {
        self.0.push_back(event);
    }

    /// The next event that is out of the window at `now`, and the instant at which it left.
    pub fn pop(&mut self, now: u64) -> Option<(u32, u64)> {
        let due = self.0.front()?.at + WINDOW;
        let event = self.0.pop_front_if(|_| due <= now)?;
        Some((event.user, due))
    }

    /// The instant at which the next one leaves.
    #[cfg(feature = "dbsp")]
    pub fn next(&self) -> Option<u64> {
        self.0.front().map(|event| event.at + WINDOW)
    }
}
