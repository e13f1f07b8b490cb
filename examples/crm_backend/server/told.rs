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

use super::engine::Engine;
use super::{Backend, Phase};

/// So many are kept, and all of the last minute, but no more than this.
const KEPT: usize = 1 << 16;
const MINUTE: Duration = Duration::from_secs(60);
const MOST: usize = 1 << 22;
/// So many are read at a time, and so many events wait for a listener.
const SOME: usize = 256;

/// The latest of what has been told, in order.
pub struct Told<T> {
    /// Of this stream, and of all that went on from where it began: an event of another is none of ours.
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
    backend.listen(&headers, |engine| &engine.told, write)
}

/// The same of campaigns, of which a user is in one at most: who entered, who left, who was taken over.
pub async fn campaigns(State(backend): State<Backend>, headers: HeaderMap) -> Listening {
    let write = |signal: &Signal| {
        let Signal { at, segment, id, movement, .. } = signal;
        let data = json!({ "campaign": segment, "id": id, "movement": movement, "at": at });
        Event::default().event(movement.to_string()).json_data(data)
    };
    backend.listen(&headers, |engine| &engine.campaigns.told, write)
}

impl Backend {
    /// The events of all that is told behind the last one that a client has heard, until the service stops and there are
    /// no more. First comes the id at which it stands, so that one who is cut off before anything happens knows it.
    fn listen<T: Send + Sync + 'static>(
        &self,
        headers: &HeaderMap,
        told: fn(&Engine) -> &Told<T>,
        write: fn(&T) -> Result<Event, axum::Error>,
    ) -> Listening {
        let (send, receive) = mpsc::channel(SOME);
        let mut phase = self.phase.subscribe();
        let last_heard = headers.get("last-event-id").map(|id| id.to_str().unwrap_or_default());
        let (mut listener, here) = Listener::new(self.clone(), last_heard, told, write);
        tokio::spawn(async move {
            let mut events: Vec<_> = here.into_iter().map(Ok).collect();
            loop {
                for event in events {
                    if send.send(event).await.is_err() {
                        return;
                    }
                }
                let is_last = *phase.borrow_and_update() == Phase::Stopped;
                events = listener.read();
                if events.is_empty() {
                    if is_last {
                        return;
                    }
                    tokio::select! {
                        _ = phase.changed() => {}
                        () = send.closed() => return,
                    }
                }
            }
        });
        Sse::new(ReceiverStream::new(receive)).keep_alive(KeepAlive::default())
    }
}

/// Reads a stream at its own pace.
struct Listener<T> {
    backend: Backend,
    told: fn(&Engine) -> &Told<T>,
    write: fn(&T) -> Result<Event, axum::Error>,
    /// The number of the event that it has read last; `None`: one that is none of ours.
    reached: Option<u64>,
}

impl<T> Listener<T> {
    /// Behind an event, or behind all, and where that is, if it is one of ours.
    fn new(
        backend: Backend,
        behind: Option<&str>,
        told: fn(&Engine) -> &Told<T>,
        write: fn(&T) -> Result<Event, axum::Error>,
    ) -> (Self, Option<Event>) {
        let (reached, here) = {
            let engine = backend.lock();
            let told = told(&engine);
            let reached = behind.map_or(Some(told.last), |id| told.number(id));
            (reached, reached.map(|number| Event::default().id(told.id(number))))
        };
        (Self { backend, told, write, reached }, here)
    }

    /// Some that follow. Who was away for too long is told so: it asks for the members again.
    fn read(&mut self) -> Vec<Result<Event, axum::Error>> {
        let (some, last, position) = {
            let engine = self.backend.lock();
            let told = (self.told)(&engine);
            (self.reached.and_then(|number| told.after(number)), told.last, told.position())
        };
        let (Some(some), Some(reached)) = (some, &mut self.reached) else {
            self.reached = Some(last);
            let data = json!({ "last_event_id": position }).to_string();
            return vec![Ok(Event::default().event("lagged").id(position).data(data))];
        };
        *reached += some.len() as u64;
        some.into_iter().map(|(id, one)| (self.write)(&one).map(|event| event.id(id))).collect()
    }
}
