//! `coldcase synth`: generates synthetic archives.

use super::args::{SynthArgs, SynthShape, SynthTable};
use super::{Outcome, reporter, session};
use crate::diagnostic::Result;
use crate::synth::{self, Shape, SynthCompression, SynthOptions};

pub(super) fn run(args: &SynthArgs) -> Result<Outcome> {
    let SynthTable::Signinlogs = args.table;
    let options = SynthOptions {
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
        out: args.out.clone(),
        threads: session::threads(args.threads),
    };
    let made = synth::signinlogs(&options)?;
    if !args.quiet {
        reporter::print_line(&format!(
            "{} sign-ins in {} files, {} bytes; {} by emergency accounts, {} of them successful",
            made.rows, made.files, made.bytes, made.break_glass, made.break_glass_granted
        ));
    }
    Ok(Outcome::Success)
}
