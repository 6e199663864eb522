//! IPv6 addresses and networks. An IPv4 address is converted to its IPv6 form, `::ffff:` and its four bytes.

use std::cmp::Ordering;
use std::net::{Ipv4Addr, Ipv6Addr};

use super::ipv4::{in_any, split_prefix};
use crate::functions::ScalarFunction;
use crate::functions::args::Args;
use crate::functions::docs::{Category, Example};
use crate::functions::signature::{Overload, Param, Returns};
use crate::types::Type;

const IP: Param = Param::new("ip", Type::String, "an IPv6 or IPv4 address, with or without a prefix length");
const SECOND: Param = Param::new("other", Type::String, "the address to compare it with");
const PREFIX: Param = Param::new("prefix", Type::Long, "the number of leading bits to compare, 0 to 128");
const RANGE: Param = Param::new("range", Type::String, "a network, such as fe80::/10");

/// The functions that this file defines.
pub static FUNCTIONS: &[ScalarFunction] = &[
    ScalarFunction {
        name: "parse_ipv6",
        category: Category::Ip,
        summary: "Returns the IPv6 or IPv4 address as eight groups of four hexadecimal digits, or \"\" if the string \
                  is not an address.",
        overloads: &[Overload {
            params: &[IP],
            returns: Returns::Type(Type::String),
            kernel: |args| Ok(args.map_text(0, |ip| Some(network(ip)?.full_text()))),
        }],
        examples: &[
            Example::new("parse_ipv6('2001:db8::10/64')", "2001:0db8:0000:0000:0000:0000:0000:0000"),
            Example::new("parse_ipv6('127.0.0.1')", "0000:0000:0000:0000:0000:ffff:7f00:0001"),
            Example::new("parse_ipv6('1::2::3')", ""),
        ],
        ..ScalarFunction::DEFAULT
    },
    ScalarFunction {
        name: "parse_ipv6_mask",
        category: Category::Ip,
        summary: "Returns the network of an IPv6 or IPv4 address as eight groups of four hexadecimal digits, or \"\" \
                  if the string is not an address.",
        overloads: &[Overload {
            params: &[IP, PREFIX],
            returns: Returns::Type(Type::String),
            kernel: |args| {
                let (texts, prefixes) = (args.texts(0), args.longs(1));
                Ok(args
                    .map(|row| Some(network(texts.get(row)?)?.within(prefix_length(prefixes.get(row)?)?).full_text())))
            },
        }],
        examples: &[Example::new("parse_ipv6_mask('192.168.255.255', 120)", "0000:0000:0000:0000:0000:ffff:c0a8:ff00")],
        ..ScalarFunction::DEFAULT
    },
    ScalarFunction {
        name: "ipv6_compare",
        category: Category::Ip,
        summary: "Returns -1, 0 or 1 if an IPv6 or IPv4 address is less than, equal to or greater than another, \
                  comparing the shorter prefix only.",
        overloads: &[Overload {
            params: &[IP, SECOND, PREFIX.optional()],
            returns: Returns::Type(Type::Long),
            kernel: |args| Ok(args.map(|row| Some(compare(args, row)? as i64))),
        }],
        examples: &[
            Example::new("ipv6_compare('fe80::1/120', 'fe80::98')", "0"),
            Example::new("ipv6_compare('192.168.1.1', '::ffff:c0a8:0101')", "0"),
            Example::new("ipv6_compare('::1', '::2')", "-1"),
            Example::new("ipv6_compare('::1', 'x')", "long(null)"),
        ],
        ..ScalarFunction::DEFAULT
    },
    ScalarFunction {
        name: "ipv6_is_match",
        category: Category::Ip,
        summary: "Returns true if two IPv6 or IPv4 addresses are equal, comparing the shorter prefix only.",
        overloads: &[Overload {
            params: &[IP, SECOND, PREFIX.optional()],
            returns: Returns::Type(Type::Bool),
            kernel: |args| Ok(args.map(|row| Some(compare(args, row)?.is_eq()))),
        }],
        examples: &[
            Example::new("ipv6_is_match('fe80::1/120', 'fe80::98')", "true"),
            Example::new("ipv6_is_match('::1', '::2')", "false"),
        ],
        ..ScalarFunction::DEFAULT
    },
    ScalarFunction {
        name: "ipv6_is_in_range",
        category: Category::Ip,
        summary: "Returns true if an IPv6 or IPv4 address is in a network, or null if either string is invalid.",
        overloads: &[Overload {
            params: &[IP, RANGE],
            returns: Returns::Type(Type::Bool),
            kernel: |args| Ok(args.map_texts(0, 1, |ip, range| Some(comparable(range)?.contains(comparable(ip)?)))),
        }],
        examples: &[
            Example::new("ipv6_is_in_range('a5e:f127:8a9d:146d:e102:b5d3:c755:abcd', 'a5e:f127:8a9d::/48')", "true"),
            Example::new("ipv6_is_in_range('192.168.1.6', '192.168.2.0/24')", "false"),
        ],
        ..ScalarFunction::DEFAULT
    },
    ScalarFunction {
        name: "ipv6_is_in_any_range",
        category: Category::Ip,
        summary: "Returns true if an IPv6 or IPv4 address is in any of several networks, or null if it is in none \
                  and a string is invalid.",
        overloads: &[
            Overload {
                params: &[IP, RANGE.repeated()],
                returns: Returns::Type(Type::Bool),
                kernel: |args| Ok(in_any(args, comparable, Ipv6Network::contains)),
            },
            Overload {
                params: &[IP, Param::new("ranges", Type::Dynamic, "an array of networks")],
                returns: Returns::Type(Type::Bool),
                kernel: |args| Ok(in_any(args, comparable, Ipv6Network::contains)),
            },
        ],
        examples: &[
            Example::new("ipv6_is_in_any_range('fe80::1', '10.0.0.0/8', 'fe80::/10')", "true"),
            Example::new("ipv6_is_in_any_range('fe81::1', dynamic(['10.0.0.0/8', 'fe80::/16']))", "false"),
        ],
        ..ScalarFunction::DEFAULT
    },
];

