/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/*
 * Packet -> ACCEPT or REJECT. The reference is weir_policy::Tracker::decide.
 *
 * Network ACL and groups are asked in one go: which of two refusals came first
 * makes no difference to the packet, and one that either refuses must leave
 * the tracked connections alone.
 */
#ifndef WEIR_DECIDE_H
#define WEIR_DECIDE_H

#include "rules.h"
#include "track.h"

/* Whether the packet is an ICMP error about a tracked connection. */
static __always_inline int weir_is_related(struct weir_packet *p, __u64 now)
{
	struct weir_connection *c;

	if (!p->has_quoted)
		return 0;
	weir_key_of(&p->quoted_key, &p->quoted, p->interface);
	c = bpf_map_lookup_elem(&weir_conns, &p->quoted_key);
	return c && !(c->flags & WEIR_REFUSED) && weir_is_live(c, p->quoted.protocol, now);
}

/*
 * Where a connection remembers what the ACL said about such packets. An ICMP
 * flow has packets of several types, which the ACL may tell apart: none.
 */
static __always_inline __u32 *weir_acl_memory(struct weir_connection *c, const struct weir_packet *p)
{
	if (!c || weir_is_icmp(p->tuple.protocol))
		return 0;
	return &c->acl[((p->direction & 1) * 2 + (p->src_is_low & 1)) & 3];
}

/*
 * The short way: a TCP or UDP packet of a tracked connection that is open, and
 * that the ACL is known to let pass. 0: it is to be decided the long way, which
 * does for such a packet what this does.
 */
static __always_inline int weir_is_plainly_tracked(struct weir_packet *p, __u32 generation, __u64 now)
{
	const struct weir_tuple *t = &p->tuple;
	struct weir_connection *c;
	__u32 *memory;

	p->is_unknown = 0;
	if ((t->protocol != PROTO_TCP && t->protocol != PROTO_UDP) || t->absent)
		return 0;
	p->src_is_low = weir_key_of(&p->key, t, p->interface);
	c = bpf_map_lookup_elem(&weir_conns, &p->key);
	if (!c) {
		p->is_unknown = 1;
		return 0;
	}
	if ((c->flags & (WEIR_REFUSED | WEIR_CLOSED)) || !weir_is_live(c, t->protocol, now))
		return 0;
	memory = weir_acl_memory(c, p);
	if (!memory || *memory != ((generation << 2) | 2))
		return 0;
	p->reason = WEIR_BY_TRACKED;
	p->rule = c->rule;
	weir_track(c, p, now);
	return 1;
}

WEIR_GLOBAL int weir_decide(struct weir_packet *p, __u32 mode, __u32 generation, __u32 losses, __u64 now)
{
	__u32 fresh = (generation << 2) | 2;
	struct weir_connection *c = 0;
	__u32 questions = 0, answer = 0;
	int known, related, live, closed = 0, refused = 0;
	const struct weir_tuple *t;
	__u32 *memory;

	if (!p)
		return WEIR_REJECT;
	t = &p->tuple;
	/* Without its ports a fragment's connection is not known. */
	known = !weir_lacks_transport(t);
	if (known && !p->is_unknown) {
		p->src_is_low = weir_key_of(&p->key, t, p->interface);
		c = bpf_map_lookup_elem(&weir_conns, &p->key);
	}
	live = c && weir_is_live(c, t->protocol, now);
	if (live && (c->flags & WEIR_REFUSED)) {
		/* Where rejected packets are dropped, nobody answers them. */
		if (mode == WEIR_EVALUATE)
			refused = 1;
		else
			live = 0;
	}
	if (live)
		closed = (c->flags & WEIR_CLOSED) != 0;
	/* After the close, the same ports again at once: a new connection. */
	if (closed && !weir_is_pure_syn(t)) {
		p->reason = WEIR_BY_AFTER_CLOSE;
		return WEIR_REJECT;
	}
	related = known && weir_is_related(p, now);

	memory = weir_acl_memory(c, p);
	/* A denial is asked for again, to name the rule. */
	if (!memory || *memory != fresh)
		questions |= WEIR_ASK_ACL;
	if (!related && (!live || closed || refused))
		questions |= WEIR_ASK_GROUPS;
	if (questions)
		answer = weir_ask_rules(p, questions);
	if (memory && (questions & WEIR_ASK_ACL))
		*memory = fresh | (answer & WEIR_ACL_DENIES ? 1 : 0);
	/* A packet meets the ACL first on its way in, and the groups on its way out. */
	if ((questions & WEIR_ASK_GROUPS) && !(answer & 3) &&
	    (p->direction == WEIR_EGRESS || !(answer & WEIR_ACL_DENIES))) {
		p->reason = WEIR_BY_NO_GROUP_RULE;
		return WEIR_REJECT;
	}
	if (answer & WEIR_ACL_DENIES) {
		p->reason = p->acl_rule ? WEIR_BY_ACL_RULE : WEIR_BY_ACL_DEFAULT;
		p->rule = p->acl_rule;
		return WEIR_REJECT;
	}
	if (!(questions & WEIR_ASK_GROUPS)) {
		if (related) {
			p->reason = WEIR_BY_RELATED;
			return WEIR_ACCEPT;
		}
		p->reason = WEIR_BY_TRACKED;
		if (c)
			p->rule = c->rule;
		weir_track(c, p, now);
		return WEIR_ACCEPT;
	}
	p->reason = (answer & 3) == WEIR_VERDICT_UNTRACKED ? WEIR_BY_UNTRACKED : WEIR_BY_GROUP_RULE;
	p->rule = p->group_rule;
	if (c && refused && !closed && !weir_begins_anew(c, p)) {
		weir_track(c, p, now);
		return WEIR_ACCEPT;
	}
	if ((answer & 3) != WEIR_VERDICT_UNTRACKED) {
		if (known)
			weir_begin(p, c, losses, now);
	} else if (closed || refused) {
		bpf_map_delete_elem(&weir_conns, &p->key);
	}
	return WEIR_ACCEPT;
}

#endif
