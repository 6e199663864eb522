//! Parses page headers in Thrift's compact protocol, as far as is needed to find the values of a page.

/// The header of a page.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct PageHeader {
    /// The type of the page, such as [`Self::DATA`], [`Self::DICTIONARY`] or [`Self::DATA_2`].
    pub kind: u64,
    /// Decompressed bytes of the page, without the header.
    pub decompressed: usize,
    /// Compressed bytes of the page, without the header.
    pub compressed: usize,
    /// The checksum of the compressed bytes, if there is one.
    pub checksum: Option<u32>,
    /// Number of values, including nulls.
    pub values: usize,
    /// The encoding of the values, such as [`Self::PLAIN`] or [`Self::RLE_DICTIONARY`].
    pub encoding: u64,
    /// Bytes of the definition levels and of the repetition levels, which precede the values uncompressed in version 2.
    pub levels: (usize, usize),
    /// True if version 2 says that the values are not compressed.
    pub is_uncompressed: bool,
}

impl PageHeader {
    /// Data pages of version 1.
    pub const DATA: u64 = 0;
    /// Dictionary pages.
    pub const DICTIONARY: u64 = 2;
    /// Data pages of version 2.
    pub const DATA_2: u64 = 3;
    /// Plain values.
    pub const PLAIN: u64 = 0;
    /// The old name of the encodings of dictionary codes in data pages and of plain values in dictionary pages.
    pub const PLAIN_DICTIONARY: u64 = 2;
    /// Dictionary codes.
    pub const RLE_DICTIONARY: u64 = 8;

    /// Parses a header at the start of `bytes` and advances them past it; None if it is invalid.
    pub fn read(bytes: &mut &[u8]) -> Option<Self> {
        let mut header = Self::default();
        let mut thrift = Thrift { bytes, id: 0 };
        while let (id, ty @ 1..) = thrift.field()? {
            match id {
                1 => header.kind = thrift.integer()?,
                2 => header.decompressed = thrift.size()?,
                3 => header.compressed = thrift.size()?,
                4 => header.checksum = Some(thrift.bits()?),
                5 | 7 | 8 => header.read_values(id == 8, &mut thrift)?,
                _ => thrift.skip(ty, 0)?,
            }
        }
        *bytes = thrift.bytes;
        Some(header)
    }

    /// False if there is a checksum and it does not match `page`.
    pub fn is_intact(&self, page: &[u8]) -> bool {
        self.checksum.is_none_or(|checksum| checksum == crc32fast::hash(page))
    }

    /// Reads the fields of pages with values: data pages of both versions, and dictionary pages.
    fn read_values(&mut self, is_second: bool, outer: &mut Thrift<'_>) -> Option<()> {
        let mut thrift = Thrift { bytes: outer.bytes, id: 0 };
        while let (id, ty @ 1..) = thrift.field()? {
            match (id, is_second) {
                (1, _) => self.values = thrift.size()?,
                (2, false) | (4, true) => self.encoding = thrift.integer()?,
                (5, true) => self.levels.0 = thrift.size()?,
                (6, true) => self.levels.1 = thrift.size()?,
                (7, true) => self.is_uncompressed = ty == Thrift::FALSE,
                _ => thrift.skip(ty, 0)?,
            }
        }
        outer.bytes = thrift.bytes;
        Some(())
    }
}

/// A struct in Thrift's compact protocol.
struct Thrift<'a> {
    bytes: &'a [u8],
    /// The id of the last field.
    id: u64,
}

impl Thrift<'_> {
    const FALSE: u8 = 2;
    /// Maximum nesting of structs.
    const DEPTH: usize = 8;

    /// The id and type of the next field; type 0 at the end.
    fn field(&mut self) -> Option<(u64, u8)> {
        let head = self.byte()?;
        if head == 0 {
            return Some((0, 0));
        }
        self.id = match head >> 4 {
            0 => self.integer()?,
            delta => self.id + u64::from(delta),
        };
        Some((self.id, head & 0x0f)).filter(|(_, ty)| *ty > 0)
    }

    fn byte(&mut self) -> Option<u8> {
        let (first, rest) = self.bytes.split_first()?;
        self.bytes = rest;
        Some(*first)
    }

    fn number(&mut self) -> Option<u64> {
        let mut number = 0;
        for place in 0..10 {
            let byte = self.byte()?;
            number |= u64::from(byte & 0x7f).checked_shl(7 * place)?;
            if byte & 0x80 == 0 {
                return Some(number);
            }
        }
        None
    }

    /// A non-negative integer.
    fn integer(&mut self) -> Option<u64> {
        let zigzag = self.number()?;
        (zigzag & 1 == 0).then_some(zigzag >> 1)
    }

    /// A 32-bit value that is stored as a signed integer.
    fn bits(&mut self) -> Option<u32> {
        let zigzag = u32::try_from(self.number()?).ok()?;
        Some((zigzag >> 1) ^ (zigzag & 1).wrapping_neg())
    }

    fn size(&mut self) -> Option<usize> {
        usize::try_from(self.integer()?).ok().filter(|size| i32::try_from(*size).is_ok())
    }

    fn pass(&mut self, bytes: u64) -> Option<()> {
        self.bytes = self.bytes.get(usize::try_from(bytes).ok()?..)?;
        Some(())
    }

    /// Skips a value. The value of a bool is part of its type.
    fn skip(&mut self, ty: u8, depth: usize) -> Option<()> {
        match ty {
            1 | 2 => Some(()),
            3 => self.pass(1),
            4..=6 => self.number().map(drop),
            7 => self.pass(8),
            8 => {
                let length = self.number()?;
                self.pass(length)
            }
            12 if depth < Self::DEPTH => {
                let mut inner = Thrift { bytes: self.bytes, id: 0 };
                while let (_, ty @ 1..) = inner.field()? {
                    inner.skip(ty, depth + 1)?;
                }
                self.bytes = inner.bytes;
                Some(())
            }
            // Headers have no lists.
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Fields 1 to 3, and a data page header with values, encodings and statistics of one text.
    const HEADER: &[u8] = &[
        0x15, 0x00, 0x15, 0x80, 0x01, 0x15, 0x40, 0x2c, 0x15, 0x14, 0x15, 0x00, 0x15, 0x06, 0x15, 0x06, 0x1c, 0x18, 1,
        b'a', 0, 0, 0, 0xff,
    ];

    #[test]
    fn headers_are_read_to_their_end() {
        let mut bytes = HEADER;
        let expected = PageHeader { decompressed: 64, compressed: 32, values: 10, ..PageHeader::default() };
        assert_eq!(PageHeader::read(&mut bytes), Some(expected));
        assert_eq!(bytes, [0xff]);
    }

    #[test]
    fn what_is_cut_or_endless_is_no_header() {
        for end in 0..HEADER.len() - 1 {
            assert_eq!(PageHeader::read(&mut &HEADER[..end]), None);
        }
        let deep = [0x9c; 100];
        assert_eq!(PageHeader::read(&mut &deep[..]), None);
    }
}
