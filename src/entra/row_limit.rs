//! Maximum numbers of rows at which services truncate their results.

/// A maximum number of rows of a service.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum RowLimit {
    /// The rows that the Log Analytics portal shows.
    Portal,
    /// The rows that the Entra admin center downloads.
    AdminCenter,
    /// The rows that the query API returns.
    QueryApi,
    /// The rows that a search job returns.
    SearchJob,
}

impl RowLimit {
    /// All limits, the smallest first.
    pub const ALL: [Self; 4] = [Self::Portal, Self::AdminCenter, Self::QueryApi, Self::SearchJob];

    /// Returns the maximum number of rows.
    #[must_use]
    pub fn rows(self) -> u64 {
        match self {
            Self::Portal => 30_000,
            Self::AdminCenter => 250_000,
            Self::QueryApi => 500_000,
            Self::SearchJob => 1_000_000,
        }
    }

    /// Returns the limit that is exactly `rows` rows; None if there is none. A result of this size may have been
    /// truncated.
    #[must_use]
    pub fn reached(rows: u64) -> Option<Self> {
        Self::ALL.into_iter().find(|limit| limit.rows() == rows)
    }
}
