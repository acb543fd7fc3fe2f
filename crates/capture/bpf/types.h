/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/*
 * What kernel and agent share: map keys, map values, numbers.
 *
 * src/abi.rs holds the same in Rust and asserts every size and offset. All
 * padding is a named field, set to zero: keys are compared byte by byte.
 * Ports, sequence numbers and ids are in host byte order, addresses as on the
 * wire, IPv4 as ::ffff:a.b.c.d.
 */
#ifndef WEIR_TYPES_H
#define WEIR_TYPES_H

#include <linux/types.h>

#define WEIR_INGRESS 0
#define WEIR_EGRESS 1

#define WEIR_ACCEPT 0
#define WEIR_REJECT 1
/*
 * In the flow tables only, written by drops.bpf.c: the host's firewall dropped
 * packets that the programs at the device had counted as ACCEPT before.
 */
#define WEIR_DROPPED 2
/* The same, left over from the window before. Written by the agent only. */
#define WEIR_CARRIED 3

#define WEIR_OBSERVE 0
#define WEIR_EVALUATE 1
#define WEIR_ENFORCE 2

/* One flow of one window: what becomes one record. */
struct weir_flow_key {
	__u8 src[16];
	__u8 dst[16];
	__u16 src_port;
	__u16 dst_port;
	__u32 interface;
	__u8 protocol;
	__u8 direction;
	__u8 action;
	__u8 family; /* 4 or 6 */
};

struct weir_flow {
	__u64 packets;
	__u64 bytes;
	__u64 first_ns;
	__u64 last_ns;
	__u32 tcp_flags; /* and in the highest byte why: weir_packet.reason of the first packet */
	__u32 rule;      /* weir_packet.rule of the first packet */
};

/* Why: weir_flow::decision::Reason. */
#define WEIR_BY_GROUP_RULE 1
#define WEIR_BY_UNTRACKED 2
#define WEIR_BY_TRACKED 3
#define WEIR_BY_RELATED 4
#define WEIR_BY_ACL_RULE 5
#define WEIR_BY_ACL_DEFAULT 6
#define WEIR_BY_NO_GROUP_RULE 7
#define WEIR_BY_AFTER_CLOSE 8
#define WEIR_BY_FIREWALL 8 /* + WEIR_OF_... of drops.bpf.c */
#define WEIR_REASON_SHIFT 24

/* A tracked connection: two ends in a fixed order, whichever way a packet goes. */
struct weir_connection_key {
	__u8 low[16];
	__u8 high[16];
	__u16 low_port;
	__u16 high_port;
	__u32 interface;
	__u8 protocol;
	__u8 family;
	__u16 zero;
};

/* Bits of weir_connection.flags. Per direction: bit << direction. */
#define WEIR_INITIATED_EGRESS (1u << 0)
#define WEIR_SEEN (1u << 1)      /* and 1u << 2: a packet of this direction passed */
#define WEIR_FIN (1u << 3)       /* and 1u << 4 */
#define WEIR_FIN_ACKED (1u << 5) /* and 1u << 6: the FIN of this direction was acknowledged */
#define WEIR_CLOSED (1u << 7)
#define WEIR_STREAM (1u << 8)    /* UDP: question, answer, question */
#define WEIR_REFUSED (1u << 9)   /* evaluate mode: its beginning was rejected, and passed */

struct weir_connection {
	__u64 last_seen_ns;
	__u32 flags;
	__u32 fin_seq[2]; /* sequence number that the FIN of each direction occupies */
	/*
	 * What the network ACL said: index direction * 2 + (src is the low end),
	 * value (generation << 2) | 2 | denied; 0 is "not known".
	 */
	__u32 acl[4];
	__u32 rule; /* the number of the rule that let it begin */
};

struct weir_fragment_key {
	__u8 src[16];
	__u8 dst[16];
	__u32 interface;
	__u32 id;
	__u8 protocol; /* as the later fragments state it */
	__u8 direction;
	__u8 family;
	__u8 zero;
};

/* What only the first fragment knows. */
struct weir_fragment {
	__u16 src_port;
	__u16 dst_port;
	__u16 echo_id;
	__u8 protocol;
	__u8 icmp_type;
	__u8 icmp_code;
	__u8 zero;
};

struct weir_interface {
	__u32 mode;
	__u32 generation; /* of the rules; grows after each swap */
};

