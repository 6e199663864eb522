//! The tables `AADUserRiskEvents`, with the detections of Identity Protection, and `AADRiskyUsers`, with the users
//! concerned.

use super::calendar::SECOND;
use super::catalogue::TENANT_RESOURCE;
use super::columns::SynthValue::{self, Bool, Dynamic, Text, Time};
use super::columns::{StoredRow, SynthColumn, SynthRow, TableFormat};
use super::people::User;
use super::random::{Purpose, Random, Weighted};
use super::timeline::Timeline;
use super::world::{USERS, World};
use super::{RowSource, SynthOptions};

const USERS_NAME: [&str; 2] = ["AADRiskyUsers", "RiskyUsers"];
const EVENTS_NAME: [&str; 2] = ["AADUserRiskEvents", "UserRiskEvents"];

/// The kinds of detections: name, when the detection is made, level, and relative frequency.
const DETECTIONS: &[(&str, &str, &str, u64)] = &[
    ("unfamiliarFeatures", "realtime", "medium", 400),
    ("anonymizedIPAddress", "realtime", "medium", 120),
    ("passwordSpray", "offline", "high", 90),
    ("unlikelyTravel", "offline", "low", 160),
    ("mcasImpossibleTravel", "offline", "low", 60),
    ("leakedCredentials", "offline", "high", 15),
    ("maliciousIPAddress", "offline", "medium", 30),
    ("suspiciousBrowser", "offline", "low", 25),
    ("anomalousToken", "realtime", "high", 20),
];

/// The states in which a risk can be: state, detail, and relative frequency.
const STATES: &[(&str, &str, u64)] = &[
    ("atRisk", "none", 500),
    ("remediated", "userPassedMFADrivenByRiskBasedPolicy", 300),
    ("remediated", "userPerformedSecuredPasswordChange", 90),
    ("dismissed", "adminDismissedAllRiskForUser", 100),
    ("confirmedCompromised", "adminConfirmedUserCompromised", 10),
];

/// Generates the risks of users.
pub struct RiskLog<'w> {
    world: &'w World,
    timeline: Timeline,
    detections: Weighted,
    states: Weighted,
}

/// A row of either table: a detection, or the state of the user after it.
pub struct RiskRow<'w> {
    stored: StoredRow,
    world: &'w World,
    user: &'w User,
    /// When the activity took place, in microseconds since 1970.
    activity: i64,
    /// When the activity was detected, in microseconds since 1970.
    detected: i64,
    id: String,
    request: String,
    correlation: String,
    address: String,
    location: usize,
    detection: usize,
    state: usize,
    additional: String,
}

impl<'w> RiskLog<'w> {
    /// Creates a generator of the rows that `options` ask for.
    pub fn new(world: &'w World, options: &SynthOptions) -> Self {
        Self {
            world,
            timeline: Timeline::of_table(options, Purpose::Risk),
            detections: Weighted::new(DETECTIONS.iter().map(|detection| detection.3)),
            states: Weighted::new(STATES.iter().map(|state| state.2)),
        }
    }

    fn row(&self, random: &mut Random, arrival: i64) -> RiskRow<'w> {
        let user = self.world.user(random.below(USERS) as usize);
        let stored = StoredRow::new(arrival, random);
        let detected = stored.published - random.between(5 * SECOND, 90 * SECOND);
        let detection = self.detections.pick(random);
        // Detections that are not made at once take minutes or hours.
        let delay = if DETECTIONS[detection].1 == "realtime" { 2 * SECOND } else { 8 * 3600 * SECOND };
        let agent = super::json::text(&random.pick(&user.devices).agent);
        let (attacker, location) = random.pick(&self.world.attackers);
        let away = random.happens(700);
        RiskRow {
            world: self.world,
            activity: detected - random.between(SECOND, delay),
            id: [random.guid().text(), random.guid().text()].concat().replace('-', ""),
            request: random.guid().text(),
            correlation: random.guid().text(),
            address: if away { attacker.clone() } else { user.home_address(detected) },
            location: if away { *location } else { user.home },
            state: self.states.pick(random),
            additional: format!(r#"[{{"Key":"userAgent","Value":{agent}}}]"#),
            stored,
            user,
            detected,
            detection,
        }
    }
}

impl<'w> RowSource for RiskLog<'w> {
    type Row = RiskRow<'w>;

    fn timeline(&self) -> &Timeline {
        &self.timeline
    }

    fn chunk(&self, index: u64) -> Vec<RiskRow<'w>> {
        self.timeline.draw(index, |random, arrival| self.row(random, arrival))
    }
}

impl SynthRow for RiskRow<'_> {
    fn stored(&self) -> &StoredRow {
        &self.stored
    }
}

