//! What a record is: its row kind and its table, told by its own keys.

use super::keys::{KeyTree, Slot};
use super::record::RecordScanner;

use crate::source::shape::table::table_of_category;
use crate::source::shape::{KnownTable, RowKind, known_table, known_tables};
use crate::types::dynamic;

/// Keys that records are known to have and no column wants: transport, bookkeeping, wrappers.
pub(crate) const IGNORED_KEYS: [&[&str]; 7] = [
    &["_Internal_WorkspaceResourceId"],
    &["_OriginalItemId"],
    &["_OriginalTimeGenerated"],
    &["_OriginalType"],
    &["@odata.type"],
    &["TableName"],
    // The envelope's own `tenantId` once more.
    &["properties", "tenantId"],
];

/// What a record turned out to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Class {
    /// A row of a known table.
    Row(RowClass),
    /// A row of a table whose columns are not known, with the name or category that it gives.
    OtherTable(String),
    /// A shape that is recognised but not read yet, in words.
    Unsupported(&'static str),
    /// None of the known shapes.
    Unknown,
}

/// A row of a known table.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RowClass {
    /// How it is laid out.
    pub kind: RowKind,
    /// Its table.
    pub table: &'static KnownTable,
    /// False where the record does not say which table it is of, and the usual one was assumed.
    pub certain: bool,
    /// False for records of Graph v1.0, which lacks many properties.
    pub complete: bool,
}

/// Names of files that hold sign-ins of one table, as the admin center gives them to downloads.
const DOWNLOADS: [(&str, &str); 4] = [
    ("InteractiveSignIns_", "SigninLogs"),
    ("NonInteractiveSignIns_", "AADNonInteractiveUserSignInLogs"),
    ("ApplicationSignIns_", "AADServicePrincipalSignInLogs"),
    ("MSISignIns_", "AADManagedIdentitySignInLogs"),
];

/// The table that a path tells, for records that do not tell it: `am-<table>` is a container of data export.
pub(crate) fn table_of_path(path: &str) -> Option<&'static KnownTable> {
    path.split(['/', '\\']).find_map(|part| {
        let download = DOWNLOADS.iter().find(|(prefix, _)| part.starts_with(prefix)).map(|(_, table)| *table);
        let exported = part.strip_prefix("am-").and_then(|name| {
            known_tables().find(|table| table.name.eq_ignore_ascii_case(name)).map(|table| table.name)
        });
        download.or(exported).and_then(known_table)
    })
}

impl PartialEq for RowClass {
    fn eq(&self, other: &Self) -> bool {
        let flags = |class: &Self| (class.kind, class.certain, class.complete);
        self.table.name == other.table.name && flags(self) == flags(other)
    }
}

impl Eq for RowClass {}

/// The slots of the keys that tell shapes apart.
#[derive(Clone, Debug)]
pub(crate) struct Markers {
    time: Slot,
    category: Slot,
    properties: Slot,
    time_generated: Slot,
    table_name: Slot,
    created: Slot,
    created_pascal: Slot,
    status_pascal: Slot,
    ty: Slot,
    original_type: Slot,
    event_types: Slot,
    interactive: Slot,
    user_agent: Slot,
    activity: Slot,
    initiated_by: Slot,
    tables: Slot,
}

impl Markers {
    /// Puts the marker keys among the wanted keys of `tree`.
    pub(crate) fn new(tree: &mut KeyTree) -> Self {
        let mut exact = |key: &str| tree.slot(&[key], false);
        Self {
            time_generated: exact("TimeGenerated"),
            table_name: exact("TableName"),
            created: exact("createdDateTime"),
            created_pascal: exact("CreatedDateTime"),
            status_pascal: exact("Status"),
            ty: exact("Type"),
            original_type: exact("_OriginalType"),
            event_types: exact("signInEventTypes"),
            interactive: exact("isInteractive"),
            user_agent: exact("userAgent"),
            activity: exact("activityDateTime"),
            initiated_by: exact("initiatedBy"),
            tables: exact("tables"),
            time: tree.slot(&["time"], true),
            category: tree.slot(&["category"], true),
            properties: tree.slot(&["properties"], true),
        }
    }

    /// What the record is that was scanned last.
    pub(crate) fn classify(&self, scanner: &RecordScanner, record: &str) -> Class {
        let value = |slot: Slot| scanner.value(slot, record);
        let is = |slot: Slot, first: u8| value(slot).is_some_and(|text| text.as_bytes().first() == Some(&first));
        if is(self.properties, b'{') && value(self.time).is_some() && value(self.category).is_some() {
            return diagnostic(value(self.category).unwrap_or(""));
        }
        if value(self.time_generated).is_some() {
            if value(self.table_name).is_some() {
                return Class::Unsupported("rows written by `az monitor log-analytics query`");
            }
            return flat(value(self.original_type).or(value(self.ty)));
        }
        if value(self.created).is_some() {
            let complete = value(self.event_types).is_some() || value(self.user_agent).is_some();
            return graph(value(self.event_types), value(self.interactive), complete);
        }
        if is(self.status_pascal, b'{') && value(self.created_pascal).is_some() {
            return Class::Unsupported(
                "Microsoft Graph objects with capitalised keys, as PowerShell cmdlets write them",
            );
        }
        if value(self.activity).is_some() && value(self.initiated_by).is_some() {
            let table = known_table("AuditLogs");
            return table.map_or(Class::Unknown, |table| row(RowKind::Graph, table, true, true));
        }
        if is(self.tables, b'[') {
            return Class::Unsupported("answers of the Log Analytics query interface");
        }
        Class::Unknown
    }
}

fn row(kind: RowKind, table: &'static KnownTable, certain: bool, complete: bool) -> Class {
    Class::Row(RowClass { kind, table, certain, complete })
}

fn diagnostic(category: &str) -> Class {
    let category = dynamic::to_text(category);
    match table_of_category(&category) {
        Some(table) => row(RowKind::Diagnostic, table, true, true),
        None => Class::OtherTable(category.into_owned()),
    }
}

fn flat(ty: Option<&str>) -> Class {
    let name = dynamic::to_text(ty.unwrap_or("null"));
    match known_table(&name) {
        Some(table) => row(RowKind::Flat, table, true, true),
        None if name.is_empty() => assumed(RowKind::Flat, true),
        None => Class::OtherTable(name.into_owned()),
    }
}

fn graph(event_types: Option<&str>, interactive: Option<&str>, complete: bool) -> Class {
    let first = event_types.and_then(|list| list.split('"').nth(1));
    let name = match (first, interactive) {
        (Some("interactiveUser"), _) | (None, Some("true")) => "SigninLogs",
        (Some("nonInteractiveUser"), _) | (None, Some("false")) => "AADNonInteractiveUserSignInLogs",
        (Some("servicePrincipal"), _) => "AADServicePrincipalSignInLogs",
        (Some("managedIdentity"), _) => "AADManagedIdentitySignInLogs",
        (Some(other), _) => return Class::OtherTable(other.to_owned()),
        (None, _) => return assumed(RowKind::Graph, complete),
    };
    known_table(name).map_or(Class::Unknown, |table| row(RowKind::Graph, table, true, complete))
}

/// Sign-in records that do not say of which table they are.
fn assumed(kind: RowKind, complete: bool) -> Class {
    known_table("SigninLogs").map_or(Class::Unknown, |table| row(kind, table, false, complete))
}