/* Per interface and epoch slot: what could not be counted or tracked. */
struct weir_losses {
	__u64 skipped_packets;
	__u64 skipped_bytes;
	__u64 malformed_packets;
	__u64 untracked_connections; /* the connection table was full */
	__s64 flows;                 /* that have an entry */
};

/*
 * Registers of a HyperLogLog (Flajolet and others, 2007) over the keys of flows
 * that were skipped: each the highest rank that fell to it.
 */
#define WEIR_SKETCH_BITS 9
struct weir_sketch {
	__u8 ranks[1 << WEIR_SKETCH_BITS];
};

struct weir_control {
	__u64 test_clock_ns; /* read only when WEIR_TEST is set at load */
	__u32 epoch;         /* its lowest bit chooses the flow table */
	__u32 drops_epoch;   /* follows a grace period later: drops.bpf.c */
	/* Entries that each interface may always have, and those for who comes first. */
	__u32 own_flows;
	__u32 common_flows;
	__u32 own_connections;
	__u32 common_connections;
};

/* A device of this machine. */
struct weir_device_key {
	__u32 netns; /* inode of its network namespace */
	__u32 index;
};

/* The interface on it. */
struct weir_device {
	__u32 interface;
	__u32 swap; /* 1: its ingress is the interface's egress */
};

/*
 * Rules. One inner map per interface: chunk 0 is the header, then four lists,
 * each from a chunk of its own on. Slots behind a list's last rule are zero and
 * match nothing.
 */
#define WEIR_VERDICT_NONE 0
#define WEIR_VERDICT_ALLOW 1
#define WEIR_VERDICT_DENY 2
#define WEIR_VERDICT_UNTRACKED 3 /* allow, and do not track */

/*
 * weir_policy::RuleEntry as masks, one cache line each: a rule that does not
 * match costs three loads and one branch.
 */
struct weir_rule {
	__u64 addr[2]; /* already masked */
	__u64 mask[2];
	/*
	 * 0x10000 - first port | last port << 32. Added to the packet's own word
	 * (port | (0x10000 - port) << 32) both bits of WEIR_PORTS_MATCH come out
	 * set if the port is neither below the first nor above the last. In an
	 * empty slot this is 0, which no port matches.
	 */
	__u64 ports;
	__u64 what; /* WEIR_WHAT of the packet, already masked */
	__u64 what_mask;
	__u32 number; /* of the rule's name; 0: it has none */
	__u8 verdict;
	__u8 zero[3];
};

#define WEIR_PORTS(first, last) ((__u64)(first) | (__u64)(0x10000 - (last)) << 32)
#define WEIR_PORTS_MATCH (1ull << 16 | 1ull << 48)

/* icmp is type << 8 | code. */
#define WEIR_WHAT(family, protocol, icmp) ((__u64)(family) | (__u64)(protocol) << 8 | (__u64)(icmp) << 32)

/* In the masks of either field, so that what is not ICMP matches none. */
#define WEIR_NOT_ICMP 0x10000

#define WEIR_CHUNK 16

#define WEIR_LIST_ACL 0    /* + direction */
#define WEIR_LIST_GROUPS 2 /* + direction */
#define WEIR_LISTS 4

/*
 * A long list has an index (src/index.rs) of what may match, by the peer's
 * address and by the port: bounds, ascending, and for what lies between two of
 * them a row of bits, one for each rule or for each two, four, eight. Bounds
 * that one chunk cannot hold are in several, behind one that has the first of
 * each. All of it is a hint: a rule whose bits are set is tested as any other.
 */
#define WEIR_BY_ADDRESS 0
#define WEIR_BY_PORT 1
#define WEIR_INDEXES 2

struct weir_list {
	__u32 first;  /* chunk */
	__u32 chunks;
	__u32 untracked; /* 1: it begins with untracked rules */
	__u8 row_shift;   /* words of a row, as a power of two; at most 3 */
	__u8 group_shift; /* rules of a bit, likewise */
	__u8 deep[WEIR_INDEXES]; /* 1: the bounds are in several chunks */
	__u32 bounds[WEIR_INDEXES]; /* chunk; 0: the list has no index */
	__u32 rows[WEIR_INDEXES];
};

#define WEIR_WORDS_OF_CHUNK 128
/* Of a chunk: the search for a place among them takes seven steps. */
#define WEIR_BOUNDS 127

union weir_chunk {
	struct weir_list lists[WEIR_LISTS];
	struct weir_rule rules[WEIR_CHUNK];
	__u64 words[WEIR_WORDS_OF_CHUNK];
};

#endif