/// An address and the length of its prefix in bits; the bits after the prefix are zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Ipv6Network {
    bits: u128,
    prefix: u32,
}

impl Ipv6Network {
    fn new(bits: u128, prefix: u32) -> Self {
        let mask = u128::MAX.checked_shl(128 - prefix).unwrap_or(0);
        Self { bits: bits & mask, prefix }
    }

    /// Shortens the prefix to `prefix` bits, if it is longer.
    fn within(self, prefix: u32) -> Self {
        Self::new(self.bits, self.prefix.min(prefix))
    }

    fn contains(self, other: Self) -> bool {
        Self::new(other.bits, self.prefix).bits == self.bits
    }

    fn full_text(self) -> String {
        Ipv6Addr::from(self.bits).segments().map(|group| format!("{group:04x}")).join(":")
    }
}

/// The number of bits before an embedded IPv4 address.
const IPV4_BITS_BEFORE: u32 = 96;

/// Parses an address with or without a prefix length; None if it is invalid. If it ends in the dotted form of IPv4, its
/// prefix length is that of an IPv4 address.
fn network(text: &str) -> Option<Ipv6Network> {
    let (address, prefix) = split_prefix(text)?;
    let bits = match address.parse::<Ipv4Addr>() {
        Ok(ipv4) => ipv4.to_ipv6_mapped(),
        Err(_) => address.parse::<Ipv6Addr>().ok()?,
    };
    let before = if address.contains('.') { IPV4_BITS_BEFORE } else { 0 };
    let prefix = prefix.map_or(Some(128), |prefix| prefix_length(i64::from(prefix) + i64::from(before)))?;
    Some(Ipv6Network::new(bits.into(), prefix))
}

/// Parses an address; returns its bits, which are zero after the prefix, and the length of the prefix.
pub(in crate::functions) fn address_prefix(text: &str) -> Option<(u128, u32)> {
    comparable(text).map(|network| (network.bits, network.prefix))
}

/// Like [`network`], but `::a.b.c.d` is the IPv4 address a.b.c.d: comparisons treat the two as equal.
fn comparable(text: &str) -> Option<Ipv6Network> {
    let network = network(text)?;
    let compatible = text.contains('.') && network.bits >> 32 == 0;
    Some(if compatible { Ipv6Network::new(network.bits | (0xFFFF << 32), network.prefix) } else { network })
}

fn prefix_length(prefix: i64) -> Option<u32> {
    u32::try_from(prefix).ok().filter(|prefix| *prefix <= 128)
}

/// Compares the addresses in the first two arguments by the shortest prefix; None if either is not an address.
fn compare(args: &Args<'_>, row: usize) -> Option<Ordering> {
    let (a, b) = (comparable(args.column(0).text_at(row)?)?, comparable(args.column(1).text_at(row)?)?);
    let given = if args.len() < 3 { 128 } else { prefix_length(args.column(2).i64_at(row)?)? };
    let prefix = a.prefix.min(b.prefix).min(given);
    Some(a.within(prefix).bits.cmp(&b.within(prefix).bits))
}

#[cfg(test)]
mod tests {
    use super::{comparable, network};

    #[test]
    fn addresses_in_full() {
        let table = [
            ("::", "0000:0000:0000:0000:0000:0000:0000:0000"),
            ("2001:DB8::10", "2001:0db8:0000:0000:0000:0000:0000:0010"),
            ("::1.2.3.4", "0000:0000:0000:0000:0000:0000:0102:0304"),
            ("1.2.3.4/0", "0000:0000:0000:0000:0000:ffff:0000:0000"),
            ("::192.168.255.255/24", "0000:0000:0000:0000:0000:0000:c0a8:ff00"),
            ("2001:db8::10/17", "2001:0000:0000:0000:0000:0000:0000:0000"),
        ];
        for (text, expected) in table {
            assert_eq!(network(text).map(|network| network.full_text()).as_deref(), Some(expected), "{text}");
        }
        for text in ["1:2:3:4:5:6:7:8:9", "gggg::1", "1::2::3", "2001:db8::10/129", "256.1.1.1", "", "::1%eth0"] {
            assert_eq!(network(text), None, "{text}");
        }
    }

    #[test]
    fn an_ipv4_address_compares_in_any_of_its_forms() {
        let forms = ["192.168.1.1", "::192.168.1.1", "::ffff:192.168.1.1", "::ffff:c0a8:0101"];
        for form in forms {
            assert_eq!(comparable(form), network("192.168.1.1"), "{form}");
        }
    }
}
