//! A run can be stopped at any moment, and leaves nothing behind.
