//! IPv4 addresses and networks. An address may have a prefix length, as in `10.0.0.0/8`: then only that many leading
//! bits count.

use std::cmp::Ordering;
use std::net::Ipv4Addr;

use super::array_elements::texts_of;
use crate::functions::ScalarFunction;
use crate::functions::args::Args;
use crate::functions::docs::{Category, Example};
use crate::functions::signature::{Accepts, Nulls, Overload, Param, Returns};
use crate::types::dynamic::ArrayWriter;
use crate::types::{Column, Type};

const IP: Param = Param::new("ip", Type::String, "an address, such as 192.168.1.1 or 192.168.1.1/24");
const SECOND: Param = Param::new("other", Type::String, "the address to compare it with");
const PREFIX: Param = Param::new("prefix", Type::Long, "the number of leading bits to compare, 0 to 32");
const ANY_IP: Param = Param::of(
    "ip",
    Accepts::OneOf(&[Type::String, Type::Long, Type::Int]),
    "an address as a string, or as a long in network order",
);

/// The functions that this file defines.
pub static FUNCTIONS: &[ScalarFunction] = &[
    ScalarFunction {
        name: "parse_ipv4",
        category: Category::Ip,
        summary: "Returns the IPv4 address as a long in network order, or null if the string is not an IPv4 address.",
        overloads: &[Overload {
            params: &[IP],
            returns: Returns::Type(Type::Long),
            kernel: |args| Ok(args.map_text(0, |ip| Some(number(network(ip)?)))),
        }],
        examples: &[
            Example::new("parse_ipv4('192.168.1.1')", "3232235777"),
            Example::new("parse_ipv4('192.168.1.1/24')", "3232235776"),
            Example::new("parse_ipv4('256.1.1.1')", "long(null)"),
        ],
        ..ScalarFunction::DEFAULT
    },
    ScalarFunction {
        name: "parse_ipv4_mask",
        category: Category::Ip,
        summary: "Returns the network of an IPv4 address as a long, or null if the string is not an IPv4 address.",
        overloads: &[Overload {
            params: &[IP, PREFIX],
            returns: Returns::Type(Type::Long),
            kernel: |args| {
                let (texts, prefixes) = (args.texts(0), args.longs(1));
                Ok(args.map(|row| Some(number(network(texts.get(row)?)?.within(prefix_length(prefixes.get(row)?)?)))))
            },
        }],
        examples: &[Example::new("parse_ipv4_mask('127.0.0.1', 24)", "2130706432")],
        ..ScalarFunction::DEFAULT
    },
    ScalarFunction {
        name: "format_ipv4",
        category: Category::Ip,
        summary: "Returns the IPv4 address as a string with the bits after its prefix cleared, or \"\" if it is not \
                  an address.",
        overloads: &[Overload {
            params: &[ANY_IP, PREFIX.optional()],
            returns: Returns::Type(Type::String),
            kernel: |args| Ok(args.map(|row| Some(formatted(args, row)?.address().to_string()))),
        }],
        examples: &[
            Example::new("format_ipv4('192.168.1.1', 24)", "192.168.1.0"),
            Example::new("format_ipv4(3232235777)", "192.168.1.1"),
            Example::new("format_ipv4('192.168.1.1', -1)", ""),
        ],
        ..ScalarFunction::DEFAULT
    },
    ScalarFunction {
        name: "format_ipv4_mask",
        category: Category::Ip,
        summary: "Returns the IPv4 network as a string in CIDR notation, or \"\" if it is not an address.",
        overloads: &[Overload {
            params: &[ANY_IP, PREFIX.optional()],
            returns: Returns::Type(Type::String),
            kernel: |args| Ok(args.map(|row| Some(formatted(args, row)?.notation()))),
        }],
        examples: &[
            Example::new("format_ipv4_mask('192.168.1.1/24', 32)", "192.168.1.0/24"),
            Example::new("format_ipv4_mask('192.168.1.1')", "192.168.1.1/32"),
        ],
        ..ScalarFunction::DEFAULT
    },
    ScalarFunction {
        name: "ipv4_compare",
        category: Category::Ip,
        summary: "Returns -1, 0 or 1 if an IPv4 address is less than, equal to or greater than another, comparing \
                  the shorter prefix only.",
        overloads: &[Overload {
            params: &[IP, SECOND, PREFIX.optional()],
            returns: Returns::Type(Type::Long),
            kernel: |args| Ok(args.map(|row| Some(compare(args, row)? as i64))),
        }],
        examples: &[
            Example::new("ipv4_compare('192.168.1.1/24', '192.168.1.255')", "0"),
            Example::new("ipv4_compare('192.168.1.1', '192.168.1.255', 24)", "0"),
            Example::new("ipv4_compare('10.0.0.1', '10.0.0.2')", "-1"),
            Example::new("ipv4_compare('10.0.0.1', 'x')", "long(null)"),
        ],
        ..ScalarFunction::DEFAULT
    },
    ScalarFunction {
        name: "ipv4_is_match",
        category: Category::Ip,
        summary: "Returns true if two IPv4 addresses are equal, comparing the shorter prefix only.",
        overloads: &[Overload {
            params: &[IP, SECOND, PREFIX.optional()],
            returns: Returns::Type(Type::Bool),
            kernel: |args| Ok(args.map(|row| Some(compare(args, row)?.is_eq()))),
        }],
        examples: &[
            Example::new("ipv4_is_match('192.168.1.1/24', '192.168.1.255')", "true"),
            Example::new("ipv4_is_match('127.0.0.1', '127.0.0.2')", "false"),
        ],
        ..ScalarFunction::DEFAULT
    },
    ScalarFunction {
        name: "ipv4_is_in_range",
        category: Category::Ip,
        summary: "Returns true if an IPv4 address is in a network, or null if either string is invalid.",
        overloads: &[Overload {
            params: &[IP, Param::new("range", Type::String, "a network, such as 192.168.0.0/16")],
            returns: Returns::Type(Type::Bool),
            kernel: |args| Ok(args.map_texts(0, 1, |ip, range| Some(network(range)?.contains(network(ip)?)))),
        }],
        examples: &[
            Example::new("ipv4_is_in_range('192.168.1.6', '192.168.1.1/24')", "true"),
            Example::new("ipv4_is_in_range('127.0.0.1', '127.0.0.2')", "false"),
        ],
        ..ScalarFunction::DEFAULT
    },
    ScalarFunction {
        name: "ipv4_is_in_any_range",
        category: Category::Ip,
        summary: "Returns true if an IPv4 address is in any of several networks, or null if it is in none and a \
                  string is invalid.",
        overloads: &[
            Overload {
                params: &[IP, Param::new("range", Type::String, "a network, such as 192.168.0.0/16").repeated()],
                returns: Returns::Type(Type::Bool),
                kernel: |args| Ok(in_any(args, network, Ipv4Network::contains)),
            },
            Overload {
                params: &[IP, Param::new("ranges", Type::Dynamic, "an array of networks")],
                returns: Returns::Type(Type::Bool),
                kernel: |args| Ok(in_any(args, network, Ipv4Network::contains)),
            },
        ],
        examples: &[
            Example::new("ipv4_is_in_any_range('192.168.1.6', '192.168.1.1/24', '10.0.0.1/8')", "true"),
            Example::new("ipv4_is_in_any_range('127.0.0.1', dynamic(['10.0.0.1/8', '192.168.1.1']))", "false"),
        ],
        ..ScalarFunction::DEFAULT
    },
    ScalarFunction {
        name: "ipv4_is_private",
        category: Category::Ip,
        summary: "Returns true if an IPv4 address is private: in 10.0.0.0/8, 172.16.0.0/12 or 192.168.0.0/16.",
        overloads: &[Overload {
            params: &[IP],
            returns: Returns::Type(Type::Bool),
            kernel: |args| {
                Ok(args.map_text(0, |ip| {
                    let ip = network(ip)?;
                    Some(PRIVATE.iter().any(|range| range.contains(ip)))
                }))
            },
        }],
        examples: &[
            Example::new("ipv4_is_private('192.168.1.1/24')", "true"),
            Example::new("ipv4_is_private('127.0.0.1')", "false"),
        ],
        ..ScalarFunction::DEFAULT
    },
    ScalarFunction {
        name: "ipv4_netmask_suffix",
        category: Category::Ip,
        summary: "Returns the prefix length of an IPv4 address (32 if it has none), or null if the string is not an \
                  IPv4 address.",
        overloads: &[Overload {
            params: &[IP],
            returns: Returns::Type(Type::Long),
            kernel: |args| Ok(args.map_text(0, |ip| Some(i64::from(network(ip)?.prefix)))),
        }],
        examples: &[
            Example::new("ipv4_netmask_suffix('192.168.1.1/24')", "24"),
            Example::new("ipv4_netmask_suffix('10.1.2.3')", "32"),
        ],
        ..ScalarFunction::DEFAULT
    },
    ScalarFunction {
        name: "ipv4_range_to_cidr_list",
        category: Category::Ip,
        summary: "Returns the fewest networks in CIDR notation that cover a range of IPv4 addresses, or null if \
                  either string is invalid.",
        overloads: &[Overload {
            params: &[
                Param::new("start", Type::String, "the first address"),
                Param::new("end", Type::String, "the last address"),
            ],
            returns: Returns::Type(Type::Dynamic),
            kernel: |args| Ok(args.map_texts(0, 1, |start, end| Some(cover(network(start)?.bits, network(end)?.bits)))),
        }],
        examples: &[Example::new(
            "ipv4_range_to_cidr_list('1.1.128.0', '1.1.140.255')",
            r#"["1.1.128.0/21","1.1.136.0/22","1.1.140.0/24"]"#,
        )],
        ..ScalarFunction::DEFAULT
    },
    ScalarFunction {
        name: "has_ipv4",
        category: Category::Ip,
        summary: "Returns true if the string contains the IPv4 address without a letter or digit next to it.",
        overloads: &[Overload {
            params: &[
                Param::new("source", Type::String, "the string to search"),
                Param::new("ip", Type::String, "the address to look for"),
            ],
            returns: Returns::Type(Type::Bool),
            kernel: |args| Ok(args.map_texts(0, 1, has_address)),
        }],
        examples: &[
            Example::new("has_ipv4('05:04:54 127.0.0.1 GET /favicon.ico 404', '127.0.0.1')", "true"),
            Example::new("has_ipv4('05:04:54127.0.0.1 GET /favicon.ico 404', '127.0.0.1')", "false"),
        ],
        nulls: Nulls::Handled,
        ..ScalarFunction::DEFAULT
    },
    ScalarFunction {
        name: "has_any_ipv4",
        category: Category::Ip,
        summary: "Returns true if the string contains any of the IPv4 addresses without a letter or digit next to it.",
        overloads: &[
            Overload {
                params: &[
                    Param::new("source", Type::String, "the string to search"),
                    Param::new("ip", Type::String, "an address to look for").repeated(),
                ],
                returns: Returns::Type(Type::Bool),
                kernel: |args| Ok(has_any(args, has_address)),
            },
            Overload {
                params: &[
                    Param::new("source", Type::String, "the string to search"),
                    Param::new("ips", Type::Dynamic, "an array of addresses to look for"),
                ],
                returns: Returns::Type(Type::Bool),
                kernel: |args| Ok(has_any(args, has_address)),
            },
        ],
        examples: &[
            Example::new("has_any_ipv4('05:04:54 127.0.0.1 GET /', '127.0.0.1', '127.0.0.2')", "true"),
            Example::new("has_any_ipv4('05:04:54 127.0.0.1 GET /', dynamic(['127.0.0.2']))", "false"),
        ],
        nulls: Nulls::Handled,
        ..ScalarFunction::DEFAULT
    },
    ScalarFunction {
        name: "has_ipv4_prefix",
        category: Category::Ip,
        summary: "Returns true if the string contains an IPv4 address with the given prefix, without a letter or \
                  digit next to it.",
        overloads: &[Overload {
            params: &[
                Param::new("source", Type::String, "the string to search"),
                Param::new("prefix", Type::String, "an address, or the start of one up to a dot: '10.1.'"),
            ],
            returns: Returns::Type(Type::Bool),
            kernel: |args| Ok(args.map_texts(0, 1, has_prefix)),
        }],
        examples: &[
            Example::new("has_ipv4_prefix('05:04:54 127.0.0.1 GET /', '127.0.')", "true"),
            Example::new("has_ipv4_prefix('05:04:54 127.0.0.1 GET /', '127.0')", "false"),
        ],
        nulls: Nulls::Handled,
        ..ScalarFunction::DEFAULT
    },
    ScalarFunction {
        name: "has_any_ipv4_prefix",
        category: Category::Ip,
        summary: "Returns true if the string contains an IPv4 address with any of the prefixes, without a letter or \
                  digit next to it.",
        overloads: &[
            Overload {
                params: &[
                    Param::new("source", Type::String, "the string to search"),
                    Param::new("prefix", Type::String, "an address, or the start of one up to a dot").repeated(),
                ],
                returns: Returns::Type(Type::Bool),
                kernel: |args| Ok(has_any(args, has_prefix)),
            },
            Overload {
                params: &[
                    Param::new("source", Type::String, "the string to search"),
                    Param::new("prefixes", Type::Dynamic, "an array of addresses, or of starts of them up to a dot"),
                ],
                returns: Returns::Type(Type::Bool),
                kernel: |args| Ok(has_any(args, has_prefix)),
            },
        ],
        examples: &[
            Example::new("has_any_ipv4_prefix('05:04:54 127.0.0.1 GET /', '127.0.', '192.168.')", "true"),
            Example::new("has_any_ipv4_prefix('05:04:54 127.0.0.1 GET /', dynamic(['10.']))", "false"),
        ],
        nulls: Nulls::Handled,
        ..ScalarFunction::DEFAULT
    },
];

