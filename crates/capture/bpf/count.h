/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/*
 * Adding a packet to its flow in the current window, or, when the table has no
 * room, to what the interface had to skip. Nothing is lost in silence.
 */
#ifndef WEIR_COUNT_H
#define WEIR_COUNT_H

#include "parse.h"

/* As AWS reports them: FIN 1, SYN 2, RST 4, SYN-ACK 18; a lone ACK counts 0. */
static __always_inline __u32 weir_reported_flags(const struct weir_tuple *t)
{
	__u32 flags = t->tcp_flags & 0x07;

	if ((t->tcp_flags & 0x12) == 0x12)
		flags |= 0x10;
	return flags;
}

static __always_inline void weir_add(struct weir_flow *flow, const struct weir_packet *p, __u32 flags, __u64 now)
{
	__sync_fetch_and_add(&flow->packets, (__u64)p->packets);
	__sync_fetch_and_add(&flow->bytes, p->bytes);
	if (flags & ~flow->tcp_flags)
		__sync_fetch_and_or(&flow->tcp_flags, flags);
	if (flow->last_ns != now)
		flow->last_ns = now;
}

/* Two calls with one map each, so that the kernel inlines both. */
static __always_inline struct weir_flow *weir_find_flow(const struct weir_flow_key *key, __u32 epoch)
{
	struct weir_flow *flow;

	if (epoch & 1) {
		flow = bpf_map_lookup_elem(&weir_flows_1, key);
		barrier_var(flow);
		return flow;
	}
	return bpf_map_lookup_elem(&weir_flows_0, key);
}

WEIR_GLOBAL int weir_count(struct weir_packet *p, __u32 action, __u32 epoch, __u32 losses, __u64 now)
{
	struct weir_flow fresh = {};
	const struct weir_tuple *t;
	struct weir_flow_key *key;
	struct weir_losses *l;
	struct weir_flow *flow;
	__u32 flags;

	if (!p)
		return 0;
	t = &p->tuple;
	key = &p->flow;
	flags = weir_reported_flags(t);
	weir_copy_address(key->src, (const __u32 *)t->src);
	weir_copy_address(key->dst, (const __u32 *)t->dst);
	key->src_port = t->src_port;
	key->dst_port = t->dst_port;
	key->interface = WEIR_INTERFACE;
	key->protocol = t->protocol;
	key->direction = p->direction;
	key->action = action;
	key->family = t->family;
	flow = weir_find_flow(key, epoch);
	if (flow) {
		weir_add(flow, p, flags, now);
		return 0;
	}
	fresh.packets = p->packets;
	fresh.bytes = p->bytes;
	fresh.first_ns = now;
	fresh.last_ns = now;
	fresh.tcp_flags = flags;
	if (!bpf_map_update_elem(epoch & 1 ? (void *)&weir_flows_1 : (void *)&weir_flows_0, key, &fresh, BPF_NOEXIST))
		return 0;
	/* Another CPU was first, or there is no room. */
	flow = weir_find_flow(key, epoch);
	if (flow) {
		weir_add(flow, p, flags, now);
		return 0;
	}
	l = bpf_map_lookup_elem(&weir_losses, &losses);
	if (!l)
		return 0;
	__sync_fetch_and_add(&l->skipped_packets, (__u64)p->packets);
	__sync_fetch_and_add(&l->skipped_bytes, p->bytes);
	return 0;
}

#endif
