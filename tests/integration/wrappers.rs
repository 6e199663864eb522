//! Records inside wrappers, pages that are missing, answers that say themselves that they are partial.
