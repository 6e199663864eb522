//! Ends a run early: on a signal, or when `--timeout` is over.
//!
//! The run is asked to stop, which it notices between batches and then unwinds as after an error. It may be anywhere,
//! though: in a scan that finds nothing, in a sort, waiting for a pipe or a server. So after a short grace the process
//! ends without it: everything temporary is removed, and nothing can be published any more.

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
/// The time that writing the last message may take: a stopped terminal takes no text.
const LAST_WORDS: Duration = Duration::from_millis(20);

/// The exit code of a run that took longer than `--timeout`.
const TIMED_OUT: u8 = 6;

static STATE: State = State { reason: AtomicU8::new(0), reported: AtomicBool::new(false), flag: OnceLock::new() };

struct State {
    /// The exit code of the first reason to stop; 0 as long as there is none.
    reason: AtomicU8,
    /// True once the user was told.
    reported: AtomicBool,
    /// Set with the reason; read by everything that runs.
    flag: OnceLock<Arc<AtomicBool>>,
}

/// Stops this process in an orderly way on signals that would end it.
pub(super) fn on_signals() -> Result<()> {
    signals::listen(|signal| stop(128 + signal))
        .map_err(|error| Error::internal(format!("signals cannot be handled: {error}")))
}

/// Stops this process after `limit`, unless it ends before.
pub(super) fn after(limit: Duration) -> Result<()> {
    let watch = move || {
        std::thread::sleep(limit);
        stop(TIMED_OUT);
    };
    let started = std::thread::Builder::new().name("timeout".to_owned()).spawn(watch);
    started.map(drop).map_err(|error| Error::Limit(format!("cannot start a thread for --timeout: {error}")))
}

/// The flag that is set when the run must stop.
pub(super) fn flag() -> Arc<AtomicBool> {
    Arc::clone(STATE.flag.get_or_init(Arc::default))
}

/// An error if the run must stop: nothing is published from then on.
pub(super) fn check() -> Result<()> {
    if STATE.reason.load(Ordering::SeqCst) == 0 { Ok(()) } else { Err(Error::Cancelled) }
}

/// The exit code of a run that was stopped, whatever it made of it; None if it was not.
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
    let words = move || {
        report(code);
        drop(sender);
    };
    if std::thread::Builder::new().spawn(words).is_ok() {
        // Disconnected when the words are written.
        let _ = written.recv_timeout(LAST_WORDS);
    }
    signals::exit(code);
}

/// Says once why the run was stopped.
fn report(code: u8) {
    if STATE.reported.swap(true, Ordering::SeqCst) {
        return;
    }
    let text = match code {
        TIMED_OUT => {
            "error: the run took longer than --timeout and was stopped: the answer is incomplete; raise it or narrow the query"
        }
        _ => "error: stopped",
    };
    let mut stderr = std::io::stderr().lock();
    // A line of progress may be there.
    let _ = if stderr.is_terminal() { writeln!(stderr, "\r{text:<79}") } else { writeln!(stderr, "{text}") };
}
