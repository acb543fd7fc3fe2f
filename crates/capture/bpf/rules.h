/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/*
 * The rules of one interface: first match decides, in each of four lists.
 * The reference is weir_policy::RuleEntry::matches; where this differs, this
 * is wrong.
 */
#ifndef WEIR_RULES_H
#define WEIR_RULES_H

#include "parse.h"

/* What rules test. Lives on the stack: bpf_loop takes its context from there. */
struct weir_probe {
	void *rules; /* inner map */
	__u32 peer[4];
	__u32 chunk;
	__u32 verdict;
	__u16 port;
	__u8 family;
	__u8 protocol;
	__u8 absent; /* port or ICMP type exist and are not known */
	__u8 is_icmp;
	__u8 icmp_type;
	__u8 icmp_code;
};

static __always_inline int weir_rule_matches(const struct weir_rule *rule, const struct weir_probe *probe)
{
	__u32 differ;

	if (rule->family != probe->family)
		return 0;
	differ = (probe->peer[0] & rule->mask[0]) ^ rule->addr[0];
	differ |= (probe->peer[1] & rule->mask[1]) ^ rule->addr[1];
	differ |= (probe->peer[2] & rule->mask[2]) ^ rule->addr[2];
	differ |= (probe->peer[3] & rule->mask[3]) ^ rule->addr[3];
	if (differ)
		return 0;
	if (!rule->any_protocol && rule->protocol != probe->protocol)
		return 0;
	if (probe->absent) {
		if (rule->port_first != 0 || rule->port_last != 0xffff)
			return 0;
	} else if (probe->port < rule->port_first || probe->port > rule->port_last) {
		return 0;
	}
	if (rule->icmp_type != -1 && (!probe->is_icmp || rule->icmp_type != probe->icmp_type))
		return 0;
	if (rule->icmp_code != -1 && (!probe->is_icmp || rule->icmp_code != probe->icmp_code))
		return 0;
	return 1;
}

/* One step of bpf_loop: a chunk of rules. Returns 1 to stop. */
static long weir_read_chunk(__u32 index, void *context)
{
	struct weir_probe *probe = context;
	union weir_chunk *chunk;
	__u32 at = probe->chunk + index;
	int i;

	chunk = bpf_map_lookup_elem(probe->rules, &at);
	if (!chunk)
		return 1;
	for (i = 0; i < WEIR_CHUNK; i++) {
		if (weir_rule_matches(&chunk->rules[i], probe)) {
			probe->verdict = chunk->rules[i].verdict;
			return 1;
		}
	}
	return 0;
}

static __always_inline __u32 weir_read_list(struct weir_probe *probe, const struct weir_list *list, __u32 chunks)
{
	probe->verdict = WEIR_VERDICT_NONE;
	probe->chunk = list->first;
	if (chunks)
		bpf_loop(chunks, weir_read_chunk, probe, 0);
	return probe->verdict;
}

/* The probe of a packet: the peer is its source on ingress, else its destination. */
static __always_inline void weir_probe_of(struct weir_probe *probe, const struct weir_packet *p)
{
	const struct weir_tuple *t = &p->tuple;
	const __u8 *peer = p->direction == WEIR_INGRESS ? t->src : t->dst;

	__builtin_memcpy(probe->peer, peer, 16);
	probe->port = t->dst_port;
	probe->family = t->family;
	probe->protocol = t->protocol;
	probe->is_icmp = (t->protocol == PROTO_ICMP || t->protocol == PROTO_ICMPV6) && !t->absent;
	probe->absent = t->absent && (weir_has_ports(t->protocol) || t->protocol == PROTO_ICMP ||
				      t->protocol == PROTO_ICMPV6);
	probe->icmp_type = t->icmp_type;
	probe->icmp_code = t->icmp_code;
}

#endif
