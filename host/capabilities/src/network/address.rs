//! Says which addresses are never reached by a name alone, and why.

use ipnet::{IpNet, Ipv6Net};
use std::net::{IpAddr, Ipv6Addr};
use std::sync::LazyLock;

/// The blocks of RFC 6890 and its registry that are not plainly public, and the metadata services of
/// clouds. The first block that holds an address names it.
const BLOCKS: &[(&str, &str)] = &[
    ("169.254.169.254/32", "a metadata service"),
    ("100.100.100.200/32", "a metadata service"),
    ("168.63.129.16/32", "a metadata service"),
    ("192.0.0.192/32", "a metadata service"),
    ("0.0.0.0/8", "an unspecified address"),
    ("10.0.0.0/8", "a private address"),
    ("100.64.0.0/10", "an address behind a carrier's NAT"),
    ("127.0.0.0/8", "a loopback address"),
    ("169.254.0.0/16", "a link-local address"),
    ("172.16.0.0/12", "a private address"),
    ("192.0.0.0/24", "a reserved address"),
    ("192.0.2.0/24", "an address for documentation"),
    ("192.88.99.0/24", "a 6to4 relay"),
    ("192.168.0.0/16", "a private address"),
    ("198.18.0.0/15", "an address for benchmarks"),
    ("198.51.100.0/24", "an address for documentation"),
    ("203.0.113.0/24", "an address for documentation"),
    ("224.0.0.0/4", "a multicast address"),
    ("255.255.255.255/32", "the broadcast address"),
    ("240.0.0.0/4", "a reserved address"),
    ("::/128", "an unspecified address"),
    ("::1/128", "a loopback address"),
    ("::ffff:0:0/96", "an IPv4-mapped address"),
    ("::/96", "an IPv4-compatible address"),
    ("64:ff9b::/96", "a NAT64 address"),
    ("64:ff9b:1::/48", "a NAT64 address"),
    ("100::/64", "a discard address"),
    ("2001::/32", "a Teredo address"),
    ("2001:2::/48", "an address for benchmarks"),
    ("2001::/23", "a reserved address"),
    ("2001:db8::/32", "an address for documentation"),
    ("2002::/16", "a 6to4 address"),
    ("3fff::/20", "an address for documentation"),
    ("fd00:ec2::254/128", "a metadata service"),
    ("fd20:ce::254/128", "a metadata service"),
    ("fc00::/7", "a private address"),
    ("fe80::/10", "a link-local address"),
    ("fec0::/10", "a site-local address"),
    ("ff00::/8", "a multicast address"),
];

/// The only part of IPv6 that is given out for the public network.
const GLOBAL_UNICAST: (u16, u8) = (0x2000, 3);

static TABLE: LazyLock<Vec<(IpNet, &'static str)>> = LazyLock::new(|| {
    BLOCKS
        .iter()
        .map(|(block, what)| (block.parse().expect("a block of the table is a network"), *what))
        .collect()
});

/// What the address is, unless it is plainly public.
pub(super) fn special(address: IpAddr) -> Option<&'static str> {
    if let Some((_, what)) = TABLE.iter().find(|(block, _)| block.contains(&address)) {
        return Some(what);
    }
    match address {
        IpAddr::V6(address) if !is_global_unicast(address) => Some("a reserved address"),
        _ => None,
    }
}

fn is_global_unicast(address: Ipv6Addr) -> bool {
    let (start, length) = GLOBAL_UNICAST;
    Ipv6Net::new_assert(Ipv6Addr::new(start, 0, 0, 0, 0, 0, 0, 0), length).contains(&address)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(address: &str, expected: Option<&str>) {
        let found = special(address.parse().unwrap());
        assert_eq!(found, expected, "{address}");
    }

    #[test]
    fn each_block_is_known_by_its_first_and_last_address() {
        for (block, _) in BLOCKS {
            let block: IpNet = block.parse().unwrap();
            assert!(special(block.network()).is_some(), "{block}");
            assert!(special(block.broadcast()).is_some(), "{block}");
        }
    }

    #[test]
    fn neighbours_of_special_blocks_are_public() {
        for address in [
            "1.1.1.1",
            "9.255.255.255",
            "11.0.0.0",
            "100.63.255.255",
            "100.128.0.0",
            "126.255.255.255",
            "128.0.0.1",
            "169.253.255.255",
            "169.255.0.0",
            "172.15.255.255",
            "172.32.0.0",
            "192.0.1.0",
            "192.167.255.255",
            "192.169.0.0",
            "198.17.255.255",
            "198.20.0.0",
            "223.255.255.255",
            "2001:200::1",
            "2606:4700:4700::1111",
            "2a00::1",
            "3ffe::1",
        ] {
            check(address, None);
        }
    }

    #[test]
    fn the_narrowest_name_is_given() {
        check("169.254.169.254", Some("a metadata service"));
        check("169.254.1.1", Some("a link-local address"));
        check("fd00:ec2::254", Some("a metadata service"));
        check("fd00::1", Some("a private address"));
        check("::ffff:8.8.8.8", Some("an IPv4-mapped address"));
        check("::1", Some("a loopback address"));
        check("4000::1", Some("a reserved address"));
        check("5f00::1", Some("a reserved address"));
    }
}
