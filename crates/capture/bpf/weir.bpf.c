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
 * One pair of programs is loaded per interface, with the interface's number as
 * a constant: device indexes are not unique over network namespaces. A packet
 * that is not dropped goes on to the next program of the hook (TCX_NEXT),
 * never past it (TCX_PASS).
 */
#include "decide.h"
#include "count.h"

#define WEIR_TCX_NEXT -1
#define WEIR_TCX_DROP 2

char LICENSE[] SEC("license") = "GPL";

WEIR_GLOBAL int weir_count(struct weir_packet *p, __u32 action, __u32 epoch, __u32 losses, __u64 now)
{
	const struct weir_tuple *t;
	struct weir_flow_key *key;
	struct weir_amount more;

	if (!p)
		return 0;
	t = &p->tuple;
	key = &p->flow;
	weir_copy_address(key->src, (const __u32 *)t->src);
	weir_copy_address(key->dst, (const __u32 *)t->dst);
	key->src_port = t->src_port;
	key->dst_port = t->dst_port;
	key->interface = WEIR_INTERFACE;
	key->protocol = t->protocol;
	key->direction = p->direction;
	key->action = action;
	key->family = t->family;
	more.packets = p->packets;
	more.bytes = p->bytes;
	more.now = now;
	more.flags = weir_reported_flags(t->tcp_flags);
	more.losses = losses;
	more.reason = p->reason;
	more.rule = p->rule;
	weir_add_to(key, epoch, &more);
	return 0;
}

static __always_inline int weir(struct __sk_buff *skb, __u8 device_direction)
{
	__u32 interface = WEIR_INTERFACE, zero = 0;
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
	p->direction = device_direction ^ (WEIR_SWAP & 1);
	result = weir_parse(skb, p);
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
	/* Seconds are recorded: the coarse clock is exact enough, at a quarter of the cost. */
	now = WEIR_TEST ? control->test_clock_ns : bpf_ktime_get_coarse_ns();
	p->reason = 0;
	p->rule = 0;
	if (mode != WEIR_OBSERVE)
		action = weir_decide(p, mode, *(volatile __u32 *)&config->generation, losses, now);
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
