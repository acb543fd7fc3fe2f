/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/*
 * Packet -> ACCEPT or REJECT. The reference is weir_policy::Tracker::decide.
 *
 * The network ACL is asked first in both directions: which of two refusals
 * came first makes no difference here, and a packet that either refuses must
 * leave the tracked connections alone.
 */
#ifndef WEIR_DECIDE_H
#define WEIR_DECIDE_H

#include "rules.h"
#include "track.h"

struct weir_judgement {
	struct weir_probe probe;
	struct weir_list acl;
	struct weir_list groups;
	struct weir_list answers;
	int ready;
};

/* Fetches the rules once per packet, so that ACL and groups are of one generation. */
static __always_inline int weir_open_rules(struct weir_judgement *j, const struct weir_packet *p)
{
	__u32 interface = WEIR_INTERFACE, zero = 0;
	union weir_chunk *header;
	void *rules;

	if (j->ready)
		return 0;
	rules = bpf_map_lookup_elem(&weir_rules, &interface);
	if (!rules)
		return -1;
	header = bpf_map_lookup_elem(rules, &zero);
	if (!header)
		return -1;
	if (p->direction == WEIR_INGRESS) {
		j->acl = header->lists[WEIR_LIST_ACL + WEIR_INGRESS];
		j->groups = header->lists[WEIR_LIST_GROUPS + WEIR_INGRESS];
		j->answers = header->lists[WEIR_LIST_GROUPS + WEIR_EGRESS];
	} else {
		j->acl = header->lists[WEIR_LIST_ACL + WEIR_EGRESS];
		j->groups = header->lists[WEIR_LIST_GROUPS + WEIR_EGRESS];
		j->answers = header->lists[WEIR_LIST_GROUPS + WEIR_INGRESS];
	}
	j->probe.rules = rules;
	weir_probe_of(&j->probe, p);
	j->ready = 1;
	return 0;
}

/* 1: denied. A tracked packet takes the answer that its connection remembers. */
static __always_inline int weir_acl_denies(struct weir_judgement *j, const struct weir_packet *p,
					   struct weir_connection *c, __u32 generation)
{
	/* An ICMP flow has packets of several types, which the ACL may tell apart. */
	int keep = c && p->tuple.protocol != PROTO_ICMP && p->tuple.protocol != PROTO_ICMPV6;
	__u32 at = ((p->direction & 1) * 2 + (p->src_is_low & 1)) & 3;
	__u32 verdict, denied;

	if (keep && (c->acl[at] | 1) == ((generation << 2) | 3))
		return c->acl[at] & 1;
	if (weir_open_rules(j, p))
		return 1;
	verdict = weir_read_list(&j->probe, &j->acl, j->acl.chunks);
	denied = verdict != WEIR_VERDICT_ALLOW;
	if (keep)
		c->acl[at] = (generation << 2) | 2 | denied;
	return denied;
}

/* Whether the packet is an ICMP error about a tracked connection. */
static __always_inline int weir_is_related(struct weir_packet *p, __u64 now)
{
	struct weir_connection *c;

	if (!p->has_quoted)
		return 0;
	weir_key_of(&p->quoted_key, &p->quoted);
	c = bpf_map_lookup_elem(&weir_conns, &p->quoted_key);
	return c && weir_is_live(c, p->quoted.protocol, now);
}

static __always_inline int weir_decide(struct weir_packet *p, __u32 generation, __u32 losses, __u64 now)
{
	const struct weir_tuple *t = &p->tuple;
	struct weir_judgement j = {};
	struct weir_connection *c = 0;
	__u32 verdict;
	int known, closed = 0;

	/* Without its ports a fragment's connection is not known. */
	known = !(t->absent && (weir_has_ports(t->protocol) || t->protocol == PROTO_ICMP ||
				t->protocol == PROTO_ICMPV6));
	if (known) {
		p->src_is_low = weir_key_of(&p->key, t);
		c = bpf_map_lookup_elem(&weir_conns, &p->key);
	}
	if (weir_acl_denies(&j, p, c, generation))
		return WEIR_REJECT;
	if (known && weir_is_related(p, now))
		return WEIR_ACCEPT;
	if (c && weir_is_live(c, t->protocol, now)) {
		closed = (c->flags & WEIR_CLOSED) != 0;
		if (!closed) {
			weir_track(c, p, now);
			return WEIR_ACCEPT;
		}
		/* The same ports again, at once: a new connection, judged as such. */
		if ((t->tcp_flags & (TCP_FIN | TCP_SYN | TCP_RST | TCP_ACK)) != TCP_SYN)
			return WEIR_REJECT;
	}
	if (weir_open_rules(&j, p))
		return WEIR_REJECT;
	verdict = weir_read_list(&j.probe, &j.groups, j.groups.chunks);
	if (verdict == WEIR_VERDICT_NONE)
		return WEIR_REJECT;
	if (verdict != WEIR_VERDICT_UNTRACKED && j.answers.untracked_chunks) {
		/* The packet may itself answer an untracked one. */
		j.probe.port = t->src_port;
		verdict = weir_read_list(&j.probe, &j.answers, j.answers.untracked_chunks);
	}
	if (verdict == WEIR_VERDICT_UNTRACKED) {
		if (closed)
			bpf_map_delete_elem(&weir_conns, &p->key);
		return WEIR_ACCEPT;
	}
	if (known)
		weir_begin(p, c, &losses, now);
	return WEIR_ACCEPT;
}

#endif
