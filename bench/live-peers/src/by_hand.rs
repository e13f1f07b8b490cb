//! The limit: this one question written out by hand, a byte a user and the queue, with no engine around it.
//!
//! It can be asked nothing else, takes events in order only, keeps none that left the window, and counts to 255.

use crate::clock::{Clock, Outcome};
use crate::expiry::Expiry;
use crate::ids::{Ids, taken};
use crate::question::{AT_LEAST, Grain};
use crate::stream::{Event, batches};
use crate::transition::{Digest, Transition};

/// How many events of each user lie in the window, and who was touched since memberships were compared.
#[derive(Default)]
struct Counts {
    of_user: Vec<u8>,
    /// The touched, each with whether it was a member before.
    touched: Vec<(u32, bool)>,
}

impl Counts {
    fn is_member(&self, user: u32) -> bool {
        i64::from(self.of_user[user as usize]) >= AT_LEAST
    }

    fn count(&mut self, user: u32, by: i8) {
        if self.of_user.len() <= user as usize {
            self.of_user.resize(user as usize + 1, 0);
        }
        let before = self.is_member(user);
        let count = &mut self.of_user[user as usize];
        *count = count.saturating_add_signed(by);
        if before != self.is_member(user) {
            self.touched.push((user, before));
        }
    }

    /// Who enters and who leaves at an instant: of those touched an odd number of times, what they are now.
    fn settle(&mut self, at: u64, digest: &mut Digest) {
        self.touched.sort_unstable();
        for of_user in self.touched.chunk_by(|one, other| one.0 == other.0) {
            if of_user.len() % 2 == 1 {
                let user = of_user[0].0;
                digest.add(Transition { user, at, entered: self.is_member(user) });
            }
        }
        self.touched.clear();
    }
}

/// Runs the stream, on one thread.
pub fn run(events: &[Event], mut ids: Option<Ids>, batch: usize, grain: Grain) -> Outcome {
    let (mut digest, mut counts, mut expiry) = (Digest::default(), Counts::default(), Expiry::default());
    let mut clock = Clock::start();
    for batch in batches(events, batch) {
        let batch = &*taken(batch, &mut ids, &mut clock);
        let end = batch[batch.len() - 1].at;
        let mut settled = 0;
        let mut come = |at: u64, user, by, counts: &mut Counts| {
            if grain == Grain::Instant && at != settled {
                counts.settle(settled, &mut digest);
            }
            settled = at;
            counts.count(user, by);
        };
        for event in batch {
            while let Some((user, at)) = expiry.pop(event.at) {
                come(at, user, -1, &mut counts);
            }
            come(event.at, event.user, 1, &mut counts);
            expiry.push(*event);
        }
        counts.settle(end, &mut digest);
        clock.note(batch.len());
    }
    Outcome { digest, clock, state: None }
}
