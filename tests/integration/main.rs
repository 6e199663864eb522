//! Tests over the public surface, one binary for all of them: a module each.

mod architecture;
mod cli;
#[path = "../support/command.rs"]
mod command;
mod docs;
