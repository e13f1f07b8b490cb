//! How often the laws of the live engine are tried.

/// So many runs of every day; `WHODID_RANDOM=40000` makes more of them.
pub fn cases(usual: u32) -> u32 {
    std::env::var("WHODID_RANDOM").map_or(usual, |n| n.parse().expect("WHODID_RANDOM: a number"))
}
