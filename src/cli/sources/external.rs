//! The files of `externaldata`: those that the user maps to a URL, and local paths in the query.
//!
//! Nothing is downloaded. A URL that is not mapped names no file. A path names one if the query contains it as a
//! literal, so that no data can name files; a relative one is relative to the working folder and never leads out of it,
//! so that a published query reads nothing else.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::{Component, Path};

use super::configured::BoundList;
use crate::diagnostic::Result;
use crate::scan::ExternalSource;
use crate::scan::external::without_options;
use crate::source::listing::expand;
use crate::storage::listing::Listing;
use crate::storage::remote::{Access, is_url};
use crate::storage::text_settings::TextSettings;

/// The files of an address, or why it names none.
pub(super) type ExternalFiles = std::result::Result<Listing, &'static str>;

/// The files that `source` is read from. Text is read as `text` says unless the mapping of the address says more.
///
/// # Errors
/// The mapped path, or the path in the query, cannot be read.
pub(super) fn external_files(
    source: &ExternalSource,
    mapped: &BTreeMap<String, BoundList>,
    text: TextSettings,
    access: &Access,
) -> Result<ExternalFiles> {
    let address = source.address.as_str();
    if let Some(list) = mapping_of(address, mapped) {
        return Ok(Ok(expand(list.path.as_os_str(), access)?.with_text_settings(list.text)));
    }
    if is_url(address) || address.contains("://") {
        return Ok(Err("queries download nothing"));
    }
    if !source.is_literal {
        return Ok(Err("only a path that is a string literal is read"));
    }
    let path = Path::new(address);
    if path.components().any(|part| part == Component::ParentDir) {
        return Ok(Err("a path in a query must not contain `..`"));
    }
    let files = expand(&OsString::from(address), access)?.with_text_settings(text);
    if path.is_relative() && !are_inside_working_folder(&files) {
        return Ok(Err("it leads out of the working folder"));
    }
    Ok(Ok(files))
}

/// The mapping of the address, or else of the address without its query, which may hold a signature.
fn mapping_of<'m>(address: &str, mapped: &'m BTreeMap<String, BoundList>) -> Option<&'m BoundList> {
    let of_bare = || {
        let bare = without_options(address);
        mapped.iter().find(|(url, _)| without_options(url) == bare && (bare.len() == url.len() || bare == address))
    };
    mapped.get(address).or_else(|| of_bare().map(|(_, list)| list))
}

/// True if the files themselves are in the working folder, not only links to them.
fn are_inside_working_folder(files: &Listing) -> bool {
    let Ok(folder) = std::env::current_dir().and_then(|folder| folder.canonicalize()) else { return false };
    let is_inside = |path: Option<&Path>| {
        path.and_then(|path| path.canonicalize().ok()).is_some_and(|path| path.starts_with(&folder))
    };
    files.files.iter().all(|file| is_inside(file.local_path()))
}
