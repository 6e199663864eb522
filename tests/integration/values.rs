//! A value is the same in every export shape, or the difference is reported.
