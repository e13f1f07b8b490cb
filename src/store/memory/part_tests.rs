//! Parts of few and of many rows tell the rows of each user.

use std::collections::BTreeMap;

use super::part::{Part, Row};

#[test]
fn the_rows_of_each_user_are_found_in_blocks_of_any_size() {
    // Few rows, and about as many as make marks worth their room.
    for rows in [3_u32, 4_095, 4_096, 4_097, 9_000] {
        let many = (0..rows).map(|i| 1 << 16 | (i / 3 * 7));
        let users: Vec<u32> = [2, 2, 9].into_iter().chain(many).chain([2 << 16, 2 << 16 | 0xffff]).collect();
        let row = |(at, user): (i64, &u32)| Row { user: *user, at, tie: 0, properties: &[] };
        let part = Part::new(0, &(0..).zip(&users).map(row).collect::<Vec<_>>());
        let mut expected: BTreeMap<u32, std::ops::Range<usize>> = BTreeMap::new();
        for (row, user) in users.iter().enumerate() {
            expected.entry(*user).or_insert(row..row).end += 1;
        }
        for user in (0..20).chain(1 << 16..1 << 16 | 0x6000).chain(2 << 16..3 << 16) {
            let found = part.rows_of(user);
            match expected.get(&user) {
                Some(rows_of_user) => assert_eq!(&found, rows_of_user, "user {user}, {rows} rows"),
                None => assert!(found.is_empty(), "user {user}, {rows} rows"),
            }
        }
    }
}
