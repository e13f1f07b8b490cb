//! The service: routes over one engine.

mod arriving;
mod told;

use std::future::Future;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::sse::{KeepAlive, KeepAliveStream, Sse};
use axum::routing::{get, post, put};
use axum::{Json, Router};
use serde_json::{Value, json};
use tokio::sync::{Notify, watch};
use whodid::import::Importer;
use whodid::live::rules::{LiveExclusion, Rule, Signal};
use whodid::segment::Segment;
use whodid::{
    Announce, Changes, Evaluate, EventStore, Live, LiveError, PriorityError, Timestamp, Transition, UserId,
};

use arriving::Arriving;
use told::{Events, News, Told};

/// One engine behind a lock; what it reports goes to everyone who listens.
#[derive(Clone)]
pub struct Backend {
    inner: Arc<Mutex<Inner>>,
    /// What time it is.
    clock: fn() -> Timestamp,
    news: watch::Sender<News>,
    /// Something was taken in, so that another instant may be the next.
    arrived: Arc<Notify>,
}

struct Inner {
    live: Live,
    campaigns: LiveExclusion,
    told: Told,
}

type Refused = (StatusCode, Json<Value>);
type Answer = Result<Json<Value>, Refused>;

fn refuse(status: StatusCode, why: impl ToString) -> Refused {
    (status, Json(json!({ "error": why.to_string() })))
}

fn unknown(segment: &str) -> Refused {
    refuse(StatusCode::NOT_FOUND, format!("there is no segment {segment:?}"))
}

