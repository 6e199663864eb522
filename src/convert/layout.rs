//! The layout of the files of an archive: a folder for each table, in it a folder for each period, and in these
//! numbered files.

use std::fs;
use std::io;
use std::path::Path;

use super::keys::NO_TIME;
use crate::diagnostic::{Error, Result};
use crate::types::datetime::{self, DatetimeParts, Period};

/// The period that a folder of an archive covers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[expect(missing_docs, reason = "each is its own name")]
pub enum PartitionPeriod {
    None,
    Hour,
    Day,
    #[default]
    Month,
}

impl PartitionPeriod {
    fn period(self) -> Option<Period> {
        match self {
            Self::None => None,
            Self::Hour => Some(Period::Hour),
            Self::Day => Some(Period::Day),
            Self::Month => Some(Period::Month),
        }
    }

    /// Returns the first tick after the period to which `key` belongs; None if the period has no end.
    pub(super) fn end(self, key: i64) -> Option<i64> {
        if key == NO_TIME {
            return None;
        }
        let last = datetime::end_of(key, self.period()?, 0);
        // Rows without a time follow after the last period.
        Some(last.map_or(NO_TIME, |last| last + 1))
    }

    /// Returns the name of the folder for rows with `key`; None for the folder of the table itself.
    pub(super) fn folder(self, key: i64) -> Option<String> {
        let DatetimeParts { year, month, day, hour, .. } = datetime::to_parts(key.min(datetime::MAX));
        let (name, label) = match self {
            Self::None => return None,
            Self::Hour => ("hour", format!("{year:04}-{month:02}-{day:02}T{hour:02}")),
            Self::Day => ("day", format!("{year:04}-{month:02}-{day:02}")),
            Self::Month => ("month", format!("{year:04}-{month:02}")),
        };
        Some(if key == NO_TIME { format!("{name}=unknown") } else { format!("{name}={label}") })
    }
}

/// Returns the name of the file with this number.
pub(super) fn file_name(table: &str, number: u32) -> String {
    // Table names may contain any character; file names may not.
    let safe = |c: char| if c.is_alphanumeric() || matches!(c, '-' | '_') { c } else { '_' };
    format!("{}-{number:05}.parquet", table.chars().map(safe).collect::<String>())
}

/// Returns the first file number that is not used in a folder of an archive; 0 if the folder does not exist.
pub(super) fn next_number(folder: &Path) -> Result<u32> {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(0),
        Err(error) => return Err(Error::io(folder, error)),
    };
    let mut next = 0;
    for entry in entries {
        let name = entry.map_err(|error| Error::io(folder, error))?.file_name();
        let number =
            name.to_str().and_then(|name| name.strip_suffix(".parquet")?.rsplit('-').next()?.parse::<u32>().ok());
        next = next.max(number.map_or(0, |number| number.saturating_add(1)));
    }
    Ok(next)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn periods_have_folders_and_ends() {
        let at = |text: &str| datetime::parse(text).expect("a datetime");
        let key = at("2024-02-29T23:59:59.9999999Z");
        for (partition, folder, end) in [
            (PartitionPeriod::Hour, "hour=2024-02-29T23", "2024-03-01"),
            (PartitionPeriod::Day, "day=2024-02-29", "2024-03-01"),
            (PartitionPeriod::Month, "month=2024-02", "2024-03-01"),
        ] {
            assert_eq!(partition.folder(key).as_deref(), Some(folder));
            assert_eq!(partition.end(key), Some(at(end)));
            assert_eq!(partition.end(datetime::MAX), Some(datetime::MAX + 1));
            assert_eq!(partition.end(NO_TIME), None);
            assert!(partition.folder(NO_TIME).is_some_and(|folder| folder.ends_with("=unknown")));
        }
        assert_eq!((PartitionPeriod::None.folder(key), PartitionPeriod::None.end(key)), (None, None));
    }

    #[test]
    fn numbers_go_on() {
        let folder = tempfile::tempdir().expect("a folder");
        assert_eq!(next_number(&folder.path().join("none")).expect("a number"), 0);
        for name in ["SigninLogs-00003.parquet", "SigninLogs-00012.parquet", "notes.txt", "x-y.parquet"] {
            std::fs::write(folder.path().join(name), "").expect("a file");
        }
        assert_eq!(next_number(folder.path()).expect("a number"), 13);
        assert_eq!(file_name("my/../table", 7), "my____table-00007.parquet");
    }
}
