/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/*
 * Tracked connections: what makes security groups stateful. States, timeouts
 * and their sources are told in weir_policy's tracking.rs, the reference.
 *
 * Two CPUs may meet on one entry: flags only ever grow, by atomic OR, and an
 * entry begins with BPF_NOEXIST. A new connection on the place of an expired
 * or closed one replaces the whole entry.
 */
#ifndef WEIR_TRACK_H
#define WEIR_TRACK_H

#include "parse.h"
#include "share.h"

#define WEIR_SECOND_NS 1000000000ull

#define TCP_FIN 0x01
#define TCP_SYN 0x02
#define TCP_RST 0x04
#define TCP_ACK 0x10

/* The first packet of a TCP connection: SYN without ACK, RST or FIN. */
static __always_inline int weir_is_pure_syn(const struct weir_tuple *t)
{
	return (t->tcp_flags & (TCP_FIN | TCP_SYN | TCP_RST | TCP_ACK)) == TCP_SYN;
}

static __always_inline int weir_is_tcp_segment(const struct weir_tuple *t)
{
	return t->protocol == PROTO_TCP && t->fragment != WEIR_LATER_FRAGMENT;
}

/*
 * The key of a tuple's connection, lower end first; says whether that is the
 * source. Written by whole words, as lookups read it: ports and interface are
 * one, protocol and family half of one, in the order of struct
 * weir_connection_key on a little-endian machine.
 */
static __always_inline __u8 weir_key_of(struct weir_connection_key *key, const struct weir_tuple *t, __u32 interface)
{
	__u64 src[2], dst[2], *words = (__u64 *)key;
	__u32 src_port = 0, dst_port = 0;
	__u8 src_is_low;

	if (weir_has_ports(t->protocol)) {
		src_port = t->src_port;
		dst_port = t->dst_port;
	} else if (weir_is_echo(t)) {
		src_port = dst_port = t->echo_id;
	}
	weir_copy_words(src, t->src);
	weir_copy_words(dst, t->dst);
	/* Any order serves, as long as it is total. */
	if (src[1] != dst[1])
		src_is_low = src[1] < dst[1];
	else if (src[0] != dst[0])
		src_is_low = src[0] < dst[0];
	else
		src_is_low = src_port <= dst_port;
	if (src_is_low) {
		weir_copy_words(key->low, src);
		weir_copy_words(key->high, dst);
		words[4] = src_port | dst_port << 16 | (__u64)interface << 32;
	} else {
		weir_copy_words(key->low, dst);
		weir_copy_words(key->high, src);
		words[4] = dst_port | src_port << 16 | (__u64)interface << 32;
	}
	((__u32 *)key)[10] = t->protocol | (__u32)t->family << 8;
	return src_is_low;
}

static __always_inline __u64 weir_timeout_ns(__u8 protocol, __u32 flags)
{
	switch (protocol) {
	case PROTO_TCP:
		if (flags & WEIR_CLOSED)
			return 60 * WEIR_SECOND_NS;
		if (flags & (WEIR_FIN | WEIR_FIN << 1))
			return 120 * WEIR_SECOND_NS;
		if ((flags & WEIR_SEEN) && (flags & WEIR_SEEN << 1))
			return 432000 * WEIR_SECOND_NS;
		return 120 * WEIR_SECOND_NS;
	case PROTO_UDP:
		return (flags & WEIR_STREAM ? 180 : 30) * WEIR_SECOND_NS;
	case PROTO_ICMP:
	case PROTO_ICMPV6:
		return 30 * WEIR_SECOND_NS;
	}
	return 600 * WEIR_SECOND_NS;
}

static __always_inline int weir_is_live(const struct weir_connection *c, __u8 protocol, __u64 now)
{
	/* Another CPU may have read a later clock. */
	return now <= c->last_seen_ns || now - c->last_seen_ns <= weir_timeout_ns(protocol, c->flags);
}

static __always_inline __u32 weir_if_closed(__u32 flags)
{
	const __u32 both = WEIR_FIN_ACKED | WEIR_FIN_ACKED << 1;

	return (flags & both) == both ? WEIR_CLOSED : 0;
}

/* The sequence number that a FIN of this packet occupies: RFC 9293, section 3.4. */
static __always_inline __u32 weir_fin_seq(const struct weir_packet *p)
{
	return p->tuple.seq + p->payload_len + (p->tuple.tcp_flags & TCP_SYN ? 1 : 0);
}

/*
 * The flags that one more packet adds. RFC 9293, section 3.6: closed is a
 * connection when each side has sent a FIN and seen it acknowledged, or when
 * either has sent a RST. fin_seq is that of the other direction.
 */
static __always_inline __u32 weir_flags_after(const struct weir_packet *p, __u32 flags, __u32 fin_seq)
{
	const struct weir_tuple *t = &p->tuple;
	__u32 own = p->direction & 1, other = own ^ 1;
	__u32 add = WEIR_SEEN << own;

	if (weir_is_tcp_segment(t)) {
		if (t->tcp_flags & TCP_RST)
			return add | WEIR_CLOSED;
		if (t->tcp_flags & TCP_FIN)
			add |= WEIR_FIN << own;
		if ((t->tcp_flags & TCP_ACK) && (flags & WEIR_FIN << other) && (__s32)(t->ack - (fin_seq + 1)) >= 0)
			add |= WEIR_FIN_ACKED << other;
	} else if (t->protocol == PROTO_UDP) {
		if (own == (flags & WEIR_INITIATED_EGRESS) && (flags & WEIR_SEEN << other))
			add |= WEIR_STREAM;
	}
	return add;
}