/// The private networks. Source: RFC 1918.
const PRIVATE: [Ipv4Network; 3] = [
    Ipv4Network { bits: 10 << 24, prefix: 8 },
    Ipv4Network { bits: (172 << 24) | (16 << 16), prefix: 12 },
    Ipv4Network { bits: (192 << 24) | (168 << 16), prefix: 16 },
];

/// An address and the length of its prefix in bits; the bits after the prefix are zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Ipv4Network {
    bits: u32,
    prefix: u32,
}

impl Ipv4Network {
    fn new(bits: u32, prefix: u32) -> Self {
        let mask = u32::MAX.checked_shl(32 - prefix).unwrap_or(0);
        Self { bits: bits & mask, prefix }
    }

    /// Shortens the prefix to `prefix` bits, if it is longer.
    fn within(self, prefix: u32) -> Self {
        Self::new(self.bits, self.prefix.min(prefix))
    }

    fn contains(self, other: Self) -> bool {
        Self::new(other.bits, self.prefix).bits == self.bits
    }

    fn address(self) -> Ipv4Addr {
        Ipv4Addr::from(self.bits)
    }

    fn notation(self) -> String {
        format!("{}/{}", self.address(), self.prefix)
    }
}

/// Parses an address with or without a prefix length; None if it is invalid. Octets must not have leading zeros.
fn network(text: &str) -> Option<Ipv4Network> {
    let (address, prefix) = split_prefix(text)?;
    let address: Ipv4Addr = address.parse().ok()?;
    Some(Ipv4Network::new(address.into(), prefix.map_or(Some(32), |prefix| prefix_length(prefix.into()))?))
}

