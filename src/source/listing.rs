//! Turns a pattern that the user gave into the files of tables.

use std::ffi::OsStr;

use crate::delta::table::choose;
use crate::diagnostic::Result;
use crate::storage::expand;
use crate::storage::listing::Listing;
use crate::storage::remote::Access;

/// Lists the files that `pattern` names: a path or a URL of a file, a folder, or a glob. Of Delta tables, only the
/// files that the log names are listed.
///
/// # Errors
/// A path that does not exist or cannot be read, a malformed glob or one without a match, a folder without files, a
/// server that does not answer or refuses, a Delta table that lacks a file.
pub fn expand(pattern: &OsStr, access: &Access) -> Result<Listing> {
    choose(expand::expand(pattern, access)?)
}
