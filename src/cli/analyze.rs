//! `coldcase explain --analyze`: the plan with rows, time, bytes read and bytes skipped for each operator.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::progress::size;
use super::session::Session;
use super::{Outcome, documents, overwrite};
use crate::diagnostic::Result;
use crate::engine::{Clock, Prepared};

/// Runs a query of a run that began at `started`. Its rows are counted and not shown.
pub(super) fn run(session: &Session, prepared: &Prepared, started: Instant) -> Result<Outcome> {
    let planned = started.elapsed();
    overwrite::refuse(session, &[])?;
    let line = session.progress(prepared, started);
    let clock: Arc<dyn Clock> = Arc::new(Stopwatch(Instant::now()));
    let outcome = prepared.analyze(&clock);
    let ran = clock.elapsed();
    line.end();
    session.reporter.report(prepared.report());
    session.finish()?;
    let (plan, rows) = outcome.map_err(|error| session.reporter.query_error(error))?;
    let threads = session.engine.settings().threads;
    let (planned, ran) = (milliseconds(planned), milliseconds(ran));
    let peak = peak_memory().map_or(String::new(), |bytes| format!("; peak memory {}", size(bytes)));
    let temporary = match prepared.temporary_files() {
        0 => String::new(),
        files => format!(", {files} temporary files"),
    };
    let rows = format!("rows: {rows}; planned in {planned}, run in {ran}, {threads} threads{temporary}{peak}");
    let text = format!("{plan}{rows}\nbusy: time in the operator itself, summed over threads\n");
    documents::print(text.as_bytes())?;
    let damaged = session.strict && prepared.report().is_incomplete();
    Ok(if damaged { Outcome::Damaged } else { Outcome::Success })
}

fn milliseconds(time: Duration) -> String {
    format!("{:.3} ms", time.as_secs_f64() * 1000.0)
}

/// The time since it was created.
#[derive(Debug)]
struct Stopwatch(Instant);

impl Clock for Stopwatch {
    fn elapsed(&self) -> Duration {
        self.0.elapsed()
    }
}

/// The peak memory of the process in bytes; None if the system does not report it.
fn peak_memory() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.trim().strip_suffix(" kB")?.parse::<u64>().ok()?.checked_mul(1024)
}