static __always_inline void weir_track(struct weir_connection *c, const struct weir_packet *p, __u64 now)
{
	__u32 flags = c->flags;
	__u32 add = weir_flags_after(p, flags, p->direction == WEIR_INGRESS ? c->fin_seq[WEIR_EGRESS] : c->fin_seq[WEIR_INGRESS]);

	if (add & ~flags) {
		/* Its number before the flag that makes others read it. */
		if (add & ~flags & WEIR_FIN)
			c->fin_seq[WEIR_INGRESS] = weir_fin_seq(p);
		if (add & ~flags & WEIR_FIN << 1)
			c->fin_seq[WEIR_EGRESS] = weir_fin_seq(p);
		flags = __sync_fetch_and_or(&c->flags, add) | add;
		if (weir_if_closed(flags & ~WEIR_CLOSED) & ~flags)
			__sync_fetch_and_or(&c->flags, WEIR_CLOSED);
	}
	if (c->last_seen_ns != now)
		c->last_seen_ns = now;
}

/* A packet begins a connection; existing is the expired or closed one in its place. */
static __always_inline void weir_begin(const struct weir_packet *p, struct weir_connection *existing, __u32 losses,
				       __u64 now)
{
	struct weir_connection fresh = {};
	struct weir_losses *l;

	/* A reset ends what was not known. */
	if (weir_is_tcp_segment(&p->tuple) && (p->tuple.tcp_flags & TCP_RST))
		return;
	fresh.rule = p->group_rule;
	fresh.last_seen_ns = now;
	fresh.flags = p->direction == WEIR_EGRESS ? WEIR_INITIATED_EGRESS : 0;
	fresh.flags |= weir_flags_after(p, fresh.flags, 0);
	fresh.fin_seq[WEIR_INGRESS] = fresh.fin_seq[WEIR_EGRESS] = weir_fin_seq(p);
	if (existing) {
		bpf_map_update_elem(&weir_conns, &p->key, &fresh, BPF_ANY);
		return;
	}
	if (weir_new_connection(&p->key, &fresh, p->interface))
		return;
	existing = bpf_map_lookup_elem(&weir_conns, &p->key);
	if (existing) {
		weir_track(existing, p, now);
		return;
	}
	l = bpf_map_lookup_elem(&weir_losses, &losses);
	if (l)
		__sync_fetch_and_add(&l->untracked_connections, 1);
}

/*
 * In evaluate mode a rejected packet arrives, and is answered. Its flow is kept
 * as refused, so that the answers do not look like a beginning of their own and
 * make all further packets of it acceptable. What is tracked stays tracked.
 */
WEIR_GLOBAL int weir_refuse(struct weir_packet *p, __u64 now)
{
	struct weir_connection fresh = {};
	struct weir_connection *c;
	const struct weir_tuple *t;
	int live;

	if (!p)
		return 0;
	t = &p->tuple;
	/* ICMP without an identifier is no conversation. */
	if (weir_lacks_transport(t) || (weir_is_icmp(t->protocol) && !weir_is_echo(t)))
		return 0;
	c = bpf_map_lookup_elem(&weir_conns, &p->key);
	live = c && weir_is_live(c, t->protocol, now);
	if (live && !((c->flags & WEIR_CLOSED) && weir_is_pure_syn(t))) {
		if ((c->flags & (WEIR_REFUSED | WEIR_CLOSED)) == WEIR_REFUSED)
			weir_track(c, p, now);
		return 0;
	}
	if (weir_is_tcp_segment(t) && (t->tcp_flags & TCP_RST))
		return 0;
	fresh.last_seen_ns = now;
	fresh.flags = WEIR_REFUSED | (p->direction == WEIR_EGRESS ? WEIR_INITIATED_EGRESS : 0);
	fresh.flags |= weir_flags_after(p, fresh.flags, 0);
	fresh.fin_seq[WEIR_INGRESS] = fresh.fin_seq[WEIR_EGRESS] = weir_fin_seq(p);
	/* Without room the verdicts on its answers are less true, and nothing else. */
	if (c)
		bpf_map_update_elem(&weir_conns, &p->key, &fresh, BPF_ANY);
	else
		weir_new_connection(&p->key, &fresh, p->interface);
	return 0;
}

/* Whether an allowed packet of a refused flow begins it anew: else it goes on. */
static __always_inline int weir_begins_anew(const struct weir_connection *c, const struct weir_packet *p)
{
	const struct weir_tuple *t = &p->tuple;

	if (weir_is_tcp_segment(t) && (t->tcp_flags & TCP_RST))
		return 0;
	if ((c->flags & WEIR_INITIATED_EGRESS) == (p->direction & 1))
		return 1;
	if (weir_is_tcp_segment(t))
		return weir_is_pure_syn(t);
	return weir_is_echo(t) && (t->icmp_type == 8 || t->icmp_type == 128);
}

#endif
