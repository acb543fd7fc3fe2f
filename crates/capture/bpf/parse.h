/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/*
 * Frame -> weir_packet: Ethernet, up to two VLAN tags in the frame, IPv4 with
 * options, IPv6 with up to eight extension headers, the first bytes of TCP,
 * UDP, SCTP and ICMP, the packet an ICMP error quotes, and segmentation
 * offload unfolded into packets and bytes on the wire. What most packets are has
 * a short way (weir_parse_plain), which the tests hold against the long one.
 */
#ifndef WEIR_PARSE_H
#define WEIR_PARSE_H

#include "headers.h"
#include "maps.h"

#define WEIR_PARSED 0
#define WEIR_IGNORED 1   /* not IP, or IPv6 neighbour discovery */
#define WEIR_MALFORMED 2 /* a header is cut off or contradicts itself */
#define WEIR_NOT_PLAIN 3

#define WEIR_MAX_EXTENSIONS 8
/* Headers end before this offset; a chain that goes on is malformed. */
#define WEIR_MAX_OFFSET 16384

#ifndef barrier_var
#define barrier_var(var) asm volatile("" : "+r"(var))
#endif

/* A header on the stack, read by words: the compiler would copy bytes one by one. */
union weir_header {
	__u8 bytes[40];
	__u16 halves[20];
	__u32 words[10];
};

/*
 * Copies n bytes at off, from the linear part if they are there (cheap), else
 * by the helper. The verifier ties a bounds check to one register: barrier_var
 * keeps the compiler from checking one pointer and reading through another.
 */
static __always_inline int weir_load(struct __sk_buff *skb, __u32 off, union weir_header *to, const __u32 n)
{
	void *end = (void *)(long)skb->data_end;
	void *at = (void *)(long)skb->data;
	__u32 i;

	if (off > WEIR_MAX_OFFSET)
		return -1;
	at += off;
	barrier_var(at);
	if (at + n > end)
		return bpf_skb_load_bytes(skb, off, to, n);
#pragma unroll
	for (i = 0; i < n / 4; i++)
		to->words[i] = ((__u32 *)at)[i];
	if (n & 2)
		to->halves[n / 2 - 1] = ((__u16 *)at)[n / 2 - 1];
	return 0;
}

static __always_inline int weir_is_echo(const struct weir_tuple *t)
{
	if (t->protocol == PROTO_ICMP)
		return t->icmp_type == 8 || t->icmp_type == 0;
	if (t->protocol == PROTO_ICMPV6)
		return t->icmp_type == 128 || t->icmp_type == 129;
	return 0;
}

static __always_inline int weir_is_icmp_error(const struct weir_tuple *t)
{
	__u8 type = t->icmp_type;

	if (t->absent)
		return 0;
	if (t->protocol == PROTO_ICMP)
		return type == 3 || type == 4 || type == 5 || type == 11 || type == 12;
	if (t->protocol == PROTO_ICMPV6)
		return type >= 1 && type <= 4;
	return 0;
}

/* Ports or ICMP type exist in this protocol but are not known here. */
static __always_inline int weir_lacks_transport(const struct weir_tuple *t)
{
	return t->absent && (weir_has_ports(t->protocol) || weir_is_icmp(t->protocol));
}

/*
 * The transport header at t->l4. A quoted one may end after eight bytes
 * (RFC 792), which is all that is needed of it.
 */
