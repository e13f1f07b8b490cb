//! A CRM backend one would start from: messages come in over HTTP, membership and transitions go out.
//!
//!     cargo run --example crm_backend -- [ADDRESS [DIRECTORY]]
//!     curl -X PUT localhost:8080/segments/newsletter -d '{"did":{"event":"login","in":{"last":"30d"}}}'
//!     curl localhost:8080/messages -d '{"type":"track","userId":"ada","event":"login"}'
//!     curl localhost:8080/segments/newsletter/members
//!     curl localhost:8080/segments/newsletter/why/ada
//!     curl -N localhost:8080/transitions
//!     curl localhost:8080/campaigns
//!     curl -N localhost:8080/campaigns/transitions
//!
//! The clock is this program's, never the library's: a task wakes when something may change, and a message that is
//! dated later than now happens now. A client that lost a stream names the last event it heard in `Last-Event-ID` and
//! misses nothing; if it was away for more than a minute and 65 536 events, it hears `lagged` and asks for the members
//! again, whose answer names the event to go on behind. Ctrl-C or SIGTERM stops it gracefully: requests that are under way
//! are answered, and streams end when all has been told.
//!
//! With a directory nothing that was answered is lost, however the program ends: what changes something is written to a
//! journal there, and is on disk before it is done. Started anew it does again what the journal says, and events have the
//! same ids as before. Of all but the last entries only the facts are taken in: what became of them is kept beside the
//! journal (`Live::save`), and goes on from there (`Live::restore`). Events before that are not told again: who has not heard
//! them yet hears `lagged`. Who is erased is erased from what is answered, but not from the journal.
//!
//! Without a directory all is kept in memory, and a new run is a stranger to those who listened to the one before.

mod server;

use std::error::Error;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use server::Backend;
#[cfg(unix)]
use tokio::signal::unix::{SignalKind, signal};
use whodid::{Catalog, Live, MemoryStore, Timestamp};

/// A user is in one campaign at most, the first whose segment it is in.
const CAMPAIGNS: [&str; 3] = ["win_back", "upsell", "newsletter"];

/// Entries of the journal after which it is kept what has become of them.
const KEEP: u64 = 10_000;

/// Milliseconds without an arrival after which the clock is looked at: it may have been set.
const IDLE: i64 = 60_000;

fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp::from_millis(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let address = std::env::args().nth(1).unwrap_or_else(|| "127.0.0.1:8080".to_owned());
    let backend = match std::env::args_os().nth(2) {
        Some(directory) => Backend::open(directory.as_ref(), KEEP, &CAMPAIGNS, now)
            .map_err(|error| format!("cannot go on in {}: {error}", directory.display()))?,
        None => Backend::new(Live::new(Catalog::new(), MemoryStore::new(), now())?, &CAMPAIGNS, now)?,
    };
    let kept = match backend.entries() {
        Some(entries) => format!("entries of the journal: {entries}"),
        None => "all in memory".to_owned(),
    };

    let clock = backend.clone();
    tokio::spawn(async move {
        loop {
            let wait = clock.next_change().map_or(IDLE, |wake| wake.millis() - now().millis()).min(IDLE);
            if wait > 0 {
                tokio::select! {
                    () = tokio::time::sleep(Duration::from_millis(wait.unsigned_abs())) => {}
                    // What arrived may change something earlier.
                    () = clock.arrival() => continue,
                }
            }
            if let Err(error) = clock.advance(now()) {
                eprintln!("what time changes is not kept: {error}");
            }
        }
    });

    let listener = tokio::net::TcpListener::bind(&address).await;
    let listener = listener.map_err(|error| format!("cannot listen on {address}: {error}"))?;
    println!("listening on http://{}, campaigns: {}; {kept}", listener.local_addr()?, CAMPAIGNS.join(", "));
    server::serve(listener, backend, asked_to_stop()).await?;
    println!("stopped");
    Ok(())
}

/// Ctrl-C, or what a container is told with before it is killed.
async fn asked_to_stop() {
    #[cfg(unix)]
    let terminated = async {
        match signal(SignalKind::terminate()) {
            Ok(mut terminated) => _ = terminated.recv().await,
            Err(_) => std::future::pending().await,
        }
    };
    #[cfg(not(unix))]
    let terminated = std::future::pending();
    tokio::select! {
        _ = tokio::signal::ctrl_c() => {}
        () = terminated => {}
    }
}
