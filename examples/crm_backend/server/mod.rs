//! The service: one engine, and routes to it.

mod answer;
mod arriving;
mod campaigns;
mod messages;
mod segments;
mod told;
mod users;

use std::future::Future;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::extract::{DefaultBodyLimit, Request, State};
use axum::http::StatusCode;
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post, put};
use axum::{Json, Router};
use serde_json::json;
use tokio::sync::{Notify, RwLock, watch};
use whodid::{Changes, Live, LiveError, PriorityError, Timestamp, Transition};

use answer::{explained, refuse};
use campaigns::Campaigns;
use told::Told;

/// Bytes of the largest body.
const LARGEST: usize = 8 << 20;
/// So long a client is waited for that does not send what it began, or read what it asked for, when the service stops.
const PATIENCE: Duration = Duration::from_secs(5);

/// One engine behind a lock; what it reports goes to everyone who listens.
#[derive(Clone)]
pub struct Backend {
    inner: Arc<Mutex<Inner>>,
    /// What time it is.
    clock: fn() -> Timestamp,
    /// Something was taken in, so that another instant may be the next.
    arrived: Arc<Notify>,
    /// Listeners wake when it is sent, be it the same.
    phase: watch::Sender<Phase>,
    /// Read by each request while it is under way.
    under_way: Arc<RwLock<()>>,
}

struct Inner {
    live: Live,
    campaigns: Campaigns,
    told: Told<Transition>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Phase {
    Serving,
    /// What is under way is answered, and nothing more.
    Stopping,
    /// All has been told.
    Stopped,
}

impl Backend {
    /// The campaigns are segments by name, the highest first; each user is in one of them at most.
    pub fn new(live: Live, campaigns: &[&str], clock: fn() -> Timestamp) -> Result<Self, PriorityError> {
        let run = clock().millis();
        let campaigns = Campaigns::new(campaigns, &live, Told::new(format!("{run:x}-campaigns")))?;
        let told = Told::new(format!("{run:x}-transitions"));
        let inner = Arc::new(Mutex::new(Inner { live, campaigns, told }));
        let phase = watch::channel(Phase::Serving).0;
        Ok(Self { inner, clock, arrived: Arc::default(), phase, under_way: Arc::default() })
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
        self.edit(|live| live.advance(to)).map(|_| ())
    }

    /// Changes something, and tells everyone what that does.
    fn edit(
        &self,
        edit: impl FnOnce(&mut Live) -> Result<Changes, LiveError>,
    ) -> Result<Json<serde_json::Value>, LiveError> {
        let mut inner = self.lock();
        let changes = edit(&mut inner.live)?;
        let count = changes.len();
        self.tell(&mut inner, changes.into_vec());
        Ok(Json(json!({ "transitions": count })))
    }

    /// Tells everyone what changed: under the lock, so that all hear of it in the same order.
    fn tell(&self, inner: &mut Inner, transitions: Vec<Transition>) {
        inner.campaigns.take(&transitions);
        inner.told.add(transitions);
        self.phase.send_modify(|_| ());
        self.arrived.notify_one();
    }

    /// Lets requests that are under way end, tells what they have changed, and ends the streams.
    async fn wind_up(self) {
        self.phase.send_replace(Phase::Stopping);
        let ended = tokio::time::timeout(PATIENCE, self.under_way.write()).await;
        if ended.is_err() {
            eprintln!("a request did not end");
        }
        if let Err(error) = self.advance((self.clock)()) {
            eprintln!("time does not pass: {error}");
        }
        self.phase.send_replace(Phase::Stopped);
    }
}

/// Serves until `stop`; then answers what is under way, ends the streams, and returns.
pub async fn serve(
    listener: tokio::net::TcpListener,
    backend: Backend,
    stop: impl Future<Output = ()> + Send + 'static,
) -> std::io::Result<()> {
    let (winding_up, mut phase) = (backend.clone(), backend.phase.subscribe());
    let stop = async move {
        stop.await;
        tokio::spawn(winding_up.wind_up());
    };
    let served = axum::serve(listener, routes(backend)).with_graceful_shutdown(stop);
    let too_long = async move {
        drop(phase.wait_for(|phase| *phase == Phase::Stopped).await);
        tokio::time::sleep(PATIENCE).await;
    };
    tokio::select! {
        ended = async { served.await } => ended,
        () = too_long => Ok(()),
    }
}

fn routes(backend: Backend) -> Router {
    Router::new()
        .route("/messages", post(messages::post))
        .route("/segments", get(segments::list))
        .route("/segments/{name}", get(segments::get).put(segments::put).delete(segments::delete))
        .route("/segments/{name}/members", get(segments::members))
        .route("/segments/{name}/why/{user}", get(segments::why))
        .route("/lists/{name}", put(segments::put_list))
        .route("/users/{user}", get(users::segments).delete(users::forget))
        .route("/users/{user}/campaigns", get(campaigns::of_user))
        .route("/campaigns", get(campaigns::list))
        .route("/campaigns/{name}/members", get(campaigns::members))
        .route("/transitions", get(told::transitions))
        .route("/campaigns/transitions", get(told::campaigns))
        .layer(DefaultBodyLimit::max(LARGEST))
        .layer(from_fn_with_state(backend.clone(), under_way))
        .with_state(backend)
}

/// Keeps the service from ending before the request has.
async fn under_way(State(backend): State<Backend>, request: Request, next: Next) -> Response {
    let _under_way = backend.under_way.read().await;
    if *backend.phase.borrow() != Phase::Serving {
        return refuse(StatusCode::SERVICE_UNAVAILABLE, "the service stops").into_response();
    }
    explained(next.run(request).await).await
}
