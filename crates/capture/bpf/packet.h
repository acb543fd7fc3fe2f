/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/* A packet once it is read. Lives in a per-CPU map: the stack has 512 bytes. */
#ifndef WEIR_PACKET_H
#define WEIR_PACKET_H

#include "types.h"

/* Keys and addresses are written and compared by words of eight bytes. */
#define WEIR_WORDS __attribute__((aligned(8)))

#define WEIR_WHOLE 0
#define WEIR_FIRST_FRAGMENT 1
#define WEIR_LATER_FRAGMENT 2

struct weir_tuple {
	__u8 src[16] WEIR_WORDS;
	__u8 dst[16] WEIR_WORDS;
	__u16 src_port;
	__u16 dst_port;
	__u16 echo_id;
	__u8 protocol;
	__u8 family;
	__u8 icmp_type;
	__u8 icmp_code;
	__u8 tcp_flags; /* as on the wire */
	__u8 fragment;
	__u8 absent; /* ports and ICMP type are not known: a later fragment */
	__u8 fragment_protocol;
	__u16 zero;
	__u32 fragment_id;
	__u32 seq;
	__u32 ack;
	/* Offsets in the frame. */
	__u32 l3;
	__u32 l4;
	__u32 payload;
	__u32 total_len; /* of the datagram as its header states it; 0: not stated */
};

struct weir_packet {
	struct weir_tuple tuple;
	struct weir_tuple quoted; /* of an ICMP error */
	__u32 packets;
	__u32 payload_len; /* of the datagram, link padding left out */
	__u64 bytes;
	struct weir_flow_key flow WEIR_WORDS;
	struct weir_connection_key key WEIR_WORDS;
	struct weir_connection_key quoted_key WEIR_WORDS;
	struct weir_fragment_key fragment_key WEIR_WORDS;
	__u8 direction;
	__u8 has_quoted;
	__u8 src_is_low;
	__u8 reason;      /* why, and by which rule: of the verdict */
	__u8 is_unknown;  /* key is made, and no connection has it */
	__u8 zero[3];
	__u32 interface; /* whose packet it is */
	__u32 rule;
	__u32 acl_rule;   /* which rules said so when they were last asked */
	__u32 group_rule;
	/* The epoch of the last packet that came in on this CPU: drops.bpf.c. */
	__u32 ingress_epoch;
	__u32 zero_too;
	/* The clock as it was read last on this CPU, and in which tick. */
	__u64 tick;
	__u64 now;
};

#endif