static __always_inline int weir_parse_l4(struct __sk_buff *skb, struct weir_tuple *t, int quoted)
{
	union weir_header h;

	t->payload = t->l4;
	if (t->fragment == WEIR_LATER_FRAGMENT) {
		t->absent = 1;
		return WEIR_PARSED;
	}
	switch (t->protocol) {
	case PROTO_TCP:
		if (quoted) {
			if (weir_load(skb, t->l4, &h, 8))
				return WEIR_MALFORMED;
		} else {
			if (weir_load(skb, t->l4, &h, 20))
				return WEIR_MALFORMED;
			if ((h.bytes[12] >> 4) < 5)
				return WEIR_MALFORMED;
			t->seq = bpf_ntohl(h.words[1]);
			t->ack = bpf_ntohl(h.words[2]);
			t->tcp_flags = h.bytes[13];
			t->payload = t->l4 + (h.bytes[12] >> 4) * 4;
		}
		break;
	case PROTO_UDP:
	case PROTO_SCTP:
		if (weir_load(skb, t->l4, &h, 8))
			return WEIR_MALFORMED;
		t->payload = t->l4 + (t->protocol == PROTO_UDP ? 8 : 12);
		break;
	case PROTO_ICMP:
	case PROTO_ICMPV6:
		if (weir_load(skb, t->l4, &h, 8))
			return WEIR_MALFORMED;
		t->icmp_type = h.bytes[0];
		t->icmp_code = h.bytes[1];
		t->payload = t->l4 + 8;
		if (weir_is_echo(t))
			t->echo_id = bpf_ntohs(h.halves[2]);
		return WEIR_PARSED;
	default:
		return WEIR_PARSED;
	}
	t->src_port = bpf_ntohs(h.halves[0]);
	t->dst_port = bpf_ntohs(h.halves[1]);
	return WEIR_PARSED;
}

static __always_inline int weir_parse_ipv4(struct __sk_buff *skb, struct weir_tuple *t)
{
	union weir_header h;
	__u16 fragment;
	__u32 header;

	if (weir_load(skb, t->l3, &h, 20))
		return WEIR_MALFORMED;
	header = (h.bytes[0] & 15) * 4;
	if ((h.bytes[0] >> 4) != 4 || header < 20)
		return WEIR_MALFORMED;
	t->family = 4;
	weir_map_address(t->src, h.words[3]);
	weir_map_address(t->dst, h.words[4]);
	t->protocol = h.bytes[9];
	t->total_len = bpf_ntohs(h.halves[1]);
	if (t->total_len && t->total_len < header)
		return WEIR_MALFORMED;
	fragment = bpf_ntohs(h.halves[3]);
	if (fragment & 0x1fff)
		t->fragment = WEIR_LATER_FRAGMENT;
	else if (fragment & 0x2000)
		t->fragment = WEIR_FIRST_FRAGMENT;
	t->fragment_id = bpf_ntohs(h.halves[2]);
	t->fragment_protocol = t->protocol;
	t->l4 = t->l3 + header;
	return WEIR_PARSED;
}

static __always_inline int weir_parse_ipv6(struct __sk_buff *skb, struct weir_tuple *t)
{
	union weir_header h;
	__u32 off, payload_len;
	__u8 next;
	int i;

	if (weir_load(skb, t->l3, &h, 40))
		return WEIR_MALFORMED;
	if ((h.bytes[0] >> 4) != 6)
		return WEIR_MALFORMED;
	t->family = 6;
	weir_copy_address(t->src, h.words + 2);
	weir_copy_address(t->dst, h.words + 6);
	payload_len = bpf_ntohs(h.halves[2]);
	next = h.bytes[6];
	/* RFC 2675: a jumbo payload states zero here and its length in an option. */
	if (payload_len || next != PROTO_HOP_BY_HOP)
		t->total_len = 40 + payload_len;
	off = t->l3 + 40;
	for (i = 0; i < WEIR_MAX_EXTENSIONS; i++) {
		if (!weir_is_extension(next))
			break;
		if (weir_load(skb, off, &h, 8))
			return WEIR_MALFORMED;
		if (next == PROTO_FRAGMENT) {
			__u16 field = bpf_ntohs(h.halves[1]);

			off += 8;
			t->fragment_id = bpf_ntohl(h.words[1]);
			t->fragment_protocol = h.bytes[0];
			next = h.bytes[0];
			if (field & 0xfff8) {
				t->fragment = WEIR_LATER_FRAGMENT;
				goto done;
			}
			if (field & 1)
				t->fragment = WEIR_FIRST_FRAGMENT;
			continue;
		}
		/* RFC 4302 counts an authentication header in 4 bytes, less 2. */
		off += next == PROTO_AH ? (h.bytes[1] + 2) * 4 : (h.bytes[1] + 1) * 8;
		next = h.bytes[0];
	}
	if (weir_is_extension(next))
		return WEIR_MALFORMED;
done:
	t->protocol = next;
	t->l4 = off;
	return WEIR_PARSED;
}

