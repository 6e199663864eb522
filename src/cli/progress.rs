//! How far a long run has come: on a terminal one line of stderr that is written over and over and gone at the end,
//! elsewhere, where that is asked for, a line every ten seconds.

use std::fmt::Write as _;
use std::io::{self, IsTerminal, Write};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use crate::diagnostic::visible;
use crate::source::{Count, ScanCounters};

/// Columns that the line takes at most: one that wraps could not be written over.
const WIDTH: usize = 79;

/// How progress is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Manner {
    /// One line, written over.
    Rewritten,
    /// Line after line.
    Plain,
}

impl Manner {
    /// On this stderr, for who wants to hear so much; None for nothing.
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

    /// What takes less time than this needs no line.
    fn patience(self) -> Duration {
        match self {
            Self::Rewritten => Duration::from_secs(1),
            Self::Plain => Duration::from_secs(10),
        }
    }

    /// When the next line is due after this time: lines of a run come at even distances, whatever its parts are.
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
    /// Of a run that `started` some time ago; `line` says how far it has come after so much time.
    pub fn start(
        manner: Option<Manner>,
        started: Instant,
        line: impl Fn(Duration) -> String + Send + 'static,
    ) -> Arc<Self> {
        let ended = Arc::new(AtomicBool::new(false));
        let stop = Arc::clone(&ended);
        let thread = manner.and_then(|manner| {
            let watch = move || {
                let mut screen = Screen::new(manner, started.elapsed(), io::stderr());
                while !stop.load(Ordering::Relaxed) {
                    screen.tick(started.elapsed(), &line);
                    std::thread::park_timeout(Manner::Rewritten.interval());
                }
                screen.wipe();
            };
            // A run goes well without.
            std::thread::Builder::new().spawn(watch).ok()
        });
        Arc::new(Self { ended, thread: Mutex::new(thread) })
    }

    /// Wipes the line for good: behind this nothing of it is to be seen.
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

/// Where lines are shown. A screen that cannot be written to is ignored.
struct Screen<W> {
    manner: Manner,
    /// When the next line is due.
    due: Duration,
    out: W,
    /// Columns of the line that is to be seen.
    shown: usize,
}

impl<W: Write> Screen<W> {
    /// For a run that takes `elapsed` already.
    fn new(manner: Manner, elapsed: Duration, out: W) -> Self {
        let first = manner.next(elapsed.saturating_sub(Duration::from_nanos(1))).max(manner.patience());
        Self { manner, due: first, out, shown: 0 }
    }

    /// Shows the line where it is due.
    fn tick(&mut self, elapsed: Duration, line: &dyn Fn(Duration) -> String) {
        if elapsed < self.due {
            return;
        }
        self.due = self.manner.next(elapsed);
        let line = visible(&line(elapsed)).into_owned();
        match self.manner {
            Manner::Plain => drop(writeln!(self.out, "{line}")),
            Manner::Rewritten => {
                let line: String = line.chars().take(WIDTH).collect();
                // Blanks over what the line before has left: no terminal is too simple for that.
                let _ = write!(self.out, "\r{line:<width$}", width = self.shown);
                let _ = self.out.flush();
                self.shown = self.shown.max(line.chars().count());
            }
        }
    }

    /// Leaves nothing of a line that is written over.
    fn wipe(&mut self) {
        if self.shown > 0 {
            let _ = write!(self.out, "\r{:width$}\r", "", width = self.shown);
            let _ = self.out.flush();
            self.shown = 0;
        }
    }
}

/// Ends the line of progress before the first byte is written: for an answer on the same terminal.
pub(super) struct InPlaceOf<W> {
    pub line: Arc<ProgressLine>,
    pub out: W,
}

impl<W: Write> Write for InPlaceOf<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.line.end();
        self.out.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

/// How far the scans of a run have come.
pub(super) fn scans(counters: &ScanCounters, elapsed: Duration) -> String {
    let count = |count| counters.get(count);
    let (done, total) = (count(Count::BytesDone), count(Count::BytesExpected));
    if total == 0 {
        return format!("running for {} s", elapsed.as_secs());
    }
    let rows = count(Count::Rows) + count(Count::RecordsSkipped);
    let (files, all) = (count(Count::FilesDone), count(Count::FilesExpected));
    if done >= total && files >= all {
        return format!("{} read, {rows} rows, {all} files; running for {} s", size(total), elapsed.as_secs());
    }
    let mut text = format!("{} of {} read, {rows} rows, {files} of {all} files", size(done.min(total)), size(total));
    if done > 0 && done < total {
        let _ = write!(text, ", about {} left", seconds(elapsed, total - done, done));
    }
    text
}

/// How long what is left takes where what is done took `elapsed`.
fn seconds(elapsed: Duration, left: u64, done: u64) -> String {
    #[expect(clippy::cast_precision_loss, reason = "an estimate")]
    let seconds = elapsed.as_secs_f64() * left as f64 / done as f64;
    if seconds < 120.0 { format!("{:.0} s", seconds.ceil()) } else { format!("{:.0} min", seconds / 60.0) }
}

/// A number of bytes for people.
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

