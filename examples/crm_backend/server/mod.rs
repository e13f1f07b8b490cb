//! The service: one engine, and routes to it.

mod answer;
mod arriving;
mod campaigns;
mod deed;
mod engine;
mod journal;
mod messages;
mod scribe;
mod segments;
mod told;
mod users;

use std::error::Error;
use std::future::Future;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use axum::Router;
use axum::extract::{DefaultBodyLimit, Request, State};
use axum::http::StatusCode;
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use tokio::sync::{Notify, RwLock, watch};
use whodid::{Live, Timestamp};

use answer::{Answer, explained, refuse};
use deed::Deed;
use engine::Engine;
use journal::Journal;
use scribe::{Desk, Scribe};

/// Bytes of the largest body.
const LARGEST: usize = 8 << 20;
/// So long a client is waited for that does not send what it began, or read what it asked for, when the service stops.
const PATIENCE: Duration = Duration::from_secs(5);

/// One engine behind a lock; what it reports goes to everyone who listens.
#[derive(Clone)]
pub struct Backend {
    engine: Arc<Mutex<Engine>>,
    scribe: Arc<Scribe>,
    /// What time it is.
    clock: fn() -> Timestamp,
    /// Something was taken in, so that another instant may be the next.
    arrived: Arc<Notify>,
    /// Listeners wake when it is sent, be it the same.
    phase: watch::Sender<Phase>,
    /// Read by each request while it is under way.
    under_way: Arc<RwLock<()>>,
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
    /// All in memory. The campaigns are segments by name, the highest first; each user is in one of them at most.
    pub fn new(live: Live, campaigns: &[&str], clock: fn() -> Timestamp) -> Result<Self, Box<dyn Error>> {
        Self::over(Engine::new(live, clock())?, None, campaigns, clock)
    }

    /// The same, over a journal in a directory: it goes on where it ended, however it did.
    pub fn open(
        directory: &Path,
        campaigns: &[&str],
        clock: fn() -> Timestamp,
    ) -> Result<Self, Box<dyn Error>> {
        let (engine, journal) = Engine::replay(Journal::open(directory, clock())?)?;
        let (reached, now) = (engine.live.now(), clock());
        if reached > now {
            eprintln!("it is {now}, but time has passed up to {reached}, and does not go back");
        }
        Self::over(engine, Some(journal), campaigns, clock)
    }

    fn over(
        mut engine: Engine,
        mut journal: Option<Journal>,
        campaigns: &[&str],
        clock: fn() -> Timestamp,
    ) -> Result<Self, Box<dyn Error>> {
        engine.set_campaigns(campaigns, clock(), journal.as_mut())?;
        let (engine, phase) = (Arc::new(Mutex::new(engine)), watch::channel(Phase::Serving).0);
        let arrived = Arc::<Notify>::default();
        let wake = {
            let (phase, arrived) = (phase.clone(), Arc::clone(&arrived));
            Box::new(move || {
                phase.send_modify(|_| ());
                arrived.notify_one();
            })
        };
        let scribe = Scribe::start(Desk { engine: Arc::clone(&engine), journal, clock, wake });
        Ok(Self { engine, scribe: Arc::new(scribe), clock, arrived, phase, under_way: Arc::default() })
    }

    fn lock(&self) -> MutexGuard<'_, Engine> {
        engine::lock(&self.engine)
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
    pub async fn advance(&self, to: Timestamp) -> Result<(), impl Error> {
        self.scribe.ask(Deed::Passed, to).await.map(|_| ())
    }

    /// Changes something, and tells everyone what that does.
    async fn edit(&self, deed: Deed) -> Answer {
        self.scribe.ask(deed, Timestamp::MIN).await
    }

    /// Lets requests that are under way end, tells what they have changed, and ends the streams.
    async fn wind_up(self) {
        self.phase.send_replace(Phase::Stopping);
        let ended = tokio::time::timeout(PATIENCE, self.under_way.write()).await;
        if ended.is_err() {
            eprintln!("a request did not end");
        }
        match tokio::time::timeout(PATIENCE, self.advance((self.clock)())).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => eprintln!("time does not pass: {error}"),
            Err(_) => eprintln!("the journal is not written"),
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
        .route("/lists/{name}", get(segments::get_list).put(segments::put_list).delete(segments::delete_list))
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
