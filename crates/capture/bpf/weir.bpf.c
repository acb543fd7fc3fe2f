// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
/*
 * Weir at one network interface: parse, decide, count; drop what is rejected
 * if the interface is in enforce mode.
 *
 *   types.h   what kernel and agent share      maps.h    the maps
 *   parse.h   frame -> packet                  rules.h   packet against rules
 *   track.h   connections                      decide.h  ACCEPT or REJECT
 *   count.h   flows of the window
 *
 *   share.h   each interface's part of the tables
 *
 * One pair of these programs serves all interfaces. At each device hangs a pair
 * of entries, nine instructions each (src/entry.rs), which put the interface's
 * number where skb->cb[0] is and jump here: device indexes are not unique over
 * network namespaces. A packet that is not dropped goes on to the next program
 * of the hook (TCX_NEXT), never past it (TCX_PASS).
 */
#include "decide.h"
#include "count.h"

#define WEIR_TCX_NEXT -1
#define WEIR_TCX_DROP 2

char LICENSE[] SEC("license") = "GPL";

/* The packet's flow, which has no entry yet: it gets one, or is skipped. */
WEIR_GLOBAL int weir_count_first(struct weir_packet *p, __u32 epoch, __u32 losses, __u64 now)
{
	struct weir_amount more;

	if (!p)
		return 0;
	more.packets = p->packets;
	more.bytes = p->bytes;
	more.now = now;
	more.flags = weir_reported_flags(p->tuple.tcp_flags);
	more.losses = losses;
	more.reason = p->reason;
	more.rule = p->rule;
	weir_add_to(&p->flow, epoch, &more);
	return 0;
}

static __always_inline void weir_count(struct weir_packet *p, __u32 action, __u32 epoch, __u32 losses, __u64 now)
{
	const struct weir_tuple *t = &p->tuple;
	struct weir_flow_key *key = &p->flow;
	struct weir_flow *flow;

	/* By whole words, as lookups read it: struct weir_flow_key, little-endian. */
	weir_copy_words(key->src, t->src);
	weir_copy_words(key->dst, t->dst);
	((__u64 *)key)[4] = t->src_port | (__u32)t->dst_port << 16 | (__u64)p->interface << 32;
	((__u32 *)key)[10] = t->protocol | (__u32)p->direction << 8 | action << 16 | (__u32)t->family << 24;
	flow = weir_find_flow(key, epoch);
	if (!flow) {
		weir_count_first(p, epoch, losses, now);
		return;
	}
	weir_add(flow, p->packets, p->bytes, weir_reported_flags(t->tcp_flags), now);
}

/*
 * Seconds are recorded: the coarse clock, which moves by ticks, is exact enough,
 * and within one tick it need not be read again.
 */
static __always_inline __u64 weir_now(struct weir_packet *p)
{
	__u64 tick = bpf_jiffies64();

	if (p->tick != tick) {
		p->now = bpf_ktime_get_coarse_ns();
		p->tick = tick;
	}
	return p->now;
}

static __always_inline int weir(struct __sk_buff *skb, __u8 device_direction)
{
	__u32 tag = skb->cb[0], interface = tag >> 1, zero = 0;
	__u32 epoch, losses, mode;
	struct weir_interface *config;
	struct weir_control *control;
	struct weir_packet *p;
	int action = WEIR_ACCEPT;
	int result;
	__u64 now;

	config = bpf_map_lookup_elem(&weir_ifaces, &interface);
	control = bpf_map_lookup_elem(&weir_control, &zero);
	p = bpf_map_lookup_elem(&weir_scratch, &zero);
	if (!config || !control || !p)
		return WEIR_TCX_NEXT;
	p->direction = device_direction ^ (tag & 1);
	p->interface = interface;
	result = weir_parse_plain(skb, &p->tuple);
	if (result == WEIR_PARSED) {
		p->has_quoted = 0;
		result = weir_measure(skb, p);
	} else {
		result = weir_parse(skb, p);
	}
	if (result == WEIR_IGNORED)
		return WEIR_TCX_NEXT;
	mode = *(volatile __u32 *)&config->mode;
	epoch = *(volatile __u32 *)&control->epoch;
	if (device_direction == WEIR_INGRESS)
		p->ingress_epoch = epoch;
	epoch &= 1;
	losses = interface * 2 + epoch;
	if (result == WEIR_MALFORMED) {
		struct weir_losses *l = bpf_map_lookup_elem(&weir_losses, &losses);

		if (l)
			__sync_fetch_and_add(&l->malformed_packets, 1);
		return mode == WEIR_ENFORCE ? WEIR_TCX_DROP : WEIR_TCX_NEXT;
	}
	now = WEIR_TEST ? control->test_clock_ns : weir_now(p);
	p->reason = 0;
	p->rule = 0;
	if (mode != WEIR_OBSERVE) {
		__u32 generation = *(volatile __u32 *)&config->generation;

		if (!weir_is_plainly_tracked(p, generation, now))
			action = weir_decide(p, mode, generation, losses, now);
	}
	if (action == WEIR_REJECT && mode == WEIR_EVALUATE)
		weir_refuse(p, now);
	weir_count(p, action, epoch, losses, now);
	return action == WEIR_REJECT && mode == WEIR_ENFORCE ? WEIR_TCX_DROP : WEIR_TCX_NEXT;
}

SEC("classifier")
int weir_ingress(struct __sk_buff *skb)
{
	return weir(skb, WEIR_INGRESS);
}

SEC("classifier")
int weir_egress(struct __sk_buff *skb)
{
	return weir(skb, WEIR_EGRESS);
}
