/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/*
 * The tables are shared, and no interface may take all of them: each has a part
 * of its own (weir_control.own_...), what is left is for who comes first. The
 * agent divides anew when interfaces come and go (src/share.rs).
 *
 * What an interface has over its own part is in the pool, always: an entry is
 * taken before it is made, and given back when it could not be (two CPUs may
 * meet on the same new one). A window's end or a sweep in between sets the
 * numbers anew, so they may be below zero for a while.
 */
#ifndef WEIR_SHARE_H
#define WEIR_SHARE_H

#include "maps.h"

#define WEIR_POOL_CONNECTIONS 2 /* the flow tables' are 0 and 1, by epoch slot */

static __always_inline void weir_give_back(__s64 *count, __u32 own, __s64 *pool)
{
	if (__sync_fetch_and_add(count, -1) > (__s64)own)
		__sync_fetch_and_add(pool, -1);
}

/* Takes an entry for the interface whose number of them is count. */
static __always_inline int weir_take(__s64 *count, __u32 own, __s64 *pool, __u32 common)
{
	/* Read first: in a flood, nobody writes. */
	if (*(volatile __s64 *)count >= (__s64)own && *(volatile __s64 *)pool >= (__s64)common)
		return 0;
	if (__sync_fetch_and_add(count, 1) < (__s64)own || __sync_fetch_and_add(pool, 1) < (__s64)common)
		return 1;
	weir_give_back(count, own, pool);
	return 0;
}

/*
 * Makes the entry of a flow, if the interface may have one more in the window.
 * False: another CPU was first, or there is no room.
 */
static __always_inline int weir_new_flow(const struct weir_flow_key *key, const struct weir_flow *fresh, __u32 losses,
					 __u32 epoch)
{
	struct weir_control *control;
	struct weir_losses *l;
	__u32 pool = epoch & 1, zero = 0;
	__s64 *taken;

	control = bpf_map_lookup_elem(&weir_control, &zero);
	taken = bpf_map_lookup_elem(&weir_pools, &pool);
	l = bpf_map_lookup_elem(&weir_losses, &losses);
	if (!control || !taken || !l || !weir_take(&l->flows, control->own_flows, taken, control->common_flows))
		return 0;
	if (!bpf_map_update_elem(pool ? (void *)&weir_flows_1 : (void *)&weir_flows_0, key, fresh, BPF_NOEXIST))
		return 1;
	weir_give_back(&l->flows, control->own_flows, taken);
	return 0;
}

/* Makes the entry of a connection, under the same conditions. */
static __always_inline int weir_new_connection(const struct weir_connection_key *key,
					       const struct weir_connection *fresh, __u32 interface)
{
	__u32 pool = WEIR_POOL_CONNECTIONS, zero = 0;
	struct weir_control *control;
	__s64 *taken, *count;

	control = bpf_map_lookup_elem(&weir_control, &zero);
	taken = bpf_map_lookup_elem(&weir_pools, &pool);
	count = bpf_map_lookup_elem(&weir_tracked, &interface);
	if (!control || !taken || !count)
		return 0;
	if (!weir_take(count, control->own_connections, taken, control->common_connections))
		return 0;
	if (!bpf_map_update_elem(&weir_conns, key, fresh, BPF_NOEXIST))
		return 1;
	weir_give_back(count, control->own_connections, taken);
	return 0;
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
