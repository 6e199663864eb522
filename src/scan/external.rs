//! The source of an `externaldata` operator: what a query declares about a file that is not a table of the catalog.

use std::sync::Arc;

use super::TableProvider;
use crate::types::{Schema, dynamic};

/// One address of an `externaldata` operator, and how its content is to be read.
#[derive(Clone, Debug)]
pub struct ExternalSource {
    /// The URL or path, as the query writes it.
    pub address: String,
    /// True if the query contains the address as a literal. Only such an address may name a local file directly.
    pub is_literal: bool,
    /// The declared columns.
    pub columns: Schema,
    /// For each column, the part of a record that it is read from.
    pub mapping: Vec<ExternalColumn>,
    /// The format of the file.
    pub format: ExternalFormat,
    /// True if the first record of each file is a header, which is skipped.
    pub skips_first: bool,
}

/// The part of a record from which a column is read.
#[derive(Clone, Debug, PartialEq)]
pub enum ExternalColumn {
    /// The cell at this position, from 0.
    Cell(usize),
    /// The value at this path in the object.
    Path(dynamic::Path),
    /// The same value in each record.
    Constant(String),
    /// Nothing: the column is null.
    Missing,
}

/// The table that is read for an address, or the reason why there is none.
#[derive(Clone, Debug)]
pub enum ExternalTarget {
    /// The table that is read.
    Table(Arc<dyn TableProvider>),
    /// The user maps the address to no file; the reason why the address alone is not enough.
    Unmapped(&'static str),
}

/// A format of external data. Source: the reference's page on ingestion formats.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExternalFormat {
    /// Rows of cells that this byte separates; quotes follow RFC 4180.
    Delimited(u8),
    /// The format `tsve`: rows of cells that tabs separate, in which a backslash escapes a character.
    EscapedTabs,
    /// The format `txt`: each line is a value; empty lines are skipped.
    Lines,
    /// The format `raw`: the whole file is one value.
    Whole,
    /// The formats `json` and `multijson`: objects in any layout, or arrays of objects.
    Json,
    /// The formats `avro` and `apacheavro`: records of Avro containers.
    Avro,
    /// The format `parquet`.
    Parquet,
}

impl ExternalFormat {
    /// All supported formats by name; the name is also the extension of files.
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
        ("avro", Self::Avro),
        ("apacheavro", Self::Avro),
        ("parquet", Self::Parquet),
    ];

    /// Names and extensions of formats that Kusto supports and this program does not.
    pub const UNSUPPORTED: &'static [&'static str] = &["orc", "sstream", "w3clogfile", "azmonstream", "log"];

    /// Returns the format of this name, in any case; None if it is not supported.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::NAMES.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, format)| *format)
    }

    /// Returns the extension of an address, which names its format; "" if there is none. The query and options of a
    /// URL and the extension of a compression are removed before.
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

    /// True if values are found by the position of their cell, false if by the name of their column.
    #[must_use]
    pub fn is_positional(self) -> bool {
        !matches!(self, Self::Json | Self::Avro | Self::Parquet)
    }
}

/// Returns a URL without its query and without the options after a semicolon, because these contain keys and
/// signatures. A path is returned unchanged.
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
