//! Writes the two shapes of JSON Lines: flat rows of data export, and records of diagnostic settings.

use std::io::{self, BufWriter, Write};

use flate2::write::GzEncoder;

use super::calendar::{HOUR, SLOT, START, write_fixed, write_trimmed};
use super::columns::{COLUMNS, Row, SynthColumn, SynthValue, find};
use super::json::write_text;
use super::layout::{NewFile, data_export_path, diagnostic_path, suffix};
use super::{Archive, Shape, SynthCompression, SynthSummary};
use crate::diagnostic::{Error, Result};

/// The envelope of a record: key, column. Empty strings are left out.
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
    ("identity", "Identity"),
    ("level", "Level"),
    ("location", "Location"),
];

/// The `properties` of a record: key, column.
static PROPERTIES: &[(&str, &str)] = &[
    ("id", "Id"),
    ("createdDateTime", "CreatedDateTime"),
    ("userDisplayName", "UserDisplayName"),
    ("userPrincipalName", "UserPrincipalName"),
    ("userId", "UserId"),
    ("agent", "Agent"),
    ("appId", "AppId"),
    ("appDisplayName", "AppDisplayName"),
    ("ipAddress", "IPAddress"),
    ("ipAddressFromResourceProvider", "IPAddressFromResourceProvider"),
    ("status", "Status"),
    ("clientAppUsed", "ClientAppUsed"),
    ("userAgent", "UserAgent"),
    ("deviceDetail", "DeviceDetail"),
    ("location", "LocationDetails"),
    ("mfaDetail", "MfaDetail"),
    ("correlationId", "CorrelationId"),
    ("conditionalAccessStatus", "ConditionalAccessStatus"),
    ("appliedConditionalAccessPolicies", "ConditionalAccessPolicies"),
    ("appliedEventListeners", "AppliedEventListeners"),
    ("authenticationContextClassReferences", "AuthenticationContextClassReferences"),
    ("originalRequestId", "OriginalRequestId"),
    ("isInteractive", "IsInteractive"),
    ("isRisky", "IsRisky"),
    ("tokenIssuerName", "TokenIssuerName"),
    ("tokenIssuerType", "TokenIssuerType"),
    ("authenticationProcessingDetails", "AuthenticationProcessingDetails"),
    ("networkLocationDetails", "NetworkLocationDetails"),
    ("clientCredentialType", "ClientCredentialType"),
    ("processingTimeInMilliseconds", "ProcessingTimeInMilliseconds"),
    ("riskDetail", "RiskDetail"),
    ("riskLevelAggregated", "RiskLevelAggregated"),
    ("riskLevelDuringSignIn", "RiskLevelDuringSignIn"),
    ("riskState", "RiskState"),
    ("riskEventTypes", "RiskEventTypes"),
    ("riskEventTypes_v2", "RiskEventTypes_V2"),
    ("resourceDisplayName", "ResourceDisplayName"),
    ("resourceId", "ResourceIdentity"),
    ("resourceTenantId", "ResourceTenantId"),
    ("homeTenantId", "HomeTenantId"),
    ("homeTenantName", "HomeTenantName"),
    ("tenantId", "AADTenantId"),
    ("authenticationMethodsUsed", "AuthenticationMethodsUsed"),
    ("authenticationDetails", "AuthenticationDetails"),
    ("authenticationRequirementPolicies", "AuthenticationRequirementPolicies"),
    ("sessionLifetimePolicies", "SessionLifetimePolicies"),
    ("authenticationRequirement", "AuthenticationRequirement"),
    ("alternateSignInName", "AlternateSignInName"),
    ("signInIdentifier", "SignInIdentifier"),
    ("signInIdentifierType", "SignInIdentifierType"),
    ("signInEventTypes", "SignInEventTypes"),
    ("servicePrincipalId", "ServicePrincipalId"),
    ("servicePrincipalName", "ServicePrincipalName"),
    ("userType", "UserType"),
    ("flaggedForReview", "FlaggedForReview"),
    ("isTenantRestricted", "IsTenantRestricted"),
    ("autonomousSystemNumber", "AutonomousSystemNumber"),
    ("crossTenantAccessType", "CrossTenantAccessType"),
    ("privateLinkDetails", "PrivateLinkDetails"),
    ("redirectUrl", "RedirectUrl"),
    ("ssoExtensionVersion", "SsoExtensionVersion"),
    ("uniqueTokenIdentifier", "UniqueTokenIdentifier"),
    ("incomingTokenType", "IncomingTokenType"),
    ("authenticationProtocol", "AuthenticationProtocol"),
    ("appServicePrincipalId", "AppServicePrincipalId"),
    ("sourceAppClientId", "SourceAppClientId"),
    ("resourceServicePrincipalId", "ResourceServicePrincipalId"),
    ("signInTokenProtectionStatus", "SignInTokenProtectionStatus"),
    ("tokenProtectionStatusDetails", "TokenProtectionStatusDetails"),
    ("originalTransferMethod", "OriginalTransferMethod"),
    ("isThroughGlobalSecureAccess", "IsThroughGlobalSecureAccess"),
    ("globalSecureAccessIpAddress", "GlobalSecureAccessIpAddress"),
    ("conditionalAccessAudiences", "ConditionalAccessAudiences"),
    ("sessionId", "SessionId"),
    ("appOwnerTenantId", "AppOwnerTenantId"),
    ("resourceOwnerTenantId", "ResourceOwnerTenantId"),
];

