/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/*
 * Adding a packet to its flow in the current window, or, when the table has no
 * room, to what the interface had to skip. Nothing is lost in silence.
 */
#ifndef WEIR_COUNT_H
#define WEIR_COUNT_H

#include "maps.h"
#include "share.h"

/* What a packet, or a frame of several, adds to its flow. */
struct weir_amount {
	__u64 packets;
	__u64 bytes;
	__u64 now;
	__u32 flags;
	__u32 reason;
	__u32 rule;
	__u32 losses; /* index of what could not be counted */
};

static __always_inline void weir_add(struct weir_flow *flow, __u64 packets, __u64 bytes, __u32 flags, __u64 now)
{
	__sync_fetch_and_add(&flow->packets, packets);
	__sync_fetch_and_add(&flow->bytes, bytes);
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

static __always_inline void weir_add_to(const struct weir_flow_key *key, __u32 epoch, const struct weir_amount *more)
{
	struct weir_flow fresh = {};
	struct weir_losses *l;
	struct weir_flow *flow;

	flow = weir_find_flow(key, epoch);
	if (flow) {
		weir_add(flow, more->packets, more->bytes, more->flags, more->now);
		return;
	}
	fresh.packets = more->packets;
	fresh.bytes = more->bytes;
	fresh.first_ns = more->now;
	fresh.last_ns = more->now;
	fresh.tcp_flags = more->flags | more->reason << WEIR_REASON_SHIFT;
	fresh.rule = more->rule;
	if (weir_new_flow(key, &fresh, more->losses, epoch))
		return;
	/* Another CPU was first, or there is no room. */
	flow = weir_find_flow(key, epoch);
	if (flow) {
		weir_add(flow, more->packets, more->bytes, more->flags, more->now);
		return;
	}
	if (key->action == WEIR_DROPPED) {
		struct weir_flow_key accepted = *key;

		/* It was counted when it came in, or skipped then: no packet is both. */
		accepted.action = WEIR_ACCEPT;
		flow = weir_find_flow(&accepted, epoch);
		if (!flow || flow->packets < more->packets)
			return;
		__sync_fetch_and_sub(&flow->packets, more->packets);
		__sync_fetch_and_sub(&flow->bytes, more->bytes);
	}
	l = bpf_map_lookup_elem(&weir_losses, &more->losses);
	if (!l)
		return;
	__sync_fetch_and_add(&l->skipped_packets, more->packets);
	__sync_fetch_and_add(&l->skipped_bytes, more->bytes);
	weir_sketch_add(key, more->losses);
}

#endif