impl Backend {
    /// The campaigns are segments by name, the highest first; each user is in one of them at most.
    pub fn new(live: Live, campaigns: &[&str], clock: fn() -> Timestamp) -> Result<Self, PriorityError> {
        let campaigns = LiveExclusion::new(campaigns.iter().copied(), 1)?;
        let told = Told::since(live.sequence());
        let news = watch::channel(News::default()).0;
        let inner = Arc::new(Mutex::new(Inner { live, campaigns, told }));
        Ok(Self { inner, clock, news, arrived: Arc::default() })
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// When something may change next by the passing of time.
    pub fn next_change(&self) -> Option<Timestamp> {
        self.lock().live.next_change()
    }

    /// Returns when something has been taken in: the next change may be another.
    pub async fn arrival(&self) {
        self.arrived.notified().await;
    }

    /// Lets time pass.
    pub fn advance(&self, to: Timestamp) -> Result<(), LiveError> {
        let mut inner = self.lock();
        let changes = inner.live.advance(to)?;
        self.tell(&mut inner, changes);
        Ok(())
    }

    /// Runs the campaigns' rule over what changed, and tells everyone. Under the lock, so that all hear of
    /// transitions in the order of their numbers.
    fn tell(&self, inner: &mut Inner, transitions: impl IntoIterator<Item = Transition>) {
        let mut tales: Vec<(Transition, Vec<Signal>)> = Vec::new();
        for transition in transitions {
            let signals = inner.campaigns.take(Signal::from(&transition));
            tales.push((transition, signals));
        }
        if let Some((last, signals)) = tales.last_mut() {
            // All that changes in an instant is told by one call.
            signals.extend(inner.campaigns.pass(last.at));
        }
        tales.into_iter().for_each(|(transition, signals)| inner.told.add(transition, signals));
        self.news.send_modify(|news| news.last = inner.told.last());
        self.arrived.notify_one();
    }

    fn edit(&self, edit: impl FnOnce(&mut Live) -> Result<Changes, LiveError>) -> Answer {
        let mut inner = self.lock();
        let changes = edit(&mut inner.live).map_err(|error| refuse(StatusCode::BAD_REQUEST, error))?;
        let count = changes.len();
        self.tell(&mut inner, changes);
        Ok(Json(json!({ "transitions": count })))
    }
}

/// So long a client is waited for that does not read what it asked for, when the service stops.
const PATIENCE: Duration = Duration::from_secs(5);

/// Serves until `stop`; then answers what is under way, ends the streams, and returns.
pub async fn serve(
    listener: tokio::net::TcpListener,
    backend: Backend,
    stop: impl Future<Output = ()> + Send + 'static,
) -> std::io::Result<()> {
    let (news, mut told) = (backend.news.clone(), backend.news.subscribe());
    let stop = async move {
        stop.await;
        news.send_modify(|news| news.is_last = true);
    };
    let served = axum::serve(listener, routes(backend)).with_graceful_shutdown(stop);
    let too_long = async move {
        drop(told.wait_for(|news| news.is_last).await);
        tokio::time::sleep(PATIENCE).await;
    };
    tokio::select! {
        ended = async { served.await } => ended,
        () = too_long => Ok(()),
    }
}

fn routes(backend: Backend) -> Router {
    Router::new()
        .route("/messages", post(messages))
        .route("/segments", get(segments))
        .route("/segments/{name}", get(segment).put(put_segment).delete(delete_segment))
        .route("/segments/{name}/members", get(members))
        .route("/segments/{name}/why/{user}", get(why))
        .route("/lists/{name}", put(put_list))
        .route("/users/{user}", get(user).delete(forget))
        .route("/users/{user}/campaigns", get(campaigns))
        .route("/transitions", get(transitions))
        .route("/campaigns/transitions", get(campaign_transitions))
        .with_state(backend)
}

/// Segment-spec messages: one, several lines of them, or `{"batch":[…]}`.
async fn messages(State(backend): State<Backend>, body: Bytes) -> Answer {
    let mut inner = backend.lock();
    let now = (backend.clock)();
    let mut arriving = Arriving::new(inner.live.feed(), now);
    let read = Importer::segment_spec().instant_if_none(now).skip_rejected().read(&body[..], &mut arriving);
    let transitions = arriving.into_transitions();
    backend.tell(&mut inner, transitions);
    let report = read.map_err(|error| refuse(StatusCode::BAD_REQUEST, error))?;
    let rejected: Vec<String> = report.rejections.iter().map(ToString::to_string).collect();
    if report.messages == 0 && report.rejected > 0 {
        return Err(refuse(StatusCode::BAD_REQUEST, rejected.join("; ")));
    }
    Ok(Json(json!({ "taken": report.messages, "duplicates": report.duplicates, "rejected": rejected })))
}

async fn segments(State(backend): State<Backend>) -> Json<Value> {
    let inner = backend.lock();
    let count = |name: &str| inner.live.count(name).unwrap_or(0);
    let names = inner.live.catalog().segments().map(|(name, _)| name);
    Json(names.map(|name| (name.to_owned(), json!({ "members": count(name) }))).collect())
}

async fn segment(State(backend): State<Backend>, Path(name): Path<String>) -> Answer {
    let inner = backend.lock();
    let segment = inner.live.catalog().get(&name).ok_or_else(|| unknown(&name))?;
    Ok(Json(json!({ "segment": segment, "in_words": segment.to_string() })))
}

async fn put_segment(State(backend): State<Backend>, Path(name): Path<String>, body: String) -> Answer {
    let segment = Segment::from_json(&body).map_err(|error| refuse(StatusCode::BAD_REQUEST, error))?;
    backend.edit(|live| live.insert(name, segment, Announce::Transitions))
}

async fn delete_segment(State(backend): State<Backend>, Path(name): Path<String>) -> Answer {
    if backend.lock().live.catalog().get(&name).is_none() {
        return Err(unknown(&name));
    }
    backend.edit(|live| live.remove(&name, Announce::Transitions))
}

/// A static list: a JSON array of ids.
async fn put_list(State(backend): State<Backend>, Path(name): Path<String>, body: String) -> Answer {
    let ids: Vec<String> =
        serde_json::from_str(&body).map_err(|error| refuse(StatusCode::BAD_REQUEST, error))?;
    backend.edit(|live| live.insert_list(name, ids, Announce::Transitions))
}

async fn members(State(backend): State<Backend>, Path(name): Path<String>) -> Answer {
    let inner = backend.lock();
    let members = inner.live.members(&name).ok_or_else(|| unknown(&name))?;
    let mut ids = Vec::new();
    let Ok(()) = inner.live.snapshot().ids(&members, &mut |_, id| ids.push(id.to_owned()));
    ids.sort_unstable();
    Ok(Json(json!({ "at": inner.live.now(), "count": ids.len(), "ids": ids })))
}

/// Why a user is in a segment, or out of it: each of its conditions, and whether it holds.
async fn why(State(backend): State<Backend>, Path((name, id)): Path<(String, String)>) -> Answer {
    let inner = backend.lock();
    let conditions = inner.live.why(&name, &id).ok_or_else(|| unknown(&name))?;
    let member = inner.live.is_member(&name, &id);
    let conditions: Vec<Value> =
        conditions.into_iter().map(|(words, holds)| json!({ "condition": words, "holds": holds })).collect();
    Ok(Json(json!({ "member": member, "conditions": conditions })))
}

async fn user(State(backend): State<Backend>, Path(id): Path<String>) -> Answer {
    let inner = backend.lock();
    let (live, store) = (&inner.live, inner.live.snapshot());
    let segments = store.segments_of(&id, live.catalog(), live.now());
    let segments = segments.map_err(|error| refuse(StatusCode::BAD_REQUEST, error))?;
    let Ok(user): Result<Option<UserId>, _> = store.user(&id);
    Ok(Json(json!({ "known": user.is_some(), "segments": segments })))
}

async fn forget(State(backend): State<Backend>, Path(id): Path<String>) -> Answer {
    backend.edit(|live| live.forget(&id))
}

/// The campaign that keeps a user.
async fn campaigns(State(backend): State<Backend>, Path(id): Path<String>) -> Json<Value> {
    let inner = backend.lock();
    Json(json!({ "kept": inner.campaigns.kept(&id).collect::<Vec<_>>() }))
}

type Listening = Result<Sse<KeepAliveStream<Events>>, Refused>;

/// Server-sent events, one for each transition; the id is its number. They begin behind `Last-Event-ID` where the
/// client names one, else with what happens from now on.
async fn transitions(State(backend): State<Backend>, headers: HeaderMap) -> Listening {
    listen(&backend, &headers, told::transition)
}

/// The same of campaigns, of which a user is in one at most: who entered, who left, who was taken over.
async fn campaign_transitions(State(backend): State<Backend>, headers: HeaderMap) -> Listening {
    listen(&backend, &headers, told::campaigns)
}

fn listen(backend: &Backend, headers: &HeaderMap, write: told::Write) -> Listening {
    let after = match headers.get("last-event-id") {
        None => backend.lock().told.last(),
        Some(id) => id.to_str().ok().and_then(|id| id.trim().parse().ok()).ok_or_else(|| {
            refuse(StatusCode::BAD_REQUEST, format!("Last-Event-ID {id:?} is no number of a transition"))
        })?,
    };
    Ok(Sse::new(backend.listen(after, write)).keep_alive(KeepAlive::default()))
}
