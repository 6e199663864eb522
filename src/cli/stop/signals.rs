//! Signals of the operating system.

/// Calls `stop` with the number of each signal that would end the process.
#[cfg(unix)]
pub(super) fn listen(stop: impl Fn(u8) + Send + 'static) -> std::io::Result<()> {
    use signal_hook::consts::{SIGALRM, SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2, SIGXCPU, SIGXFSZ};
    use signal_hook::iterator::Signals;

    let mut handled = vec![SIGINT, SIGQUIT, SIGTERM, SIGALRM, SIGUSR1, SIGUSR2, SIGXCPU];
    if !is_ignored(SIGHUP) {
        handled.push(SIGHUP);
    }
    // With a handler for SIGXFSZ, writing beyond `ulimit -f` fails like a full disk instead of ending the process.
    signal_hook::flag::register(SIGXFSZ, std::sync::Arc::default())?;
    let mut signals = Signals::new(handled)?;
    let wait = move || signals.forever().filter_map(|signal| u8::try_from(signal).ok()).for_each(stop);
    std::thread::Builder::new().name("signals".to_owned()).spawn(wait).map(drop)
}

/// True if the process was started with the signal ignored, as `nohup` does. Known only on Linux.
#[cfg(unix)]
fn is_ignored(signal: i32) -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let mask = mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or(0);
    u32::try_from(signal - 1).is_ok_and(|bit| mask.checked_shr(bit).is_some_and(|mask| mask & 1 == 1))
}

/// Ends the process at once, without waiting for other threads.
#[cfg(unix)]
pub(super) fn exit(code: u8) -> ! {
    signal_hook::low_level::exit(code.into())
}

/// Calls `stop` on Ctrl+C and when the console is closed; both count as SIGINT.
#[cfg(not(unix))]
pub(super) fn listen(stop: impl Fn(u8) + Send + 'static) -> std::io::Result<()> {
    const SIGINT: u8 = 2;
    ctrlc::set_handler(move || stop(SIGINT)).map_err(std::io::Error::other)
}

/// Ends the process at once, without waiting for other threads.
#[cfg(not(unix))]
pub(super) fn exit(code: u8) -> ! {
    std::process::exit(code.into())
}
