//! Memory of this process, as the system counts it.

fn status(field: &str) -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with(field))?;
    Some(line.split_ascii_whitespace().nth(1)?.parse::<u64>().ok()? * 1024)
}

/// Bytes held now; from now on, the peak is counted anew.
pub fn reset_peak() -> u64 {
    let _ = std::fs::write("/proc/self/clear_refs", "5"); // where it is refused, the peak is one since the start
    status("VmRSS:").unwrap_or(0)
}

/// The most that was held since.
pub fn peak() -> u64 {
    status("VmHWM:").unwrap_or(0)
}
