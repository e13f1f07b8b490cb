//! The example's service, driven over loopback by several clients at a time, and compared with the oracle.

#![allow(clippy::expect_used, clippy::unwrap_used, clippy::panic)]

#[path = "crm_backend/restarts.rs"]
mod restarts;
#[allow(dead_code)] // what only the main of the example asks
#[path = "../examples/crm_backend/server/mod.rs"]
mod server;
#[path = "crm_backend/service.rs"]
mod service;

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead, BufReader, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use serde_json::{Value, json};
use service::{Service, call, end, start};
use whodid::import::Importer;
use whodid::oracle::{Named, Oracle};
use whodid::segment::{EventPattern, Segment};
use whodid::{
    AttributeWrite, Catalog, Event, Ingest, IngestError, Live, MemoryStore, Recorded, Timestamp, did,
};

const CLIENTS: usize = 4;
const MESSAGES: usize = 60;

const SEGMENTS: [(&str, &str); 4] = [
    (
        "win_back",
        r#"{"all":[{"did":{"event":"login"}},{"not":{"did":{"event":"login","in":{"last":"2d"}}}}]}"#,
    ),
    ("upsell", r#"{"did":{"event":"purchase","in":{"last":"7d"},"sum":{"of":"amount","at_least":50}}}"#),
    ("pro", r#"{"attribute":{"name":"plan","eq":"pro"}}"#),
    ("pro_buyers", r#"{"all":[{"segment":"pro"},{"segment":"upsell"}]}"#),
];

fn put_segments(service: &Service) {
    for (name, segment) in SEGMENTS {
        assert_eq!(service.call("PUT", &format!("/segments/{name}"), Some(segment)).0, 200);
    }
}

/// What a client sends: its own users, so that the order of clients does not matter.
fn message(client: usize, n: usize) -> Value {
    let user = format!("user-{client}-{}", n % 7);
    let at = start().millis() + (n * 3_600_000 + client * 1_001 + n) as i64;
    let (at, id) = (Timestamp::from_millis(at).to_string(), format!("{client}-{n}"));
    match n % 5 {
        0 => json!({"type": "identify", "userId": user, "timestamp": at,
                    "traits": {"plan": if n.is_multiple_of(2) { "pro" } else { "free" }}}),
        1 | 3 => json!({"type": "track", "userId": user, "event": "login", "timestamp": at, "messageId": id}),
        _ => json!({"type": "track", "userId": user, "event": "purchase", "timestamp": at, "messageId": id,
                    "properties": {"amount": (n * 7) % 40}}),
    }
}

/// The oracle as a store that is written to.
struct ToOracle(Oracle);

impl Ingest for ToOracle {
    type Error = IngestError;

    fn record(&mut self, event: Event) -> Result<Recorded, IngestError> {
        self.0.record(event).expect("a valid event");
        Ok(Recorded::New)
    }

    fn write(&mut self, write: AttributeWrite) -> Result<(), IngestError> {
        self.0.write(write).expect("a valid write");
        Ok(())
    }

    fn register(&mut self, user: &str, seen: Timestamp) -> Result<(), IngestError> {
        self.0.register(user, seen).expect("a valid user");
        Ok(())
    }

    fn current_id<'a>(&'a self, id: &'a str) -> Result<Cow<'a, str>, IngestError> {
        Ok(Cow::Borrowed(id))
    }

    fn merge(&mut self, from: &str, into: &str) -> Result<(), IngestError> {
        self.0.merge(from, into).expect("a valid merge");
        Ok(())
    }

    fn forget(&mut self, user: &str) -> Result<(), IngestError> {
        self.0.forget(user);
        Ok(())
    }

    fn retain(&mut self, since: Timestamp, events: &[EventPattern]) -> Result<u64, IngestError> {
        self.0.retain(since, events);
        Ok(0)
    }
}

/// Sends the messages of a client: one by one, and some of them as batches and twice.
fn client(url: &str, client: usize) {
    let messages: Vec<Value> = (0..MESSAGES).map(|n| message(client, n)).collect();
    for (n, chunk) in messages.chunks(4).enumerate() {
        let bodies: Vec<String> = match n % 3 {
            0 => chunk.iter().map(Value::to_string).collect(),
            1 => vec![json!({ "batch": chunk }).to_string()],
            _ => vec![json!({ "batch": chunk }).to_string(); 2], // delivered twice
        };
        for body in bodies {
            let (status, answer) = call("POST", &format!("{url}/messages"), Some(&body));
            assert_eq!((status, &answer["rejected"]), (200, &json!(0)), "{answer}");
        }
    }
}

/// Reads server-sent events until the stream ends: the numbers, and who is in which segment by them.
fn listen(url: &str, heard: &AtomicUsize) -> (Vec<u64>, BTreeMap<String, BTreeSet<String>>) {
    let mut answer = ureq::get(format!("{url}/transitions")).call().expect("a stream");
    let (mut numbers, mut members) = (Vec::new(), BTreeMap::<String, BTreeSet<String>>::new());
    heard.store(1, Ordering::SeqCst);
    for line in BufReader::new(answer.body_mut().as_reader()).lines() {
        let Ok(line) = line else { break };
        let Some(data) = line.strip_prefix("data: ") else { continue };
        let transition: Value = serde_json::from_str(data).expect("JSON");
        let text = |key: &str| transition[key].as_str().expect("text").to_owned();
        let of_segment = members.entry(text("segment")).or_default();
        let changed = match transition["movement"].as_str() {
            Some("entered") => of_segment.insert(text("id")),
            _ => of_segment.remove(&text("id")),
        };
        assert!(changed, "{transition} changes nothing");
        numbers.push(transition["sequence"].as_u64().expect("a number"));
    }
    (numbers, members)
}

#[test]
fn the_service_agrees_with_the_oracle() {
    let service = Service::start();
    let url = service.url.clone();
    let heard = Arc::new(AtomicUsize::new(0));
    let listening = {
        let (url, heard) = (url.clone(), Arc::clone(&heard));
        std::thread::spawn(move || listen(&url, &heard))
    };
    while heard.load(Ordering::SeqCst) == 0 {
        std::thread::sleep(Duration::from_millis(5));
    }
    put_segments(&service);
    assert_eq!(call("PUT", &format!("{url}/segments/bad"), Some(r#"{"did":{}}"#)).0, 400);
    assert_eq!(call("PUT", &format!("{url}/segments/bad"), Some(r#"{"segment":"nope"}"#)).0, 400);
    assert_eq!(call("DELETE", &format!("{url}/segments/pro"), None).0, 409); // another names it
    assert_eq!(call("GET", &format!("{url}/segments/nope/members"), None).0, 404);
    assert_eq!(call("POST", &format!("{url}/messages"), Some(r#"{"type":"track"}"#)).0, 400);

    std::thread::scope(|scope| {
        for number in 0..CLIENTS {
            let url = &url;
            scope.spawn(move || client(url, number));
        }
    });
    let end = end();
    service.advance(end);

    // The same messages, client by client, in the oracle.
    let mut oracle = ToOracle(Oracle::new());
    for number in 0..CLIENTS {
        for n in 0..MESSAGES {
            let line = message(number, n).to_string();
            Importer::segment_spec().read(line.as_bytes(), &mut oracle).expect("a valid message");
        }
    }
    let segments =
        SEGMENTS.map(|(name, text)| (name.to_owned(), Segment::from_json(text).expect("a valid segment")));
    let named = Named { segments: BTreeMap::from(segments), lists: BTreeMap::new() };
    let mut total = 0;
    for (name, segment) in &named.segments {
        let expected = oracle.0.members(segment, &named, end).expect("an answer");
        let (status, answer) = call("GET", &format!("{url}/segments/{name}/members"), None);
        let ids: BTreeSet<String> = serde_json::from_value(answer["ids"].clone()).expect("ids");
        assert_eq!((status, &ids), (200, &expected), "{name}");
        total += ids.len();
        for id in ["user-0-1", "user-1-2", "stranger"] {
            let (_, why) = call("GET", &format!("{url}/segments/{name}/why/{id}"), None);
            assert_eq!(why["member"], expected.contains(id), "{name} {id}: {why}");
        }
    }
    assert!(total > 0, "nobody is anywhere, so nothing was tested");
    let (_, why) = call("GET", &format!("{url}/segments/win_back/why/user-0-1"), None);
    assert_eq!(why["conditions"].as_array().map(Vec::len), Some(2), "{why}");

    // Campaigns exclude each other: the first that wants a user keeps it.
    let (_, kept) = call("GET", &format!("{url}/users/user-0-1/campaigns"), None);
    let wanted = |name: &str| {
        oracle.0.members(&named.segments[name], &named, end).expect("an answer").contains("user-0-1")
    };
    let expected = ["win_back", "upsell"].into_iter().find(|name| wanted(name));
    assert_eq!(kept["kept"], json!(expected.into_iter().collect::<Vec<_>>()));

    let (status, _) = call("DELETE", &format!("{url}/users/user-0-1"), None);
    assert_eq!(status, 200);
    assert_eq!(call("GET", &format!("{url}/users/user-0-1"), None).1["known"], false);
    oracle.0.forget("user-0-1");

    // Stopped gracefully: the stream ends by itself, with every transition in it, in order.
    service.stop();
    let (numbers, members) = listening.join().expect("no panic");
    assert!(numbers.iter().copied().eq(1..=numbers.len() as u64), "{numbers:?}");
    for (name, segment) in &named.segments {
        let expected = oracle.0.members(segment, &named, end).expect("an answer");
        assert_eq!(members.get(name).cloned().unwrap_or_default(), expected, "{name} by its transitions");
    }
}

fn login(user: &str, at: Timestamp) -> Value {
    json!({"type": "track", "userId": user, "event": "login", "timestamp": at.to_string()})
}

#[test]
fn a_listener_who_comes_back_misses_nothing() {
    let service = Service::start();
    service.call("PUT", "/segments/in", Some(r#"{"did":{"event":"login"}}"#));
    let users: Vec<String> = (0..20).map(|n| format!("user-{n:02}")).collect();
    service.post(&users.iter().map(|user| login(user, start())).collect::<Vec<_>>());
    let mut heard = Vec::new();
    while heard.len() < users.len() {
        let last = service.id("/transitions", heard.len() as u64);
        let events = service.events("/transitions", &last, 7.min(users.len() - heard.len()));
        heard.extend(events.into_iter().map(|(id, _, data)| (id, data["id"].as_str().unwrap().to_owned())));
    }
    let expected = (1..).zip(users);
    assert_eq!(heard, expected.collect::<Vec<_>>());
    let (_, members) = service.call("GET", "/segments/in/members?limit=5&from=15", None);
    let last = service.id("/transitions", 20);
    assert_eq!((&members["last_event_id"], &members["next"]), (&json!(last), &Value::Null), "{members}");
    assert_eq!(members["ids"].as_array().map(Vec::len), Some(5));

    // What is none of this service's: what follows it cannot be told.
    let of_the_future = service.id("/transitions", 1_000);
    let of_campaigns = service.id("/campaigns/transitions", 0);
    for stranger in [&*of_the_future, &of_campaigns, "2a-transitions-3", "nonsense", ""] {
        let events = service.events("/transitions", stranger, 1);
        assert_eq!(events, [(20, "lagged".to_owned(), json!({"last_event_id": last}))], "{stranger}");
    }
    service.stop();
}

/// Who lost nothing is not told that it did.
#[test]
fn one_call_may_tell_more_than_is_kept() {
    let mut store = MemoryStore::new();
    let users = 70_000_u32;
    for user in 0..users {
        store.record(Event::new(format!("user-{user}"), "login", start())).expect("an event");
    }
    let service = Service::over(Live::new(Catalog::new(), store, start()).expect("an engine"));
    let streams = ["/transitions", "/campaigns/transitions"].map(|path| (path, service.id(path, 0)));
    assert_eq!(service.call("PUT", "/segments/upsell", Some(r#"{"did":{"event":"login"}}"#)).0, 200);
    service.post(&[login("user-0", start())]);
    for (path, beginning) in streams {
        let mut told = BTreeSet::new();
        service.stream(path, &beginning, |_, kind, data| {
            assert_eq!(kind, "entered", "{data}");
            told.insert(data["id"].to_string());
            told.len() < users as usize
        });
    }
    service.stop();
}

#[test]
fn one_who_is_taken_over_leaves_the_lower_campaign() {
    let service = Service::start();
    service.call("PUT", "/segments/upsell", Some(r#"{"did":{"event":"login"}}"#));
    service.call("PUT", "/segments/win_back", Some(r#"{"did":{"event":"complained"}}"#));
    service.post(&[login("ada", start())]);
    let complained = |user: &str| {
        let at = start().to_string();
        json!({"type": "track", "userId": user, "event": "complained", "timestamp": at})
    };
    service.post(&[complained("ada")]);
    // At once in both: the lower one never hears of it.
    service.post(&[login("bob", start()), complained("bob")]);
    let told = |(number, kind, data): (u64, String, Value)| {
        format!("{number}: {} {kind} {}", data["id"].as_str().unwrap(), data["campaign"].as_str().unwrap())
    };
    let events = service.events("/campaigns/transitions", &service.id("/campaigns/transitions", 0), 4);
    let of_ada = ["1: ada entered upsell", "2: ada left upsell", "3: ada entered win_back"];
    let events: Vec<String> = events.into_iter().map(told).collect();
    assert_eq!(events, [&of_ada[..], &["4: bob entered win_back"]].concat());
    assert_eq!(service.call("GET", "/users/ada/campaigns", None).1["kept"], json!(["win_back"]));
    service.stop();
}

#[test]
fn a_clock_that_is_ahead_takes_no_one_with_it() {
    let service = Service::start();
    service.call("PUT", "/segments/in", Some(r#"{"did":{"event":"login","in":{"last":"1h"}}}"#));
    service.post(&[
        login("ada", "2999-01-01T00:00:00Z".parse().unwrap()),
        json!({"type": "track", "userId": "bob", "event": "login"}), // now
        json!({"type": "identify", "userId": "cy", "timestamp": "2999-01-01T00:00:00Z", "traits": {"plan": "pro"}}),
    ]);
    service.advance(end());
    let (_, members) = service.call("GET", "/segments/in/members", None);
    assert_eq!((&members["ids"], &members["at"]), (&json!(["ada", "bob"]), &json!(end().to_string())));
    assert_eq!(service.call("GET", "/users/cy", None).1["known"], true);
    service.stop();
}

#[test]
fn what_is_refused_is_said_and_the_rest_is_kept() {
    let service = Service::start();
    service.call("PUT", "/segments/in", Some(r#"{"did":{"event":"login"}}"#));
    for bad in ["", "{", "[1]", r#"{"batch":1}"#, r#"{"type":"track","userId":"ada"}"#] {
        let (status, _) = service.call("POST", "/messages", Some(bad));
        assert_eq!(status, if bad.is_empty() { 200 } else { 400 }, "{bad}");
    }
    let batch = json!({"batch": [login("ada", start()), {"type": "track"}, login("bob", start())]});
    let (status, answer) = service.call("POST", "/messages", Some(&batch.to_string()));
    assert_eq!((status, &answer["taken"]), (200, &json!(2)), "{answer}");
    assert_eq!((&answer["rejected"], answer["reasons"].as_array().map(Vec::len)), (&json!(1), Some(1)));
    assert_eq!(service.call("GET", "/segments/in/members", None).1["count"], 2);
    // Laid out over several lines, it is one message.
    let pretty = json!({"batch": [login("cy", start()), login("dee", start())]});
    let (_, answer) = service.call("POST", "/messages", Some(&format!("{pretty:#}")));
    assert_eq!((&answer["taken"], &answer["rejected"]), (&json!(2), &json!(0)), "{answer}");

    let too_long = "x".repeat(600);
    for (method, path, body) in [
        ("PUT", "/segments/in", "{"),
        ("PUT", "/segments/in", r#"{"did":{"event":""}}"#),
        ("PUT", "/segments/in", r#"{"segment":"in"}"#),
        ("PUT", "/segments/in", r#"{"list":"nope"}"#),
        ("PUT", &format!("/segments/{too_long}"), r#"{"all":[]}"#),
        ("PUT", "/lists/vip", r#"[1]"#),
        ("PUT", "/lists/vip", r#"[""]"#),
    ] {
        assert_eq!(service.call(method, path, Some(body)).0, 400, "{method} {path} {body}");
    }
    for (method, path, body, expected) in [
        ("DELETE", "/segments/nope", None, 404),
        ("DELETE", "/lists/nope", None, 404),
        ("GET", "/lists/nope", None, 404),
        ("PUT", "/transitions", Some(""), 405),
        ("GET", "/nowhere", None, 404),
        ("GET", "/segments/in/members?limit=many", None, 400),
        ("GET", "/segments/in/members?after=ada", None, 400),
        ("GET", "/segments/%ff", None, 400),
        ("GET", "/campaigns/nope/members", None, 404),
    ] {
        let (status, answer) = service.call(method, path, body);
        assert_eq!((status, answer["error"].is_string()), (expected, true), "{method} {path}: {answer}");
    }
    let address = service.url.trim_start_matches("http://");
    let mut large = std::net::TcpStream::connect(address).expect("a connection");
    let head = format!("POST /messages HTTP/1.1\r\nHost: x\r\nContent-Length: {}\r\n\r\n", 9 << 20);
    let sent = [head.into_bytes(), vec![b' '; (8 << 20) + 1]].concat();
    large.write_all(&sent).expect("as much as is read");
    let mut status = String::new();
    BufReader::new(large).read_line(&mut status).expect("an answer");
    assert!(status.contains("413"), "{status}");
    let gzip = ureq::post(format!("{}/messages", service.url)).send(&[0x1f_u8, 0x8b, 8, 0][..]);
    assert!(matches!(gzip, Err(ureq::Error::StatusCode(415))), "{gzip:?}");
    assert_eq!(service.call("PUT", "/lists/vip", Some(r#"["ada"]"#)).0, 200);
    assert_eq!(service.call("PUT", "/segments/vips", Some(r#"{"list":"vip"}"#)).0, 200);
    assert_eq!(service.call("GET", "/segments/vips/members", None).1["ids"], json!(["ada"]));
    assert_eq!(service.call("GET", "/lists/vip", None), (200, json!(["ada"])));
    assert_eq!(service.call("DELETE", "/lists/vip", None).0, 409); // a segment names it
    assert_eq!(service.call("DELETE", "/segments/vips", None).0, 200);
    assert_eq!(service.call("DELETE", "/lists/vip", None).0, 200);
    service.stop();
}

#[test]
fn of_several_who_remove_the_same_one_did() {
    let service = Service::start();
    for _ in 0..20 {
        service.call("PUT", "/segments/in", Some(r#"{"did":{"event":"login"}}"#));
        let remove = || call("DELETE", &format!("{}/segments/in", service.url), None).0;
        let mut answers = std::thread::scope(|scope| {
            let removing: Vec<_> = (0..4).map(|_| scope.spawn(remove)).collect();
            removing.into_iter().map(|one| one.join().expect("an answer")).collect::<Vec<_>>()
        });
        answers.sort_unstable();
        assert_eq!(answers, [200, 404, 404, 404]);
    }
    service.stop();
}

#[test]
fn a_client_that_does_not_read_cannot_keep_the_service_from_stopping() {
    let service = Service::start();
    let address = service.url.trim_start_matches("http://");
    let mut silent = std::net::TcpStream::connect(address).expect("a connection");
    let request = "GET /transitions HTTP/1.1\r\nHost: localhost\r\nLast-Event-ID: 0\r\n\r\n";
    silent.write_all(request.as_bytes()).expect("a request");
    // More than any buffer between it and the service holds.
    for n in 0..10 {
        let path = format!("/segments/{n}{}", "s".repeat(500));
        assert_eq!(service.call("PUT", &path, Some(r#"{"did":{"event":"login"}}"#)).0, 200);
    }
    let users = |batch: usize| (0..500).map(move |n| format!("{batch}-{n}-{}", "u".repeat(450)));
    for batch in 0..4 {
        service.post(&users(batch).map(|user| login(&user, start())).collect::<Vec<_>>());
    }
    service.stop();
    drop(silent);
}

/// A half is sent before the service is told to stop, the other half after.
#[test]
fn what_is_answered_while_the_service_stops_is_told() {
    let service = Service::start();
    service.call("PUT", "/segments/in", Some(r#"{"did":{"event":"login"}}"#));
    let beginning = service.id("/transitions", 0);
    let address = service.url.trim_start_matches("http://").to_owned();
    let url = service.url.clone();
    let mut listening =
        ureq::get(format!("{url}/transitions")).header("Last-Event-ID", &beginning).call().unwrap();
    let mut slow = std::net::TcpStream::connect(address).expect("a connection");
    let body = json!({"type": "track", "userId": "ada", "event": "login"}).to_string();
    let (first, second) = body.split_at(20);
    let head = format!("POST /messages HTTP/1.1\r\nHost: x\r\nContent-Length: {}\r\n\r\n", body.len());
    slow.write_all(format!("{head}{first}").as_bytes()).expect("half a request");
    std::thread::sleep(Duration::from_millis(200));
    let stopping = std::thread::spawn(move || service.stop());
    std::thread::sleep(Duration::from_millis(200));
    slow.write_all(second.as_bytes()).expect("the other half");
    let mut status = String::new();
    BufReader::new(slow).read_line(&mut status).expect("an answer");
    assert!(status.contains("200"), "{status}");
    let told = listening.body_mut().read_to_string().expect("all of it");
    assert!(told.contains("\"ada\""), "{told}");
    stopping.join().expect("stopped");
}

/// Whatever else there is, the campaigns of the stream are those of the lists, and those that the rules of the law tell.
#[test]
fn campaigns_are_told_as_they_are() {
    let mut catalog = Catalog::new();
    catalog.insert("upsell", did("login")).expect("a segment");
    let mut store = MemoryStore::new();
    for user in ["early", "bird"] {
        store.record(Event::new(user, "login", start())).expect("an event");
    }
    let service = Service::over(Live::new(catalog, store, start()).expect("an engine"));
    let campaigns = ["win_back", "upsell"];
    let members = |name: &str| -> BTreeSet<String> {
        let (_, answer) = service.call("GET", &format!("/campaigns/{name}/members"), None);
        serde_json::from_value(answer["ids"].clone()).expect("ids")
    };
    let mut inside: BTreeMap<&str, BTreeSet<String>> = campaigns.map(|name| (name, members(name))).into();
    assert_eq!(inside["upsell"].len(), 2, "who was there before");
    let beginning = service.id("/campaigns/transitions", 0);
    service.call("PUT", "/segments/everyone", Some(r#"{"all":[]}"#));
    service.call("PUT", "/segments/logged_in", Some(r#"{"did":{"event":"login"}}"#));
    service.call("PUT", "/segments/win_back", Some(r#"{"did":{"event":"complained","in":{"last":"2d"}}}"#));
    for n in 0..60_i64 {
        let at = Timestamp::from_millis(start().millis() + n * 7_200_000).to_string();
        let event = if n % 3 == 0 { "complained" } else { "login" };
        service.post(&[
            json!({"type": "track", "userId": format!("u{}", n % 7), "event": event, "timestamp": at}),
        ]);
    }
    service.post(&[json!({"type": "alias", "previousId": "u1", "userId": "u2"})]);
    service.call("DELETE", "/users/u3", None);
    service.advance(end());
    let (_, kept) = service.call("GET", "/users/u1/campaigns", None);
    assert_eq!(kept["id"], "u2", "by any id that names it");

    let (_, all) = service.call("GET", "/campaigns", None);
    let last = service.call("GET", "/campaigns/upsell/members", None).1["last_event_id"].clone();
    let mut events = 0;
    service.stream("/campaigns/transitions", &beginning, |id, kind, data| {
        events += 1;
        let (name, of) = (data["campaign"].as_str().expect("a name"), data["id"].as_str().expect("an id"));
        let of_campaign = inside.get_mut(name).expect("a campaign");
        let changed =
            if kind == "entered" { of_campaign.insert(of.to_owned()) } else { of_campaign.remove(of) };
        assert!(changed, "{data} changes nothing");
        last != id
    });
    assert!(events > 10, "{events} say nothing");
    let segment = |name: &str| -> BTreeSet<String> {
        let (_, answer) = service.call("GET", &format!("/segments/{name}/members"), None);
        serde_json::from_value(answer["ids"].clone()).expect("ids")
    };
    let win_back = segment("win_back");
    let expected = [win_back.clone(), &segment("upsell") - &win_back];
    for ((name, expected), told) in campaigns.iter().zip(expected).zip(all.as_array().expect("a list")) {
        assert_eq!((&inside[name], &members(name)), (&expected, &expected), "{name}");
        assert_eq!(*told, json!({"campaign": name, "members": expected.len()}));
    }
    service.stop();
}