/// The columns that records of diagnostic settings contain.
#[cfg(test)]
pub fn sources() -> impl Iterator<Item = &'static str> {
    let columns: std::collections::BTreeSet<&str> =
        ENVELOPE.iter().chain(PROPERTIES).map(|(_, column)| *column).collect();
    columns.into_iter()
}

/// Writes the rows published in hour `hour` of an archive.
///
/// # Errors
/// [`Error::Io`] if the system refuses.
pub fn write_hour(archive: &Archive, hour: u64) -> Result<SynthSummary> {
    let begin = START + hour as i64 * HOUR;
    let (span, path): (_, fn(i64) -> String) = match archive.options.shape {
        Shape::Diagnostic => (HOUR, diagnostic_path),
        _ => (SLOT, data_export_path),
    };
    let records = Records::new(archive.options.shape)?;
    let mut summary = SynthSummary::default();
    let mut open: Option<(i64, LineFile)> = None;
    let mut line = Vec::with_capacity(8192);
    for chunk in archive.generator.chunks_near_hour(hour as usize) {
        for signin in &archive.generator.chunk(chunk) {
            if !(begin..begin + HOUR).contains(&signin.published) {
                continue;
            }
            let bin = (signin.published - START) / span;
            if open.as_ref().is_none_or(|(number, _)| *number != bin) {
                close(&mut open, &mut summary)?;
                open = Some((bin, LineFile::create(archive, &path(signin.published))?));
            }
            if let Some((_, lines)) = &mut open {
                line.clear();
                records.write(&mut line, &Row { signin, world: archive.world });
                lines.write(&line)?;
                summary.count(signin);
            }
        }
    }
    close(&mut open, &mut summary)?;
    Ok(summary)
}

fn close(open: &mut Option<(i64, LineFile)>, summary: &mut SynthSummary) -> Result<()> {
    if let Some((_, lines)) = open.take() {
        summary.bytes += lines.finish()?;
        summary.files += 1;
    }
    Ok(())
}

/// A file of lines, compressed or not.
struct LineFile {
    path: String,
    sink: LineSink,
}

enum LineSink {
    Plain(BufWriter<NewFile>),
    Gzip(GzEncoder<NewFile>),
    Zstd(zstd::Encoder<'static, NewFile>),
}

impl LineFile {
    fn create(archive: &Archive, path: &str) -> Result<Self> {
        let path = format!("{path}{}", suffix(archive.options.compression));
        let file = NewFile::create(&archive.options.out, &path)?;
        let sink = match archive.options.compression {
            SynthCompression::None => Ok(LineSink::Plain(BufWriter::with_capacity(1 << 16, file))),
            SynthCompression::Gzip => Ok(LineSink::Gzip(GzEncoder::new(file, flate2::Compression::fast()))),
            SynthCompression::Zstd => zstd::Encoder::new(file, 1).map(LineSink::Zstd),
        };
        sink.map(|sink| Self { sink, path: path.clone() }).map_err(|source| Error::io(path, source))
    }

    fn write(&mut self, line: &[u8]) -> Result<()> {
        let written = match &mut self.sink {
            LineSink::Plain(sink) => sink.write_all(line),
            LineSink::Gzip(sink) => sink.write_all(line),
            LineSink::Zstd(sink) => sink.write_all(line),
        };
        written.map_err(|source| Error::io(&self.path, source))
    }

