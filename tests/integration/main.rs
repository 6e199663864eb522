//! Tests over the public surface, one binary for all of them: a module each.

mod architecture;
mod diagnostics;
mod reference;
mod registry;
