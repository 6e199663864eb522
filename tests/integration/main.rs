//! Tests over the public surface, one binary for all of them: a module each.

mod architecture;
mod cli;
mod diagnostics;
mod docs;
mod reference;
mod registry;

#[path = "../support/command.rs"]
mod command;
