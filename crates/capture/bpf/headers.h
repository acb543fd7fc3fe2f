/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/*
 * Numbers of the headers that both readers meet, and what they mean: the
 * programs at devices (parse.h) and the one at dropped packets (drops.bpf.c).
 */
#ifndef WEIR_HEADERS_H
#define WEIR_HEADERS_H

#include <linux/types.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#define ETH_IPV4 0x0800
#define ETH_IPV6 0x86DD
#define ETH_8021Q 0x8100
#define ETH_8021AD 0x88A8

#define PROTO_HOP_BY_HOP 0
#define PROTO_ICMP 1
#define PROTO_TCP 6
#define PROTO_UDP 17
#define PROTO_ROUTING 43
#define PROTO_FRAGMENT 44
#define PROTO_AH 51
#define PROTO_ICMPV6 58
#define PROTO_DEST_OPTS 60
#define PROTO_SCTP 132
#define PROTO_MOBILITY 135
#define PROTO_HIP 139
#define PROTO_SHIM6 140

static __always_inline void weir_copy_address(__u8 *to, const __u32 *from)
{
	__u32 *words = (__u32 *)to;

	words[0] = from[0];
	words[1] = from[1];
	words[2] = from[2];
	words[3] = from[3];
}

/* The same by two words: what is read as one word is to be written as one. */
static __always_inline void weir_copy_words(void *to, const void *from)
{
	((__u64 *)to)[0] = ((const __u64 *)from)[0];
	((__u64 *)to)[1] = ((const __u64 *)from)[1];
}

/* ::ffff:a.b.c.d (RFC 4291, section 2.5.5.2) */
static __always_inline void weir_map_address(void *to, __u32 address)
{
	((__u64 *)to)[0] = 0;
	((__u64 *)to)[1] = (__u64)address << 32 | 0xffff0000;
}

static __always_inline int weir_has_ports(__u8 protocol)
{
	return protocol == PROTO_TCP || protocol == PROTO_UDP || protocol == PROTO_SCTP;
}

static __always_inline int weir_is_icmp(__u8 protocol)
{
	return protocol == PROTO_ICMP || protocol == PROTO_ICMPV6;
}

static __always_inline int weir_is_extension(__u8 next)
{
	switch (next) {
	case PROTO_HOP_BY_HOP:
	case PROTO_ROUTING:
	case PROTO_FRAGMENT:
	case PROTO_AH:
	case PROTO_DEST_OPTS:
	case PROTO_MOBILITY:
	case PROTO_HIP:
	case PROTO_SHIM6:
		return 1;
	}
	return 0;
}

/* RFC 4861: without neighbour discovery there is no IPv6 at all. */
static __always_inline int weir_is_discovery(__u8 family, __u8 protocol, __u8 icmp_type)
{
	return family == 6 && protocol == PROTO_ICMPV6 && icmp_type >= 133 && icmp_type <= 137;
}

/* As AWS reports them: FIN 1, SYN 2, RST 4, SYN-ACK 18; a lone ACK counts 0. */
static __always_inline __u32 weir_reported_flags(__u8 on_wire)
{
	__u32 flags = on_wire & 0x07;

	if ((on_wire & 0x12) == 0x12)
		flags |= 0x10;
	return flags;
}

#endif
