//! Differential dataflow: one weight a user, which events raise and their expiries lower.
//!
//! `count ≥ 5` is `threshold_total` over the accumulated weight. Time is data there: a round may hold many instants and every
//! transition comes out at its own. Expiries are told in either of two ways, and the report shows which one wins:
//! - from a queue outside, when they are due;
//! - at once, as updates in the future, which is what a temporal filter compiles to.

use std::cell::Cell;
use std::rc::Rc;
use std::sync::Arc;

use differential_dataflow::input::InputSession;
use differential_dataflow::operators::ThresholdTotal;

use crate::clock::{Clock, Outcome};
use crate::expiry::Expiry;
use crate::ids::{Ids, taken};
use crate::question::{AT_LEAST, Grain, WINDOW};
use crate::stream::{Event, batches};
use crate::transition::{Digest, Transition};

/// Where expiries wait.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Expiries {
    Queued,
    /// Only for transitions at every instant: the ends of later batches are not known.
    InFuture,
}

type Input = InputSession<u64, u32, i32>;

/// Runs the stream on so many workers; the first feeds it.
pub fn run(
    events: Arc<Vec<Event>>,
    text_ids: bool,
    batch: usize,
    grain: Grain,
    expiries: Expiries,
    workers: usize,
) -> Outcome {
    let last = events.last().map_or(0, |event| event.at);
    let guards = timely::execute(timely::Config::process(workers), move |worker| {
        let digest = Rc::new(Cell::new(Digest::default()));
        let seen = Rc::clone(&digest);
        let mut input = Input::new();
        let probe = worker.dataflow::<u64, _, _>(|scope| {
            let members = input
                .to_collection(scope)
                .threshold_total(|_user, count: &i32| i32::from(i64::from(*count) >= AT_LEAST));
            let noted = members.inspect(move |(user, at, weight)| {
                let mut digest = seen.get();
                // Closing the input lets the future happen, which nobody asked for.
                if *at <= last {
                    digest.add(Transition { user: *user, at: *at, entered: *weight > 0 });
                }
                seen.set(digest);
            });
            noted.probe().0
        });
        let mut clock = Clock::start();
        if worker.index() == 0 {
            let mut expiry = Expiry::default();
            let mut ids = text_ids.then(Ids::default);
            for batch in batches(&events, batch) {
                let batch = &*taken(batch, &mut ids, &mut clock);
                let end = batch[batch.len() - 1].at;
                feed(&mut input, batch, end, grain, expiries, &mut expiry);
                input.advance_to(end + 1);
                input.flush();
                worker.step_while(|| probe.less_than(input.time()));
                clock.note(batch.len());
            }
        }
        drop(input);
        while worker.step_or_park(None) {}
        (digest.get(), clock)
    });
    let workers =
        guards.expect("workers start").join().into_iter().map(|result| result.expect("a worker ends"));
    let join = |all: Outcome, (digest, _)| Outcome { digest: all.digest.join(digest), ..all };
    let mut workers = workers.map(|(digest, clock)| (digest, clock));
    let (digest, clock) = workers.next().expect("there is a worker");
    workers.fold(Outcome { digest, clock, state: None }, join)
}

fn feed(input: &mut Input, batch: &[Event], end: u64, grain: Grain, expiries: Expiries, expiry: &mut Expiry) {
    let when = |at| if grain == Grain::Batch { end } else { at };
    for event in batch {
        input.update_at(event.user, when(event.at), 1);
        match expiries {
            Expiries::Queued => expiry.push(*event),
            Expiries::InFuture => input.update_at(event.user, event.at + WINDOW, -1),
        }
    }
    while let Some((user, at)) = expiry.pop(end) {
        input.update_at(user, when(at), -1);
    }
}
