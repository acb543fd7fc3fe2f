/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/*
 * The kernel's own structures as far as drops.bpf.c reads them. Offsets and
 * enum values are those of the running kernel: relocated at load (CO-RE), by
 * name, from the kernel's type information.
 */
#ifndef WEIR_KERNEL_H
#define WEIR_KERNEL_H

#include <linux/types.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct ns_common {
	unsigned int inum;
};

struct net {
	struct ns_common ns;
};

typedef struct {
	struct net *net;
} possible_net_t;

struct net_device {
	int ifindex;
	unsigned int flags;
	possible_net_t nd_net;
};

struct dst_entry {
	struct net_device *dev;
};

struct sk_buff {
	struct net_device *dev;
	unsigned long _skb_refdst;
	unsigned long _nfct;
	unsigned int len;
	__u8 pkt_type : 3;
	__be16 protocol;
	char cb[48];
	int skb_iif;
	__u16 network_header;
	unsigned int end;
	unsigned char *head;
};

/* What the network layer keeps in sk_buff.cb. */
struct inet_skb_parm {
	__u16 frag_max_size;
};

struct inet6_skb_parm {
	__u16 frag_max_size;
};

struct skb_shared_info {
	unsigned short gso_size;
	unsigned short gso_segs;
};

union nf_inet_addr {
	__u32 all[4];
};

union nf_conntrack_man_proto {
	__be16 all;
};

struct nf_conntrack_man {
	union nf_inet_addr u3;
	union nf_conntrack_man_proto u;
};

struct nf_conntrack_tuple {
	struct nf_conntrack_man src;
	struct {
		union nf_inet_addr u3;
		union {
			__be16 all;
		} u;
	} dst;
};

struct nf_conntrack_tuple_hash {
	struct nf_conntrack_tuple tuple;
};

struct nf_conn {
	struct nf_conntrack_tuple_hash tuplehash[2];
	unsigned long status;
};

#pragma clang attribute pop

/* The numbers here are not the kernel's: only the names count. */
enum skb_drop_reason {
	SKB_DROP_REASON_NETFILTER_DROP = 1,
	SKB_DROP_REASON_BPF_CGROUP_EGRESS,
	SKB_DROP_REASON_TC_EGRESS,
	SKB_DROP_REASON_XDP,
	SKB_DROP_REASON_TC_INGRESS,
};

#endif
