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
	__u32 rule;
	/* One port; or all of them, if ports exist and this packet's is not known. */
	__s32 port_first;
	__s32 port_last;
	__u32 icmp;
	__u8 family;
	__u8 protocol;
	__u16 zero;
};

static __always_inline int weir_rule_matches(const struct weir_rule *rule, const struct weir_probe *probe)
{
	__u32 differ;

	differ = (probe->peer[0] & rule->mask[0]) ^ rule->addr[0];
	differ |= (probe->peer[1] & rule->mask[1]) ^ rule->addr[1];
	differ |= (probe->peer[2] & rule->mask[2]) ^ rule->addr[2];
	differ |= (probe->peer[3] & rule->mask[3]) ^ rule->addr[3];
	differ |= (probe->icmp & rule->icmp_mask) ^ rule->icmp;
	differ |= probe->family ^ rule->family;
	differ |= (probe->protocol & rule->protocol_mask) ^ rule->protocol;
	/* Negative if the packet's ports reach past the rule's. */
	differ |= (__u32)(probe->port_first - (__s32)rule->port_first) & 0x80000000;
	differ |= (__u32)((__s32)rule->port_last - probe->port_last) & 0x80000000;
	return !differ;
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
			probe->rule = chunk->rules[i].number;
			return 1;
		}
	}
	return 0;
}

static __always_inline __u32 weir_read_list(struct weir_probe *probe, const struct weir_list *list, __u32 chunks)
{
	probe->verdict = WEIR_VERDICT_NONE;
	probe->rule = 0;
	probe->chunk = list->first;
	if (chunks)
		bpf_loop(chunks, weir_read_chunk, probe, 0);
	return probe->verdict;
}

#define WEIR_ASK_ACL 1
#define WEIR_ASK_GROUPS 2

#define WEIR_ACL_DENIES 4

/*
 * What the rules say about a packet: WEIR_ACL_DENIES, OR-ed with the groups'
 * verdict. Answers what was asked only. The rules are fetched once, so that ACL
 * and groups are of one generation; without any, everything is refused. Notes
 * in the packet which rules they were.
 */
WEIR_GLOBAL int weir_ask_rules(struct weir_packet *p, __u32 questions)
{
	struct weir_probe probe = {};
	__u32 interface = WEIR_INTERFACE, zero = 0;
	__u32 answer = 0, verdict, own, other;
	const struct weir_tuple *t;
	const union weir_chunk *header;

	if (!p)
		return WEIR_ACL_DENIES;
	p->acl_rule = p->group_rule = 0;
	probe.rules = bpf_map_lookup_elem(&weir_rules, &interface);
	if (!probe.rules)
		return WEIR_ACL_DENIES;
	header = bpf_map_lookup_elem(probe.rules, &zero);
	if (!header)
		return WEIR_ACL_DENIES;
	t = &p->tuple;
	/* The peer is the source of what comes in and the destination of what goes out. */
	__builtin_memcpy(probe.peer, p->direction == WEIR_INGRESS ? t->src : t->dst, 16);
	probe.port_first = t->dst_port;
	probe.port_last = t->dst_port;
	if (weir_lacks_transport(t)) {
		probe.port_first = 0;
		probe.port_last = 0xffff;
	}
	probe.icmp = WEIR_NOT_ICMP;
	if (weir_is_icmp(t->protocol) && !t->absent)
		probe.icmp = (__u32)t->icmp_type << 8 | t->icmp_code;
	probe.family = t->family;
	probe.protocol = t->protocol;
	own = p->direction & 1;
	other = own ^ 1;
	if (questions & WEIR_ASK_ACL) {
		const struct weir_list *acl = &header->lists[WEIR_LIST_ACL + own];

		if (weir_read_list(&probe, acl, acl->chunks) != WEIR_VERDICT_ALLOW)
			answer |= WEIR_ACL_DENIES;
		p->acl_rule = probe.rule;
	}
	if (questions & WEIR_ASK_GROUPS) {
		const struct weir_list *groups = &header->lists[WEIR_LIST_GROUPS + own];
		const struct weir_list *answers = &header->lists[WEIR_LIST_GROUPS + other];

		verdict = weir_read_list(&probe, groups, groups->chunks);
		p->group_rule = probe.rule;
		if (verdict == WEIR_VERDICT_ALLOW && answers->untracked_chunks) {
			/* The packet may itself answer an untracked one. */
			if (!weir_lacks_transport(t))
				probe.port_first = probe.port_last = t->src_port;
			if (weir_read_list(&probe, answers, answers->untracked_chunks) == WEIR_VERDICT_UNTRACKED)
				verdict = WEIR_VERDICT_UNTRACKED;
		}
		answer |= verdict & 3;
	}
	return answer;
}

#endif
