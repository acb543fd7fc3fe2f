//! Queries for what everybody asks of flow logs, over a table `flow_logs`.
//!
//! Sources of the questions: VPC user guide, "Query flow logs using Amazon
//! Athena"; the named queries of GetFlowLogsIntegrationTemplate.

/// A query with a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Saved {
    pub name: &'static str,
    /// The question, in a few words.
    pub title: &'static str,
    pub sql: &'static str,
}

/// In the order of their names.
pub const SAVED: &[Saved] = &[
    Saved {
        name: "accepted-traffic",
        title: "What was accepted: bytes by destination and port",
        sql: "SELECT dstaddr, dstport, protocol, count(*) AS records, sum(bytes) AS bytes
FROM flow_logs WHERE action = 'ACCEPT'
GROUP BY 1, 2, 3 ORDER BY bytes DESC, 1, 2, 3 LIMIT 20",
    },
    Saved {
        name: "busy-interfaces",
        title: "Network interfaces by bytes",
        sql: "SELECT interface_id, sum(bytes) AS bytes, sum(packets) AS packets
FROM flow_logs GROUP BY 1 ORDER BY bytes DESC, 1 LIMIT 20",
    },
    Saved {
        name: "ip-versions",
        title: "IPv4 against IPv6",
        sql: "SELECT CASE WHEN srcaddr LIKE '%:%' THEN 'IPv6' ELSE 'IPv4' END AS version,
  count(*) AS records, sum(bytes) AS bytes
FROM flow_logs WHERE srcaddr IS NOT NULL GROUP BY 1 ORDER BY 1",
    },
    Saved {
        name: "ports",
        title: "Destination ports by bytes, and how many sources use them",
        sql: "SELECT dstport, protocol, sum(bytes) AS bytes, count(DISTINCT srcaddr) AS sources
FROM flow_logs WHERE dstport IS NOT NULL
GROUP BY 1, 2 ORDER BY bytes DESC, 1, 2 LIMIT 20",
    },
    Saved {
        name: "protocols",
        title: "Traffic by protocol",
        sql: "SELECT protocol, count(*) AS records, sum(packets) AS packets, sum(bytes) AS bytes
FROM flow_logs WHERE protocol IS NOT NULL GROUP BY 1 ORDER BY bytes DESC, 1",
    },
    Saved {
        name: "rejected-ports",
        title: "What was knocked at in vain: rejected flows by destination port",
        sql: "SELECT dstport, protocol, count(*) AS flows, count(DISTINCT srcaddr) AS sources
FROM flow_logs WHERE action = 'REJECT'
GROUP BY 1, 2 ORDER BY flows DESC, 1, 2 LIMIT 20",
    },
    Saved {
        name: "rejected-traffic",
        title: "Who was rejected: sources by flows, with the ports they tried",
        sql: "SELECT srcaddr, count(*) AS flows, count(DISTINCT dstport) AS ports, count(DISTINCT dstaddr) AS hosts
FROM flow_logs WHERE action = 'REJECT'
GROUP BY 1 ORDER BY flows DESC, 1 LIMIT 20",
    },
    Saved {
        name: "skipdata",
        title: "Is anything missing: records by log-status and interface",
        sql: "SELECT log_status, interface_id, count(*) AS records
FROM flow_logs WHERE log_status IN ('SKIPDATA', 'NODATA')
GROUP BY 1, 2 ORDER BY log_status DESC, records DESC, interface_id",
    },
    Saved {
        name: "ssh-rdp",
        title: "SSH and RDP: who came in, and who was turned away",
        sql: "SELECT srcaddr, dstaddr, dstport, action, count(*) AS flows, sum(bytes) AS bytes
FROM flow_logs WHERE dstport IN (22, 3389) AND protocol = 6
GROUP BY 1, 2, 3, 4 ORDER BY flows DESC, 1, 2, 3, 4 LIMIT 50",
    },
    Saved {
        name: "subnet-pairs",
        title: "Bytes between /24 networks (IPv4)",
        sql: "SELECT substr(srcaddr, 1, length(srcaddr) - strpos(reverse(srcaddr), '.')) || '.0/24' AS source,
  substr(dstaddr, 1, length(dstaddr) - strpos(reverse(dstaddr), '.')) || '.0/24' AS destination,
  sum(bytes) AS bytes, count(*) AS flows
FROM flow_logs WHERE srcaddr LIKE '%.%' AND dstaddr LIKE '%.%'
GROUP BY 1, 2 ORDER BY bytes DESC, 1, 2 LIMIT 20",
    },
    Saved {
        name: "top-talkers",
        title: "Pairs of addresses by bytes",
        sql: "SELECT srcaddr, dstaddr, sum(bytes) AS bytes, sum(packets) AS packets
FROM flow_logs WHERE srcaddr IS NOT NULL
GROUP BY 1, 2 ORDER BY bytes DESC, 1, 2 LIMIT 20",
    },
    Saved {
        name: "traffic-by-hour",
        title: "Bytes and flows hour by hour (UTC)",
        sql: "SELECT date_trunc('hour', from_unixtime(start)) AS hour, sum(bytes) AS bytes, count(*) AS flows,
  count(*) FILTER (WHERE action = 'REJECT') AS rejected
FROM flow_logs GROUP BY 1 ORDER BY 1",
    },
];

/// The query of this name.
pub fn by_name(name: &str) -> Option<&'static Saved> {
    SAVED.iter().find(|saved| saved.name == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_in_order() {
        assert!(SAVED.is_sorted_by(|a, b| a.name < b.name));
        assert_eq!(by_name("ssh-rdp").map(|saved| saved.name), Some("ssh-rdp"));
        assert_eq!(by_name("none"), None);
    }
}
