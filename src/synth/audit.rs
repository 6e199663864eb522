//! The table `AuditLogs`: changes to the directory, made by administrators, apps and the service itself.

use super::calendar::SECOND;
use super::catalogue::{TENANT, TENANT_RESOURCE};
use super::columns::SynthValue::{self, Dynamic, Long, Text, Time};
use super::columns::{StoredRow, SynthColumn, SynthRow, TableFormat};
use super::json;
use super::people::User;
use super::random::{Purpose, Random, Weighted};
use super::timeline::Timeline;
use super::world::{USERS, World};
use super::{RowSource, SynthOptions};

const NAME: [&str; 2] = ["AuditLogs", "AuditLogs"];
/// The number of users who make changes.
const ADMINISTRATORS: u64 = 40;

/// A kind of change to the directory.
struct AuditActivity {
    name: &'static str,
    category: &'static str,
    operation: &'static str,
    service: &'static str,
    /// The property that is changed, and its new value as JSON; "" if there is none.
    change: (&'static str, &'static str),
    /// Who makes the change.
    actor: Actor,
    weight: u64,
}

/// Who makes a change to the directory.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Actor {
    Administrator,
    Themselves,
    App,
}

const fn activity(
    [name, category, operation, service]: [&'static str; 4],
    change: (&'static str, &'static str),
    actor: Actor,
    weight: u64,
) -> AuditActivity {
    AuditActivity { name, category, operation, service, change, actor, weight }
}

use Actor::{Administrator, App, Themselves};

const CORE: &str = "Core Directory";

/// The kinds of changes, with their relative frequencies.
static ACTIVITIES: [AuditActivity; 18] = [
    activity(["Update user", "UserManagement", "Update", CORE], ("JobTitle", "[\"Engineer\"]"), App, 300),
    activity(["Add user", "UserManagement", "Add", CORE], ("AccountEnabled", "[true]"), Administrator, 30),
    activity(["Delete user", "UserManagement", "Delete", CORE], ("AccountEnabled", "[false]"), Administrator, 15),
    activity(["Disable account", "UserManagement", "Update", CORE], ("AccountEnabled", "[false]"), Administrator, 15),
    activity(["Reset user password", "UserManagement", "Update", CORE], ("", ""), Administrator, 40),
    activity(["Change user password", "UserManagement", "Update", CORE], ("", ""), Themselves, 90),
    activity(["Invite external user", "UserManagement", "Invite", "Invited Users"], ("", ""), Administrator, 25),
    activity(
        ["User registered security info", "UserManagement", "Add", "Authentication Methods"],
        ("StrongAuthenticationMethod", "[{\"MethodType\":6,\"Default\":true}]"),
        Themselves,
        80,
    ),
    activity(
        ["Add member to group", "GroupManagement", "Assign", CORE],
        ("Group.DisplayName", "\"SG-Finance\""),
        Administrator,
        120,
    ),
    activity(
        ["Remove member from group", "GroupManagement", "Unassign", CORE],
        ("Group.DisplayName", "\"SG-Pilot «Zwei»\""),
        Administrator,
        70,
    ),
    activity(
        ["Add member to role", "RoleManagement", "Assign", CORE],
        ("Role.DisplayName", "\"Global Reader\""),
        Administrator,
        8,
    ),
    activity(
        ["Add eligible member to role in PIM completed (permanent)", "RoleManagement", "Assign", "PIM"],
        ("Role.DisplayName", "\"Security Administrator\""),
        Administrator,
        5,
    ),
    activity(["Update device", "Device", "Update", CORE], ("DeviceOSVersion", "[\"10.0.22631\"]"), App, 160),
    activity(["Register device", "Device", "Add", "Device Registration Service"], ("", ""), Themselves, 40),
    activity(
        ["Consent to application", "ApplicationManagement", "Assign", CORE],
        ("ConsentAction.Permissions", "\"Scope: User.Read Mail.Read\""),
        Themselves,
        12,
    ),
    activity(
        ["Update application – Certificates and secrets management ", "ApplicationManagement", "Update", CORE],
        ("KeyDescription", "[\"secret 2026\"]"),
        Administrator,
        10,
    ),
    activity(
        ["Update conditional access policy", "Policy", "Update", "Conditional Access"],
        ("ConditionalAccessPolicy", "{\"state\":\"enabled\"}"),
        Administrator,
        3,
    ),
    activity(["Update StsRefreshTokenValidFrom Timestamp", "UserManagement", "Update", CORE], ("", ""), App, 60),
];

/// Generates the changes to the directory.
pub struct AuditLog<'w> {
    world: &'w World,
    timeline: Timeline,
    weights: Weighted,
    administrators: Weighted,
}

/// A row of the table: one change.
pub struct AuditRow {
    stored: StoredRow,
    /// When the change was made, in microseconds since 1970.
    made: i64,
    id: String,
    correlation: String,
    activity: &'static AuditActivity,
    failed: bool,
    identity: String,
    initiated_by: String,
    targets: String,
    details: String,
}

impl<'w> AuditLog<'w> {
    /// Creates a generator of the rows that `options` ask for.
    pub fn new(world: &'w World, options: &SynthOptions) -> Self {
        Self {
            world,
            timeline: Timeline::of_table(options, Purpose::Audit),
            weights: Weighted::new(ACTIVITIES.iter().map(|activity| activity.weight)),
            administrators: Weighted::zipf(ADMINISTRATORS, 2),
        }
    }

