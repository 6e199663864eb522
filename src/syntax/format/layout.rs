//! Decides which spaces of a document become line ends, so that lines are at most [`MAX_WIDTH`] characters long.
//!
//! A group that fits is written on one line. If a group does not fit, every space that belongs to it directly becomes
//! a line end, and each group inside it is tried in turn.

/// Maximum number of characters in a line, if it can be broken.
const MAX_WIDTH: usize = 100;

/// Number of spaces for one level of indentation.
const INDENT: usize = 4;

/// The width of text that has a line end: it fits on no line.
const UNLIMITED: usize = usize::MAX / 4;

/// A document: texts, and the spaces between them.
#[derive(Clone, Debug)]
pub(super) enum Document<'a> {
    /// Text that is written unchanged; only strings have several lines.
    Text(&'a str),
    /// A comment. It does not count for the width of its line.
    Comment(&'a str),
    /// A space; a line end if the group around it is broken.
    Space,
    /// Nothing; a line end if the group around it is broken.
    Soft,
    /// A line end, which may be followed by an empty line.
    Line {
        /// True if an empty line follows.
        empty: bool,
    },
    /// Documents that follow each other.
    Sequence(Vec<Self>),
    /// A document in which new lines are indented by one more level.
    Indented(Box<Self>),
    /// A document that is broken either at all of its own spaces or at none.
    Group {
        /// The content of the group.
        inside: Box<Self>,
        /// The width of the content on one line.
        width: usize,
    },
    /// Items with spaces between them; as many as fit are on each line.
    Fill(Vec<Self>),
}

impl Document<'_> {
    /// Returns a document without text.
    pub fn nothing() -> Self {
        Self::Text("")
    }

    /// Returns a line end.
    pub fn line() -> Self {
        Self::Line { empty: false }
    }

    /// Returns `document` with its new lines indented by one more level.
    pub fn indented(document: Self) -> Self {
        Self::Indented(Box::new(document))
    }

    /// Returns `documents` as one group.
    pub fn group(documents: Vec<Self>) -> Self {
        let inside = Self::Sequence(documents);
        let width = inside.width();
        Self::Group { inside: Box::new(inside), width }
    }

    /// Returns the width of the document on one line. A group has stored its own width, so that no document is
    /// measured twice.
    fn width(&self) -> usize {
        let all = |list: &[Self]| list.iter().fold(0, |sum: usize, item| sum.saturating_add(item.width()));
        match self {
            Self::Text(text) => first_line(text).0,
            Self::Comment(_) | Self::Soft => 0,
            Self::Space => 1,
            Self::Line { .. } => UNLIMITED,
            Self::Sequence(list) => all(list),
            Self::Fill(list) => all(list).saturating_add(list.len().saturating_sub(1)),
            Self::Indented(inside) => inside.width(),
            Self::Group { width, .. } => *width,
        }
    }

    /// Adds to `width` the characters before the first possible line end. Returns true if there is such a line end,
    /// or if the width exceeds the maximum.
    fn measure_start(&self, width: &mut usize) -> bool {
        match self {
            Self::Text(text) => {
                let (length, has_lines) = first_line(text);
                *width += length;
                has_lines || *width > MAX_WIDTH
            }
            Self::Comment(_) => false,
            Self::Space | Self::Soft | Self::Line { .. } => true,
            Self::Sequence(list) => list.iter().any(|item| item.measure_start(width)),
            Self::Fill(list) => list.first().is_some_and(|item| item.measure_start(width)) || list.len() > 1,
            Self::Indented(inside) | Self::Group { inside, .. } => inside.measure_start(width),
        }
    }
}

/// Returns the number of characters in the first line, and true if there are more lines.
fn first_line(text: &str) -> (usize, bool) {
    match text.split_once('\n') {
        Some((line, _)) => (line.chars().count(), true),
        None => (text.chars().count(), false),
    }
}

/// Writes `document`, with `line_end` after each line, including the last.
pub(super) fn render(document: &Document<'_>, line_end: &str) -> String {
    let mut writer = LayoutWriter { out: String::new(), column: 0, line_end };
    writer.write(document, Mode { indent: 0, is_flat: false, after: 0 });
    writer.end_line();
    writer.out
}

/// The state in which a document is written.
#[derive(Clone, Copy)]
struct Mode {
    /// The number of spaces before new lines.
    indent: usize,
    /// True inside a group that is written on one line.
    is_flat: bool,
    /// The width of the text that follows on the same line in any case.
    after: usize,
}

struct LayoutWriter<'a> {
    out: String,
    /// The number of characters in the last line so far.
    column: usize,
    line_end: &'a str,
}

impl LayoutWriter<'_> {
    fn write(&mut self, document: &Document<'_>, mode: Mode) {
        match document {
            Document::Text(text) | Document::Comment(text) => self.text(text),
            Document::Space if mode.is_flat => self.text(" "),
            Document::Soft if mode.is_flat => {}
            Document::Space | Document::Soft => self.begin_line(mode.indent, false),
            Document::Line { empty } => self.begin_line(mode.indent, *empty),
            Document::Sequence(list) => self.sequence(list, mode),
            Document::Indented(inside) => self.write(inside, Mode { indent: mode.indent + INDENT, ..mode }),
            Document::Group { inside, width } => {
                let is_flat = mode.is_flat || self.fits(width.saturating_add(mode.after));
                self.write(inside, Mode { is_flat, ..mode });
            }
            Document::Fill(list) => self.fill(list, mode),
        }
    }

    fn sequence(&mut self, list: &[Document<'_>], mode: Mode) {
        for (index, item) in list.iter().enumerate() {
            let mut after = 0;
            let ends = !mode.is_flat && list[index + 1..].iter().any(|next| next.measure_start(&mut after));
            self.write(item, Mode { after: if ends { after } else { after + mode.after }, ..mode });
        }
    }

    fn fill(&mut self, list: &[Document<'_>], mode: Mode) {
        for (index, item) in list.iter().enumerate() {
            let after = if index + 1 == list.len() { mode.after } else { 0 };
            if index > 0 {
                let fits = mode.is_flat || self.fits(item.width().saturating_add(after + 1));
                if fits { self.text(" ") } else { self.begin_line(mode.indent, false) }
            }
            self.write(item, Mode { is_flat: true, after, ..mode });
        }
    }

    fn fits(&self, width: usize) -> bool {
        self.column.saturating_add(width) <= MAX_WIDTH
    }

    fn text(&mut self, text: &str) {
        self.out.push_str(text);
        match text.rsplit_once('\n') {
            Some((_, last)) => self.column = last.chars().count(),
            None => self.column += text.chars().count(),
        }
    }

    fn begin_line(&mut self, indent: usize, after_empty_line: bool) {
        if self.out.is_empty() {
            return;
        }
        self.end_line();
        if after_empty_line {
            self.out.push_str(self.line_end);
        }
        self.out.extend(std::iter::repeat_n(' ', indent));
        self.column = indent;
    }

    fn end_line(&mut self) {
        self.out.truncate(self.out.trim_end_matches(' ').len());
        self.out.push_str(self.line_end);
    }
}
