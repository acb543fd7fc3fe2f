/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/*
 * Maps, shared by the programs of all interfaces. The numbers of entries here
 * are placeholders: the agent creates every map with the sizes it was given.
 *
 * Flow tables are plain preallocated hashes, never LRU: a full table must be
 * seen (weir_losses), not lose in silence. There are two; packets write to the
 * one that the epoch names while the agent reads the other.
 */
#ifndef WEIR_MAPS_H
#define WEIR_MAPS_H

#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include "types.h"
#include "packet.h"

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1);
	__type(key, struct weir_flow_key);
	__type(value, struct weir_flow);
} weir_flows_0 SEC(".maps"), weir_flows_1 SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1);
	__type(key, struct weir_connection_key);
	__type(value, struct weir_connection);
} weir_conns SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 1);
	__type(key, struct weir_fragment_key);
	__type(value, struct weir_fragment);
} weir_frags SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct weir_interface);
} weir_ifaces SEC(".maps");

/* Index: interface number * 2 + epoch slot. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 2);
	__type(key, __u32);
	__type(value, struct weir_losses);
} weir_losses SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct weir_control);
} weir_control SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct weir_packet);
} weir_scratch SEC(".maps");

/* Only drops.bpf.c reads it. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1);
	__type(key, struct weir_device_key);
	__type(value, struct weir_device);
} weir_devices SEC(".maps");

/*
 * Index: interface number. The inner map is built anew at each change of rules
 * and put here in one step, so that no packet sees half of a change.
 */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, 1);
	__type(key, __u32);
	/* No name, no types by name: clang would only declare them in BTF. */
	__array(values, struct {
		__uint(type, BPF_MAP_TYPE_ARRAY);
		__uint(max_entries, 1);
		__uint(map_flags, BPF_F_INNER_MAP);
		__uint(key_size, sizeof(__u32));
		__uint(value_size, sizeof(union weir_chunk));
	});
} weir_rules SEC(".maps");

/*
 * How much of the common parts is taken: the flow table of each epoch slot, and
 * the connection table.
 */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __s64);
} weir_pools SEC(".maps");

/* Index: interface number. Its connections: at the last sweep, and begun since. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __s64);
} weir_tracked SEC(".maps");

/* Index as of weir_losses. Which flows were skipped, to say how many. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 2);
	__type(key, __u32);
	__type(value, struct weir_sketch);
} weir_sketches SEC(".maps");

/*
 * A constant of one load, set before the verifier runs. 1 in tests only: the
 * clock stands still and is set by the test.
 */
const volatile __u32 WEIR_TEST = 0;

/*
 * A function that the verifier checks once and by itself, whatever its callers
 * know (a "global" one). Inlined, the paths of parsing, deciding and counting
 * would multiply: a second of loading per program instead of milliseconds. Its
 * pointer arguments may be null in the verifier's eyes and must be tested.
 */
#define WEIR_GLOBAL __attribute__((noinline))

#endif
