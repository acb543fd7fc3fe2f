/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/*
 * The rules of one interface: first match decides, in each of four lists. Short
 * lists are read through; long ones have an index of bits, after Lakshman and
 * Stiliadis, "High-speed policy-based packet forwarding", 1998.
 *
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
	__u32 group_shift;
	/* Of the index: the address's key; the rows, from which word on; bits of the last word that are left. */
	__u64 address;
	const union weir_chunk *by_address;
	const union weir_chunk *by_port;
	__u32 address_row;
	__u32 port_row;
	__u64 bits;
	__u32 word;
	__u32 words;
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

/*
 * How many of a chunk's bounds are not above the key. Without branches: which
 * way a search goes cannot be foreseen. Key and bounds have 63 bits.
 */
static __always_inline __u32 weir_place(const union weir_chunk *chunk, __u64 key)
{
	__u32 at = 0;
	int i;

#pragma unroll
	for (i = 6; i >= 0; i--) {
		__u64 not_above = (chunk->words[(at + (1u << i) - 1) & 127] - key - 1) >> 63;

		at += (__u32)not_above << i;
	}
	return at;
}

/* The chunk that has the row of a key, and the word at which it begins. */
static __always_inline const union weir_chunk *weir_row(struct weir_probe *probe, const struct weir_list *list,
							const int index, __u64 key, __u32 *word)
{
	__u32 where = list->bounds[index], leaf = 0, row;
	const union weir_chunk *chunk;

	chunk = bpf_map_lookup_elem(probe->rules, &where);
	if (!chunk)
		return 0;
	row = weir_place(chunk, key) - 1;
	if (list->deep[index]) {
		leaf = row;
		where += row + 1;
		chunk = bpf_map_lookup_elem(probe->rules, &where);
		if (!chunk)
			return 0;
		row = weir_place(chunk, key) - 1;
	}
	row = (leaf * WEIR_BOUNDS + row) << (list->row_shift & 3);
	where = list->rows[index] + row / WEIR_WORDS_OF_CHUNK;
	*word = row;
	return bpf_map_lookup_elem(probe->rules, &where);
}

static const __u8 weir_bit[64] = {
	0,  1,	48, 2,	57, 49, 28, 3,	61, 58, 50, 42, 38, 29, 17, 4,	62, 55, 59, 36, 53, 51,
	43, 22, 45, 39, 33, 30, 24, 18, 12, 5,	63, 47, 56, 27, 60, 41, 37, 16, 54, 35, 52, 21,
	44, 32, 23, 11, 46, 26, 40, 15, 34, 20, 31, 10, 25, 14, 19, 9,	13, 8,	7,  6,
};

/* The number of the lowest bit that is set (Leiserson and others, 1998). */
static __always_inline __u32 weir_lowest(__u64 bits)
{
	return weir_bit[((bits & -bits) * 0x03f79d71b4cb0a89ull) >> 58];
}

/* One step of bpf_loop: the next bit that is set in both rows. Returns 1 to stop. */
static long weir_try_next(__u32 index, void *context)
{
	struct weir_probe *probe = context;
	const union weir_chunk *by_address = probe->by_address, *by_port = probe->by_port;
	union weir_chunk *chunk;
	__u32 at, where, i;

	for (i = 0; i < 8 && !probe->bits; i++) {
		__u32 word = probe->word;

		if (word >= probe->words)
			return 1;
		probe->bits = by_address->words[(probe->address_row + word) & 127] &
			      by_port->words[(probe->port_row + word) & 127];
		probe->word = word + 1;
	}
	if (!probe->bits)
		return 1;
	at = ((probe->word - 1) * 64 + weir_lowest(probe->bits)) << (probe->group_shift & 3);
	probe->bits &= probe->bits - 1;
	where = probe->chunk + at / WEIR_CHUNK;
	chunk = bpf_map_lookup_elem(probe->rules, &where);
	if (!chunk)
		return 1;
	for (i = 0; i < 8; i++) {
		const struct weir_rule *rule = &chunk->rules[(at + i) & (WEIR_CHUNK - 1)];

		if (weir_rule_matches(rule, probe)) {
			probe->verdict = rule->verdict;
			probe->rule = rule->number;
			return 1;
		}
		if (i + 1 >= 1u << (probe->group_shift & 3))
			break;
	}
	return 0;
}

static __always_inline void weir_read_index(struct weir_probe *probe, const struct weir_list *list)
{
	const union weir_chunk *by_address, *by_port;

	probe->bits = 0;
	probe->word = 0;
	probe->words = 1u << (list->row_shift & 3);
	probe->group_shift = list->group_shift;
	by_address = weir_row(probe, list, WEIR_BY_ADDRESS, probe->address, &probe->address_row);
	if (!by_address)
		return;
	by_port = weir_row(probe, list, WEIR_BY_PORT, probe->ports & 0xffff, &probe->port_row);
	if (!by_port)
		return;
	probe->by_address = by_address;
	probe->by_port = by_port;
	/* Each bit once, and once more to find that there is none. */
	bpf_loop(513, weir_try_next, probe, 0);
}

static __always_inline __u32 weir_read_list(struct weir_probe *probe, const struct weir_list *list)
{
	probe->verdict = WEIR_VERDICT_NONE;
	probe->rule = 0;
	probe->chunk = list->first;
	if (list->bounds[WEIR_BY_ADDRESS])
		weir_read_index(probe, list);
	else if (list->chunks)
		bpf_loop(list->chunks, weir_read_chunk, probe, 0);
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
	probe.address = t->family == 4 ? bpf_ntohl(probe.peer[1] >> 32) : bpf_be64_to_cpu(probe.peer[0]) >> 1;
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

		if (weir_read_list(&probe, acl) != WEIR_VERDICT_ALLOW)
			answer |= WEIR_ACL_DENIES;
		p->acl_rule = probe.rule;
	}
	if (questions & WEIR_ASK_GROUPS) {
		const struct weir_list *groups = &header->lists[WEIR_LIST_GROUPS + own];
		const struct weir_list *answers = &header->lists[WEIR_LIST_GROUPS + other];

		verdict = weir_read_list(&probe, groups);
		p->group_rule = probe.rule;
		if (verdict == WEIR_VERDICT_ALLOW && answers->untracked) {
			/* The packet may itself answer an untracked one: those rules come first. */
			if (!weir_lacks_transport(t))
				probe.ports = WEIR_PORTS(t->src_port, t->src_port);
			if (weir_read_list(&probe, answers) == WEIR_VERDICT_UNTRACKED)
				verdict = WEIR_VERDICT_UNTRACKED;
		}
		answer |= verdict & 3;
	}
	return answer;
}

#endif
