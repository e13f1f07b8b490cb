//! The service over a journal: however it ends, it goes on.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicI64, Ordering};

use serde_json::{Value, json};
use whodid::{Catalog, Live, MemoryStore, Timestamp};

use super::server::Backend;
use super::service::{CAMPAIGNS, Service, end, start};
use super::{CLIENTS, SEGMENTS, client, login, put_segments};

const STREAMS: [&str; 2] = ["/transitions", "/campaigns/transitions"];
const STEPS: u64 = 90;

/// A directory of a test's own, empty.
fn directory(name: &str) -> PathBuf {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("crm-{name}"));
    if path.exists() {
        fs::remove_dir_all(&path).expect("an old directory");
    }
    path
}

fn open(directory: &Path) -> Service {
    Service::serve(Backend::open(directory, &CAMPAIGNS, end).expect("a journal"))
}

static CLOCK: AtomicI64 = AtomicI64::new(0);

fn clock() -> Timestamp {
    Timestamp::from_millis(CLOCK.load(Ordering::SeqCst))
}

/// Whether time passes in a step, and nothing else.
fn only_passes(n: u64) -> bool {
    n > 4 && n % 7 == 2
}

/// One of the things that are asked of a service, at an instant.
fn step(service: &Service, seed: u64, n: u64) {
    // Some dice, the same for every run.
    let dice = |sides: u64, salt: u64| {
        ((seed * 1_299_709 + n * 7_919 + salt * 104_729).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 33) % sides
    };
    let now = start().millis() + i64::try_from(n).expect("few") * 3_600_000;
    CLOCK.store(now, Ordering::SeqCst);
    if only_passes(n) {
        service.advance(clock());
        return;
    }
    let user = |salt| format!("user-{}", dice(7, salt));
    // Some come late, some in the same millisecond, some twice.
    let at = Timestamp::from_millis(now - i64::try_from(dice(3, 1) * dice(4, 2)).expect("few") * 1_800_000);
    let bought = json!({"type": "track", "userId": user(3), "event": "purchase", "timestamp": at.to_string(),
                        "messageId": format!("{}", dice(60, 4)), "properties": {"amount": dice(60, 5)}});
    let plan = json!({"type": "identify", "userId": user(6), "timestamp": at.to_string(),
                      "traits": {"plan": if dice(2, 7) == 0 { "pro" } else { "free" }}});
    let (status, answer) = match n {
        0..4 => service.call(
            "PUT",
            &format!("/segments/{}", SEGMENTS[n as usize].0),
            Some(SEGMENTS[n as usize].1),
        ),
        20 => service.call("PUT", "/lists/vip", Some(r#"["user-1","user-2"]"#)),
        21 => service.call("PUT", "/segments/vips", Some(r#"{"all":[{"list":"vip"},{"segment":"upsell"}]}"#)),
        40 => service.call(
            "PUT",
            "/segments/upsell",
            Some(r#"{"did":{"event":"purchase","in":{"last":"3d"}}}"#),
        ),
        60 => service.call("DELETE", "/segments/vips", None),
        61 => service.call("DELETE", "/lists/vip", None),
        _ if n % 23 == 9 => service.call("DELETE", &format!("/users/{}", user(8)), None),
        _ if n % 29 == 11 => service.call(
            "POST",
            "/messages",
            Some(
                &json!({"type": "alias", "previousId": user(9), "userId": format!("{}-new", user(9))})
                    .to_string(),
            ),
        ),
        _ => service.call("POST", "/messages", Some(&format!("{bought}\n{plan}\n{}", login(&user(10), at)))),
    };
    assert_eq!(status, 200, "{n}: {answer}");
}

/// What a client has heard.
#[derive(Debug, Default)]
struct Heard {
    events: [Vec<(u64, String, Value)>; 2],
    members: BTreeMap<String, Value>,
}

impl Heard {
    /// All that there is behind what was heard.
    fn hear(&mut self, service: &Service) {
        for (path, events) in STREAMS.iter().zip(&mut self.events) {
            let (name, last) = service.stands(path);
            let heard = events.len() as u64;
            if last > heard {
                events.extend(service.events(path, &format!("{name}-{heard}"), (last - heard) as usize));
            }
        }
    }

    fn at_the_end_of(service: Service, mut heard: Self) -> Self {
        service.advance(end());
        heard.hear(&service);
        let (_, segments) = service.call("GET", "/segments", None);
        for name in segments.as_object().expect("segments").keys() {
            let mut answer = service.call("GET", &format!("/segments/{name}/members"), None).1;
            answer["last_event_id"].take(); // of a name of its own
            heard.members.insert(name.clone(), answer);
        }
        heard.members.insert("campaigns".to_owned(), service.call("GET", "/campaigns", None).1);
        service.stop();
        heard
    }
}

/// Killed again and again it does what one does that runs on.
#[test]
fn nothing_is_lost_and_nothing_is_repeated() {
    for seed in 0..3 {
        let expected = runs_on(seed);
        assert!(expected.events.iter().all(|events| events.len() > 20), "{expected:?} says little");
        for killed in [2, 5, 7] {
            let heard = is_killed(seed, killed);
            let how = format!("seed {seed}, killed after {killed}");
            for (heard, expected) in heard.events.iter().zip(&expected.events) {
                let differ = heard.iter().zip(expected).find(|(heard, expected)| heard != expected);
                assert_eq!(differ, None, "{how}");
                assert_eq!(heard.len(), expected.len(), "{how}");
            }
            assert_eq!(heard.members, expected.members, "{how}");
        }
    }
}

fn runs_on(seed: u64) -> Heard {
    CLOCK.store(start().millis(), Ordering::SeqCst);
    let live = Live::new(Catalog::new(), MemoryStore::new(), start()).expect("an engine");
    let service = Service::serve(Backend::new(live, &CAMPAIGNS, clock).expect("campaigns"));
    (0..STEPS).for_each(|n| step(&service, seed, n));
    Heard::at_the_end_of(service, Heard::default())
}

fn is_killed(seed: u64, killed: u64) -> Heard {
    CLOCK.store(start().millis(), Ordering::SeqCst);
    let path = directory("killed");
    let open = || Service::serve(Backend::open(&path, &CAMPAIGNS, clock).expect("a journal"));
    let (mut heard, mut service) = (Heard::default(), open());
    let mut silent = None;
    for n in 0..STEPS {
        let told = service.stands(STREAMS[0]);
        step(&service, seed, n);
        if only_passes(n) && service.stands(STREAMS[0]) == told {
            silent = Some(clock());
        }
        if n % killed == 0 {
            if n % 2 == 0 {
                heard.hear(&service);
            }
            drop(service);
            service = open();
            // What has been told is not told otherwise; of time in which nothing happened only the clock knows.
            if let Some(at) = silent {
                service.advance(at);
            }
        }
    }
    Heard::at_the_end_of(service, heard)
}

/// What several ask at once is written at once.
#[test]
fn what_many_ask_at_a_time_is_kept() {
    let path = directory("many");
    let service = open(&path);
    put_segments(&service);
    std::thread::scope(|scope| {
        for number in 0..CLIENTS {
            let url = &service.url;
            scope.spawn(move || client(url, number));
        }
    });
    let mut before = Heard::default();
    before.hear(&service);
    drop(service);
    let service = open(&path);
    let mut after = Heard::default();
    after.hear(&service);
    assert_eq!(after.events, before.events);
    let (_, segments) = service.call("GET", "/segments", None);
    assert!(segments["upsell"]["members"].as_u64().is_some_and(|members| members > 9), "{segments}");
}

#[test]
fn what_was_not_written_to_its_end_was_never_asked() {
    let path = directory("torn");
    let service = open(&path);
    assert_eq!(service.call("PUT", "/segments/in", Some(r#"{"did":{"event":"login"}}"#)).0, 200);
    service.post(&[login("ada", start())]);
    drop(service);
    let journal = path.join("journal.ndjson");
    let whole = fs::read(&journal).expect("a journal");
    // Cut anywhere in its last line, it is without that.
    let last = whole[..whole.len() - 1].iter().rposition(|byte| *byte == b'\n').expect("lines") + 1;
    for cut in [last, last + 1, last + 40, whole.len() - 1, whole.len()] {
        fs::write(&journal, &whole[..cut]).expect("a journal");
        let service = open(&path);
        let members =
            |service: &Service| service.call("GET", "/segments/in/members", None).1["count"].clone();
        let is_whole = cut == whole.len();
        assert_eq!(members(&service), json!(u32::from(is_whole)), "cut at {cut}");
        service.post(&[login("bob", start())]);
        drop(service);
        let service = open(&path);
        assert_eq!(members(&service), json!(1 + u32::from(is_whole)), "cut at {cut}, and written on");
    }
    // Of one that was begun, and no more, nothing.
    fs::write(&journal, &whole[..10]).expect("a journal");
    assert_eq!(open(&path).call("GET", "/segments", None), (200, json!({})));
}

#[test]
fn what_cannot_be_read_is_not_guessed_at() {
    let path = directory("damaged");
    let refused = || {
        let opened = Backend::open(&path, &CAMPAIGNS, end);
        opened.err().map(|error| error.to_string()).unwrap_or_default()
    };
    let service = open(&path);
    for user in ["ada", "bob", "cy"] {
        service.post(&[login(user, start())]);
    }
    assert_eq!(refused(), "another process writes the journal");
    drop(service);
    let journal = path.join("journal.ndjson");
    let whole = fs::read_to_string(&journal).expect("a journal");
    let lines: Vec<&str> = whole.lines().collect();
    let with = |line: usize, text: &str| {
        let mut lines = lines.clone();
        lines[line] = text;
        lines.join("\n") + "\n"
    };
    for (text, expected) in [
        (with(2, "{"), "line 3 of the journal cannot be read"),
        (with(3, r#"[{"reached":"x"}]"#), "line 4 of the journal cannot be read"),
        (with(0, r#"{"version":2,"began":"2026-06-01T00:00:00Z"}"#), "it is of version 2"),
        (with(0, "nonsense"), "line 1 of the journal cannot be read"),
        ("something else ".repeat(9), "it does not end"),
    ] {
        fs::write(&journal, &text).expect("a journal");
        let error = refused();
        assert!(error.contains(expected), "{expected}: {error}");
        assert_eq!(fs::read_to_string(&journal).expect("a journal"), text, "it stays as it is");
    }
    // A last line whose first part was lost was never answered.
    fs::write(&journal, with(4, "   \"}}")).expect("a journal");
    assert_eq!(refused(), "");
    fs::write(&journal, whole).expect("a journal");
    assert_eq!(refused(), "");
}

/// What a reader of entries takes is not what segments are.
#[test]
fn whatever_is_taken_is_read_again() {
    let path = directory("deep");
    let service = open(&path);
    let deep = format!(r#"{}{{"did":{{"event":"a"}}}}{}"#, r#"{"all":["#.repeat(63), "]}".repeat(63));
    assert_eq!(service.call("PUT", "/segments/deep", Some(&deep)).0, 200);
    let names: Vec<String> = (0..40).map(|n| format!("\\u00{n:02x}\"\u{2028}🦀")).collect();
    assert_eq!(service.call("PUT", "/lists/odd", Some(&json!(names).to_string())).0, 200);
    let odd = json!({"type": "track", "userId": names[7], "event": "a", "timestamp": start(), "properties": {"n": 1e300}});
    service.post(&[odd]);
    service.advance(end());
    let look = |service: &Service| {
        ["/segments/deep", "/segments/deep/members", "/lists/odd"].map(|path| service.call("GET", path, None))
    };
    let before = look(&service);
    assert_eq!(before[1].1["count"], 1, "{before:?}");
    drop(service);
    assert_eq!(look(&open(&path)), before);
}

/// Of a clock that has gone mad nothing can be read again: nothing is written, nothing is done, and the service goes on.
#[test]
fn what_cannot_be_written_is_not_done() {
    static YEARS: AtomicI64 = AtomicI64::new(0);
    fn clock() -> Timestamp {
        Timestamp::from_millis(end().millis() + YEARS.load(Ordering::SeqCst) * 31_556_952_000)
    }
    let path = directory("unwritten");
    let open = || Service::serve(Backend::open(&path, &CAMPAIGNS, clock).expect("a journal"));
    let service = open();
    assert_eq!(service.call("PUT", "/segments/in", Some(r#"{"did":{"event":"login"}}"#)).0, 200);
    let post =
        |service: &Service, user| service.call("POST", "/messages", Some(&login(user, start()).to_string()));
    YEARS.store(9_000, Ordering::SeqCst);
    let (status, answer) = post(&service, "ada");
    assert_eq!(
        (status, answer["error"].as_str().map(|why| &why[..25])),
        (500, Some("it cannot be written down"))
    );
    YEARS.store(0, Ordering::SeqCst);
    assert_eq!(post(&service, "bob").0, 200);
    let members = |service: &Service| service.call("GET", "/segments/in/members", None).1["ids"].clone();
    assert_eq!(members(&service), json!(["bob"]));
    drop(service);
    assert_eq!(members(&open()), json!(["bob"]));
}

/// Those who listened to the old ones are told so.
#[test]
fn campaigns_may_be_others_after_a_restart() {
    let path = directory("campaigns");
    let service = open(&path);
    put_segments(&service);
    let pro = json!({"type": "identify", "userId": "ada", "timestamp": start(), "traits": {"plan": "pro"}});
    service.post(&[pro, login("ada", start())]);
    service.advance(end());
    assert_eq!(service.call("GET", "/users/ada/campaigns", None).1["kept"], json!(["win_back"]));
    let [of_segments, of_campaigns] = STREAMS.map(|path| service.stands(path));
    drop(service);
    for _ in 0..2 {
        let others = Backend::open(&path, &["pro", "win_back"], end).expect("a journal");
        let service = Service::serve(others);
        assert_eq!(service.call("GET", "/users/ada/campaigns", None).1["kept"], json!(["pro"]));
        assert_eq!(service.stands(STREAMS[0]), of_segments);
        let events = service.events(STREAMS[1], &format!("{}-{}", of_campaigns.0, of_campaigns.1), 1);
        assert_eq!(events[0].1, "lagged");
    }
    let twice = Backend::open(&path, &["pro", "pro"], end);
    assert!(twice.is_err_and(|error| error.to_string().contains("pro")), "a campaign twice");
}
