//! The registry of plugins, which the operator `evaluate` calls. The binder, `coldcase functions`, the documentation
//! and the tests read this one table.
//!
//! An entry has everything but the code that expands a call. For that, the binder matches on [`PluginKind`], so that it
//! contains no names of plugins.

pub mod activity;
pub mod autocluster;
pub mod basket;
pub mod dcount_intersect;
pub mod diffpatterns;
pub mod dimension_keys;
pub mod funnel_completion;
pub mod ip_lookup;
pub mod narrow;
pub mod rolling_percentile;
pub mod rows_near;
pub mod schema_merge;
pub mod segments;
pub mod sequence;

mod analytics;
mod frequent_sets;
mod reshape;
mod segmentation;
mod users;

use super::docs::Example;
use super::signature::Param;

/// The definition of a plugin.
#[derive(Debug)]
pub struct Plugin {
    /// The name of the plugin.
    pub name: &'static str,
    /// One sentence for the documentation: what the plugin returns.
    pub summary: &'static str,
    /// The parameters of the plugin; the input rows are not among them.
    pub params: &'static [Param],
    /// The output columns, as the documentation shows them.
    pub returns: &'static str,
    /// Examples for the documentation: whole queries that return one cell. The tests run them.
    pub examples: &'static [Example],
    /// Selects the code of the binder that expands a call.
    pub kind: PluginKind,
}

/// How the binder expands a plugin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "each is named like its plugin")]
pub enum PluginKind {
    ActiveUsersCount,
    ActivityCountsMetrics,
    ActivityEngagement,
    ActivityMetrics,
    AutoCluster,
    BagUnpack,
    Basket,
    DcountIntersect,
    DiffPatterns,
    FunnelCompletion,
    IpLookup(IpVersion),
    Narrow,
    NewActivityMetrics,
    Pivot,
    RollingPercentile,
    RowsNear,
    SchemaMerge,
    SequenceDetect,
    SessionCount,
    SlidingWindowCounts,
}

/// A version of the Internet Protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "each is its own name")]
pub enum IpVersion {
    V4,
    V6,
}

/// The plugins of all families.
static FAMILIES: &[&[Plugin]] = &[reshape::PLUGINS, analytics::PLUGINS, segmentation::PLUGINS, users::PLUGINS];

/// Plugins of Kusto that this program does not have, and why.
static REFUSALS: &[(&[&str], &str)] = &[
    (&["csharp", "python", "r"], "a query runs no code in other languages"),
    (
        &[
            "ai_chat_completion",
            "ai_chat_completion_prompt",
            "ai_embed_text",
            "ai_embeddings",
            "azure_digital_twins_query_request",
            "cosmosdb_sql_request",
            "dax_request",
            "execute_query",
            "execute_show_command",
            "external_datatable",
            "http_request",
            "http_request_post",
            "mysql_request",
            "postgresql_request",
            "sql_request",
        ],
        "a query sends nothing to services",
    ),
    (
        &["infer_storage_schema", "infer_storage_schema_with_suggestions"],
        "files are given on the command line; `coldcase sniff FILE` shows their columns",
    ),
    (&["geo_line_lookup", "geo_polygon_lookup"], "geometry is not implemented"),
    (&["estimate_rows_count"], "files are not estimated; use count"),
    (&["identity", "identity_v3"], "it is not documented"),
    (&["diffpatterns_text"], "patterns of text are not searched for; diffpatterns compares columns"),
    (&["funnel_sequence"], "which states Kusto counts as previous and next is not documented; see sequence_detect"),
    (&["preview"], "it returns two tables; use take and count"),
];

/// Returns every plugin.
pub fn plugins() -> impl Iterator<Item = &'static Plugin> {
    FAMILIES.iter().copied().flatten()
}

/// Returns the plugin of this name.
#[must_use]
pub fn plugin(name: &str) -> Option<&'static Plugin> {
    plugins().find(|plugin| plugin.name == name)
}

/// Returns why this program does not have a plugin of Kusto; None for other names.
#[must_use]
pub fn refusal(name: &str) -> Option<&'static str> {
    REFUSALS.iter().find(|(names, _)| names.contains(&name)).map(|(_, reason)| *reason)
}
