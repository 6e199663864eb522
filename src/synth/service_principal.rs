//! The table `AADServicePrincipalSignInLogs`: apps that sign in as themselves, with secrets, certificates or federated
//! tokens.

use std::sync::Arc;

use super::calendar::SECOND;
use super::catalogue::apps::{APPS, Resource};
use super::catalogue::cities::CITIES;
use super::catalogue::{TENANT, TENANT_RESOURCE};
use super::columns::SynthValue::{self, Json, Long, Text, Time};
use super::columns::{StoredRow, SynthColumn, SynthRow, TableFormat};
use super::people::SPOTS;
use super::random::{Purpose, Random, Weighted};
use super::timeline::Timeline;
use super::world::World;
use super::{RowSource, SynthOptions};

const NAME: [&str; 2] = ["AADServicePrincipalSignInLogs", "ServicePrincipalSignInLogs"];
/// The number of service principals.
const PRINCIPALS: u64 = 240;
/// The names of apps, each of which exists in several environments.
const NAMES: &[&str] = &[
    "contoso-automation",
    "contoso-backup",
    "contoso-build",
    "contoso-crm-sync",
    "contoso-hr-import",
    "contoso-invoices",
    "contoso-monitoring",
    "contoso-reports",
    "contoso-scanner",
    "contoso-tickets",
    "Contoso Küchenplan",
    "contoso-vpn",
];
const ENVIRONMENTS: &[&str] = &["prod", "test", "dev", "eu", "us", "in", "legacy", "batch"];
/// The kinds of credentials with which service principals sign in.
const CREDENTIALS: &[&str] = &["clientSecret", "certificate", "clientAssertion"];

/// The results of sign-ins: code, reason, and relative frequency.
const RESULTS: &[(&str, &str, u64)] = &[
    ("0", "", 9700),
    ("7000222", "The provided client secret keys for app are expired.", 120),
    ("7000215", "Invalid client secret provided.", 90),
    ("700016", "Application was not found in the directory.", 30),
    ("53003", "Access has been blocked by Conditional Access policies.", 25),
    ("7000112", "Application is disabled.", 15),
    ("500011", "The resource principal was not found in the tenant.", 20),
];

/// An app that signs in as itself.
struct ServicePrincipal {
    name: String,
    id: String,
    app: String,
    key: String,
    credential: &'static str,
    addresses: Vec<String>,
    location: usize,
    agent: &'static str,
}

/// Generates the sign-ins of all service principals.
pub struct ServicePrincipals<'w> {
    world: &'w World,
    timeline: Timeline,
    principals: Vec<Arc<ServicePrincipal>>,
    busy: Weighted,
    results: Weighted,
}

/// A row of the table: a sign-in of a service principal.
pub struct ServiceSignIn<'w> {
    stored: StoredRow,
    world: &'w World,
    principal: Arc<ServicePrincipal>,
    created: i64,
    id: String,
    token: String,
    correlation: String,
    address: usize,
    resource: &'static Resource,
    result: usize,
    status: String,
}

impl<'w> ServicePrincipals<'w> {
    /// Creates a generator of the rows that `options` ask for, and draws its service principals.
    pub fn new(world: &'w World, options: &SynthOptions) -> Self {
        let mut random = Random::new(options.seed, Purpose::ServicePrincipal, u64::MAX);
        Self {
            world,
            timeline: Timeline::of_table(options, Purpose::ServicePrincipal),
            principals: (0..PRINCIPALS).map(|number| Arc::new(principal(&mut random, number))).collect(),
            busy: Weighted::zipf(PRINCIPALS, 3),
            results: Weighted::new(RESULTS.iter().map(|(_, _, weight)| *weight)),
        }
    }

    fn signin(&self, random: &mut Random, arrival: i64) -> ServiceSignIn<'w> {
        let principal = Arc::clone(&self.principals[self.busy.pick(random)]);
        let stored = StoredRow::new(arrival, random);
        let (id, result) = (random.guid(), self.results.pick(random));
        let (code, reason, _) = RESULTS[result];
        let status = match code {
            "0" => r#"{"errorCode":0}"#.to_owned(),
            _ => format!(r#"{{"errorCode":{code},"failureReason":"{reason}"}}"#),
        };
        ServiceSignIn {
            world: self.world,
            created: stored.published - random.between(28 * SECOND, 600 * SECOND),
            id: id.text(),
            token: id.token_identifier(),
            correlation: random.guid().text(),
            address: random.below(principal.addresses.len() as u64) as usize,
            resource: &random.pick(APPS).resource,
            stored,
            principal,
            result,
            status,
        }
    }
}