    fn row(&self, random: &mut Random, arrival: i64) -> AuditRow {
        let activity = &ACTIVITIES[self.weights.pick(random)];
        let stored = StoredRow::new(arrival, random);
        let target = self.world.user(random.below(USERS) as usize);
        let actor = match activity.actor {
            Actor::Themselves => target,
            _ => self.world.user(self.administrators.pick(random) * 11),
        };
        let app = activity.actor == Actor::App;
        let correlation = random.guid().text();
        AuditRow {
            made: stored.published - random.between(SECOND, 120 * SECOND),
            id: format!("Directory_{correlation}_{:05X}_{}", random.below(1 << 20), random.below(1_000_000_000)),
            failed: random.happens(25),
            identity: if app { "contoso-hr-import".to_owned() } else { actor.name.clone() },
            initiated_by: if app { by_app(self.world) } else { by_user(actor, stored.published) },
            targets: targets(target, activity),
            details: format!(r#"[{{"key":"User-Agent","value":{}}}]"#, json::text(&actor.devices[0].agent)),
            stored,
            correlation,
            activity,
        }
    }
}

fn by_app(world: &World) -> String {
    let id = &world.services[0].user.id;
    format!(
        r#"{{"app":{{"appId":null,"displayName":"contoso-hr-import","servicePrincipalId":"{id}","servicePrincipalName":null}}}}"#
    )
}

fn by_user(user: &User, time: i64) -> String {
    let User { id, principal, .. } = user;
    let address = user.home_address(time);
    format!(
        r#"{{"user":{{"id":"{id}","displayName":null,"userPrincipalName":"{principal}","ipAddress":"{address}","roles":[]}}}}"#
    )
}

fn targets(user: &User, activity: &AuditActivity) -> String {
    let (property, value) = activity.change;
    let changed = if property.is_empty() {
        String::new()
    } else {
        format!(r#"{{"displayName":"{property}","oldValue":"[]","newValue":{}}}"#, json::text(value))
    };
    let User { id, principal, .. } = user;
    format!(
        r#"[{{"id":"{id}","displayName":null,"type":"User","userPrincipalName":"{principal}","modifiedProperties":[{changed}],"administrativeUnits":[]}}]"#
    )
}

impl RowSource for AuditLog<'_> {
    type Row = AuditRow;

    fn timeline(&self) -> &Timeline {
        &self.timeline
    }

    fn chunk(&self, index: u64) -> Vec<AuditRow> {
        self.timeline.draw(index, |random, arrival| self.row(random, arrival))
    }
}

impl SynthRow for AuditRow {
    fn stored(&self) -> &StoredRow {
        &self.stored
    }
}

/// Returns the format of the table.
pub fn format() -> TableFormat<AuditRow> {
    let record_only = vec![column("RecordCategory", Text(|_| NAME[1]))];
    TableFormat { record_only, ..TableFormat::new(NAME, columns(), ENVELOPE, PROPERTIES) }
}

fn column(name: &'static str, value: SynthValue<AuditRow>) -> SynthColumn<AuditRow> {
    SynthColumn { name, value }
}

fn columns() -> Vec<SynthColumn<AuditRow>> {
    vec![
        column("AADOperationType", Text(|row| row.activity.operation)),
        column("AADTenantId", Text(|_| TENANT)),
        column("ActivityDateTime", Time(|row| row.made)),
        column("ActivityDisplayName", Text(|row| row.activity.name)),
        column("AdditionalDetails", Dynamic(|row| &row.details)),
        column("Category", Text(|row| row.activity.category)),
        column("CorrelationId", Text(|row| &row.correlation)),
        column("DurationMs", Long(|_| 0)),
        column("Id", Text(|row| &row.id)),
        column("Identity", Text(|row| &row.identity)),
        column("InitiatedBy", Dynamic(|row| &row.initiated_by)),
        column("Level", Text(|_| "4")),
        column("Location", Text(|_| "")),
        column("LoggedByService", Text(|row| row.activity.service)),
        column("OperationName", Text(|row| row.activity.name)),
        column("OperationVersion", Text(|_| "1.0")),
        column("Resource", Text(|_| "Microsoft.aadiam")),
        column("ResourceGroup", Text(|_| "Microsoft.aadiam")),
        column("ResourceId", Text(|_| TENANT_RESOURCE)),
        column("ResourceProvider", Text(|_| "")),
        column("Result", Text(|row| if row.failed { "failure" } else { "success" })),
        column("ResultDescription", Text(|_| "")),
        column("ResultReason", Text(|row| if row.failed { "Insufficient privileges" } else { "" })),
        column("ResultSignature", Text(|_| "None")),
        column("ResultType", Text(|_| "")),
        column("TargetResources", Dynamic(|row| &row.targets)),
        column("Type", Text(|_| NAME[0])),
    ]
}

/// The keys of the envelope of a record in diagnostic settings, and the column whose value each has.
static ENVELOPE: &[(&str, &str)] = &[
    ("time", "TimeGenerated"),
    ("resourceId", "ResourceId"),
    ("operationName", "OperationName"),
    ("operationVersion", "OperationVersion"),
    ("category", "RecordCategory"),
    ("tenantId", "AADTenantId"),
    ("resultSignature", "ResultSignature"),
    ("durationMs", "DurationMs"),
    ("correlationId", "CorrelationId"),
    ("identity", "Identity"),
    ("level", "Level"),
];

/// The keys of `properties` in a record of diagnostic settings, each with the name of the column whose value it has.
static PROPERTIES: &[(&str, &str)] = &[
    ("id", "Id"),
    ("category", "Category"),
    ("correlationId", "CorrelationId"),
    ("result", "Result"),
    ("resultReason", "ResultReason"),
    ("activityDisplayName", "ActivityDisplayName"),
    ("activityDateTime", "ActivityDateTime"),
    ("loggedByService", "LoggedByService"),
    ("operationType", "AADOperationType"),
    ("initiatedBy", "InitiatedBy"),
    ("targetResources", "TargetResources"),
    ("additionalDetails", "AdditionalDetails"),
];
