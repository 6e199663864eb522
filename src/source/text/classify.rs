//! Recognises the shape and the table of a record by its keys.

use super::key_tree::{KeyTree, ValueSlot};
use super::record_scanner::RecordScanner;
use crate::entra::powershell;

use crate::entra::portal::table_of_download;
use crate::entra::table::table_of_category;
use crate::entra::{KnownTable, RowKind, known_table, known_table_names, table_named};
use crate::types::dynamic;

/// The key that marks a row of a CSV of the Entra admin center; such rows are shaped like Graph objects. Its value is
/// the table of the row, if the header identifies it.
pub(crate) const PORTAL_KEY: &str = "@portalCsv";

/// Known keys that no column reads: keys of transport, bookkeeping and wrappers.
pub(crate) const IGNORED_KEYS: [&[&str]; 10] = [
    &["_Internal_WorkspaceResourceId"],
    &["_OriginalItemId"],
    &["_OriginalTimeGenerated"],
    &["_OriginalType"],
    &["@odata.type"],
    &["TableName"],
    // Duplicates of keys of the envelope.
    &["properties", "tenantId"],
    &["properties", "correlationId"],
    &["AdditionalProperties"],
    &[PORTAL_KEY],
];

/// Keys that identify a Graph object with `createdDateTime` as a sign-in.
const SIGN_IN_KEYS: [&str; 4] = ["ipAddress", "clientAppUsed", "conditionalAccessStatus", "correlationId"];

/// The shape and table of a record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum RecordClass {
    /// A row of a known table.
    Row(RowClass),
    /// A row of an unknown table, with the table name or category that the record gives.
    OtherTable(String),
    /// A record of unrecognised shape.
    Unknown,
}

impl RecordClass {
    /// True for a record that names the table `name`.
    pub(crate) fn names_table(&self, name: &str) -> bool {
        match self {
            Self::Row(row) => row.certain && row.table.name == name,
            Self::OtherTable(other) => other == name,
            Self::Unknown => false,
        }
    }
}

/// A row of a known table.
#[derive(Clone, Copy, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "what a record tells about itself, each by itself")]
pub(crate) struct RowClass {
    /// The shape of the row.
    pub kind: RowKind,
    /// The table of the row.
    pub table: &'static KnownTable,
    /// False if the record does not name its table and the usual table was assumed.
    pub certain: bool,
    /// False for records of Graph v1.0, which lack many properties, and for rows without `TimeGenerated`.
    pub complete: bool,
    /// True for a copy that a search job made.
    pub copied: bool,
    /// True if the record names kinds of sign-ins, all of them unknown.
    pub unknown_kind: bool,
}

/// Returns the table that a path names, for records that do not name one. In data export, the container `am-<table>`
/// names it.
pub(crate) fn table_of_path(path: &str) -> Option<&'static KnownTable> {
    path.split(['/', '\\']).find_map(|part| {
        let download = table_of_download(part);
        let exported = part
            .strip_prefix("am-")
            .and_then(|name| known_table_names().find(|table| table.eq_ignore_ascii_case(name)));
        download.or(exported).or_else(|| extracted(part)).and_then(known_table)
    })
}

/// Returns the table of a file named like `20260304091500-nonInteractiveUser-SignInLogs.json`. A collector of Graph
/// records names its files so.
fn extracted(name: &str) -> Option<&'static str> {
    let mut words = name.splitn(3, '-');
    let (time, kind, what) = (words.next()?, words.next()?, words.next()?);
    let is_time = time.len() == 14 && time.bytes().all(|byte| byte.is_ascii_digit());
    table_of_event_type(kind).filter(|_| is_time && what.starts_with("SignInLogs"))
}

impl PartialEq for RowClass {
    fn eq(&self, other: &Self) -> bool {
        let flags = |class: &Self| (class.kind, class.certain, class.complete, class.copied, class.unknown_kind);
        self.table.name == other.table.name && flags(self) == flags(other)
    }
}

impl Eq for RowClass {}

