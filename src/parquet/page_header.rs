//! Parses page headers, which are in Thrift's compact protocol, as far as needed to find the values of a page.

/// The header of a page.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct PageHeader {
    /// The type of the page, such as [`Self::DATA`], [`Self::DICTIONARY`] or [`Self::DATA_2`].
    pub kind: u64,
    /// Number of decompressed bytes of the page, without its header.
    pub decompressed: usize,
    /// Number of compressed bytes of the page, without its header.
    pub compressed: usize,
    /// The checksum of the compressed bytes; None if there is none.
    pub checksum: Option<u32>,
    /// Number of values in the page, including nulls.
    pub values: usize,
    /// The encoding of the values, such as [`Self::PLAIN`] or [`Self::RLE_DICTIONARY`].
    pub encoding: u64,
    /// Number of bytes of the definition levels (first) and of the repetition levels (second). In version 2, both precede
    /// the values and are not compressed.
    pub levels: (usize, usize),
    /// True if the header of a page of version 2 states that its values are not compressed.
    pub is_uncompressed: bool,
}

impl PageHeader {
    /// Data pages of version 1.
    pub const DATA: u64 = 0;
    /// Dictionary pages.
    pub const DICTIONARY: u64 = 2;
    /// Data pages of version 2.
    pub const DATA_2: u64 = 3;
    /// The encoding of values one after the other.
    pub const PLAIN: u64 = 0;
    /// The old name of two encodings: dictionary codes in data pages, and plain values in dictionary pages.
    pub const PLAIN_DICTIONARY: u64 = 2;
    /// The encoding of dictionary codes.
    pub const RLE_DICTIONARY: u64 = 8;

    /// Parses the header at the start of `bytes`, and advances `bytes` to its end. Returns None if it is invalid.
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

    /// False if the header has a checksum that does not match `page`, its compressed bytes.
    pub fn is_intact(&self, page: &[u8]) -> bool {
        self.checksum.is_none_or(|checksum| checksum == crc32fast::hash(page))
    }

    /// Reads the fields that data pages of both versions and dictionary pages have in a struct of their own.
    /// `is_second` is true if it is a data page of version 2.
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

/// Reads a struct in Thrift's compact protocol.
struct Thrift<'a> {
    bytes: &'a [u8],
    /// The id of the last field that was read.
    id: u64,
}

impl Thrift<'_> {
    const FALSE: u8 = 2;
    /// Maximum nesting depth of structs.
    const DEPTH: usize = 8;

    /// Returns the id and the type of the next field; the type is 0 at the end of the struct.
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

    /// Reads an integer that is not negative; None for others.
    fn integer(&mut self) -> Option<u64> {
        let zigzag = self.number()?;
        (zigzag & 1 == 0).then_some(zigzag >> 1)
    }

    /// Reads the 32 bits of a value that is stored as a signed integer.
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

    /// Skips a value of type `ty`. A bool takes no bytes, because its value is part of the type.
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

    /// Fields 1 to 3, and a data page header with number of values, encodings, and statistics of a string.
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