    /// Renames the file to its final name and returns its length in bytes.
    fn finish(self) -> Result<u64> {
        let file = match self.sink {
            LineSink::Plain(sink) => sink.into_inner().map_err(io::IntoInnerError::into_error),
            LineSink::Gzip(sink) => sink.finish(),
            LineSink::Zstd(sink) => sink.finish(),
        };
        file.map_err(|source| Error::io(self.path, source))?.finish()
    }
}

/// A member of an object: key with quotes and colon, and the column of its value.
type Member = (String, &'static SynthColumn);

/// The structure of a shape's rows.
enum Records {
    /// An object with a member for each column.
    Flat(Vec<Member>),
    /// An envelope around `properties`.
    Enveloped { envelope: Vec<Member>, properties: Vec<Member> },
}

impl Records {
    fn new(shape: Shape) -> Result<Self> {
        Ok(match shape {
            Shape::Diagnostic => Self::Enveloped { envelope: members(ENVELOPE)?, properties: members(PROPERTIES)? },
            _ => Self::Flat(COLUMNS.iter().map(|column| (key(column.name), column)).collect()),
        })
    }

    /// Appends a line with its line end: CRLF in diagnostic settings.
    fn write(&self, out: &mut Vec<u8>, row: &Row<'_>) {
        match self {
            Self::Flat(members) => {
                out.push(b'{');
                for (key, column) in members {
                    out.extend_from_slice(key.as_bytes());
                    write_flat(out, row, column.value);
                    out.push(b',');
                }
                replace_last(out, b"}\n");
            }
            Self::Enveloped { envelope, properties } => {
                out.push(b'{');
                for (key, column) in envelope {
                    write_member(out, key, row, column.value);
                }
                out.extend_from_slice(br#""properties":{"#);
                for (key, column) in properties {
                    out.extend_from_slice(key.as_bytes());
                    write_nested(out, row, column.value);
                    out.push(b',');
                }
                replace_last(out, b"}}\r\n");
            }
        }
    }
}

fn members(keys: &[(&str, &'static str)]) -> Result<Vec<Member>> {
    let member = |(name, column): &(&str, &'static str)| {
        let found = find(column).ok_or_else(|| Error::internal(format!("no column {column} in SigninLogs")))?;
        Ok((key(name), found))
    };
    keys.iter().map(member).collect()
}

fn key(name: &str) -> String {
    format!("\"{name}\":")
}

/// Replaces the comma after the last member by the end of the object.
fn replace_last(out: &mut Vec<u8>, end: &[u8]) {
    out.pop();
    out.extend_from_slice(end);
}

/// Writes a member of the envelope: its time has seven digits, and an empty string is left out with its key.
fn write_member(out: &mut Vec<u8>, key: &str, row: &Row<'_>, value: SynthValue) {
    if matches!(value, SynthValue::Text(text) if text(row).is_empty()) {
        return;
    }
    out.extend_from_slice(key.as_bytes());
    write_flat(out, row, value);
    out.push(b',');
}

/// Writes a value of a flat row: JSON in a string column is a JSON string.
fn write_flat(out: &mut Vec<u8>, row: &Row<'_>, value: SynthValue) {
    match value {
        SynthValue::Text(text) | SynthValue::Json(text) => write_text(out, text(row)),
        SynthValue::Dynamic(json) => out.extend_from_slice(json(row).as_bytes()),
        SynthValue::Bool(truth) => out.extend_from_slice(truth_text(truth(row))),
        SynthValue::Long(number) => out.extend_from_slice(number(row).to_string().as_bytes()),
        SynthValue::Real(number) => out.extend_from_slice(number(row).to_string().as_bytes()),
        SynthValue::Time(time) => {
            out.push(b'"');
            write_fixed(out, time(row));
            out.push(b'"');
        }
    }
}

/// Writes a value inside `properties`: JSON is nested, and trailing zeros of a time are trimmed.
fn write_nested(out: &mut Vec<u8>, row: &Row<'_>, value: SynthValue) {
    match value {
        SynthValue::Json(json) => out.extend_from_slice(json(row).as_bytes()),
        SynthValue::Time(time) => {
            out.push(b'"');
            write_trimmed(out, time(row));
            out.push(b'"');
        }
        other => write_flat(out, row, other),
    }
}

fn truth_text(truth: Option<bool>) -> &'static [u8] {
    match truth {
        None => b"null",
        Some(true) => b"true",
        Some(false) => b"false",
    }
}
