//! Chooses the files of Delta tables. Only the files that the log of a table names are read, not others in its folder.

use std::collections::BTreeMap;

use super::files as named_by;
use crate::diagnostic::{Error, Result};
use crate::storage::delta_folder::{DeltaFolder, is_of_log};
use crate::storage::files::DataFile;
use crate::storage::listing::{DiscoveryNote, Listing};

/// Why a file that a log names is not read.
const MISSING: &str = "missing, although the log of its Delta table names it: rows are missing";

/// Removes the files of Delta tables that their logs do not name from a listing. A file that a log names and that is
/// missing is a refused file. If a log cannot be used, a single refused file stands for all files of its table.
///
/// # Errors
/// [`Error::Data`] if a checkpoint cannot be read.
pub fn choose(mut listing: Listing) -> Result<Listing> {
    for folder in std::mem::take(&mut listing.delta_folders) {
        choose_in(&folder, &mut listing)?;
    }
    Ok(listing)
}

fn choose_in(table: &DeltaFolder, found: &mut Listing) -> Result<()> {
    let files = &mut found.files;
    let Some(first) = files.iter().position(|file| table.members.contains_key(&file.name)) else { return Ok(()) };
    let is_taken = |file: &mut DataFile| table.members.get(&file.name).is_some_and(|path| is_own(file, path));
    let taken: Vec<DataFile> = files.extract_if(.., is_taken).collect();
    let mut own: BTreeMap<String, DataFile> =
        taken.into_iter().filter_map(|file| Some((table.members.get(&file.name)?.clone(), file))).collect();
    if own.is_empty() {
        return Ok(());
    }
    let paths = match named_by(&table.log) {
        Err(Error::Io { .. }) => Err("a Delta table whose log cannot be read"),
        paths => paths?,
    };
    let paths = match paths {
        Ok(paths) => paths,
        Err(reason) => {
            files.insert(first, table.folder.refuse(reason));
            return Ok(());
        }
    };
    let mut named = Vec::new();
    for path in paths {
        match own.remove(&path) {
            Some(file) => named.push(file),
            // The file exists, but the user's pattern excludes it.
            None if table.present.accounts_for(&path) => {}
            None => named.push(missing(&table.folder, &path)),
        }
    }
    let name = &table.folder.name;
    if named.is_empty() {
        found.notes.push(DiscoveryNote::NoneInDeltaLog(name.clone()));
    }
    // This is usual: files that were removed from the table, or written by an interrupted job.
    let others = own.keys().filter(|path| !is_of_log(path)).count();
    if others > 0 {
        found.notes.push(DiscoveryNote::NotInDeltaLog { table: name.clone(), files: others });
    }
    found.files.splice(first..first, named);
    Ok(())
}

fn missing(folder: &DataFile, path: &str) -> DataFile {
    folder.refused_entry(format!("{}/{path}", folder.name.trim_end_matches('/')), MISSING)
}

/// True for a file that may belong to a Delta table: a log file, a Parquet file or a deletion vector. Other files in
/// its folder have nothing to do with the table.
fn is_own(file: &DataFile, path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    is_of_log(path) || name.starts_with("deletion_vector") || file.is_parquet()
}
