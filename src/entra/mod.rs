//! The shapes in which sign-in records are exported, and the tables they belong to.
//!
//! What column of which table comes from where in which shape is data: one file a table in `tables/`, read by the
//! reader, the documentation and the messages ([`table::KnownTable`]). A record is classified by its own keys, never
//! by the name of its file.

pub mod differences;
pub(crate) mod dynamic_strings;
pub mod headerless_columns;
pub mod integral_columns;
pub mod json_text;
pub mod mapping;
pub mod numeric_dates;
pub mod portal;
pub(crate) mod powershell;
pub(crate) mod python;
pub mod spelling;
pub mod table;

pub use mapping::{ColumnSource, Mapping};
pub use table::{KnownTable, known_table, known_tables, resembles, restored_from, table_named, union_names};

/// The ways in which exports lay out a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum RowKind {
    /// An envelope with `time`, `category` and `properties`: diagnostic settings, Event Hub messages.
    Diagnostic,
    /// A Microsoft Graph object in camelCase: Graph responses, portal downloads as JSON.
    Graph,
    /// The columns of the table by their names: Log Analytics data export, `.export` of Kusto.
    Flat,
    /// A Microsoft Graph object whose keys are capitalised, as the cmdlets of PowerShell write it.
    Cmdlet,
    /// The columns of the table, every cell a text: `az monitor log-analytics query`.
    Az,
    /// A row of the CSV that the Entra admin center offers for download, laid out as a Graph object.
    PortalCsv,
}

impl RowKind {
    /// Every kind.
    pub const ALL: [Self; 6] = [Self::Diagnostic, Self::Graph, Self::Flat, Self::Cmdlet, Self::Az, Self::PortalCsv];

    /// How data files of this folder name it.
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

    /// The kind that a data file of this folder names.
    fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }

    /// How messages name it.
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

    /// How footers of archives name it; objects of Graph with their version, `complete` where it is not v1.0.
    #[must_use]
    pub fn shape(self, complete: bool) -> String {
        let version = if self.is_graph() && !complete { " (v1.0)" } else { "" };
        format!("{}{version}", self.describe())
    }

    /// What [`Self::shape`] named.
    #[must_use]
    pub fn of_shape(name: &str) -> Option<(Self, bool)> {
        let all = Self::ALL.into_iter().flat_map(|kind| [(kind, true), (kind, false)]);
        all.into_iter().find(|(kind, complete)| kind.shape(*complete) == name)
    }

    /// True for layouts made of Graph objects, whose version decides what they hold.
    #[must_use]
    pub fn is_graph(self) -> bool {
        matches!(self, Self::Graph | Self::Cmdlet)
    }

    /// Which time becomes `TimeGenerated`, for layouts where it is not the time of publishing.
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