fn principal(random: &mut Random, number: u64) -> ServicePrincipal {
    let name = NAMES[number as usize % NAMES.len()];
    let environment = ENVIRONMENTS[number as usize / NAMES.len() % ENVIRONMENTS.len()];
    let again = number / (NAMES.len() * ENVIRONMENTS.len()) as u64;
    let suffix = if again > 0 { format!("-{}", again + 1) } else { String::new() };
    let address = |random: &mut Random| match random.below(3) {
        0 => format!("2001:db8:{:x}:{:x}::{:x}", 0x200 + number, random.below(16), 1 + random.below(0xffff)),
        _ => format!("198.51.100.{}", 205 + random.below(50)),
    };
    ServicePrincipal {
        name: format!("{name}-{environment}{suffix}"),
        id: random.guid().text(),
        app: random.guid().text(),
        key: random.guid().text(),
        credential: CREDENTIALS[random.below(CREDENTIALS.len() as u64) as usize],
        addresses: (0..=random.below(6)).map(|_| address(random)).collect(),
        location: random.below(CITIES.len() as u64) as usize * SPOTS,
        agent: ["", "azsdk-net-Identity/1.12.0", "python-requests/2.32.3"][random.below(3) as usize],
    }
}

impl<'w> RowSource for ServicePrincipals<'w> {
    type Row = ServiceSignIn<'w>;

    fn timeline(&self) -> &Timeline {
        &self.timeline
    }

    fn chunk(&self, index: u64) -> Vec<ServiceSignIn<'w>> {
        self.timeline.draw(index, |random, arrival| self.signin(random, arrival))
    }
}

impl SynthRow for ServiceSignIn<'_> {
    fn stored(&self) -> &StoredRow {
        &self.stored
    }
}

/// Returns the format of the table.
pub fn format<'w>() -> TableFormat<ServiceSignIn<'w>> {
    let record_only = vec![column("ResourceId", Text(|_| TENANT_RESOURCE)), column("Status", Json(|row| &row.status))];
    TableFormat { record_only, ..TableFormat::new(NAME, columns(), ENVELOPE, PROPERTIES) }
}

fn column<'w>(name: &'static str, value: SynthValue<ServiceSignIn<'w>>) -> SynthColumn<ServiceSignIn<'w>> {
    SynthColumn { name, value }
}

