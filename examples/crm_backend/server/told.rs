//! What has been told, kept for a while: a listener reads at its own pace, and one who comes back reads on behind
//! the event that it heard last.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::sse::{Event, KeepAlive, KeepAliveStream, Sse};
use serde_json::json;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use whodid::Transition;
use whodid::live::rules::Signal;

use super::{Backend, Inner, Phase};

/// So many are kept, and all of the last minute, but no more than this.
const KEPT: usize = 1 << 16;
const MINUTE: Duration = Duration::from_secs(60);
const MOST: usize = 1 << 22;
/// So many are read at a time, and so many events wait for a listener.
const SOME: usize = 256;

/// The latest of what has been told, in order.
pub struct Told<T> {
    /// Of this run of the program and this stream: an event of another is none of ours.
    name: String,
    all: VecDeque<(Instant, Arc<T>)>,
    /// How many there have been.
    last: u64,
}

impl<T> Told<T> {
    /// Nothing so far.
    pub fn new(name: String) -> Self {
        Self { name, all: VecDeque::new(), last: 0 }
    }

    /// What is told by one call is kept whole, for those who listen to it.
    pub fn add(&mut self, new: impl IntoIterator<Item = T>) {
        let now = Instant::now();
        let goes = |all: &VecDeque<(Instant, _)>| {
            let is_old = all.front().is_some_and(|(told, _)| *told + MINUTE <= now);
            all.len() > KEPT && is_old || all.len() > MOST
        };
        while goes(&self.all) {
            self.all.pop_front();
        }
        let before = self.all.len();
        self.all.extend(new.into_iter().map(|one| (now, Arc::new(one))));
        self.last += (self.all.len() - before) as u64;
    }

    /// The id of the last event.
    pub fn position(&self) -> String {
        self.id(self.last)
    }

    fn id(&self, number: u64) -> String {
        format!("{}-{number}", self.name)
    }

    /// The number of an event, if it is one of ours.
    fn number(&self, id: &str) -> Option<u64> {
        id.trim().strip_prefix(&self.name)?.strip_prefix('-')?.parse().ok()
    }

    /// Some that follow the one of this number, each with its id; `None`: they are not kept.
    fn after(&self, number: u64) -> Option<Vec<(String, Arc<T>)>> {
        let before_all = self.last - self.all.len() as u64;
        let start = number.checked_sub(before_all).filter(|_| number <= self.last)?;
        let some = self.all.iter().skip(usize::try_from(start).ok()?).take(SOME);
        Some(some.zip(number + 1..).map(|((_, one), number)| (self.id(number), Arc::clone(one))).collect())
    }
}

type Events = ReceiverStream<Result<Event, axum::Error>>;
type Listening = Sse<KeepAliveStream<Events>>;

/// Server-sent events, one for each transition. They begin behind `Last-Event-ID` where the client names one, else with
/// what happens from now on.
pub async fn transitions(State(backend): State<Backend>, headers: HeaderMap) -> Listening {
    let write = |one: &Transition| Event::default().event(one.movement.to_string()).json_data(one);
    backend.listen(&headers, |inner| &inner.told, write)
}

/// The same of campaigns, of which a user is in one at most: who entered, who left, who was taken over.
pub async fn campaigns(State(backend): State<Backend>, headers: HeaderMap) -> Listening {
    let write = |signal: &Signal| {
        let Signal { at, segment, id, movement, .. } = signal;
        let data = json!({ "campaign": segment, "id": id, "movement": movement, "at": at });
        Event::default().event(movement.to_string()).json_data(data)
    };
    backend.listen(&headers, |inner| &inner.campaigns.told, write)
}

impl Backend {
    /// The events of all that is told behind the last one that a client has heard, until the service stops and there are
    /// no more. First comes the id at which it stands, so that one who is cut off before anything happens knows it.
    fn listen<T: Send + Sync + 'static>(
        &self,
        headers: &HeaderMap,
        told: fn(&Inner) -> &Told<T>,
        write: fn(&T) -> Result<Event, axum::Error>,
    ) -> Listening {
        let (send, receive) = mpsc::channel(SOME);
        let (backend, mut phase) = (self.clone(), self.phase.subscribe());
        let last_heard = headers.get("last-event-id").map(|id| id.to_str().unwrap_or_default().to_owned());
        let (mut reached, here) = {
            let inner = self.lock();
            let told = told(&inner);
            let reached = last_heard.map_or(Some(told.last), |id| told.number(&id));
            (reached, reached.map(|number| told.id(number)))
        };
        tokio::spawn(async move {
            if let Some(id) = here
                && send.send(Ok(Event::default().id(id))).await.is_err()
            {
                return;
            }
            loop {
                let is_last = *phase.borrow_and_update() == Phase::Stopped;
                let (some, last, position) = {
                    let inner = backend.lock();
                    let told = told(&inner);
                    (reached.and_then(|number| told.after(number)), told.last, told.position())
                };
                reached = match (&some, reached) {
                    (Some(some), Some(number)) => Some(number + some.len() as u64),
                    _ => Some(last),
                };
                if some.as_ref().is_some_and(Vec::is_empty) {
                    if is_last {
                        return;
                    }
                    tokio::select! {
                        _ = phase.changed() => {}
                        () = send.closed() => return,
                    }
                }
                // Who was away for too long is told so: it asks for the members again.
                let lagged = some.is_none().then(|| {
                    let data = json!({ "last_event_id": position }).to_string();
                    Ok(Event::default().event("lagged").id(position).data(data))
                });
                let events = some.iter().flatten().map(|(id, one)| write(one).map(|event| event.id(id)));
                for event in lagged.into_iter().chain(events) {
                    if send.send(event).await.is_err() {
                        return;
                    }
                }
            }
        });
        Sse::new(ReceiverStream::new(receive)).keep_alive(KeepAlive::default())
    }
}
