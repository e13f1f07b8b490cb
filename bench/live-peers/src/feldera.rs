//! DBSP (Feldera): the weighted count of a user's events, kept incrementally, filtered to `count ≥ 5`.
//!
//! A step has no inner time, so memberships are compared step by step: exact instants need a step each. Expiries are told in either
//! of two ways, and the report shows which one wins:
//! - from a queue outside, as retractions;
//! - by the `window` operator over a clock, which holds the events and retracts them itself.
//!
//! The rolling aggregates (`partitioned_rolling_aggregate`) answer for each event as of its own instant only: nobody ever leaves.

use dbsp::typed_batch::SpineSnapshot;
use dbsp::utils::Tup2;
use dbsp::{
    DBSPHandle, IndexedZSetHandle, IndexedZSetReader, InputHandle, OrdZSet, OutputHandle, Runtime, TypedBox,
    ZSetHandle, ZWeight,
};

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
    Windowed,
}

type Users = dbsp::Stream<dbsp::RootCircuit, OrdZSet<u32>>;

/// Changes of membership, from changes of who did it.
fn members(did: &Users) -> Users {
    did.weighted_count().filter(|(_user, count)| *count >= AT_LEAST).map(|(user, _count)| *user)
}

/// Takes what happens in a step.
enum Input {
    Queued(ZSetHandle<u32>, Expiry, Vec<Tup2<u32, ZWeight>>),
    Windowed(InputHandle<u64>, IndexedZSetHandle<u64, u32>, Vec<Tup2<u64, Tup2<u32, ZWeight>>>),
}

impl Input {
    /// The events up to an instant, all of which are later than those of the step before.
    fn feed(&mut self, events: &[Event], now: u64) {
        match self {
            Self::Queued(users, expiry, changes) => {
                for event in events {
                    expiry.push(*event);
                    changes.push(Tup2(event.user, 1));
                }
                while let Some((user, _)) = expiry.pop(now) {
                    changes.push(Tup2(user, -1));
                }
                users.append(changes);
            }
            Self::Windowed(clock, by_time, changes) => {
                changes.extend(events.iter().map(|event| Tup2(event.at, Tup2(event.user, 1))));
                by_time.append(changes);
                clock.set_for_all(now);
            }
        }
    }
}

struct Engine {
    circuit: DBSPHandle,
    input: Input,
    output: OutputHandle<SpineSnapshot<OrdZSet<u32>>>,
    digest: Digest,
}

impl Engine {
    fn new(expiries: Expiries, workers: usize) -> Self {
        let (circuit, (input, output)) = Runtime::init_circuit(workers, move |circuit| {
            let (did, input) = match expiries {
                Expiries::Queued => {
                    let (did, users) = circuit.add_input_zset::<u32>();
                    (did, Input::Queued(users, Expiry::default(), Vec::new()))
                }
                Expiries::Windowed => {
                    let (clock, clock_input) = circuit.add_input_stream::<u64>();
                    let (events, by_time) = circuit.add_input_indexed_zset::<u64, u32>();
                    let inside =
                        |now: &u64| (TypedBox::new(now.saturating_sub(WINDOW - 1)), TypedBox::new(u64::MAX));
                    let did = events.window((true, true), &clock.apply(inside)).map(|(_at, user)| *user);
                    (did, Input::Windowed(clock_input, by_time, Vec::new()))
                }
            };
            Ok((input, members(&did).accumulate_output()))
        })
        .expect("the circuit is built");
        Self { circuit, input, output, digest: Digest::default() }
    }

    fn step(&mut self, events: &[Event], now: u64) {
        self.input.feed(events, now);
        self.circuit.transaction().expect("the step is made");
        for (user, (), weight) in self.output.concat().consolidate().iter() {
            self.digest.add(Transition { user, at: now, entered: weight > 0 });
        }
    }
}

/// Runs the stream on so many workers.
pub fn run(
    events: &[Event],
    mut ids: Option<Ids>,
    batch: usize,
    grain: Grain,
    expiries: Expiries,
    workers: usize,
) -> Outcome {
    let mut engine = Engine::new(expiries, workers);
    let mut due = Expiry::default();
    let mut clock = Clock::start();
    for batch in batches(events, batch) {
        let batch = &*taken(batch, &mut ids, &mut clock);
        match grain {
            Grain::Batch => engine.step(batch, batch[batch.len() - 1].at),
            Grain::Instant => {
                for instant in batch.chunk_by(|a, b| a.at == b.at) {
                    let now = instant[0].at;
                    while let Some(at) = due.next().filter(|at| *at < now) {
                        while due.pop(at).is_some() {}
                        engine.step(&[], at);
                    }
                    while due.pop(now).is_some() {}
                    instant.iter().for_each(|event| due.push(*event));
                    engine.step(instant, now);
                }
            }
        }
        clock.note(batch.len());
    }
    let Engine { circuit, digest, .. } = engine;
    circuit.kill().expect("the circuit ends");
    Outcome { digest, clock, state: None }
}