fn columns<'w>() -> Vec<SynthColumn<ServiceSignIn<'w>>> {
    vec![
        column("AADTenantId", Text(|_| TENANT)),
        column("Agent", Json(|_| r#"{"agentType":"notAgentic"}"#)),
        column("AppId", Text(|row| &row.principal.app)),
        column("AppOwnerTenantId", Text(|_| TENANT)),
        column("AuthenticationContextClassReferences", Json(|_| "[]")),
        column(
            "AuthenticationProcessingDetails",
            Json(|_| r#"[{"key":"Azure AD App Authentication Library","value":""}]"#),
        ),
        column("AutonomousSystemNumber", Json(|row| CITIES[row.principal.location / SPOTS].network)),
        column("Category", Text(|_| NAME[1])),
        column("ClientCredentialType", Text(|row| row.principal.credential)),
        column("ConditionalAccessAudiences", Json(|_| "[]")),
        column("ConditionalAccessPolicies", Json(|_| "[]")),
        column("ConditionalAccessStatus", Text(|row| if row.code() == "53003" { "failure" } else { "notApplied" })),
        column("CorrelationId", Text(|row| &row.correlation)),
        column("CreatedDateTime", Time(|row| row.created)),
        column("DurationMs", Long(|_| 0)),
        column("IPAddress", Text(|row| &row.principal.addresses[row.address])),
        column("Id", Text(|row| &row.id)),
        column("Identity", Text(|_| "")),
        column("Level", Text(|_| "4")),
        column("Location", Text(|row| CITIES[row.principal.location / SPOTS].country)),
        column("LocationDetails", Json(|row| &row.world.locations[row.principal.location])),
        column("NetworkLocationDetails", Json(|_| "[]")),
        column("OperationName", Text(|_| "Sign-in activity")),
        column("OperationVersion", Text(|_| "1.0")),
        column("ResourceDisplayName", Text(|row| row.resource.name)),
        column("ResourceGroup", Text(|_| "Microsoft.aadiam")),
        column("ResourceIdentity", Text(|row| row.resource.id)),
        column("ResourceOwnerTenantId", Text(|_| TENANT)),
        column("ResourceServicePrincipalId", Text(|row| row.resource.principal)),
        column("ResultDescription", Text(|row| RESULTS[row.result].1)),
        column("ResultSignature", Text(|row| if row.code() == "0" { "SUCCESS" } else { "FAILURE" })),
        column("ResultType", Text(ServiceSignIn::code)),
        column("ServicePrincipalCredentialKeyId", Text(|row| &row.principal.key)),
        column("ServicePrincipalCredentialThumbprint", Text(|_| "")),
        column("ServicePrincipalId", Text(|row| &row.principal.id)),
        column("ServicePrincipalName", Text(|row| &row.principal.name)),
        column("SessionId", Text(|_| "")),
        column("Type", Text(|_| NAME[0])),
        column("UniqueTokenIdentifier", Text(|row| &row.token)),
        column("UserAgent", Text(|row| row.principal.agent)),
    ]
}

impl ServiceSignIn<'_> {
    fn code(&self) -> &str {
        RESULTS[self.result].0
    }
}

/// The keys of the envelope of a record in diagnostic settings, and the column whose value each has.
static ENVELOPE: &[(&str, &str)] = &[
    ("time", "TimeGenerated"),
    ("resourceId", "ResourceId"),
    ("operationName", "OperationName"),
    ("operationVersion", "OperationVersion"),
    ("category", "Category"),
    ("tenantId", "AADTenantId"),
    ("resultType", "ResultType"),
    ("resultSignature", "ResultSignature"),
    ("resultDescription", "ResultDescription"),
    ("durationMs", "DurationMs"),
    ("callerIpAddress", "IPAddress"),
    ("correlationId", "CorrelationId"),
    ("level", "Level"),
    ("location", "Location"),
];

/// The keys of `properties` in a record of diagnostic settings, and the column whose value each has.
static PROPERTIES: &[(&str, &str)] = &[
    ("id", "Id"),
    ("createdDateTime", "CreatedDateTime"),
    ("agent", "Agent"),
    ("appId", "AppId"),
    ("appOwnerTenantId", "AppOwnerTenantId"),
    ("ipAddress", "IPAddress"),
    ("status", "Status"),
    ("userAgent", "UserAgent"),
    ("location", "LocationDetails"),
    ("correlationId", "CorrelationId"),
    ("conditionalAccessStatus", "ConditionalAccessStatus"),
    ("appliedConditionalAccessPolicies", "ConditionalAccessPolicies"),
    ("authenticationContextClassReferences", "AuthenticationContextClassReferences"),
    ("authenticationProcessingDetails", "AuthenticationProcessingDetails"),
    ("networkLocationDetails", "NetworkLocationDetails"),
    ("clientCredentialType", "ClientCredentialType"),
    ("conditionalAccessAudiences", "ConditionalAccessAudiences"),
    ("resourceDisplayName", "ResourceDisplayName"),
    ("resourceId", "ResourceIdentity"),
    ("resourceOwnerTenantId", "ResourceOwnerTenantId"),
    ("resourceServicePrincipalId", "ResourceServicePrincipalId"),
    ("servicePrincipalName", "ServicePrincipalName"),
    ("servicePrincipalId", "ServicePrincipalId"),
    ("servicePrincipalCredentialKeyId", "ServicePrincipalCredentialKeyId"),
    ("servicePrincipalCredentialThumbprint", "ServicePrincipalCredentialThumbprint"),
    ("autonomousSystemNumber", "AutonomousSystemNumber"),
    ("sessionId", "SessionId"),
    ("uniqueTokenIdentifier", "UniqueTokenIdentifier"),
];
