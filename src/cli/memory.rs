//! How much memory rows may take: as asked, or a share of what the machine has.

use std::str::FromStr;

use serde::Deserialize;

use super::configuration::Defaults;
use super::progress::size;
use crate::convert::LEAST_MEMORY;
use crate::diagnostic::{Error, Result};

/// The share of the machine's memory that queries may take unless asked otherwise, in percent.
const SHARE: u64 = 70;
/// What they may take where nobody says how much the machine has, in bytes.
const UNKNOWN: u64 = 4 << 30;

/// An amount of memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "toml::Value")]
pub(super) enum Memory {
    /// In bytes.
    Bytes(u64),
    /// In percent of what the machine has.
    Share(u64),
}

impl FromStr for Memory {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let Some(percent) = text.strip_suffix('%') else { return super::args::size(text).map(Self::Bytes) };
        let percent = percent.parse().ok().filter(|percent| (1..=100).contains(percent));
        percent.map(Self::Share).ok_or_else(|| "write a percentage from 1% to 100%".to_owned())
    }
}

impl TryFrom<toml::Value> for Memory {
    type Error = String;

    fn try_from(value: toml::Value) -> Result<Self, String> {
        value.as_str().map_or(value.to_string(), str::to_owned).parse()
    }
}

/// What the flag, the environment or the catalog file asks for, in bytes.
///
/// # Errors
/// Too little, or a share of nobody knows what.
pub(super) fn asked(flag: Option<Memory>, defaults: &Defaults) -> Result<Option<u64>> {
    let Some(memory) = flag.or(defaults.max_memory) else { return Ok(None) };
    let bytes = match memory {
        Memory::Bytes(bytes) => bytes,
        Memory::Share(percent) => share(percent).ok_or_else(|| {
            let text = "max-memory: how much memory this machine has is not known here: write a size, as 2G";
            Error::Usage(text.to_owned())
        })?,
    };
    if bytes < LEAST_MEMORY {
        return Err(Error::Usage(format!("--max-memory: at least {} are needed", size(LEAST_MEMORY))));
    }
    Ok(Some(bytes))
}

/// What queries may take where nothing is asked for, in bytes.
pub(super) fn usual() -> u64 {
    share(SHARE).unwrap_or(UNKNOWN).max(LEAST_MEMORY)
}

fn share(percent: u64) -> Option<u64> {
    Some(of_machine()? / 100 * percent)
}

/// Returns the memory of the machine in bytes, or less if this process may not have all of it; None if the system does not
/// say.
fn of_machine() -> Option<u64> {
    let mut system = sysinfo::System::new();
    system.refresh_memory();
    let total = Some(system.total_memory()).filter(|total| *total > 0)?;
    Some(group_limits().into_iter().fold(total, u64::min))
}

/// The limits that the control groups of Linux set to this process, in bytes. sysinfo knows that of the topmost group
/// alone, and services are limited by the one that they are in. Elsewhere there are no such files.
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
        assert!(of_machine().is_some_and(|bytes| bytes > 64 << 20));
    }
}
