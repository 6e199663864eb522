//! Ends a run early: on a signal, or after `--timeout`.
//!
//! The run checks a flag between batches and then unwinds as after an error. But it may be in a long sort, or waiting
//! for a pipe or a server. So after a short grace period, the process exits: temporary files are removed, and nothing
//! can be published any more.

mod signals;

use std::io::{IsTerminal, Write as _};
use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};
use std::sync::mpsc;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use crate::diagnostic::{Error, Result};
use crate::temporary;

/// The time that a run has to unwind.
const GRACE: Duration = Duration::from_millis(100);
/// The time that writing the last message may take: a suspended terminal accepts no text.
const MESSAGE_TIMEOUT: Duration = Duration::from_millis(20);

/// The exit code of a run that took longer than `--timeout`.
const TIMED_OUT: u8 = 6;

static STATE: State = State { reason: AtomicU8::new(0), reported: AtomicBool::new(false), flag: OnceLock::new() };

struct State {
    /// The exit code of the first reason to stop; 0 if there is none.
    reason: AtomicU8,
    /// True once the reason was printed.
    reported: AtomicBool,
    /// Set together with the reason; checked by all running work.
    flag: OnceLock<Arc<AtomicBool>>,
}

/// Stops the process in an orderly way on signals that would end it.
pub(super) fn on_signals() -> Result<()> {
    signals::listen(|signal| stop(128 + signal))
        .map_err(|error| Error::internal(format!("cannot handle signals: {error}")))
}

/// Stops the process after `limit`.
pub(super) fn after(limit: Duration) -> Result<()> {
    let watch = move || {
        std::thread::sleep(limit);
        stop(TIMED_OUT);
    };
    let started = std::thread::Builder::new().name("timeout".to_owned()).spawn(watch);
    started.map(drop).map_err(|error| Error::Limit(format!("cannot start a thread for --timeout: {error}")))
}

/// Returns the flag that is set when the run must stop.
pub(super) fn flag() -> Arc<AtomicBool> {
    Arc::clone(STATE.flag.get_or_init(Arc::default))
}

/// Returns an error if the run must stop. From then on, nothing is published.
pub(super) fn check() -> Result<()> {
    if STATE.reason.load(Ordering::SeqCst) == 0 { Ok(()) } else { Err(Error::Cancelled) }
}

/// The exit code of a run that was stopped, even if its work succeeded or failed otherwise; None if it was not stopped.
pub(super) fn exit_code() -> Option<ExitCode> {
    let code = STATE.reason.load(Ordering::SeqCst);
    if code == 0 {
        return None;
    }
    report(code);
    Some(ExitCode::from(code))
}

fn stop(code: u8) {
    if STATE.reason.compare_exchange(0, code, Ordering::SeqCst, Ordering::SeqCst).is_err() {
        return;
    }
    flag().store(true, Ordering::SeqCst);
    std::thread::sleep(GRACE);
    temporary::leave();
    let (sender, written) = mpsc::channel::<()>();
    let message = move || {
        report(code);
        drop(sender);
    };
    if std::thread::Builder::new().spawn(message).is_ok() {
        // Returns when the message is written, because the sender is dropped.
        let _ = written.recv_timeout(MESSAGE_TIMEOUT);
    }
    signals::exit(code);
}

/// Prints, once, why the run was stopped.
fn report(code: u8) {
    if STATE.reported.swap(true, Ordering::SeqCst) {
        return;
    }
    let text = match code {
        TIMED_OUT => "error: interrupted by --timeout; the result is incomplete: allow more time, or narrow the query",
        _ => "error: interrupted",
    };
    let mut stderr = std::io::stderr().lock();
    // Overwrites a progress line.
    let _ = if stderr.is_terminal() { writeln!(stderr, "\r{text:<79}") } else { writeln!(stderr, "{text}") };
}
