//! The destination of a conversion: an archive or a single file.

use std::path::PathBuf;

use crate::cli::args::{ConvertArgs, PartitionBy};
use crate::cli::destination::check_excel_safe;
use crate::convert::{self, PartitionPeriod};
use crate::diagnostic::{Error, Result};
use crate::output::{self, Format};

/// The destination of the conversion.
pub(super) enum ConvertTarget {
    /// A folder of Parquet files; `existing` is the archive to add to.
    Archive { existing: Option<PathBuf>, partition: PartitionPeriod },
    /// A single file.
    File(&'static Format),
}

impl ConvertTarget {
    /// Finds all usage errors before a file is opened.
    pub fn new(args: &ConvertArgs) -> Result<Self> {
        let destination = &args.destination;
        if args.paths.is_empty() && args.source.tables.is_empty() {
            return Err(Error::Usage("no input: give files, folders or globs, or - for stdin".to_owned()));
        }
        let extension = destination.extension().and_then(|extension| extension.to_str());
        let by_extension = extension.and_then(output::format_for_extension);
        let named = args.format.as_deref().and_then(output::format);
        let is_folder = destination.is_dir() || (by_extension.is_none() && named.is_none_or(is_parquet));
        match named.or(by_extension) {
            Some(format) if !is_folder => Self::file(args, format),
            Some(format) if !is_parquet(format) => Err(Error::Usage(format!(
                "-o {} needs a single file, not a folder: give a new file with -O",
                format.name
            ))),
            _ => Self::archive(args),
        }
    }

    fn file(args: &ConvertArgs, format: &'static Format) -> Result<Self> {
        check_excel_safe(args.spreadsheet.excel_safe, format)?;
        if args.append {
            return Err(Error::Usage("--append needs an archive that is a folder, not a file".to_owned()));
        }
        if args.destination.exists() {
            return Err(Error::Usage(format!("{}: the file already exists", args.destination.display())));
        }
        Ok(Self::File(format))
    }

    fn archive(args: &ConvertArgs) -> Result<Self> {
        if args.spreadsheet.excel_safe {
            return Err(Error::Usage("--excel-safe needs a CSV file: give one with -O FILE.csv".to_owned()));
        }
        let destination = &args.destination;
        let empty = convert::is_empty(destination)?;
        if !empty && !args.append {
            let text = "the folder is not empty; add to the archive with --append, or give a new folder";
            return Err(Error::Usage(format!("{}: {text}", destination.display())));
        }
        let partition = match args.partition_by {
            PartitionBy::None => PartitionPeriod::None,
            PartitionBy::Hour => PartitionPeriod::Hour,
            PartitionBy::Day => PartitionPeriod::Day,
            PartitionBy::Month => PartitionPeriod::Month,
        };
        Ok(Self::Archive { existing: (!empty).then(|| destination.clone()), partition })
    }
}

pub(super) fn is_parquet(format: &'static Format) -> bool {
    format.name == "parquet"
}
