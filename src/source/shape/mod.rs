//! The shapes in which sign-in records are exported, and the tables they belong to.
//!
//! What column of which table comes from where in which shape is data: one file a table in `tables/`, read by the
//! reader, the documentation and the messages ([`table::KnownTable`]). A record is classified by its own keys, never
//! by the name of its file.

pub mod mapping;
pub mod table;

pub use mapping::{Mapping, Source};
pub use table::{KnownTable, known_table, known_tables};

/// The ways in which exports lay out a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum RowKind {
    /// An envelope with `time`, `category` and `properties`: diagnostic settings, Event Hub messages.
    Diagnostic,
    /// A Microsoft Graph object in camelCase: Graph responses, portal downloads as JSON.
    Graph,
    /// The columns of the table by their names: Log Analytics data export, `.export` of Kusto.
    Flat,
}

impl RowKind {
    /// Every kind.
    pub const ALL: [Self; 3] = [Self::Diagnostic, Self::Graph, Self::Flat];

    /// How messages name it.
    #[must_use]
    pub fn describe(self) -> &'static str {
        match self {
            Self::Diagnostic => "diagnostic-settings records",
            Self::Graph => "Microsoft Graph records",
            Self::Flat => "flat table rows",
        }
    }
}
