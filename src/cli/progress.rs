//! Progress of long runs on stderr: on a terminal, one line that is rewritten in place and removed at the end;
//! elsewhere, if requested, a line every ten seconds.

use std::fmt::Write as _;
use std::io::{self, IsTerminal, Write};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use crate::diagnostic::visible;
use crate::storage::counters::{ScanCount, ScanCounters};

/// The greatest width of the line in columns: a line that wraps could not be rewritten.
const MAX_WIDTH: usize = 79;

/// How progress is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ProgressMode {
    /// One line that is rewritten in place.
    Rewritten,
    /// A new line each time.
    Plain,
}

impl ProgressMode {
    /// The mode for this stderr and these options; None shows no progress.
    pub fn of(quiet: bool, verbose: bool) -> Option<Self> {
        let dumb = std::env::var_os("TERM").is_some_and(|terminal| terminal == "dumb");
        Self::on(io::stderr().is_terminal() && !dumb, quiet, verbose)
    }

    fn on(terminal: bool, quiet: bool, verbose: bool) -> Option<Self> {
        match (terminal, verbose) {
            _ if quiet => None,
            (true, _) => Some(Self::Rewritten),
            (false, true) => Some(Self::Plain),
            (false, false) => None,
        }
    }

    /// The time after which the first line is shown.
    fn initial_delay(self) -> Duration {
        match self {
            Self::Rewritten => Duration::from_secs(1),
            Self::Plain => Duration::from_secs(10),
        }
    }

    /// The time of the next line after `elapsed`: a multiple of the interval since the start of the run.
    fn next(self, elapsed: Duration) -> Duration {
        let interval = self.interval().as_nanos();
        let next = (elapsed.as_nanos() / interval + 1) * interval;
        Duration::from_nanos(u64::try_from(next).unwrap_or(u64::MAX))
    }

    /// The time between two lines.
    fn interval(self) -> Duration {
        match self {
            Self::Rewritten => Duration::from_millis(200),
            Self::Plain => Duration::from_secs(10),
        }
    }
}

/// Shows progress until it is ended or dropped.
#[derive(Debug)]
pub(super) struct ProgressLine {
    ended: Arc<AtomicBool>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl ProgressLine {
    /// Starts to show the progress of a run that began at `started`. `line` returns the text for the elapsed time.
    pub fn start(
        mode: Option<ProgressMode>,
        started: Instant,
        line: impl Fn(Duration) -> String + Send + 'static,
    ) -> Arc<Self> {
        let ended = Arc::new(AtomicBool::new(false));
        let stop = Arc::clone(&ended);
        let thread = mode.and_then(|mode| {
            let watch = move || {
                let mut display = ProgressDisplay::new(mode, started.elapsed(), io::stderr());
                while !stop.load(Ordering::Relaxed) {
                    display.tick(started.elapsed(), &line);
                    std::thread::park_timeout(ProgressMode::Rewritten.interval());
                }
                display.clear();
            };
            // Without a thread, there is no progress line.
            std::thread::Builder::new().spawn(watch).ok()
        });
        Arc::new(Self { ended, thread: Mutex::new(thread) })
    }

    /// Removes the line from the terminal and stops showing progress.
    pub fn end(&self) {
        if self.ended.swap(true, Ordering::Relaxed) {
            return;
        }
        if let Some(thread) = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take() {
            thread.thread().unpark();
            let _ = thread.join();
        }
    }
}

impl Drop for ProgressLine {
    fn drop(&mut self) {
        self.end();
    }
}

/// The stream on which progress is shown. Write errors are ignored.
struct ProgressDisplay<W> {
    mode: ProgressMode,
    /// When the next line is due.
    due: Duration,
    out: W,
    /// The width of the visible line, in columns.
    shown: usize,
}

impl<W: Write> ProgressDisplay<W> {
    /// For a run that has been running for `elapsed`.
    fn new(mode: ProgressMode, elapsed: Duration, out: W) -> Self {
        let first = mode.next(elapsed.saturating_sub(Duration::from_nanos(1))).max(mode.initial_delay());
        Self { mode, due: first, out, shown: 0 }
    }

