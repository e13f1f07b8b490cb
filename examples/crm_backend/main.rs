//! A CRM backend one would start from: messages come in over HTTP, membership and transitions go out.
//!
//!     cargo run --example crm_backend -- [ADDRESS [DIRECTORY]]
//!     curl -X PUT localhost:8080/segments/newsletter -d '{"did":{"event":"login","in":{"last":"30d"}}}'
//!     curl localhost:8080/messages -d '{"type":"track","userId":"ada","event":"login"}'
//!     curl 'localhost:8080/segments/newsletter/members?limit=1000' # the next page: &from=, what this one says is next
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
//! With a directory nothing that was answered is lost, however the program ends: all that is asked is written to a journal
//! there, and is on disk before it is done. Started anew, and of the same version, it does again what the journal says: events
//! have the same ids and contents as before, and the latest of them are told again to who has not heard them. (A message that
//! is sent anew, as its answer was lost, counts once if it has a `messageId`.) The journal only grows, also by what is
//! refused, and who is erased is erased from what is answered, but not from there. What time has changed stays changed,
//! also where the clock was ahead.
//!
//! Streams keep the latest 65 536 events, and all of the last minute: who comes back behind an earlier one of an erased user
//! is told it again, and then that the user left, so that nobody keeps it.
//!
//! A service with a store that outlives it does not begin with the first message: it keeps what `Live::save` says with the
//! transitions that it has told, and goes on by `Live::restore`.
//!
//! A user with very many events can make each further one dear (`Live::record`), and all wait for it: who is no person is to be
//! kept out before.
//!
//! Without a directory all is kept in memory, and a new run is a stranger to those who listened to the one before.

mod server;

use std::error::Error;
use std::time::{Duration, SystemTime};

use server::Backend;
#[cfg(unix)]
use tokio::signal::unix::{SignalKind, signal};
use whodid::{Catalog, Live, MemoryStore, Timestamp};

/// A user is in one campaign at most, the first whose segment it is in.
const CAMPAIGNS: [&str; 3] = ["win_back", "upsell", "newsletter"];

/// Without an arrival the clock is looked at after so long: it may have been set.
const IDLE: Duration = Duration::from_secs(60);

/// Between two looks at the clock, at least.
const MOMENT: Duration = Duration::from_millis(10);

fn now() -> Timestamp {
    Timestamp::from(SystemTime::now()).min(Timestamp::MAX)
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let address = std::env::args().nth(1).unwrap_or_else(|| "127.0.0.1:8080".to_owned());
    let backend = match std::env::args_os().nth(2) {
        Some(directory) => Backend::open(directory.as_ref(), &CAMPAIGNS, now)
            .map_err(|error| format!("cannot go on in {}: {error}", directory.display()))?,
        None => Backend::new(Live::new(Catalog::new(), MemoryStore::new(), now())?, &CAMPAIGNS, now)?,
    };

    let clock = backend.clone();
    tokio::spawn(async move {
        loop {
            let wait = clock.next_change().map_or(IDLE, |wake| now().until(wake)).min(IDLE);
            if !wait.is_zero() {
                tokio::select! {
                    () = tokio::time::sleep(wait) => {}
                    // What arrived may change something earlier.
                    () = clock.arrival() => continue,
                }
            }
            if let Err(error) = clock.advance(now()).await {
                eprintln!("time does not pass: {error}");
                tokio::time::sleep(Duration::from_secs(1)).await;
            }
            // What changes within a moment is told together.
            tokio::time::sleep(MOMENT).await;
        }
    });

    let listener = tokio::net::TcpListener::bind(&address).await;
    let listener = listener.map_err(|error| format!("cannot listen on {address}: {error}"))?;
    println!("listening on http://{}, campaigns: {}", listener.local_addr()?, CAMPAIGNS.join(", "));
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
