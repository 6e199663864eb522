//! The shapes in which Microsoft Entra logs are exported, and the tables to which they belong.
//!
//! The mapping from columns to the fields of each shape is data: there is one file for each table in `tables/`. The
//! reader, the documentation and the messages all use it ([`table::KnownTable`]). The shape of a record is recognised
//! by its keys, never by the name of its file: that of records in text by `source::text::classify`, that of columns by
//! `source::table_membership`.

pub(crate) mod counted_times;
pub mod differences;
pub(crate) mod dynamic_strings;
pub mod headerless_columns;
pub mod integral_columns;
pub(crate) mod iso_times;
pub mod json_text;
pub mod mapping;
pub mod numeric_dates;
pub mod portal;
pub(crate) mod powershell;
pub(crate) mod python;
pub mod result_codes;
pub mod row_limit;
pub mod spelling;
pub mod table;
pub(crate) mod wrapped_scalars;

pub use mapping::{ColumnSource, Mapping};
pub use row_limit::RowLimit;
pub use table::{
    KnownTable, known_table, known_table_names, known_tables, recognised_tables, resembles, restored_from, table_named,
    union_names,
};

/// The column that has the result of `ingestion_time()` at the time of the export, if the export included it.
pub const INGESTED: &str = "_IngestionTime";

/// The column that has the time at which the cloud received the record.
pub const RECEIVED: &str = "_TimeReceived";

/// The kind of a row: the shape of the record that it is read from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum RowKind {
    /// An envelope with `time`, `category` and `properties`, as in diagnostic settings and messages of Event Hubs.
    Diagnostic,
    /// A Microsoft Graph object with keys in camelCase, as in responses of Graph and JSON downloads of the portal.
    Graph,
    /// A row with the columns of the table, as in Log Analytics data export and `.export` of Kusto.
    Flat,
    /// A Microsoft Graph object whose keys begin with capitals, as PowerShell cmdlets write it.
    Cmdlet,
    /// A row with the columns of the table, in which every value is a string, as `az monitor log-analytics query`
    /// writes it.
    Az,
    /// A row of a CSV download of the Entra admin center, which is converted to an object like those of Graph.
    PortalCsv,
}

impl RowKind {
    /// Every kind.
    pub const ALL: [Self; 6] = [Self::Diagnostic, Self::Graph, Self::Flat, Self::Cmdlet, Self::Az, Self::PortalCsv];

    /// Returns the name of the kind in the data files of this folder.
    fn name(self) -> &'static str {
        match self {
            Self::Diagnostic => "diagnostic",
            Self::Graph => "graph",
            Self::Flat => "flat",
            Self::Cmdlet => "cmdlet",
            Self::Az => "az",
            Self::PortalCsv => "portal-csv",
        }
    }

    /// Returns the kind that has this name in the data files of this folder.
    fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }

    /// Returns the name of the kind in messages.
    #[must_use]
    pub fn describe(self) -> &'static str {
        match self {
            Self::Diagnostic => "diagnostic-settings records",
            Self::Graph => "Microsoft Graph records",
            Self::Flat => "flat table rows",
            Self::Cmdlet => "objects of PowerShell cmdlets",
            Self::Az => "rows of the Azure command line",
            Self::PortalCsv => "CSV rows of the Entra admin center",
        }
    }

    /// Returns the name of the shape in footers of archives. Graph objects have their version in it; `complete` is
    /// false for v1.0.
    #[must_use]
    pub fn shape(self, complete: bool) -> String {
        let version = if self.is_graph() && !complete { " (v1.0)" } else { "" };
        format!("{}{version}", self.describe())
    }

    /// Returns the kind and the version for a name that [`Self::shape`] returned; None for other names.
    #[must_use]
    pub fn of_shape(name: &str) -> Option<(Self, bool)> {
        let all = Self::ALL.into_iter().flat_map(|kind| [(kind, true), (kind, false)]);
        all.into_iter().find(|(kind, complete)| kind.shape(*complete) == name)
    }

    /// True for Graph objects, whose fields depend on the version of the API.
    #[must_use]
    pub fn is_graph(self) -> bool {
        matches!(self, Self::Graph | Self::Cmdlet)
    }

    /// Returns the field that `TimeGenerated` is read from, for shapes that have the time of the sign-in but not that
    /// of publishing.
    #[must_use]
    pub fn sign_in_time(self) -> Option<&'static str> {
        match self {
            Self::Diagnostic | Self::Flat | Self::Az => None,
            Self::Graph => Some("createdDateTime"),
            Self::Cmdlet => Some("CreatedDateTime"),
            Self::PortalCsv => Some("Date (UTC)"),
        }
    }
}
