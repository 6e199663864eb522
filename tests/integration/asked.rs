//! What a run reads is settled before it starts: sources, catalogues, times, placeholders; a forgotten source is an error.
