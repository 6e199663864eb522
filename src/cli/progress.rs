//! How far a long run has come: one line on a terminal's stderr, written over and over, gone at the end.

use std::io::{self, IsTerminal, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use crate::convert::Progress;

/// What takes less than this needs no line.
const PATIENCE: Duration = Duration::from_secs(1);
/// How often the line is written.
const INTERVAL: Duration = Duration::from_millis(200);

/// Shows progress until it is dropped.
pub(super) struct ProgressLine {
    ended: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl ProgressLine {
    /// Of a run that reads `total` bytes; shows nothing where it is not `wanted` or stderr is no terminal.
    pub fn start(progress: &Arc<Progress>, total: u64, wanted: bool) -> Self {
        let ended = Arc::new(AtomicBool::new(false));
        let show = wanted && io::stderr().is_terminal();
        let (progress, stop) = (Arc::clone(progress), Arc::clone(&ended));
        let thread = show.then(|| std::thread::spawn(move || watch(&progress, total, &stop)));
        Self { ended, thread }
    }
}

impl Drop for ProgressLine {
    fn drop(&mut self) {
        self.ended.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            thread.thread().unpark();
            let _ = thread.join();
        }
    }
}

fn watch(progress: &Progress, total: u64, ended: &AtomicBool) {
    let started = Instant::now();
    let mut shown = false;
    while !ended.load(Ordering::Relaxed) {
        std::thread::park_timeout(INTERVAL);
        if started.elapsed() >= PATIENCE && !ended.load(Ordering::Relaxed) {
            shown = true;
            let _ = write!(io::stderr().lock(), "\r\x1b[K{}", line(progress, total, started.elapsed()));
        }
    }
    if shown {
        let _ = write!(io::stderr().lock(), "\r\x1b[K");
    }
}

fn line(progress: &Progress, total: u64, elapsed: Duration) -> String {
    let of = |counter: &std::sync::atomic::AtomicU64| counter.load(Ordering::Relaxed);
    let (bytes, written) = (of(&progress.bytes).min(total), of(&progress.rows_written));
    if written > 0 {
        return format!("{} of {} rows sorted and written", written, of(&progress.rows_read));
    }
    let mut text = format!(
        "{} of {} read, {} rows of {} files",
        size(bytes),
        size(total),
        of(&progress.rows_read),
        of(&progress.files)
    );
    if bytes > 0 && bytes < total {
        #[expect(clippy::cast_precision_loss, reason = "an estimate")]
        let left = elapsed.as_secs_f64() * (total - bytes) as f64 / bytes as f64;
        let _ = std::fmt::Write::write_fmt(&mut text, format_args!(", about {left:.0} s left to read"));
    }
    text
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

    #[test]
    fn the_line_says_how_far_it_is() {
        let progress = Progress::default();
        progress.bytes.store(1_500_000, Ordering::Relaxed);
        progress.rows_read.store(400, Ordering::Relaxed);
        progress.files.store(3, Ordering::Relaxed);
        let text = line(&progress, 6_000_000, Duration::from_secs(2));
        assert_eq!(text, "1.5 MB of 6.0 MB read, 400 rows of 3 files, about 6 s left to read");
        progress.rows_written.store(100, Ordering::Relaxed);
        assert_eq!(line(&progress, 6_000_000, Duration::ZERO), "100 of 400 rows sorted and written");
        assert_eq!(size(999), "999 bytes");
    }
}
