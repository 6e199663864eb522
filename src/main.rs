//! The program: passes arguments to `cli` and returns its exit code.

use std::process::ExitCode;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    coldcase::cli::run(std::env::args_os())
}
