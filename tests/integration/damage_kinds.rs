//! Every kind of damage times every kind of query: each finds the word for it.
