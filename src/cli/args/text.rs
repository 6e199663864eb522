//! How the text of the input is read, where its bytes do not decide.

use clap::Args;

use super::heading;
use crate::entra::numeric_dates::DateOrder;
use crate::storage::text_settings::{TextEncoding, TextSettings};

/// Properties of a text that its bytes may not decide.
#[derive(Args, Clone, Copy, Debug, Default)]
#[command(next_help_heading = heading::INPUT)]
pub struct TextArgs {
    /// Order of day and month in numeric dates such as 02/03/2026: dmy or mdy [default: inferred]
    ///
    /// Without this option, the order is inferred from dates of the file that allow only one order.
    #[arg(long, value_name = "ORDER", hide_short_help = true)]
    pub date_order: Option<DateOrder>,
    /// Encoding of text files, such as windows-1252, iso-8859-2 or shift_jis [default: detected]
    ///
    /// LABEL is one of the WHATWG Encoding Standard. Without this option, text is UTF-8 or UTF-16, and bytes that are
    /// neither are read as Windows-1252, with a warning. A byte order mark overrides this option, with a note; parts in
    /// UTF-16 are recognised even so.
    #[arg(long, value_name = "LABEL", hide_short_help = true)]
    pub encoding: Option<TextEncoding>,
}

impl TextArgs {
    /// The settings that the options specify.
    pub(in crate::cli) fn settings(self) -> TextSettings {
        TextSettings { date_order: self.date_order, encoding: self.encoding }
    }
}
