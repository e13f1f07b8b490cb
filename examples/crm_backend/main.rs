//! A CRM backend one would start from: messages come in over HTTP, membership and transitions go out.
//!
//!     cargo run --example crm_backend -- [ADDRESS]
//!     curl -X PUT localhost:8080/segments/active -d '{"did":{"event":"login","in":{"last":"30d"}}}'
//!     curl localhost:8080/messages -d '{"type":"track","userId":"ada","event":"login","timestamp":"2026-06-15T12:00:00Z"}'
//!     curl localhost:8080/segments/active/members
//!     curl -N localhost:8080/transitions
//!
//! The clock is this program's, never the library's: a task wakes when something may change. Ctrl-C stops it
//! gracefully: requests that are under way are answered, and streams end.

mod server;

use std::error::Error;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use server::Backend;
use whodid::{Catalog, Live, MemoryStore, Timestamp};

fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp::from_millis(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let address = std::env::args().nth(1).unwrap_or_else(|| "127.0.0.1:8080".to_owned());
    let live = Live::new(Catalog::new(), MemoryStore::new(), now())?;
    // A user is in one campaign at most, the first that wants it.
    let backend = Backend::new(live, &["win_back", "upsell", "newsletter"])?;

    let clock = backend.clone();
    tokio::spawn(async move {
        loop {
            let wake = clock.next_change();
            let wait = wake.map_or(1_000, |wake| wake.millis() - now().millis()).clamp(1, 1_000);
            tokio::time::sleep(Duration::from_millis(wait.unsigned_abs())).await;
            if let Err(error) = clock.advance(now()) {
                eprintln!("time does not pass: {error}");
            }
        }
    });

    let listener = tokio::net::TcpListener::bind(&address).await?;
    println!("listening on http://{}", listener.local_addr()?);
    let stop = async {
        let _asked = tokio::signal::ctrl_c().await;
    };
    server::serve(listener, backend, stop).await?;
    println!("stopped");
    Ok(())
}
