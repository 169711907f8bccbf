//! Threads and memory of this machine.

use drystone::executor::Resources;
use drystone::kernels::Isa;
use drystone::{Error, Result, sizes};

use super::output::counted;

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

/// What a fit ran on, in words.
pub fn ran_on(resources: &Resources) -> String {
    let n = resources.threads as u64;
    match resources.name {
        "cluster" => format!("{} of a cluster", counted(n, "slot")),
        _ => format!("{}, {}", counted(n, "thread"), Isa::best()),
    }
}

/// The memory of a fit, in words: of this process, and of what it keeps of rows where it ran.
pub fn memory_of(resources: &Resources, peak: Option<u64>, state: u64) -> String {
    let peak = peak.map_or("unknown".to_owned(), sizes::human_bytes);
    let state = sizes::human_bytes(state);
    match resources.name {
        "cluster" => format!("{peak} at most here, {state} state of rows at the workers"),
        _ => format!("{peak} at most, of which {state} state of rows"),
    }
}
