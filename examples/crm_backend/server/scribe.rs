//! One thread through which all changes go: it writes down what is asked, all that waits at once, and then does it. Readers do
//! not wait while it writes.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

use axum::http::StatusCode;
use tokio::sync::oneshot;
use whodid::Timestamp;

use super::answer::{Answer, Refused, refuse};
use super::deed::{Deed, Entry};
use super::engine::{Engine, lock};
use super::journal::Journal;

/// So much is written at once, at most.
const GROUP: usize = 1 << 6;

/// Takes deeds. What has been asked is still done when it is dropped.
pub struct Scribe {
    asked: Option<Sender<Asked>>,
    thread: Option<JoinHandle<()>>,
}

struct Asked {
    deed: Deed,
    /// Time passes up to here before.
    to: Timestamp,
    answer: oneshot::Sender<Answer>,
}

/// What the thread works on.
pub struct Desk {
    pub engine: Arc<Mutex<Engine>>,
    /// Without it all is kept in memory.
    pub journal: Option<Journal>,
    pub clock: fn() -> Timestamp,
    /// Lets those go on who wait for something to happen.
    pub wake: Box<dyn Fn() + Send>,
}

impl Scribe {
    pub fn start(mut desk: Desk) -> Self {
        let (asked, all) = channel();
        let thread = std::thread::spawn(move || {
            // What is half done must not be seen, and nothing more could be asked.
            if catch_unwind(AssertUnwindSafe(|| desk.work(&all))).is_err() {
                std::process::abort();
            }
        });
        Self { asked: Some(asked), thread: Some(thread) }
    }

    /// Lets time pass up to an instant, and then does something.
    pub async fn ask(&self, deed: Deed, to: Timestamp) -> Answer {
        let (answer, answered) = oneshot::channel();
        let asked = Asked { deed, to, answer };
        let sent = self.asked.as_ref().is_some_and(|send| send.send(asked).is_ok());
        let stopped = || refuse(StatusCode::INTERNAL_SERVER_ERROR, "nothing is written down any more");
        if sent { answered.await.map_err(|_| stopped())? } else { Err(stopped()) }
    }
}

impl Drop for Scribe {
    fn drop(&mut self) {
        self.asked = None;
        self.thread.take().map(JoinHandle::join);
    }
}

impl Desk {
    fn work(&mut self, asked: &Receiver<Asked>) {
        while let Ok(first) = asked.recv() {
            self.take(std::iter::once(first).chain(asked.try_iter()).take(GROUP).collect());
        }
    }

    /// Writes down what has been asked, does it, and answers.
    fn take(&mut self, asked: Vec<Asked>) {
        let (mut reached, wake) = {
            let engine = lock(&self.engine);
            (engine.live.now(), engine.live.next_change())
        };
        let at = (self.clock)();
        let (entries, answers): (Vec<Entry>, Vec<_>) = asked
            .into_iter()
            .map(|Asked { deed, to, answer }| {
                reached = reached.max(to);
                (Entry { reached, at, deed }, answer)
            })
            .unzip();
        // Of time in which nothing changes the next deed tells.
        let is_quiet = |entry: &&Entry| {
            matches!(entry.deed, Deed::Passed) && wake.is_none_or(|wake| wake > entry.reached)
        };
        let quiet = entries.iter().take_while(is_quiet).count();
        let written = match &mut self.journal {
            Some(journal) if quiet < entries.len() => journal.append(&entries[quiet..]),
            _ => Ok(()),
        };
        for (entry, answer) in entries.iter().zip(answers) {
            let done = match &written {
                Ok(()) => lock(&self.engine).apply(entry),
                Err(error) => Err(unwritten(error)),
            };
            // One who has gone does not hear it.
            drop(answer.send(done));
        }
        (self.wake)();
    }
}

fn unwritten(error: &std::io::Error) -> Refused {
    refuse(StatusCode::INTERNAL_SERVER_ERROR, format!("it cannot be written down: {error}"))
}