/// Parses an address; returns its bits, which are zero after the prefix, and the length of the prefix.
pub(in crate::functions) fn address_prefix(text: &str) -> Option<(u32, u32)> {
    network(text).map(|network| (network.bits, network.prefix))
}

/// Splits an address into the part before the slash and the number after it, if there is one; None if that is not a
/// number.
pub(super) fn split_prefix(text: &str) -> Option<(&str, Option<u32>)> {
    let text = text.trim_matches(' ');
    match text.split_once('/') {
        None => Some((text, None)),
        Some((address, digits)) => {
            let decimal = (1..=3).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit());
            decimal.then(|| digits.parse().ok()).flatten().map(|prefix| (address, Some(prefix)))
        }
    }
}

fn prefix_length(prefix: i64) -> Option<u32> {
    u32::try_from(prefix).ok().filter(|prefix| *prefix <= 32)
}

fn number(network: Ipv4Network) -> i64 {
    i64::from(network.bits)
}

/// Returns the address in the first argument, masked by the prefix length in the second one.
fn formatted(args: &Args<'_>, row: usize) -> Option<Ipv4Network> {
    let column = args.column(0);
    let ip = match column.ty() {
        Type::String => network(column.text_at(row)?)?,
        _ => Ipv4Network::new(u32::try_from(column.i64_at(row)?).ok()?, 32),
    };
    if args.len() < 2 { Some(ip) } else { Some(ip.within(prefix_length(args.column(1).i64_at(row)?)?)) }
}