/*
 * The short way: an untagged frame with a whole TCP segment or UDP datagram
 * behind an IPv4 header without options or an IPv6 header without extensions,
 * all of it in the linear part. Any doubt is left to the long way.
 */
static __always_inline int weir_parse_plain(struct __sk_buff *skb, struct weir_tuple *t)
{
	void *end = (void *)(long)skb->data_end;
	__u8 *ip = (void *)(long)skb->data;
	__u8 *l4;

	if ((void *)(ip + 14 + 20 + 8) > end)
		return WEIR_NOT_PLAIN;
	if (*(__u16 *)(ip + 12) == bpf_htons(ETH_IPV4)) {
		ip += 14;
		if (ip[0] != 0x45 || *(__u16 *)(ip + 6) & bpf_htons(0x3fff))
			return WEIR_NOT_PLAIN;
		t->total_len = bpf_ntohs(*(__u16 *)(ip + 2));
		if (t->total_len < 28)
			return WEIR_NOT_PLAIN;
		t->protocol = ip[9];
		t->family = 4;
		t->l4 = 34;
		weir_map_address(t->src, *(__u32 *)(ip + 12));
		weir_map_address(t->dst, *(__u32 *)(ip + 16));
		l4 = ip + 20;
	} else if (*(__u16 *)(ip + 12) == bpf_htons(ETH_IPV6)) {
		__u32 *words;

		ip += 14;
		if ((void *)(ip + 40 + 8) > end || ip[0] >> 4 != 6)
			return WEIR_NOT_PLAIN;
		t->total_len = 40 + bpf_ntohs(*(__u16 *)(ip + 4));
		if (t->total_len == 40)
			return WEIR_NOT_PLAIN;
		t->protocol = ip[6];
		t->family = 6;
		t->l4 = 54;
		words = (__u32 *)(ip + 8);
		((__u64 *)t->src)[0] = (__u64)words[1] << 32 | words[0];
		((__u64 *)t->src)[1] = (__u64)words[3] << 32 | words[2];
		((__u64 *)t->dst)[0] = (__u64)words[5] << 32 | words[4];
		((__u64 *)t->dst)[1] = (__u64)words[7] << 32 | words[6];
		l4 = ip + 40;
	} else {
		return WEIR_NOT_PLAIN;
	}
	t->l3 = 14;
	t->tcp_flags = 0;
	t->fragment = WEIR_WHOLE;
	t->absent = 0;
	t->payload = t->l4 + 8;
	t->src_port = bpf_ntohs(*(__u16 *)l4);
	t->dst_port = bpf_ntohs(*(__u16 *)(l4 + 2));
	if (t->protocol == PROTO_UDP)
		return WEIR_PARSED;
	if (t->protocol != PROTO_TCP || (void *)(l4 + 20) > end || l4[12] >> 4 < 5)
		return WEIR_NOT_PLAIN;
	t->seq = bpf_ntohl(*(__u32 *)(l4 + 4));
	t->ack = bpf_ntohl(*(__u32 *)(l4 + 8));
	t->tcp_flags = l4[13];
	t->payload = t->l4 + (l4[12] >> 4) * 4;
	return WEIR_PARSED;
}

/* Used for the packet itself and for the one it quotes. */
WEIR_GLOBAL int weir_parse_ip(struct __sk_buff *skb, struct weir_tuple *t, __u32 l3, int family, int quoted)
{
	int result;

	if (!t)
		return WEIR_MALFORMED;
	__builtin_memset(t, 0, sizeof(*t));
	t->l3 = l3;
	result = family == 4 ? weir_parse_ipv4(skb, t) : weir_parse_ipv6(skb, t);
	if (result != WEIR_PARSED)
		return result;
	/* Options or extensions that the frame does not hold. */
	if (!quoted && t->l4 > skb->len)
		return WEIR_MALFORMED;
	return weir_parse_l4(skb, t, quoted);
}

