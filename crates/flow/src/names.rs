//! What people look up by hand: names of protocols and of TCP flags.

use std::sync::LazyLock;

/// The keyword of an IP protocol number; `None` if it has none.
///
/// Source: IANA, "Assigned Internet Protocol Numbers", the column "Keyword".
pub fn protocol(number: u8) -> Option<&'static str> {
    PROTOCOLS.get(usize::from(number)).copied().filter(|name| !name.is_empty())
}

/// The flags of a `tcp-flags` value, the lowest bit first and divided by `|`:
/// 18 is `SYN|ACK`, 3 is `FIN|SYN`, and 0 is `none`.
///
/// Source: RFC 9293 section 3.1, "Control bits".
pub fn tcp_flags(flags: u8) -> &'static str {
    TCP_FLAGS.get(usize::from(flags)).map_or("none", String::as_str)
}

static TCP_FLAGS: LazyLock<Vec<String>> = LazyLock::new(|| {
    const NAMES: [&str; 8] = ["FIN", "SYN", "RST", "PSH", "ACK", "URG", "ECE", "CWR"];
    let names = |flags: u8| -> String {
        let set: Vec<&str> =
            (0..8).zip(NAMES).filter(|(bit, _)| flags >> bit & 1 == 1).map(|(_, name)| name).collect();
        if set.is_empty() { "none".to_owned() } else { set.join("|") }
    };
    (0..=u8::MAX).map(names).collect()
});

#[rustfmt::skip]
static PROTOCOLS: [&str; 256] = {
    let mut names = [""; 256];
    let assigned = [
        "HOPOPT", "ICMP", "IGMP", "GGP", "IPv4", "ST", "TCP", "CBT", "EGP", "IGP",
        "BBN-RCC-MON", "NVP-II", "PUP", "ARGUS", "EMCON", "XNET", "CHAOS", "UDP", "MUX", "DCN-MEAS",
        "HMP", "PRM", "XNS-IDP", "TRUNK-1", "TRUNK-2", "LEAF-1", "LEAF-2", "RDP", "IRTP", "ISO-TP4",
        "NETBLT", "MFE-NSP", "MERIT-INP", "DCCP", "3PC", "IDPR", "XTP", "DDP", "IDPR-CMTP", "TP++",
        "IL", "IPv6", "SDRP", "IPv6-Route", "IPv6-Frag", "IDRP", "RSVP", "GRE", "DSR", "BNA",
        "ESP", "AH", "I-NLSP", "SWIPE", "NARP", "Min-IPv4", "TLSP", "SKIP", "IPv6-ICMP", "IPv6-NoNxt",
        "IPv6-Opts", "", "CFTP", "", "SAT-EXPAK", "KRYPTOLAN", "RVD", "IPPC", "", "SAT-MON",
        "VISA", "IPCV", "CPNX", "CPHB", "WSN", "PVP", "BR-SAT-MON", "SUN-ND", "WB-MON", "WB-EXPAK",
        "ISO-IP", "VMTP", "SECURE-VMTP", "VINES", "IPTM", "NSFNET-IGP", "DGP", "TCF", "EIGRP", "OSPFIGP",
        "Sprite-RPC", "LARP", "MTP", "AX.25", "IPIP", "MICP", "SCC-SP", "ETHERIP", "ENCAP", "",
        "GMTP", "IFMP", "PNNI", "PIM", "ARIS", "SCPS", "QNX", "A/N", "IPComp", "SNP",
        "Compaq-Peer", "IPX-in-IP", "VRRP", "PGM", "", "L2TP", "DDX", "IATP", "STP", "SRP",
        "UTI", "SMP", "SM", "PTP", "ISIS over IPv4", "FIRE", "CRTP", "CRUDP", "SSCOPMCE", "IPLT",
        "SPS", "PIPE", "SCTP", "FC", "RSVP-E2E-IGNORE", "Mobility Header", "UDPLite", "MPLS-in-IP", "manet", "HIP",
        "Shim6", "WESP", "ROHC", "Ethernet", "AGGFRAG", "NSH", "Homa", "BIT-EMU",
    ];
    let mut i = 0;
    while i < assigned.len() {
        names[i] = assigned[i];
        i += 1;
    }
    names
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn protocols_have_their_numbers() {
        for (number, name) in [
            (0, Some("HOPOPT")),
            (1, Some("ICMP")),
            (6, Some("TCP")),
            (17, Some("UDP")),
            (41, Some("IPv6")),
            (47, Some("GRE")),
            (50, Some("ESP")),
            (51, Some("AH")),
            (58, Some("IPv6-ICMP")),
            (61, None),
            (88, Some("EIGRP")),
            (89, Some("OSPFIGP")),
            (99, None),
            (103, Some("PIM")),
            (108, Some("IPComp")),
            (112, Some("VRRP")),
            (114, None),
            (115, Some("L2TP")),
            (132, Some("SCTP")),
            (136, Some("UDPLite")),
            (139, Some("HIP")),
            (140, Some("Shim6")),
            (142, Some("ROHC")),
            (147, Some("BIT-EMU")),
            (148, None),
            (255, None),
        ] {
            assert_eq!(protocol(number), name, "{number}");
        }
    }

    #[test]
    fn flags_have_their_names() {
        for (flags, names) in [
            (0, "none"),
            (1, "FIN"),
            (2, "SYN"),
            (4, "RST"),
            (18, "SYN|ACK"),
            (3, "FIN|SYN"),
            (19, "FIN|SYN|ACK"),
            (255, "FIN|SYN|RST|PSH|ACK|URG|ECE|CWR"),
        ] {
            assert_eq!(tcp_flags(flags), names, "{flags}");
        }
    }
}