/// Compares the addresses in the first two arguments by the shortest prefix; None if either is not an address.
fn compare(args: &Args<'_>, row: usize) -> Option<Ordering> {
    let (a, b) = (network(args.column(0).text_at(row)?)?, network(args.column(1).text_at(row)?)?);
    let given = if args.len() < 3 { 32 } else { prefix_length(args.column(2).i64_at(row)?)? };
    let prefix = a.prefix.min(b.prefix).min(given);
    Some(a.within(prefix).bits.cmp(&b.within(prefix).bits))
}

/// Computes whether the address in the first argument is in a network of the other arguments, which are strings or
/// arrays of strings.
pub(super) fn in_any<T: Copy>(args: &Args<'_>, parse: fn(&str) -> Option<T>, contains: fn(T, T) -> bool) -> Column {
    let constant: Option<Vec<Option<T>>> = (1..args.len())
        .map(|index| args.constant(index).map(|_| texts_of(args.column(index), 0)))
        .collect::<Option<Vec<_>>>()
        .map(|texts| texts.iter().flatten().map(|text| parse(text)).collect());
    args.map(|row| {
        let ip = parse(args.column(0).text_at(row)?)?;
        let any = |ranges: &mut dyn Iterator<Item = Option<T>>| {
            let mut answer = Some(false);
            for range in ranges {
                match range.map(|range| contains(range, ip)) {
                    Some(true) => return Some(true),
                    Some(false) => {}
                    None => answer = None,
                }
            }
            answer
        };
        match &constant {
            Some(ranges) => any(&mut ranges.iter().copied()),
            None => {
                any(&mut (1..args.len()).flat_map(|index| texts_of(args.column(index), row)).map(|text| parse(&text)))
            }
        }
    })
}

