//! The shapes in which Microsoft Entra logs are exported, and the tables they belong to.
//!
//! The mapping of columns to fields of each shape is data, one file per table in `tables/`. The reader, the
//! documentation and the messages use it ([`table::KnownTable`]). A record is classified by its own keys, never by the
//! name of its file.

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

/// The shape of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum RowKind {
    /// An envelope with `time`, `category` and `properties`: diagnostic settings, Event Hubs messages.
    Diagnostic,
    /// A Microsoft Graph object in camelCase: Graph responses, JSON downloads of the portal.
    Graph,
    /// Table columns by name: Log Analytics data export, `.export` of Kusto.
    Flat,
    /// A Microsoft Graph object with capitalised keys, as PowerShell cmdlets write it.
    Cmdlet,
    /// Table columns by name, every value a string: `az monitor log-analytics query`.
    Az,
    /// A row of a CSV download of the Entra admin center, converted to a Graph object.
    PortalCsv,
}

impl RowKind {
    /// Every kind.
    pub const ALL: [Self; 6] = [Self::Diagnostic, Self::Graph, Self::Flat, Self::Cmdlet, Self::Az, Self::PortalCsv];

    /// Returns the name in the data files of this folder.
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

    /// Returns the kind with this name in the data files of this folder.
    fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }

    /// Returns the name for messages.
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

    /// Returns the name in footers of archives. Graph objects include their version; `complete` if it is not v1.0.
    #[must_use]
    pub fn shape(self, complete: bool) -> String {
        let version = if self.is_graph() && !complete { " (v1.0)" } else { "" };
        format!("{}{version}", self.describe())
    }

    /// Returns the kind and version that [`Self::shape`] named so.
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

    /// Returns the field that becomes `TimeGenerated`, for shapes without the time of publishing.
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
