/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/*
 * The tables are shared, and no interface may take all of them: each has a part
 * of its own (weir_control.own_...), what is left is for who comes first. The
 * agent divides anew when interfaces come and go (src/share.rs).
 *
 * What is counted here may be off by what two CPUs did at once; the table itself
 * then says that it is full.
 */
#ifndef WEIR_SHARE_H
#define WEIR_SHARE_H

#include "maps.h"

#define WEIR_POOL_CONNECTIONS 2 /* the flow tables' are 0 and 1, by epoch slot */

static __always_inline int weir_takes(__u64 before, __u32 own, __u32 common, __u32 pool)
{
	__u64 *taken;

	if (before < own)
		return 1;
	taken = bpf_map_lookup_elem(&weir_pools, &pool);
	if (!taken)
		return 0;
	/* Read first: in a flood, nobody writes. */
	return *(volatile __u64 *)taken < common && __sync_fetch_and_add(taken, 1) < common;
}

/* Whether an interface may have one more flow in the window. */
static __always_inline int weir_may_count(__u32 losses, __u32 epoch)
{
	struct weir_control *control;
	struct weir_losses *l;
	__u32 zero = 0;

	control = bpf_map_lookup_elem(&weir_control, &zero);
	l = bpf_map_lookup_elem(&weir_losses, &losses);
	if (!control || !l)
		return 0;
	return weir_takes(__sync_fetch_and_add(&l->flows, 1), control->own_flows, control->common_flows, epoch & 1);
}

/* Whether it may have one more connection. What is refused is not counted: sweeps are far apart. */
static __always_inline int weir_may_track(__u32 interface)
{
	struct weir_control *control;
	__u64 *tracked;
	__u32 zero = 0;

	control = bpf_map_lookup_elem(&weir_control, &zero);
	tracked = bpf_map_lookup_elem(&weir_tracked, &interface);
	if (!control || !tracked)
		return 0;
	if (!weir_takes(*(volatile __u64 *)tracked, control->own_connections, control->common_connections,
			WEIR_POOL_CONNECTIONS))
		return 0;
	__sync_fetch_and_add(tracked, 1);
	return 1;
}

static __always_inline __u64 weir_mix(__u64 hash, __u64 word)
{
	hash = (hash ^ word) * 0x9E3779B97F4A7C15ull;
	return hash ^ hash >> 32;
}

static __always_inline void weir_sketch_add(const struct weir_flow_key *key, __u32 losses)
{
	const __u64 *words = (const __u64 *)key;
	struct weir_sketch *sketch;
	__u64 hash = 0;
	__u32 place;
	__u8 rank = 1;
	int i;

	sketch = bpf_map_lookup_elem(&weir_sketches, &losses);
	if (!sketch)
		return;
#pragma unroll
	for (i = 0; i < 5; i++)
		hash = weir_mix(hash, words[i]);
	hash = weir_mix(weir_mix(hash, ((const __u32 *)key)[10]), 0);
	place = hash & ((1 << WEIR_SKETCH_BITS) - 1);
	/* The zeros behind the bits that chose the place, and one; 48 are plenty. */
	hash >>= WEIR_SKETCH_BITS;
#pragma unroll
	for (i = 4; i >= 0; i--) {
		if (!(hash & ((1ull << (1 << i)) - 1))) {
			hash >>= 1 << i;
			rank += 1 << i;
		}
	}
	if (sketch->ranks[place] < rank)
		sketch->ranks[place] = rank;
}

#endif
