//! How much memory there is, and how sizes are written and read by people.

use std::fs;

use crate::error::{Error, Result};

/// Memory that this process may still use, in bytes: what the system has available,
/// and no more than its control groups (v2 and v1) leave. `None` where the system
/// does not say.
#[must_use]
pub fn available() -> Option<u64> {
    [meminfo_available(), cgroup_v2_left(), cgroup_v1_left()].into_iter().flatten().min()
}

/// Budget for cached blocks when the user sets none: half of what is available, or
/// 1 GiB where the system does not say.
#[must_use]
pub fn default_budget() -> u64 {
    available().map_or(1 << 30, |bytes| bytes / 2)
}

fn meminfo_available() -> Option<u64> {
    let text = fs::read_to_string("/proc/meminfo").ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("MemAvailable:"))?;
    let kib: u64 = line.trim().strip_suffix(" kB")?.trim().parse().ok()?;
    Some(kib * 1024)
}

/// The tightest limit on the way from this process's group to the root.
fn cgroup_v2_left() -> Option<u64> {
    let own = fs::read_to_string("/proc/self/cgroup").ok()?;
    let path = own.lines().find_map(|line| line.strip_prefix("0::"))?;
    let mut group = std::path::PathBuf::from("/sys/fs/cgroup").join(path.trim_start_matches('/'));
    let mut least = None;
    while group.starts_with("/sys/fs/cgroup") {
        let limit = read_number(&group.join("memory.max"));
        let used = read_number(&group.join("memory.current"));
        if let (Some(limit), Some(used)) = (limit, used) {
            let left = limit.saturating_sub(used);
            least = Some(least.map_or(left, |least: u64| least.min(left)));
        }
        if !group.pop() {
            break;
        }
    }
    least
}

fn cgroup_v1_left() -> Option<u64> {
    let own = fs::read_to_string("/proc/self/cgroup").ok()?;
    let path = own.lines().find_map(|line| {
        let (controllers, path) = line.split_once(':')?.1.split_once(':')?;
        controllers.split(',').any(|name| name == "memory").then_some(path)
    })?;
    let group = std::path::Path::new("/sys/fs/cgroup/memory").join(path.trim_start_matches('/'));
    let limit = read_number(&group.join("memory.limit_in_bytes"))?;
    let used = read_number(&group.join("memory.usage_in_bytes"))?;
    Some(limit.saturating_sub(used))
}

fn read_number(path: &std::path::Path) -> Option<u64> {
    fs::read_to_string(path).ok()?.trim().parse().ok()
}

/// A size for people, in powers of 1,000: `16.0 GB`.
///
/// ```
/// assert_eq!(drystone_core::memory::human_bytes(16_000_000_000), "16.0 GB");
/// assert_eq!(drystone_core::memory::human_bytes(512), "512 B");
/// ```
#[must_use]
pub fn human_bytes(bytes: u64) -> String {
    const UNITS: [&str; 6] = ["B", "kB", "MB", "GB", "TB", "PB"];
    let mut value = bytes as f64;
    let mut unit = 0;
    while value >= 999.95 && unit + 1 < UNITS.len() {
        value /= 1000.0;
        unit += 1;
    }
    if unit == 0 { format!("{bytes} B") } else { format!("{value:.1} {}", UNITS[unit]) }
}

/// Reads a size: a number with an optional unit, `kB MB GB TB` (powers of 1,000) or
/// `KiB MiB GiB TiB` (powers of 1,024); `K M G T` are the latter.
///
/// ```
/// use drystone_core::memory::parse_bytes;
/// assert_eq!(parse_bytes("1.5GiB")?, 1_610_612_736);
/// assert_eq!(parse_bytes("200 MB")?, 200_000_000);
/// assert_eq!(parse_bytes("0")?, 0);
/// assert!(parse_bytes("many").is_err());
/// # Ok::<(), drystone_core::Error>(())
/// ```
///
/// # Errors
/// [`ErrorKind::Parameter`](crate::ErrorKind::Parameter) when the text is not a size.
pub fn parse_bytes(text: &str) -> Result<u64> {
    let fail = || {
        Error::parameter("size", "a number with a unit, as in 512MiB or 2GB", format!("{text:?}"))
    };
    let trimmed = text.trim();
    let digits = trimmed.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(trimmed.len());
    let number: f64 = trimmed[..digits].parse().map_err(|_| fail())?;
    let factor: u64 = match trimmed[digits..].trim().to_ascii_lowercase().as_str() {
        "" | "b" => 1,
        "kb" => 1_000,
        "mb" => 1_000_000,
        "gb" => 1_000_000_000,
        "tb" => 1_000_000_000_000,
        "k" | "kib" => 1 << 10,
        "m" | "mib" => 1 << 20,
        "g" | "gib" => 1 << 30,
        "t" | "tib" => 1 << 40,
        _ => return Err(fail()),
    };
    let bytes = number * factor as f64;
    if bytes < 9e18 { Ok(bytes as u64) } else { Err(fail()) }
}