/// The slots of the keys by which [`Self::classify`] distinguishes shapes.
#[derive(Clone, Debug)]
pub(crate) struct ShapeMarkers {
    time: ValueSlot,
    category: ValueSlot,
    properties: ValueSlot,
    time_generated: ValueSlot,
    table_name: ValueSlot,
    created: ValueSlot,
    portal: ValueSlot,
    cmdlet: CmdletShapeMarkers,
    ty: ValueSlot,
    original_type: ValueSlot,
    event_types: ValueSlot,
    interactive: ValueSlot,
    user_agent: ValueSlot,
    activity: ValueSlot,
    initiated_by: ValueSlot,
    status: ValueSlot,
    sign_in: [ValueSlot; 4],
    user: ValueSlot,
    app: [ValueSlot; 2],
    /// The slot of the result. Rows without a time are sign-ins if they have a result and one of `columns`.
    result: ValueSlot,
    columns: [ValueSlot; 3],
    /// The slot of all flattened keys.
    pub joined: ValueSlot,
}

/// The slots of the keys that PowerShell cmdlets write, which begin with capitals.
#[derive(Clone, Debug)]
struct CmdletShapeMarkers {
    created: ValueSlot,
    status: ValueSlot,
    event_types: ValueSlot,
    interactive: ValueSlot,
    user_agent: ValueSlot,
    activity: ValueSlot,
    initiated_by: ValueSlot,
    sign_in: [ValueSlot; 3],
}

impl ShapeMarkers {
    /// Adds the keys that distinguish shapes to `tree`.
    pub(crate) fn new(tree: &mut KeyTree) -> Self {
        let mut exact = |key: &str| tree.slot(&[key], false);
        Self {
            time_generated: exact("TimeGenerated"),
            table_name: exact("TableName"),
            created: exact("createdDateTime"),
            portal: exact(PORTAL_KEY),
            cmdlet: CmdletShapeMarkers {
                created: exact("CreatedDateTime"),
                status: exact("Status"),
                event_types: exact("SignInEventTypes"),
                interactive: exact("IsInteractive"),
                user_agent: exact("UserAgent"),
                activity: exact("ActivityDateTime"),
                initiated_by: exact("InitiatedBy"),
                sign_in: ["IpAddress", "ClientAppUsed", "ConditionalAccessStatus"].map(&mut exact),
            },
            ty: exact("Type"),
            original_type: exact("_OriginalType"),
            event_types: exact("signInEventTypes"),
            interactive: exact("isInteractive"),
            user_agent: exact("userAgent"),
            activity: exact("activityDateTime"),
            initiated_by: exact("initiatedBy"),
            status: exact("status"),
            sign_in: SIGN_IN_KEYS.map(&mut exact),
            user: exact("userPrincipalName"),
            app: ["appDisplayName", "appId"].map(&mut exact),
            result: exact("ResultType"),
            columns: ["CreatedDateTime", "UserPrincipalName", "AppDisplayName"].map(&mut exact),
            time: tree.slot(&["time"], true),
            category: tree.slot(&["category"], true),
            properties: tree.slot(&["properties"], true),
            joined: tree.joined_slot(),
        }
    }