    /// Shows the line if it is due.
    fn tick(&mut self, elapsed: Duration, line: &dyn Fn(Duration) -> String) {
        if elapsed < self.due {
            return;
        }
        self.due = self.mode.next(elapsed);
        let line = visible(&line(elapsed)).into_owned();
        match self.mode {
            ProgressMode::Plain => drop(writeln!(self.out, "{line}")),
            ProgressMode::Rewritten => {
                let line: String = line.chars().take(MAX_WIDTH).collect();
                // Spaces overwrite the rest of a longer line; this works on every terminal.
                let _ = write!(self.out, "\r{line:<width$}", width = self.shown);
                let _ = self.out.flush();
                self.shown = self.shown.max(line.chars().count());
            }
        }
    }

    /// Removes the visible line.
    fn clear(&mut self) {
        if self.shown > 0 {
            let _ = write!(self.out, "\r{:width$}\r", "", width = self.shown);
            let _ = self.out.flush();
            self.shown = 0;
        }
    }
}

/// Ends the progress line before the first byte is written, for a result on the same terminal.
pub(super) struct EndsProgress<W> {
    pub line: Arc<ProgressLine>,
    pub out: W,
}

impl<W: Write> Write for EndsProgress<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.line.end();
        self.out.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

/// Describes the progress of the scans of a run.
pub(super) fn scans(counters: &ScanCounters, elapsed: Duration) -> String {
    let count = |count| counters.get(count);
    let (done, total) = (count(ScanCount::BytesDone), count(ScanCount::BytesExpected));
    if total == 0 {
        return format!("running for {} s", elapsed.as_secs());
    }
    let rows = count(ScanCount::Rows) + count(ScanCount::RecordsSkipped);
    let (files, all) = (count(ScanCount::FilesDone), count(ScanCount::FilesExpected));
    if done >= total && files >= all {
        return format!("{} read, {rows} rows, {all} files; running for {} s", size(total), elapsed.as_secs());
    }
    let mut text = format!("{} of {} read, {rows} rows, {files} of {all} files", size(done.min(total)), size(total));
    if done > 0 && done < total {
        let _ = write!(text, ", about {} left", remaining(elapsed, total - done, done));
    }
    text
}

/// Estimates the remaining time if `done` of the work took `elapsed`.
fn remaining(elapsed: Duration, left: u64, done: u64) -> String {
    #[expect(clippy::cast_precision_loss, reason = "an estimate")]
    let seconds = elapsed.as_secs_f64() * left as f64 / done as f64;
    if seconds < 120.0 { format!("{:.0} s", seconds.ceil()) } else { format!("{:.0} min", seconds / 60.0) }
}

/// Formats a number of bytes for people, with decimal units.
pub(super) fn size(bytes: u64) -> String {
    let units = [("GB", 1_000_000_000_u64), ("MB", 1_000_000), ("kB", 1_000)];
    match units.iter().find(|(_, unit)| bytes >= *unit) {
        Some((name, unit)) => format!("{}.{} {name}", bytes / unit, bytes % unit * 10 / unit),
        None => format!("{bytes} bytes"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn ms(milliseconds: u64) -> Duration {
        Duration::from_millis(milliseconds)
    }

    /// The lines that a display shows at these times, each the time; at the end it is cleared.
    fn shown(mode: ProgressMode, start: u64, times: &[u64]) -> String {
        let mut display = ProgressDisplay::new(mode, ms(start), Vec::new());
        for time in times {
            display.tick(ms(*time), &|elapsed| format!("{}", elapsed.as_millis()));
        }
        display.clear();
        String::from_utf8(display.out).expect("text")
    }

    #[test]
    fn a_terminal_has_one_line_after_the_first_second() {
        assert_eq!(shown(ProgressMode::Rewritten, 0, &[0, 200, 999]), "");
        assert_eq!(shown(ProgressMode::Rewritten, 0, &[800, 1000, 1100, 1200, 1400]), "\r1000\r1200\r1400\r    \r");
        // A run that started long ago is shown at once.
        assert_eq!(shown(ProgressMode::Rewritten, 5000, &[5000, 5010]), "\r5000\r    \r");
    }

    #[test]
    fn without_a_terminal_a_line_is_added_every_ten_seconds() {
        assert_eq!(shown(ProgressMode::Plain, 0, &[1000, 9_999, 10_000, 10_200, 19_999, 20_100]), "10000\n20100\n");
        // The second phase of a run keeps the rhythm of the first.
        assert_eq!(shown(ProgressMode::Plain, 12_000, &[12_000, 19_999, 20_000]), "20000\n");
    }

    #[test]
    fn a_shorter_line_overwrites_a_longer_one_and_none_wraps() {
        let mut display = ProgressDisplay::new(ProgressMode::Rewritten, ms(1000), Vec::new());
        let lines = ["x".repeat(200), "short".to_owned()];
        display.tick(ms(1000), &|_| lines[0].clone());
        display.tick(ms(2000), &|_| lines[1].clone());
        display.clear();
        let spaces = " ".repeat(MAX_WIDTH);
        let expected = format!("\r{}\r{:<MAX_WIDTH$}\r{spaces}\r", "x".repeat(MAX_WIDTH), "short");
        assert_eq!(String::from_utf8(display.out).expect("text"), expected);
    }

    #[test]
    fn quiet_runs_and_runs_without_a_terminal_show_nothing() {
        assert_eq!(ProgressMode::on(true, false, false), Some(ProgressMode::Rewritten));
        assert_eq!(ProgressMode::on(true, false, true), Some(ProgressMode::Rewritten));
        assert_eq!(ProgressMode::on(false, false, true), Some(ProgressMode::Plain));
        assert_eq!(ProgressMode::on(false, false, false), None);
        assert_eq!(ProgressMode::on(true, true, false), None);
    }

    #[test]
    fn the_line_describes_the_progress() {
        let counters = ScanCounters::default();
        assert_eq!(scans(&counters, ms(3500)), "running for 3 s");
        let count =
            |counts: &[(ScanCount, u64)]| counts.iter().for_each(|(count, amount)| counters.add(*count, *amount));
        count(&[(ScanCount::BytesExpected, 6_000_000), (ScanCount::FilesExpected, 12)]);
        assert_eq!(scans(&counters, ms(1000)), "0 bytes of 6.0 MB read, 0 rows, 0 of 12 files");
        count(&[
            (ScanCount::BytesDone, 1_500_000),
            (ScanCount::Rows, 390),
            (ScanCount::RecordsSkipped, 10),
            (ScanCount::FilesDone, 3),
        ]);
        let text = scans(&counters, ms(2000));
        assert_eq!(text, "1.5 MB of 6.0 MB read, 400 rows, 3 of 12 files, about 6 s left");
        assert!(scans(&counters, ms(200_000)).ends_with("about 10 min left"));
        count(&[(ScanCount::BytesDone, 4_500_100), (ScanCount::FilesDone, 9)]);
        assert_eq!(scans(&counters, ms(2000)), "6.0 MB read, 400 rows, 12 files; running for 2 s");
        assert_eq!(size(999), "999 bytes");
    }

    #[test]
    fn the_result_ends_the_line() {
        let line = ProgressLine::start(None, Instant::now(), |_| String::new());
        let mut out = EndsProgress { line: Arc::clone(&line), out: Vec::new() };
        assert!(!line.ended.load(Ordering::Relaxed));
        out.write_all(b"rows").expect("written");
        assert!(line.ended.load(Ordering::Relaxed) && out.out == b"rows");
    }
}
