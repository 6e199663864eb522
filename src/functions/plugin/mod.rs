//! The registry of plugins, which `evaluate` calls: one table that the binder, `coldcase functions`, the documentation
//! and the tests read.
//!
//! A row says everything but the expansion; the binder matches on [`PluginKind`] and has no names of its own.

pub mod activity;
pub mod basket;
pub mod dimension_keys;
pub mod ip_lookup;
pub mod narrow;
pub mod rolling_percentile;
pub mod rows_near;
pub mod schema_merge;
pub mod sequence;

mod analytics;
mod reshape;
mod users;

use super::docs::Example;
use super::signature::Param;

/// A plugin.
#[derive(Debug)]
pub struct Plugin {
    /// Its name.
    pub name: &'static str,
    /// One sentence.
    pub summary: &'static str,
    /// Its parameters after the input.
    pub params: &'static [Param],
    /// Its output columns, as the documentation shows them.
    pub returns: &'static str,
    /// Whole queries that return one cell; they run in the tests.
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
    BagUnpack,
    Basket,
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

/// The version of the Internet Protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "each is its own name")]
pub enum IpVersion {
    V4,
    V6,
}

/// The plugins of each family.
static FAMILIES: &[&[Plugin]] = &[reshape::PLUGINS, analytics::PLUGINS, users::PLUGINS];

/// Plugins of Kusto that this program does not have, sorted.
#[rustfmt::skip]
static UNSUPPORTED: &[&str] = &[
    "ai_chat_completion",
    "ai_chat_completion_prompt", "ai_embed_text", "ai_embeddings", "autocluster", "azure_digital_twins_query_request",
    "cosmosdb_sql_request", "dcount_intersect", "diffpatterns", "diffpatterns_text", "estimate_rows_count",
    "funnel_sequence", "funnel_sequence_completion", "geo_line_lookup", "geo_polygon_lookup", "http_request",
    "http_request_post", "infer_storage_schema", "infer_storage_schema_with_suggestions", "mysql_request",
    "postgresql_request", "preview", "python", "r", 
    "sql_request",
];

/// Every plugin.
pub fn plugins() -> impl Iterator<Item = &'static Plugin> {
    FAMILIES.iter().copied().flatten()
}

/// The plugin of this name.
#[must_use]
pub fn plugin(name: &str) -> Option<&'static Plugin> {
    plugins().find(|plugin| plugin.name == name)
}

/// True for a plugin of Kusto that this program does not have.
#[must_use]
pub fn is_unsupported_plugin(name: &str) -> bool {
    UNSUPPORTED.contains(&name)
}
