//! Answers and messages are safe to open: spreadsheets, terminals, Markdown, any width.