    /// What a screen shows where it is asked at these times, each line being the time; then it is wiped.
    fn shown(manner: Manner, start: u64, times: &[u64]) -> String {
        let mut screen = Screen::new(manner, ms(start), Vec::new());
        for time in times {
            screen.tick(ms(*time), &|elapsed| format!("{}", elapsed.as_millis()));
        }
        screen.wipe();
        String::from_utf8(screen.out).expect("text")
    }

    #[test]
    fn a_terminal_has_one_line_from_the_first_second_on() {
        assert_eq!(shown(Manner::Rewritten, 0, &[0, 200, 999]), "");
        assert_eq!(shown(Manner::Rewritten, 0, &[800, 1000, 1100, 1200, 1400]), "\r1000\r1200\r1400\r    \r");
        // A run that took long already is shown at once.
        assert_eq!(shown(Manner::Rewritten, 5000, &[5000, 5010]), "\r5000\r    \r");
    }

    #[test]
    fn elsewhere_a_line_every_ten_seconds_stays() {
        assert_eq!(shown(Manner::Plain, 0, &[1000, 9_999, 10_000, 10_200, 19_999, 20_100]), "10000\n20100\n");
        // The second part of a run goes on with the lines of the first.
        assert_eq!(shown(Manner::Plain, 12_000, &[12_000, 19_999, 20_000]), "20000\n");
    }

    #[test]
    fn a_shorter_line_covers_a_longer_one_and_none_wraps() {
        let mut screen = Screen::new(Manner::Rewritten, ms(1000), Vec::new());
        let lines = ["x".repeat(200), "short".to_owned()];
        screen.tick(ms(1000), &|_| lines[0].clone());
        screen.tick(ms(2000), &|_| lines[1].clone());
        screen.wipe();
        let blanks = " ".repeat(WIDTH);
        let expected = format!("\r{}\r{:<WIDTH$}\r{blanks}\r", "x".repeat(WIDTH), "short");
        assert_eq!(String::from_utf8(screen.out).expect("text"), expected);
    }

    #[test]
    fn who_wants_quiet_or_has_no_terminal_sees_nothing() {
        assert_eq!(Manner::on(true, false, false), Some(Manner::Rewritten));
        assert_eq!(Manner::on(true, false, true), Some(Manner::Rewritten));
        assert_eq!(Manner::on(false, false, true), Some(Manner::Plain));
        assert_eq!(Manner::on(false, false, false), None);
        assert_eq!(Manner::on(true, true, false), None);
    }

    #[test]
    fn the_line_says_how_far_it_is() {
        let counters = ScanCounters::default();
        assert_eq!(scans(&counters, ms(3500)), "running for 3 s");
        let count = |counts: &[(Count, u64)]| counts.iter().for_each(|(count, amount)| counters.add(*count, *amount));
        count(&[(Count::BytesExpected, 6_000_000), (Count::FilesExpected, 12)]);
        assert_eq!(scans(&counters, ms(1000)), "0 bytes of 6.0 MB read, 0 rows, 0 of 12 files");
        count(&[(Count::BytesDone, 1_500_000), (Count::Rows, 390), (Count::RecordsSkipped, 10), (Count::FilesDone, 3)]);
        let text = scans(&counters, ms(2000));
        assert_eq!(text, "1.5 MB of 6.0 MB read, 400 rows, 3 of 12 files, about 6 s left");
        assert!(scans(&counters, ms(200_000)).ends_with("about 10 min left"));
        count(&[(Count::BytesDone, 4_500_100), (Count::FilesDone, 9)]);
        assert_eq!(scans(&counters, ms(2000)), "6.0 MB read, 400 rows, 12 files; running for 2 s");
        assert_eq!(size(999), "999 bytes");
    }

    #[test]
    fn the_answer_takes_the_place_of_the_line() {
        let line = ProgressLine::start(None, Instant::now(), |_| String::new());
        let mut out = InPlaceOf { line: Arc::clone(&line), out: Vec::new() };
        assert!(!line.ended.load(Ordering::Relaxed));
        out.write_all(b"rows").expect("written");
        assert!(line.ended.load(Ordering::Relaxed) && out.out == b"rows");
    }
}
