//! `coldcase synth`: generates synthetic archives.

use super::args::{SynthArgs, SynthIncident, SynthShape, SynthTable};
use super::{Outcome, reporter, session};
use crate::diagnostic::Result;
use crate::synth::{self, GeneratedTable, IncidentKind, Shape, SynthCompression, SynthOptions, SynthSummary};

pub(super) fn run(args: &SynthArgs) -> Result<Outcome> {
    let options = SynthOptions {
        table: table(args.table),
        rows: args.rows,
        seed: args.seed,
        days: args.days,
        shape: match args.shape {
            SynthShape::LaExport => Shape::LaExport,
            SynthShape::Diagnostic => Shape::Diagnostic,
            SynthShape::Parquet => Shape::Parquet,
        },
        compression: match (args.gzip, args.zstd) {
            (true, _) => SynthCompression::Gzip,
            (_, true) => SynthCompression::Zstd,
            _ => SynthCompression::None,
        },
        inject: incidents(&args.inject),
        out: args.out.clone(),
        threads: session::threads(args.threads),
    };
    let made = synth::generate(&options)?;
    if !args.quiet {
        reporter::print_line(&report(&made, options.table));
    }
    Ok(Outcome::Success)
}

fn table(named: SynthTable) -> GeneratedTable {
    match named {
        SynthTable::Signinlogs => GeneratedTable::SigninLogs,
        SynthTable::Aadnoninteractiveusersigninlogs => GeneratedTable::NonInteractive,
        SynthTable::Aadserviceprincipalsigninlogs => GeneratedTable::ServicePrincipal,
        SynthTable::Auditlogs => GeneratedTable::AuditLogs,
        SynthTable::Aadriskyusers => GeneratedTable::RiskyUsers,
        SynthTable::Aaduserriskevents => GeneratedTable::UserRiskEvents,
    }
}

/// Returns the kinds of incidents, each once.
fn incidents(named: &[SynthIncident]) -> Vec<IncidentKind> {
    let mut kinds: Vec<IncidentKind> = named
        .iter()
        .map(|kind| match kind {
            SynthIncident::Breakglass => IncidentKind::BreakGlass,
            SynthIncident::Spray => IncidentKind::Spray,
            SynthIncident::ImpossibleTravel => IncidentKind::ImpossibleTravel,
        })
        .collect();
    kinds.sort_unstable();
    kinds.dedup();
    kinds
}

fn report(made: &SynthSummary, table: GeneratedTable) -> String {
    let SynthSummary { rows, files, bytes, break_glass, break_glass_granted, .. } = made;
    match table {
        GeneratedTable::SigninLogs => format!(
            "{rows} sign-ins in {files} files, {bytes} bytes; {break_glass} by emergency accounts, \
             {break_glass_granted} of them successful"
        ),
        _ => format!("{rows} rows in {files} files, {bytes} bytes"),
    }
}