    /// Classifies the record that `scanner` scanned last.
    pub(crate) fn classify(&self, scanner: &RecordScanner, record: &str) -> RecordClass {
        let value = |slot: ValueSlot| scanner.value(slot, record);
        let is = |slot: ValueSlot, first: u8| value(slot).is_some_and(|text| text.as_bytes().first() == Some(&first));
        if is(self.properties, b'{') && value(self.time).is_some() && value(self.category).is_some() {
            return diagnostic(value(self.category).unwrap_or(""));
        }
        if let Some(time) = value(self.time_generated) {
            let kind = if value(self.table_name).is_some() { RowKind::Az } else { RowKind::Flat };
            let is_timed = !matches!(time, "null" | "\"\"") || value(self.original_type).is_some();
            return flat(kind, value(self.original_type), value(self.ty), is_timed);
        }
        if value(self.created).is_some()
            && let Some(mark) = value(self.portal)
        {
            let told = known_table(&dynamic::to_text(mark));
            return told.map_or(assumed(RowKind::PortalCsv, true), |table| row(RowKind::PortalCsv, table, true, true));
        }
        if value(self.created).is_some() && self.is_sign_in(&value) {
            let complete = value(self.event_types).is_some() || value(self.user_agent).is_some();
            return graph(RowKind::Graph, value(self.event_types), value(self.interactive), complete);
        }
        if let Some(row) = self.row_without_time(&value) {
            return row;
        }
        let cmdlet = &self.cmdlet;
        if value(cmdlet.created).is_some() && self.is_cmdlet_sign_in(&value) {
            let complete = value(cmdlet.event_types).is_some() || value(cmdlet.user_agent).is_some();
            return graph(RowKind::Cmdlet, value(cmdlet.event_types), value(cmdlet.interactive), complete);
        }
        let audit = |kind: RowKind, activity: ValueSlot, initiated_by: ValueSlot| {
            let table = known_table("AuditLogs").filter(|_| value(activity).is_some() && value(initiated_by).is_some());
            table.map(|table| row(kind, table, true, true))
        };
        audit(RowKind::Graph, self.activity, self.initiated_by)
            .or_else(|| audit(RowKind::Cmdlet, cmdlet.activity, cmdlet.initiated_by))
            .unwrap_or(RecordClass::Unknown)
    }

    /// Classifies a row that a query returned without `TimeGenerated`: it must name its table or have columns of
    /// sign-ins. Returns None for other records.
    fn row_without_time<'a>(&self, value: &impl Fn(ValueSlot) -> Option<&'a str>) -> Option<RecordClass> {
        let kind = if value(self.table_name).is_some() { RowKind::Az } else { RowKind::Flat };
        let ty = value(self.ty).filter(|ty| table_named(&dynamic::to_text(ty)).is_some());
        if ty.is_some() {
            return Some(flat(kind, None, ty, false));
        }
        let is_sign_in = value(self.result).is_some() && self.columns.iter().any(|&slot| value(slot).is_some());
        // `flat` gives a row that names an unknown table to that table, whatever its columns are.
        is_sign_in.then(|| flat(kind, value(self.original_type), value(self.ty), false))
    }

    /// True if an object that a cmdlet wrote, and that has a creation time, is a sign-in.
    fn is_cmdlet_sign_in<'a>(&self, value: &impl Fn(ValueSlot) -> Option<&'a str>) -> bool {
        let cmdlet = &self.cmdlet;
        let status = value(cmdlet.status).is_some_and(|json| json.starts_with('{') || powershell::is_cut(json));
        let [event_types, interactive] = [cmdlet.event_types, cmdlet.interactive];
        status || [event_types, interactive].iter().chain(&cmdlet.sign_in).any(|&slot| value(slot).is_some())
    }

    /// True if a Graph object with `createdDateTime` is a sign-in. Users, policies, alerts and many others have this
    /// key, too. The status of an alert is a string; that of a sign-in is an object, or the string that PowerShell
    /// writes in its place.
    fn is_sign_in<'a>(&self, value: &impl Fn(ValueSlot) -> Option<&'a str>) -> bool {
        let has = |slot: &ValueSlot| value(*slot).is_some();
        let status = value(self.status).is_some_and(|json| json.starts_with('{') || powershell::is_cut(json));
        status
            || [self.portal, self.event_types, self.interactive, self.user_agent].iter().any(has)
            || self.sign_in.iter().any(has)
            || (has(&self.user) && self.app.iter().any(has))
    }
}

/// Returns the class of a row of `table` that is not a copy and names no unknown kind.
pub(super) fn row(kind: RowKind, table: &'static KnownTable, certain: bool, complete: bool) -> RecordClass {
    RecordClass::Row(RowClass { kind, table, certain, complete, copied: false, unknown_kind: false })
}

