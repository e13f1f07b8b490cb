//! What has been told, kept for a while: a listener reads at its own pace, and one who comes back reads on behind
//! the number that it heard last.

use std::collections::VecDeque;
use std::sync::Arc;

use axum::response::sse::Event;
use serde_json::json;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use whodid::Transition;
use whodid::live::rules::Signal;

use super::Backend;

/// So many transitions are kept.
const KEPT: usize = 65_536;
/// So many are read at a time, and so many events wait for a listener.
const SOME: usize = 256;

/// Server-sent events.
pub type Events = ReceiverStream<Result<Event, axum::Error>>;

/// How a tale is written.
pub type Write = fn(&Tale) -> Vec<Result<Event, axum::Error>>;

/// A transition, and what the campaigns make of it.
pub struct Tale {
    transition: Transition,
    signals: Vec<Signal>,
}

/// Why listeners wake.
#[derive(Clone, Copy, Default)]
pub struct News {
    /// The number of the last transition.
    pub last: u64,
    /// The service stops.
    pub is_last: bool,
}

/// The latest transitions, in order of their numbers.
pub struct Told {
    all: VecDeque<Arc<Tale>>,
    last: u64,
}

impl Told {
    /// Nothing since the transition of this number.
    pub fn since(last: u64) -> Self {
        Self { all: VecDeque::new(), last }
    }

    pub fn add(&mut self, transition: Transition, signals: Vec<Signal>) {
        if self.all.len() == KEPT {
            self.all.pop_front();
        }
        self.last = transition.sequence;
        self.all.push_back(Arc::new(Tale { transition, signals }));
    }

    /// The number of the last one.
    pub fn last(&self) -> u64 {
        self.last
    }

    /// Some that follow the one of this number; `None`: they are not kept, or it is none of ours.
    fn after(&self, number: u64) -> Option<Vec<Arc<Tale>>> {
        let before_all = self.last - self.all.len() as u64;
        let start = number.checked_sub(before_all).filter(|_| number <= self.last)?;
        Some(self.all.iter().skip(usize::try_from(start).ok()?).take(SOME).cloned().collect())
    }
}

/// An event for a transition.
pub fn transition(tale: &Tale) -> Vec<Result<Event, axum::Error>> {
    let Transition { sequence, movement, .. } = &tale.transition;
    let event = Event::default().id(sequence.to_string()).event(movement.to_string());
    vec![event.json_data(&tale.transition)]
}

/// An event for each campaign that a user enters or leaves by a transition. The last one has its number: whoever comes
/// back between two of them hears both again.
pub fn campaigns(tale: &Tale) -> Vec<Result<Event, axum::Error>> {
    let event = |(place, signal): (usize, &Signal)| {
        let event = Event::default().event(signal.movement.to_string());
        let is_last = place + 1 == tale.signals.len();
        let event = if is_last { event.id(tale.transition.sequence.to_string()) } else { event };
        let Signal { at, segment, id, .. } = signal;
        event.json_data(json!({ "campaign": segment, "id": id, "movement": signal.movement, "at": at }))
    };
    tale.signals.iter().enumerate().map(event).collect()
}

impl Backend {
    /// The events of all tales behind a number, until the service stops and there are no more.
    pub(super) fn listen(&self, after: u64, write: Write) -> Events {
        let (send, receive) = mpsc::channel(SOME);
        let (backend, mut news, mut reached) = (self.clone(), self.news.subscribe(), after);
        tokio::spawn(async move {
            loop {
                let is_last = news.borrow_and_update().is_last;
                let (some, last) = {
                    let inner = backend.lock();
                    (inner.told.after(reached), inner.told.last())
                };
                let (events, next) = match &some {
                    // Who was away for too long is told so: it asks for the members again.
                    None => (vec![Ok(lagged(last))], last),
                    Some(some) => {
                        let next = some.last().map_or(reached, |tale| tale.transition.sequence);
                        (some.iter().flat_map(|tale| write(tale)).collect(), next)
                    }
                };
                for event in events {
                    if send.send(event).await.is_err() {
                        return;
                    }
                }
                if next > reached || some.is_none() {
                    reached = next;
                    continue;
                }
                if is_last {
                    return;
                }
                tokio::select! {
                    _ = news.changed() => {}
                    () = send.closed() => return,
                }
            }
        });
        ReceiverStream::new(receive)
    }
}

fn lagged(last: u64) -> Event {
    Event::default().event("lagged").id(last.to_string()).data(json!({ "last": last }).to_string())
}
