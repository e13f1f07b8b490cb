//! The service over loopback, and a real HTTP client of it.

use std::io::{BufRead, BufReader};
use std::time::Duration;

use serde_json::{Value, json};
use whodid::{Catalog, Live, MemoryStore, Timestamp};

use super::server::{self, Backend};

pub fn start() -> Timestamp {
    "2026-06-01T00:00:00Z".parse().expect("an instant")
}

/// What time it is for the service: later than all messages.
pub fn end() -> Timestamp {
    Timestamp::from_millis(start().millis() + 6 * 86_400_000)
}

/// The highest first.
pub const CAMPAIGNS: [&str; 2] = ["win_back", "upsell"];

/// The service, listening.
pub struct Service {
    pub url: String,
    pub backend: Backend,
    runtime: tokio::runtime::Runtime,
    stop: tokio::sync::oneshot::Sender<()>,
    served: tokio::task::JoinHandle<std::io::Result<()>>,
}

impl Service {
    pub fn start() -> Self {
        Self::over(Live::new(Catalog::new(), MemoryStore::new(), start()).expect("an engine"))
    }

    pub fn over(live: Live) -> Self {
        Self::serve(Backend::new(live, &CAMPAIGNS, end).expect("campaigns"))
    }

    pub fn serve(backend: Backend) -> Self {
        let runtime = tokio::runtime::Runtime::new().expect("a runtime");
        let listener = runtime.block_on(tokio::net::TcpListener::bind("127.0.0.1:0")).expect("a port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
        let served = runtime.spawn(server::serve(listener, backend.clone(), async {
            let _asked = stopped.await;
        }));
        Self { url, backend, runtime, stop, served }
    }

    /// What it answers: status and body.
    pub fn call(&self, method: &str, path: &str, body: Option<&str>) -> (u16, Value) {
        call(method, &format!("{}{path}", self.url), body)
    }

    /// Messages, all of which are taken.
    pub fn post(&self, messages: &[Value]) {
        let lines: Vec<String> = messages.iter().map(Value::to_string).collect();
        let (status, answer) = self.call("POST", "/messages", Some(&lines.join("\n")));
        assert_eq!((status, &answer["taken"]), (200, &json!(messages.len())), "{answer}");
    }

    /// Server-sent events behind one, until there are so many of them or the stream ends: number, kind and data.
    pub fn events(&self, path: &str, after: &str, most: usize) -> Vec<(u64, String, Value)> {
        let mut events = Vec::new();
        self.stream(path, after, |id, kind, data| {
            let number = id.rsplit('-').next().and_then(|number| number.parse().ok());
            events.push((number.expect("a number"), kind.to_owned(), data));
            events.len() < most
        });
        events
    }

    /// The id of an event of a stream, by its number.
    pub fn id(&self, path: &str, number: u64) -> String {
        format!("{}-{number}", self.stands(path).0)
    }

    /// What the ids of a stream begin with, and the number of its last event.
    pub fn stands(&self, path: &str) -> (String, u64) {
        let answer = ureq::get(format!("{}{path}", self.url)).call().expect("a stream");
        let first = BufReader::new(answer.into_body().into_reader()).lines().next();
        let here = first.expect("where it stands").expect("a line");
        let (name, number) = here.strip_prefix("id: ").and_then(|id| id.rsplit_once('-')).expect("an id");
        (name.to_owned(), number.parse().expect("a number"))
    }

    /// Shows the events of a stream behind one until enough has been seen, or it ends.
    pub fn stream(&self, path: &str, after: &str, mut goes_on: impl FnMut(&str, &str, Value) -> bool) {
        let request = ureq::get(format!("{}{path}", self.url)).header("Last-Event-ID", after);
        let mut answer = request.call().expect("a stream");
        let (mut id, mut kind, mut data) = (String::new(), String::new(), None);
        for line in BufReader::new(answer.body_mut().as_reader()).lines() {
            let Ok(line) = line else { break };
            match line.split_once(": ") {
                Some(("id", text)) => text.clone_into(&mut id),
                Some(("event", text)) => text.clone_into(&mut kind),
                Some(("data", text)) => data = Some(serde_json::from_str(text).expect("JSON")),
                // An event ends with an empty line.
                _ if data.take().is_some_and(|data| !goes_on(&id, &kind, data)) => break,
                _ => {}
            }
        }
    }

    /// Lets time pass.
    pub fn advance(&self, to: Timestamp) {
        self.runtime.block_on(self.backend.advance(to)).expect("an instant");
    }

    /// Gracefully.
    pub fn stop(self) {
        self.stop.send(()).expect("a service");
        let served = async { tokio::time::timeout(Duration::from_secs(60), self.served).await };
        self.runtime.block_on(served).expect("an end").expect("no panic").expect("a graceful end");
    }
}

/// Answers of the service: status and body.
pub fn call(method: &str, url: &str, body: Option<&str>) -> (u16, Value) {
    let agent: ureq::Agent = ureq::Agent::config_builder()
        .http_status_as_error(false)
        .timeout_global(Some(Duration::from_secs(60)))
        .build()
        .into();
    let mut answer = match (method, body) {
        ("GET", _) => agent.get(url).call(),
        ("DELETE", _) => agent.delete(url).call(),
        ("PUT", body) => agent.put(url).send(body.unwrap_or_default()),
        (_, body) => agent.post(url).send(body.unwrap_or_default()),
    }
    .expect("an answer");
    let text = answer.body_mut().read_to_string().expect("text");
    (answer.status().as_u16(), serde_json::from_str(&text).unwrap_or(Value::Null))
}
