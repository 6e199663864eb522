//! The source of an `externaldata` operator: what the query says about a file that is no table of the catalog.

use std::sync::Arc;

use super::TableProvider;
use crate::types::{Schema, dynamic};

/// One address of an `externaldata`, and how its content is to be read.
#[derive(Clone, Debug)]
pub struct ExternalSource {
    /// The URL or path, as the query has it.
    pub address: String,
    /// True if the query contains the address as a literal. Only then may it name a local file by itself.
    pub is_literal: bool,
    /// The declared columns.
    pub columns: Schema,
    /// The source of each column.
    pub mapping: Vec<ExternalColumn>,
    /// The format.
    pub format: ExternalFormat,
    /// True if the first record of each file is a header.
    pub skips_first: bool,
}

/// The part of a record that a column is read from.
#[derive(Clone, Debug, PartialEq)]
pub enum ExternalColumn {
    /// The cell at this position.
    Cell(usize),
    /// The value at a path in the object.
    Path(dynamic::Path),
    /// The same value in each record.
    Constant(String),
    /// Nothing: it is null.
    Missing,
}

/// The table that is read for an address.
#[derive(Clone, Debug)]
pub enum ExternalTarget {
    /// The table.
    Table(Arc<dyn TableProvider>),
    /// The user names no file for the address; why the address alone is not enough.
    Unmapped(&'static str),
}

/// A format of external data. Source: the reference's page on ingestion formats.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExternalFormat {
    /// Rows of cells with this delimiter, with quotes as in RFC 4180.
    Delimited(u8),
    /// `tsve`: cells with tabs between them, in which a backslash escapes a character.
    EscapedTabs,
    /// `txt`: lines; empty ones are skipped.
    Lines,
    /// `raw`: the whole file is one value.
    Whole,
    /// `json` and `multijson`: objects in any layout, or arrays of them.
    Json,
    /// `parquet`.
    Parquet,
}

impl ExternalFormat {
    /// Every supported format by its name, which is also its extension.
    pub const NAMES: &'static [(&'static str, Self)] = &[
        ("csv", Self::Delimited(b',')),
        ("tsv", Self::Delimited(b'\t')),
        ("psv", Self::Delimited(b'|')),
        ("scsv", Self::Delimited(b';')),
        ("sohsv", Self::Delimited(1)),
        ("tsve", Self::EscapedTabs),
        ("txt", Self::Lines),
        ("raw", Self::Whole),
        ("json", Self::Json),
        ("multijson", Self::Json),
        ("parquet", Self::Parquet),
    ];

    /// Extensions and names of the formats of Kusto that are not supported.
    pub const UNSUPPORTED: &'static [&'static str] =
        &["avro", "apacheavro", "orc", "sstream", "w3clogfile", "azmonstream", "log"];

    /// The format of this name, in any case.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::NAMES.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, format)| *format)
    }

    /// The extension of an address, which names its format: after the query and options of a URL and the extension of a
    /// compression are removed. "" if there is none.
    #[must_use]
    pub fn extension(address: &str) -> &str {
        let path = without_options(address);
        let last = path.rsplit(['/', '\\']).next().unwrap_or("");
        let compressed = ["gz", "zip", "zst", "bz2"].iter().find_map(|ending| {
            let (stem, found) = last.rsplit_once('.')?;
            found.eq_ignore_ascii_case(ending).then_some(stem)
        });
        compressed.unwrap_or(last).rsplit_once('.').map_or("", |(_, extension)| extension)
    }

    /// True if cells are found by their position, not by the names of the columns.
    #[must_use]
    pub fn is_positional(self) -> bool {
        !matches!(self, Self::Json | Self::Parquet)
    }
}

/// A URL without its query and the options after a semicolon, which hold keys and signatures; a path as it is.
#[must_use]
pub fn without_options(address: &str) -> &str {
    match address.find("://") {
        Some(scheme) => {
            let end = address[scheme..].find(['?', ';', '#']).map_or(address.len(), |end| scheme + end);
            &address[..end]
        }
        None => address,
    }
}

#[cfg(test)]
mod tests {
    use super::{ExternalFormat, without_options};

    #[test]
    fn the_extension_names_the_format() {
        for (address, extension) in [
            ("https://a.example/lists/x.csv?sig=a.b", "csv"),
            ("https://a.example/lists/x.TXT;key.x", "TXT"),
            ("lists/x.json.gz", "json"),
            ("C:\\lists\\x.tsv", "tsv"),
            ("https://a.example/x", ""),
            ("lists.d/x", ""),
            ("x.gz", ""),
        ] {
            assert_eq!(ExternalFormat::extension(address), extension, "{address}");
        }
    }

    #[test]
    fn options_belong_to_urls() {
        assert_eq!(without_options("https://a.example/x?sig=1"), "https://a.example/x");
        assert_eq!(without_options("a;b?c"), "a;b?c");
    }
}