fn diagnostic(category: &str) -> RecordClass {
    let category = dynamic::to_text(category);
    match table_of_category(category.trim_ascii()) {
        Some(table) => row(RowKind::Diagnostic, table, true, true),
        None if category.is_empty() => RecordClass::Unknown,
        None => RecordClass::OtherTable(category.into_owned()),
    }
}

/// Classifies a row by the table that it names. `original` is the table from which a search job copied it; `is_timed`
/// is true if it has a `TimeGenerated`.
fn flat(kind: RowKind, original: Option<&str>, ty: Option<&str>, is_timed: bool) -> RecordClass {
    let name = dynamic::to_text(original.or(ty).unwrap_or("null"));
    let copied = original.is_some();
    match table_named(&name) {
        Some(table) => {
            RecordClass::Row(RowClass { kind, table, certain: true, complete: is_timed, copied, unknown_kind: false })
        }
        None if name.trim_ascii().is_empty() => assumed(kind, is_timed),
        None => RecordClass::OtherTable(name.into_owned()),
    }
}

/// Classifies a Graph sign-in. Its table is determined by `event_types`, or else by `interactive`, or else assumed.
fn graph(kind: RowKind, event_types: Option<&str>, interactive: Option<&str>, complete: bool) -> RecordClass {
    let (listed, names_any) = event_types.map_or((None, false), told_by);
    let interactive = interactive.filter(|json| json.len() > 2).map(dynamic::to_text);
    let told = listed.or_else(|| match interactive?.to_ascii_lowercase().as_str() {
        "true" => Some("SigninLogs"),
        "false" => Some("AADNonInteractiveUserSignInLogs"),
        _ => None,
    });
    let unknown_kind = names_any && listed.is_none();
    let class = match told.and_then(known_table) {
        Some(table) => row(kind, table, true, complete),
        None => assumed(kind, complete),
    };
    match class {
        RecordClass::Row(row) => RecordClass::Row(RowClass { unknown_kind, ..row }),
        other => other,
    }
}

/// Returns the table of the first known kind in a list of kinds of sign-ins, and whether the list names any kind.
/// Unknown kinds before it are skipped. Tools write such a list as JSON, as a JSON string, as a Python list, or with
/// separators.
fn told_by(list: &str) -> (Option<&'static str>, bool) {
    if list.starts_with('[') && !list.contains('\\') {
        let mut names = list.split('"').skip(1).step_by(2).peekable();
        let is_listed = names.peek().is_some();
        return (names.find_map(table_of_event_type), is_listed);
    }
    let text = dynamic::to_text(list);
    let text = if text.contains('\\') { dynamic::unescape(&text) } else { text.as_ref().into() };
    let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let mut names = text.split(|c| !is_name(c)).filter(|name| !name.is_empty() && *name != "null").peekable();
    let is_listed = names.peek().is_some();
    (names.find_map(table_of_event_type), is_listed)
}

/// Returns the table of a kind of sign-in, in any case. Cmdlets capitalise the kind, and scripts write the category
/// of the table instead.
fn table_of_event_type(name: &str) -> Option<&'static str> {
    const KINDS: [(&str, &str); 4] = [
        ("interactiveUser", "SigninLogs"),
        ("nonInteractiveUser", "AADNonInteractiveUserSignInLogs"),
        ("servicePrincipal", "AADServicePrincipalSignInLogs"),
        ("managedIdentity", "AADManagedIdentitySignInLogs"),
    ];
    let known = KINDS.iter().find(|(kind, _)| kind.eq_ignore_ascii_case(name)).map(|(_, table)| *table);
    known.or_else(|| table_of_category(name).map(|table| table.name).filter(|name| name.ends_with("SignInLogs")))
}

/// Classifies a sign-in that does not name its table: it is assumed to belong to SigninLogs.
fn assumed(kind: RowKind, complete: bool) -> RecordClass {
    known_table("SigninLogs").map_or(RecordClass::Unknown, |table| row(kind, table, false, complete))
}
