//! The memory limit of a run: as requested, or a share of the memory of the machine.

use std::str::FromStr;

use serde::Deserialize;

use super::configuration::Defaults;
use super::progress::size;
use crate::convert::LEAST_MEMORY;
use crate::diagnostic::{Error, Result};

/// The default limit, in percent of the memory of the machine.
const DEFAULT_SHARE: u64 = 70;
/// The default limit in bytes if the memory of the machine is unknown.
const DEFAULT_IF_UNKNOWN: u64 = 4 << 30;

/// An amount of memory, as `--max-memory` has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "toml::Value")]
pub(super) enum Memory {
    /// In bytes.
    Bytes(u64),
    /// In percent of the memory of the machine.
    Share(u64),
}

impl FromStr for Memory {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let Some(percent) = text.strip_suffix('%') else { return super::args::parse_size(text).map(Self::Bytes) };
        let percent = percent.parse().ok().filter(|percent| (1..=100).contains(percent));
        percent.map(Self::Share).ok_or_else(|| "expected a percentage from 1% to 100%".to_owned())
    }
}

impl TryFrom<toml::Value> for Memory {
    type Error = String;

    fn try_from(value: toml::Value) -> Result<Self, String> {
        value.as_str().map_or(value.to_string(), str::to_owned).parse()
    }
}

/// The limit that the flag, the environment or the catalog file requests, in bytes.
///
/// # Errors
/// If the limit is too small, or a share of an unknown amount of memory.
pub(super) fn requested(flag: Option<Memory>, defaults: &Defaults) -> Result<Option<u64>> {
    let Some(memory) = flag.or(defaults.max_memory) else { return Ok(None) };
    let bytes = match memory {
        Memory::Bytes(bytes) => bytes,
        Memory::Share(percent) => share(percent).ok_or_else(|| {
            let text = "--max-memory: the memory of this machine is unknown; give a size such as 2G";
            Error::Usage(text.to_owned())
        })?,
    };
    if bytes < LEAST_MEMORY {
        return Err(Error::Usage(format!("--max-memory: the minimum is {}", size(LEAST_MEMORY))));
    }
    Ok(Some(bytes))
}

/// The default limit, in bytes.
pub(super) fn default_limit() -> u64 {
    share(DEFAULT_SHARE).unwrap_or(DEFAULT_IF_UNKNOWN).max(LEAST_MEMORY)
}

fn share(percent: u64) -> Option<u64> {
    Some(available_memory()? / 100 * percent)
}

/// Returns the memory of the machine in bytes, or the limit of this process if that is less; None if unknown.
fn available_memory() -> Option<u64> {
    let mut system = sysinfo::System::new();
    system.refresh_memory();
    let total = Some(system.total_memory()).filter(|total| *total > 0)?;
    Some(group_limits().into_iter().fold(total, u64::min))
}

/// Returns the memory limits of the control groups of this process, in bytes; none on systems other than Linux. sysinfo
/// only knows the topmost group, but services are limited by the group that they are in.
fn group_limits() -> Vec<u64> {
    let read = |path: &str| std::fs::read_to_string(path).ok();
    let groups = read("/proc/self/cgroup").unwrap_or_default();
    let own = groups.lines().find_map(|line| line.strip_prefix("0::")).unwrap_or_default();
    let files = [
        format!("/sys/fs/cgroup{}/memory.max", own.trim_end_matches('/')),
        "/sys/fs/cgroup/memory.max".to_owned(),
        "/sys/fs/cgroup/memory/memory.limit_in_bytes".to_owned(),
    ];
    files.iter().filter_map(|path| read(path)?.trim().parse().ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_and_shares_are_read() {
        let read = |text: &str| text.parse::<Memory>().ok();
        assert_eq!(read("256MB"), Some(Memory::Bytes(256 << 20)));
        assert_eq!(read("1GiB"), Some(Memory::Bytes(1 << 30)));
        assert_eq!(read("70%"), Some(Memory::Share(70)));
        for wrong in ["0%", "101%", "%", "much", "-1", "1.5G", "70 %"] {
            assert_eq!(read(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn the_memory_of_this_machine_is_known() {
        assert!(available_memory().is_some_and(|bytes| bytes > 64 << 20));
    }
}
