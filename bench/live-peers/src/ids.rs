//! External ids of users, as backends have them: whoever works with numbers has to look them up.

use std::borrow::Cow;

use hashbrown::HashMap;

use crate::clock::Clock;
use crate::stream::Event;

/// The external id of a user.
pub fn id(user: u32) -> String {
    format!("u{user:07}")
}

/// The users that have been seen, by their external ids.
#[derive(Default)]
pub struct Ids(HashMap<String, u32>);

impl Ids {
    fn number(&mut self, id: &str) -> u32 {
        if let Some(known) = self.0.get(id) {
            return *known;
        }
        // As good as the next free number, and nothing has to be translated back.
        let number = id.trim_start_matches('u').parse().expect("an id of the stream");
        self.0.insert(id.to_owned(), number);
        number
    }
}

/// A batch as an engine takes it: with numbers that are there already, or looked up now, which takes time.
pub fn taken<'e>(batch: &'e [Event], ids: &mut Option<Ids>, clock: &mut Clock) -> Cow<'e, [Event]> {
    let Some(ids) = ids else { return Cow::Borrowed(batch) };
    let texts: Vec<String> = batch.iter().map(|event| id(event.user)).collect();
    clock.begin();
    let numbered =
        texts.iter().zip(batch).map(|(text, event)| Event { user: ids.number(text), at: event.at });
    Cow::Owned(numbered.collect())
}