/* Packets and bytes as they are on the wire, offload unfolded, padding left out. */
static __always_inline int weir_measure(struct __sk_buff *skb, struct weir_packet *p)
{
	const struct weir_tuple *t = &p->tuple;
	__u32 length = skb->len - t->l3;
	__u32 headers = t->payload - t->l3;
	__u32 size = skb->gso_size;
	__u32 segments = skb->gso_segs;

	if (!size && t->total_len && t->total_len < length)
		length = t->total_len;
	/* The datagram ends inside its own headers. */
	if (length < headers)
		return WEIR_MALFORMED;
	p->payload_len = length - headers;
	/* A frame from a VM's tap states the size of its segments, not their number. */
	if (size && !segments)
		segments = (p->payload_len + size - 1) / size;
	if (!segments)
		segments = 1;
	p->packets = segments;
	p->bytes = length + (__u64)(segments - 1) * headers;
	return WEIR_PARSED;
}

/* A later fragment learns its ports from the first, if that came by. */
static __always_inline void weir_fragment(struct weir_packet *p)
{
	struct weir_tuple *t = &p->tuple;
	struct weir_fragment_key *key = &p->fragment_key;
	struct weir_fragment *known;

	weir_copy_words(key->src, t->src);
	weir_copy_words(key->dst, t->dst);
	key->interface = p->interface;
	key->id = t->fragment_id;
	key->protocol = t->fragment_protocol;
	key->direction = p->direction;
	key->family = t->family;
	key->zero = 0;
	if (t->fragment == WEIR_FIRST_FRAGMENT) {
		struct weir_fragment first = {
			.src_port = t->src_port,
			.dst_port = t->dst_port,
			.echo_id = t->echo_id,
			.protocol = t->protocol,
			.icmp_type = t->icmp_type,
			.icmp_code = t->icmp_code,
		};
		bpf_map_update_elem(&weir_frags, key, &first, BPF_ANY);
		return;
	}
	known = bpf_map_lookup_elem(&weir_frags, key);
	if (!known)
		return;
	t->src_port = known->src_port;
	t->dst_port = known->dst_port;
	t->echo_id = known->echo_id;
	t->protocol = known->protocol;
	t->icmp_type = known->icmp_type;
	t->icmp_code = known->icmp_code;
	t->absent = 0;
}

WEIR_GLOBAL int weir_parse(struct __sk_buff *skb, struct weir_packet *p)
{
	struct weir_tuple *t;
	union weir_header link;
	__u32 off = 14;
	__u16 type;
	int i, result;

	if (!p)
		return WEIR_IGNORED;
	t = &p->tuple;
	if (weir_load(skb, 0, &link, 14))
		return WEIR_IGNORED;
	type = bpf_ntohs(link.halves[6]);
	for (i = 0; i < 2; i++) {
		if (type != ETH_8021Q && type != ETH_8021AD)
			break;
		if (weir_load(skb, off, &link, 4))
			return WEIR_IGNORED;
		type = bpf_ntohs(link.halves[1]);
		off += 4;
	}
	if (type != ETH_IPV4 && type != ETH_IPV6)
		return WEIR_IGNORED;
	result = weir_parse_ip(skb, t, off, type == ETH_IPV4 ? 4 : 6, 0);
	if (result != WEIR_PARSED)
		return result;
	result = weir_measure(skb, p);
	if (result != WEIR_PARSED)
		return result;
	if (t->fragment != WEIR_WHOLE)
		weir_fragment(p);
	if (!t->absent && weir_is_discovery(t->family, t->protocol, t->icmp_type))
		return WEIR_IGNORED;
	p->has_quoted = 0;
	if (weir_is_icmp_error(t) && t->fragment != WEIR_LATER_FRAGMENT) {
		result = weir_parse_ip(skb, &p->quoted, t->payload, t->protocol == PROTO_ICMP ? 4 : 6, 1);
		p->has_quoted = result == WEIR_PARSED && !p->quoted.absent;
	}
	return WEIR_PARSED;
}

#endif
