//! Turns a path, URL or glob that the user gave into a list of files.

use std::ffi::OsStr;

use crate::delta::table::choose;
use crate::diagnostic::Result;
use crate::storage::expand;
use crate::storage::listing::Listing;
use crate::storage::remote::Access;

/// Lists the files that `pattern` names: the path or URL of a file or a folder, or a glob. If a folder is a Delta
/// table, only the files that its log names are listed.
///
/// # Errors
/// A path that does not exist or cannot be read, a malformed glob or one without a match, a folder without files, a
/// server that does not answer or refuses, a Delta table that lacks a file.
pub fn expand(pattern: &OsStr, access: &Access) -> Result<Listing> {
    choose(expand::expand(pattern, access)?)
}
