//! What a record is: its row kind and its table, told by its own keys.

use std::borrow::Cow;

use super::cmdlet;
use super::keys::{KeyTree, Slot};
use super::record::RecordScanner;

use crate::source::shape::portal::table_of_download;
use crate::source::shape::table::table_of_category;
use crate::source::shape::{KnownTable, RowKind, known_table, known_tables, table_named};
use crate::types::dynamic;

/// The key that marks rows of the portal's CSV, which are laid out as Graph objects; its value is their table where the
/// headers tell it.
pub(crate) const PORTAL_KEY: &str = "@portalCsv";

/// Keys that records are known to have and no column wants: transport, bookkeeping, wrappers.
pub(crate) const IGNORED_KEYS: [&[&str]; 9] = [
    &["_Internal_WorkspaceResourceId"],
    &["_OriginalItemId"],
    &["_OriginalTimeGenerated"],
    &["_OriginalType"],
    &["@odata.type"],
    &["TableName"],
    // The envelope's own `tenantId` once more.
    &["properties", "tenantId"],
    &["AdditionalProperties"],
    &[PORTAL_KEY],
];

/// Keys that no other object of Graph has beside `createdDateTime`.
const SIGN_IN_KEYS: [&str; 4] = ["ipAddress", "clientAppUsed", "conditionalAccessStatus", "correlationId"];

/// What a record turned out to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Class {
    /// A row of a known table.
    Row(RowClass),
    /// A row of a table whose columns are not known, with the name or category that it gives.
    OtherTable(String),
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
    /// True for a copy that a search job made.
    pub copied: bool,
}

/// The table that a path tells, for records that do not tell it: `am-<table>` is a container of data export.
pub(crate) fn table_of_path(path: &str) -> Option<&'static KnownTable> {
    path.split(['/', '\\']).find_map(|part| {
        let download = table_of_download(part);
        let exported = part.strip_prefix("am-").and_then(|name| {
            known_tables().find(|table| table.name.eq_ignore_ascii_case(name)).map(|table| table.name)
        });
        download.or(exported).or_else(|| extracted(part)).and_then(known_table)
    })
}

/// The table of `20260304091500-nonInteractiveUser-SignInLogs.json`, as a collector of Graph names its files.
fn extracted(name: &str) -> Option<&'static str> {
    let mut words = name.splitn(3, '-');
    let (time, kind, what) = (words.next()?, words.next()?, words.next()?);
    let is_time = time.len() == 14 && time.bytes().all(|byte| byte.is_ascii_digit());
    table_of_event_type(kind).filter(|_| is_time && what.starts_with("SignInLogs"))
}