/// Returns the fewest networks that cover exactly the addresses from `start` to `end`, both included, as a JSON array.
fn cover(start: u32, end: u32) -> String {
    let mut networks = ArrayWriter::new();
    let (mut next, end) = (u64::from(start), u64::from(end));
    while next <= end {
        // The largest block that starts here and does not extend past the end.
        let free = if next == 0 { 32 } else { next.trailing_zeros().min(32) };
        let host_bits = free.min((end - next + 1).ilog2());
        let bits = u32::try_from(next).expect("an address has 32 bits");
        networks.push_text(&Ipv4Network::new(bits, 32 - host_bits).notation());
        next += 1 << host_bits;
    }
    networks.finish()
}

fn has_any(args: &Args<'_>, has: fn(&str, &str) -> bool) -> Column {
    let sources = args.texts(0);
    args.map(|row| {
        let source = sources.get(row).unwrap_or("");
        (1..args.len()).any(|index| texts_of(args.column(index), row).iter().any(|wanted| has(source, wanted)))
    })
}

fn has_address(source: &str, ip: &str) -> bool {
    ip.parse::<Ipv4Addr>().is_ok() && addresses_from(source, ip).any(|address| address == ip)
}

fn has_prefix(source: &str, prefix: &str) -> bool {
    let octets = prefix.trim_end_matches('.').split('.').count();
    let partial = prefix.ends_with('.')
        && octets < 4
        && format!("{prefix}{}", ["0"; 4][octets..].join(".")).parse::<Ipv4Addr>().is_ok();
    match partial {
        true => addresses_from(source, prefix).next().is_some(),
        false => has_address(source, prefix),
    }
}