/// Returns the format of `AADRiskyUsers`.
pub fn users<'w>() -> TableFormat<RiskRow<'w>> {
    let columns = vec![
        column("CorrelationId", Text(|row| &row.user.id)),
        column("Id", Text(|row| &row.user.id)),
        column("IsDeleted", Bool(|_| Some(false))),
        column("IsProcessing", Bool(|_| Some(false))),
        column("OperationName", Text(|_| "Risky user")),
        column("RiskDetail", Text(|row| STATES[row.state].1)),
        column("RiskLastUpdatedDateTime", Time(|row| row.detected)),
        column("RiskLevel", Text(RiskRow::level)),
        column("RiskState", Text(|row| STATES[row.state].0)),
        column("Type", Text(|_| USERS_NAME[0])),
        column("UserDisplayName", Text(|row| &row.user.name)),
        column("UserPrincipalName", Text(|row| &row.user.principal)),
    ];
    let record_only = record_only(Text(|_| USERS_NAME[1]));
    TableFormat { record_only, ..TableFormat::new(USERS_NAME, columns, ENVELOPE, USER_PROPERTIES) }
}

/// Returns the format of `AADUserRiskEvents`.
pub fn events<'w>() -> TableFormat<RiskRow<'w>> {
    let columns = vec![
        column("Activity", Text(|_| "signin")),
        column("ActivityDateTime", Time(|row| row.activity)),
        column("AdditionalInfo", Dynamic(|row| &row.additional)),
        column("CorrelationId", Text(|row| &row.correlation)),
        column("DetectedDateTime", Time(|row| row.detected)),
        column("DetectionTimingType", Text(|row| DETECTIONS[row.detection].1)),
        column("Id", Text(|row| &row.id)),
        column("IpAddress", Text(|row| &row.address)),
        column("LastUpdatedDateTime", Time(|row| row.detected + 3 * SECOND)),
        column("Location", Dynamic(|row| &row.world.locations[row.location])),
        column("OperationName", Text(|_| "User Risk Detection")),
        column("RequestId", Text(|row| &row.request)),
        column("RiskDetail", Text(|row| STATES[row.state].1)),
        column("RiskEventType", Text(|row| DETECTIONS[row.detection].0)),
        column("RiskLevel", Text(RiskRow::level)),
        column("RiskState", Text(|row| STATES[row.state].0)),
        column("Source", Text(|_| "IdentityProtection")),
        column("TokenIssuerType", Text(|_| "AzureAD")),
        column("Type", Text(|_| EVENTS_NAME[0])),
        column("UserDisplayName", Text(|row| &row.user.name)),
        column("UserId", Text(|row| &row.user.id)),
        column("UserPrincipalName", Text(|row| &row.user.principal)),
    ];
    let record_only = record_only(Text(|_| EVENTS_NAME[1]));
    TableFormat { record_only, ..TableFormat::new(EVENTS_NAME, columns, ENVELOPE, EVENT_PROPERTIES) }
}

fn column<'w>(name: &'static str, value: SynthValue<RiskRow<'w>>) -> SynthColumn<RiskRow<'w>> {
    SynthColumn { name, value }
}

/// Returns the values of records that are not columns of the table: their category, and the tenant.
fn record_only(category: SynthValue<RiskRow<'_>>) -> Vec<SynthColumn<RiskRow<'_>>> {
    vec![column("RecordCategory", category), column("ResourceId", Text(|_| TENANT_RESOURCE))]
}

impl RiskRow<'_> {
    fn level(&self) -> &str {
        match STATES[self.state].0 {
            "atRisk" | "confirmedCompromised" => DETECTIONS[self.detection].2,
            _ => "none",
        }
    }
}

/// The keys of the envelope of a record in diagnostic settings, and the column whose value each has.
static ENVELOPE: &[(&str, &str)] = &[
    ("time", "TimeGenerated"),
    ("resourceId", "ResourceId"),
    ("operationName", "OperationName"),
    ("category", "RecordCategory"),
    ("correlationId", "CorrelationId"),
];

/// The keys of `properties` in a record about a risky user, and the column whose value each has.
static USER_PROPERTIES: &[(&str, &str)] = &[
    ("id", "Id"),
    ("userDisplayName", "UserDisplayName"),
    ("userPrincipalName", "UserPrincipalName"),
    ("riskLastUpdatedDateTime", "RiskLastUpdatedDateTime"),
    ("riskState", "RiskState"),
    ("riskDetail", "RiskDetail"),
    ("riskLevel", "RiskLevel"),
    ("isDeleted", "IsDeleted"),
    ("isProcessing", "IsProcessing"),
];

/// The keys of `properties` in a record about a detection, each with the name of the column whose value it has.
static EVENT_PROPERTIES: &[(&str, &str)] = &[
    ("id", "Id"),
    ("requestId", "RequestId"),
    ("correlationId", "CorrelationId"),
    ("riskEventType", "RiskEventType"),
    ("riskState", "RiskState"),
    ("riskLevel", "RiskLevel"),
    ("riskDetail", "RiskDetail"),
    ("source", "Source"),
    ("detectionTimingType", "DetectionTimingType"),
    ("activity", "Activity"),
    ("ipAddress", "IpAddress"),
    ("location", "Location"),
    ("activityDateTime", "ActivityDateTime"),
    ("detectedDateTime", "DetectedDateTime"),
    ("lastUpdatedDateTime", "LastUpdatedDateTime"),
    ("userId", "UserId"),
    ("userDisplayName", "UserDisplayName"),
    ("userPrincipalName", "UserPrincipalName"),
    ("additionalInfo", "AdditionalInfo"),
    ("tokenIssuerType", "TokenIssuerType"),
];
