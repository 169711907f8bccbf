//! Threads and memory of this machine.

use drystone::{Error, Result, sizes};

/// So many threads, or one a core.
pub fn threads(asked: Option<usize>) -> Result<usize> {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let threads = asked.unwrap_or(cores);
    // Predictions run on rayon's own pool; Threads::new checks the number again.
    if (1..=1024).contains(&threads) {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build_global();
        pool.map_err(Error::external)?;
    }
    Ok(threads)
}

/// This size in bytes, or half of what is available.
pub fn memory_budget(asked: Option<&str>) -> Result<u64> {
    asked.map_or_else(|| Ok(sizes::default_budget()), sizes::parse_bytes)
}

/// The most memory that this process had at any time, in bytes.
pub fn peak_rss_bytes() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kib: u64 = line.trim().strip_suffix(" kB")?.trim().parse().ok()?;
    Some(kib * 1024)
}
