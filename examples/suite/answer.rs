//! An answer as the suite compares it: count, sum and xor of the data's user numbers.

use std::error::Error;

use roaring::RoaringBitmap;
use serde_json::{Value as Json, json};
use whodid::{EventStore, UserId};

/// What is left of a set of users: enough to tell two engines apart.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Answer {
    pub count: u64,
    pub sum: u64,
    pub xor: u64,
}

impl Answer {
    /// The answer of a peer, `[count, sum, xor]`.
    pub fn read(json: &Json) -> Option<Self> {
        let number = |i: usize| json[i].as_u64();
        Some(Self { count: number(0)?, sum: number(1)?, xor: number(2)? })
    }

    pub fn json(self) -> Json {
        json!([self.count, self.sum, self.xor])
    }
}

/// From the store's user numbers to the data's.
pub struct Numbers(Vec<u32>);

impl Numbers {
    /// Reads them off the external ids (`u%07d`) of everyone in the store.
    pub fn of<S: EventStore>(store: &S, everyone: &RoaringBitmap) -> Result<Self, Box<dyn Error>>
    where
        S::Error: Error + 'static,
    {
        let size = everyone.max().map_or(0, |last| last as usize + 1);
        let (mut numbers, mut wrong) = (vec![0; size], None);
        store.ids(everyone, &mut |user: UserId, id| match id
            .strip_prefix('u')
            .and_then(|digits| digits.parse().ok())
        {
            Some(number) => numbers[user.number() as usize] = number,
            None => wrong = Some(id.to_owned()),
        })?;
        match wrong {
            Some(id) => Err(format!("the id {id:?} is none of the data").into()),
            None => Ok(Self(numbers)),
        }
    }

    pub fn answer(&self, members: &RoaringBitmap) -> Answer {
        members.iter().fold(Answer::default(), |answer, user| {
            let number = u64::from(self.0[user as usize]);
            Answer { count: answer.count + 1, sum: answer.sum + number, xor: answer.xor ^ number }
        })
    }
}
