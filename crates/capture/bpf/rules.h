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
	__u64 peer[2];
	/* One port; or all of them, if ports exist and this packet's is not known. */
	__u64 ports;
	__u64 what;
	__u32 chunk;
	__u32 verdict;
	__u32 rule;
	__u32 zero;
};

static __always_inline int weir_rule_matches(const struct weir_rule *rule, const struct weir_probe *probe)
{
	__u64 differ;

	/* Half of the address, where IPv4 is, and the ports tell most rules apart. */
	differ = (probe->peer[1] & rule->mask[1]) ^ rule->addr[1];
	differ |= ~(probe->ports + rule->ports) & WEIR_PORTS_MATCH;
	if (differ)
		return 0;
	differ = (probe->peer[0] & rule->mask[0]) ^ rule->addr[0];
	differ |= (probe->what & rule->what_mask) ^ rule->what;
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
	__u32 zero = 0, interface;
	__u32 answer = 0, verdict, own, other, icmp = WEIR_NOT_ICMP;
	const struct weir_tuple *t;
	const union weir_chunk *header;

	if (!p)
		return WEIR_ACL_DENIES;
	p->acl_rule = p->group_rule = 0;
	interface = p->interface;
	probe.rules = bpf_map_lookup_elem(&weir_rules, &interface);
	if (!probe.rules)
		return WEIR_ACL_DENIES;
	header = bpf_map_lookup_elem(probe.rules, &zero);
	if (!header)
		return WEIR_ACL_DENIES;
	t = &p->tuple;
	/* The peer is the source of what comes in and the destination of what goes out. */
	if (p->direction == WEIR_INGRESS)
		weir_copy_words(probe.peer, t->src);
	else
		weir_copy_words(probe.peer, t->dst);
	probe.ports = WEIR_PORTS(t->dst_port, t->dst_port);
	if (weir_lacks_transport(t))
		probe.ports = WEIR_PORTS(0, 0xffff);
	if (weir_is_icmp(t->protocol) && !t->absent)
		icmp = (__u32)t->icmp_type << 8 | t->icmp_code;
	probe.what = WEIR_WHAT(t->family, t->protocol, icmp);
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
				probe.ports = WEIR_PORTS(t->src_port, t->src_port);
			if (weir_read_list(&probe, answers, answers->untracked_chunks) == WEIR_VERDICT_UNTRACKED)
				verdict = WEIR_VERDICT_UNTRACKED;
		}
		answer |= verdict & 3;
	}
	return answer;
}

#endif
