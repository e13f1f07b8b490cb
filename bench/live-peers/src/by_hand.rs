//! The limit: this one question written out by hand, a byte a user and the queue, with no engine around it.
//!
//! It can be asked nothing else, takes events in order only, keeps none that left the window, and counts to 255.

use crate::clock::{Clock, Outcome};
use crate::expiry::Expiry;
use crate::ids::{Ids, taken};
use crate::question::{AT_LEAST, Grain};
use crate::stream::{Event, batches};
use crate::transition::{Digest, Transition};

/// How many events of each user lie in the window, and who has become a member or none since memberships were compared.
#[derive(Default)]
struct Counts {
    of_user: Vec<u8>,
    turned: Vec<u32>,
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
            self.turned.push(user);
        }
    }

    /// Who enters and who leaves at an instant: of those who turned an odd number of times, what they are now.
    fn settle(&mut self, at: u64, digest: &mut Digest) {
        self.turned.sort_unstable();
        for of_user in self.turned.chunk_by(u32::eq) {
            if of_user.len() % 2 == 1 {
                let user = of_user[0];
                digest.add(Transition { user, at, entered: self.is_member(user) });
            }
        }
        self.turned.clear();
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
