//! `-t NAME=PATH` and `--watchlist ALIAS[COLUMN]=PATH`, taken apart.

use super::table_name;
use crate::diagnostic::{Error, Result};
use crate::source::remote::redacted;

/// Names and paths of `-t NAME=PATH`; a known table is named in any case of letters.
pub(super) fn bindings(texts: &[String]) -> Result<Vec<(String, &str)>> {
    fn binding(text: &str) -> Result<(String, &str)> {
        let (name, path) = text
            .split_once('=')
            .filter(|(name, path)| !name.trim().is_empty() && !path.is_empty())
            .ok_or_else(|| Error::Usage(format!("-t {}: write NAME=PATH", redacted(text))))?;
        if path == super::stdin::DASH {
            return Err(Error::Usage("stdin is the table `stdin`; name it so in the query".to_owned()));
        }
        let table = table_name(name).map_err(|near| {
            let text = redacted(text);
            Error::Usage(format!(
                "-t {text}: did you mean {near}? A query over {near} would not read these files; a table of your own \
                 needs a name that is less like it"
            ))
        })?;
        Ok((table, path))
    }
    texts.iter().map(|text| binding(text)).collect()
}

/// Aliases, columns of search keys and paths of `--watchlist ALIAS[COLUMN]=PATH`.
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
    let wrong = |text: &String| Error::Usage(format!("--watchlist {text}: write ALIAS=PATH or ALIAS[COLUMN]=PATH"));
    texts.iter().map(|text| binding(text).ok_or_else(|| wrong(text))).collect()
}
