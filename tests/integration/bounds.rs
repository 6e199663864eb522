//! Memory and time are bounded, whatever values, records and plans come.
