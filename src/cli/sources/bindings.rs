//! Parses `-t NAME=PATH`, `--watchlist ALIAS[COLUMN]=PATH` and `--externaldata URL=PATH`.

use super::table_name;
use crate::diagnostic::{Error, Result};
use crate::storage::remote::redacted;

/// Parses `-t NAME=PATH` into table names and paths; the names of known tables are case-insensitive.
pub(super) fn bindings(texts: &[String]) -> Result<Vec<(String, &str)>> {
    fn binding(text: &str) -> Result<(String, &str)> {
        let (name, path) = text
            .split_once('=')
            .filter(|(name, path)| !name.trim().is_empty() && !path.is_empty())
            .ok_or_else(|| Error::Usage(format!("-t {}: expected NAME=PATH", redacted(text))))?;
        if path == super::stdin::DASH {
            return Err(Error::Usage("-t cannot bind stdin: the query reads it as the table `stdin`".to_owned()));
        }
        let table = table_name(name).map_err(|near| {
            let text = redacted(text);
            Error::Usage(format!(
                "-t {text}: did you mean {near}? Queries over {near} would not read these files; choose a name for \
                 your own table that differs more from it"
            ))
        })?;
        Ok((table, path))
    }
    texts.iter().map(|text| binding(text)).collect()
}

/// Parses `--watchlist ALIAS[COLUMN]=PATH` into aliases, search-key columns and paths.
pub(super) fn watchlist_bindings(texts: &[String]) -> Result<Vec<(&str, Option<&str>, &str)>> {
    fn binding(text: &str) -> Option<(&str, Option<&str>, &str)> {
        let (alias, key, path) = match text.split_once('[').filter(|(alias, _)| !alias.contains('=')) {
            Some((alias, rest)) => {
                let (key, path) = rest.split_once("]=")?;
                (alias, Some(key), path)
            }
            None => {
                let (alias, path) = text.split_once('=')?;
                (alias, None, path)
            }
        };
        (!alias.is_empty() && key != Some("") && !path.is_empty()).then_some((alias, key, path))
    }
    let malformed =
        |text: &String| Error::Usage(format!("--watchlist {text}: expected ALIAS=PATH or ALIAS[COLUMN]=PATH"));
    texts.iter().map(|text| binding(text).ok_or_else(|| malformed(text))).collect()
}

/// Parses `--externaldata URL=PATH` into URLs and paths. The URL ends at the first `=`, or at the last one if it has a
/// query, in which `=` is usual.
pub(super) fn external_bindings(texts: &[String]) -> Result<Vec<(&str, &str)>> {
    fn binding(text: &str) -> Option<(&str, &str)> {
        let has_query = text.find('=').is_some_and(|end| text[..end].contains('?'));
        let (url, path) = if has_query { text.rsplit_once('=')? } else { text.split_once('=')? };
        (!url.is_empty() && !path.is_empty()).then_some((url, path))
    }
    let malformed = |text: &String| Error::Usage(format!("--externaldata {}: expected URL=PATH", redacted(text)));
    texts.iter().map(|text| binding(text).ok_or_else(|| malformed(text))).collect()
}