impl PartialEq for RowClass {
    fn eq(&self, other: &Self) -> bool {
        let flags = |class: &Self| (class.kind, class.certain, class.complete, class.copied);
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
    portal: Slot,
    cmdlet: CmdletMarkers,
    ty: Slot,
    original_type: Slot,
    event_types: Slot,
    interactive: Slot,
    user_agent: Slot,
    activity: Slot,
    initiated_by: Slot,
    status: Slot,
    sign_in: [Slot; 4],
    user: Slot,
    app: [Slot; 2],
}

/// The same for the capitalised keys of cmdlets.
#[derive(Clone, Debug)]
struct CmdletMarkers {
    created: Slot,
    status: Slot,
    event_types: Slot,
    interactive: Slot,
    user_agent: Slot,
    activity: Slot,
    initiated_by: Slot,
}

impl Markers {
    /// Puts the marker keys among the wanted keys of `tree`.
    pub(crate) fn new(tree: &mut KeyTree) -> Self {
        let mut exact = |key: &str| tree.slot(&[key], false);
        Self {
            time_generated: exact("TimeGenerated"),
            table_name: exact("TableName"),
            created: exact("createdDateTime"),
            portal: exact(PORTAL_KEY),
            cmdlet: CmdletMarkers {
                created: exact("CreatedDateTime"),
                status: exact("Status"),
                event_types: exact("SignInEventTypes"),
                interactive: exact("IsInteractive"),
                user_agent: exact("UserAgent"),
                activity: exact("ActivityDateTime"),
                initiated_by: exact("InitiatedBy"),
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
            let kind = if value(self.table_name).is_some() { RowKind::Az } else { RowKind::Flat };
            return flat(kind, value(self.original_type), value(self.ty));
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
        let cmdlet = &self.cmdlet;
        if is(cmdlet.status, b'{') && value(cmdlet.created).is_some() {
            let complete = value(cmdlet.event_types).is_some() || value(cmdlet.user_agent).is_some();
            return graph(RowKind::Cmdlet, value(cmdlet.event_types), value(cmdlet.interactive), complete);
        }
        let audit = |kind: RowKind, activity: Slot, initiated_by: Slot| {
            let table = known_table("AuditLogs").filter(|_| value(activity).is_some() && value(initiated_by).is_some());
            table.map(|table| row(kind, table, true, true))
        };
        audit(RowKind::Graph, self.activity, self.initiated_by)
            .or_else(|| audit(RowKind::Cmdlet, cmdlet.activity, cmdlet.initiated_by))
            .unwrap_or(Class::Unknown)
    }

    /// True for a sign-in among the objects of Graph that were created at some time: users, policies, alerts and many
    /// others have `createdDateTime`, too. The status of an alert is a word, that of a sign-in an object, or what
    /// PowerShell leaves of one.
    fn is_sign_in<'a>(&self, value: &impl Fn(Slot) -> Option<&'a str>) -> bool {
        let has = |slot: &Slot| value(*slot).is_some();
        let status = value(self.status).is_some_and(|json| json.starts_with('{') || cmdlet::is_cut(json));
        status
            || [self.portal, self.event_types, self.interactive, self.user_agent].iter().any(has)
            || self.sign_in.iter().any(has)
            || (has(&self.user) && self.app.iter().any(has))
    }
}

fn row(kind: RowKind, table: &'static KnownTable, certain: bool, complete: bool) -> Class {
    Class::Row(RowClass { kind, table, certain, complete, copied: false })
}

fn diagnostic(category: &str) -> Class {
    let category = dynamic::to_text(category);
    match table_of_category(category.trim_ascii()) {
        Some(table) => row(RowKind::Diagnostic, table, true, true),
        None if category.is_empty() => Class::Unknown,
        None => Class::OtherTable(category.into_owned()),
    }
}

/// A row with the name of its table; `original` is the one that a search job copied it from.
fn flat(kind: RowKind, original: Option<&str>, ty: Option<&str>) -> Class {
    let name = dynamic::to_text(original.or(ty).unwrap_or("null"));
    let copied = original.is_some();
    match table_named(&name) {
        Some(table) => Class::Row(RowClass { kind, table, certain: true, complete: true, copied }),
        None if name.trim_ascii().is_empty() => assumed(kind, true),
        None => Class::OtherTable(name.into_owned()),
    }
}

fn graph(kind: RowKind, event_types: Option<&str>, interactive: Option<&str>, complete: bool) -> Class {
    let names = || event_types.into_iter().flat_map(|list| list.split('"').skip(1).step_by(2)).map(unescaped);
    // A list may begin with values that Graph did not know yet.
    let told = names().find_map(|name| table_of_event_type(&name)).or_else(|| match interactive {
        _ if names().next().is_some() => None,
        Some("true") => Some("SigninLogs"),
        Some("false") => Some("AADNonInteractiveUserSignInLogs"),
        _ => None,
    });
    match (told.and_then(known_table), names().next()) {
        (Some(table), _) => row(kind, table, true, complete),
        (None, Some(other)) => Class::OtherTable(other.into_owned()),
        (None, None) => assumed(kind, complete),
    }
}

fn table_of_event_type(name: &str) -> Option<&'static str> {
    Some(match name {
        "interactiveUser" => "SigninLogs",
        "nonInteractiveUser" => "AADNonInteractiveUserSignInLogs",
        "servicePrincipal" => "AADServicePrincipalSignInLogs",
        "managedIdentity" => "AADManagedIdentitySignInLogs",
        _ => return None,
    })
}

/// The text that stands between quotes.
fn unescaped(inside: &str) -> Cow<'_, str> {
    if !inside.contains('\\') {
        return Cow::Borrowed(inside);
    }
    Cow::Owned(dynamic::to_text(&format!("\"{inside}\"")).into_owned())
}

/// Sign-in records that do not say of which table they are.
fn assumed(kind: RowKind, complete: bool) -> Class {
    known_table("SigninLogs").map_or(Class::Unknown, |table| row(kind, table, false, complete))
}