/// Finds the addresses in `source` that begin with `start` and have no letter or digit next to them.
fn addresses_from<'a>(source: &'a str, start: &'a str) -> impl Iterator<Item = &'a str> {
    memchr::memmem::find_iter(source.as_bytes(), start.as_bytes()).filter_map(move |at| {
        let free = !source[..at].chars().next_back().is_some_and(char::is_alphanumeric);
        let rest = &source[at..];
        let length = dotted_length(rest)?;
        let ends = !rest[length..].chars().next().is_some_and(char::is_alphanumeric);
        (free && ends && rest[..length].parse::<Ipv4Addr>().is_ok()).then_some(&rest[..length])
    })
}

/// Returns the length of the dotted quad at the start of `text`; None if there is none.
fn dotted_length(text: &str) -> Option<usize> {
    let digits = |from: usize| text.as_bytes()[from..].iter().take(4).take_while(|byte| byte.is_ascii_digit()).count();
    let mut at = digits(0);
    for _ in 0..3 {
        if text.as_bytes().get(at) != Some(&b'.') {
            return None;
        }
        at += 1 + digits(at + 1);
    }
    Some(at)
}

#[cfg(test)]
mod tests {
    use super::{Ipv4Network, cover, has_address, has_prefix, network};

    #[test]
    fn an_address_may_carry_a_prefix_length() {
        let table = [
            ("192.168.1.1", Some((0xC0A8_0101, 32))),
            (" 192.168.1.1", Some((0xC0A8_0101, 32))),
            ("192.168.1.1/24", Some((0xC0A8_0100, 24))),
            ("192.168.1.1/0", Some((0, 0))),
            ("192.168.1.1/33", None),
            ("192.168.1.1/1x", None),
            ("192.168.1.1/+1", None),
            ("192.168.1.1/", None),
            ("192.168.01.1", None),
            ("192.168.1", None),
            ("256.1.1.1", None),
            ("", None),
        ];
        for (text, expected) in table {
            assert_eq!(network(text), expected.map(|(bits, prefix)| Ipv4Network { bits, prefix }), "{text}");
        }
    }

    #[test]
    fn a_range_is_covered_by_the_fewest_networks() {
        let ip = |text: &str| network(text).unwrap().bits;
        assert_eq!(cover(0, u32::MAX), r#"["0.0.0.0/0"]"#);
        assert_eq!(cover(ip("10.0.0.1"), ip("10.0.0.4")), r#"["10.0.0.1/32","10.0.0.2/31","10.0.0.4/32"]"#);
        assert_eq!(cover(ip("255.255.255.254"), u32::MAX), r#"["255.255.255.254/31"]"#);
        assert_eq!(cover(2, 1), "[]");
    }

    #[test]
    fn an_address_in_a_text_stands_alone() {
        let table = [
            ("from 10.1.1.1, then", "10.1.1.1", true),
            ("10.1.1.115", "10.1.1.1", false),
            ("10.1.1.1é", "10.1.1.1", false),
            ("a10.1.1.1", "10.1.1.1", false),
            ("10.1.1.1.", "10.1.1.1", true),
            ("10.1.1.1", "10.1.1.", false),
            ("127.0.0.256", "127.0.0.256", false),
        ];
        for (text, ip, expected) in table {
            assert_eq!(has_address(text, ip), expected, "{text} {ip}");
        }
        let table = [
            ("from 10.1.1.1, then", "10.1.", true),
            ("from 10.1.1.1, then", "10.1", false),
            ("from 10.1.1.1, then", "10.1.1.1", true),
            ("from 10.1.1.300, then", "10.1.", false),
            ("from 110.1.1.1, then", "10.1.", false),
            ("1.2.3.4", "1..", false),
            ("1.2.3.4", ".", false),
            ("1.2.3.4", "1.2.3.4.", false),
        ];
        for (text, prefix, expected) in table {
            assert_eq!(has_prefix(text, prefix), expected, "{text} {prefix}");
        }
    }
}
