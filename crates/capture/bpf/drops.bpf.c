// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
/*
 * The verdict of the host's own firewall, for interfaces in observe mode: every
 * packet that the kernel frees because a firewall dropped it (tracepoint
 * skb:kfree_skb, all namespaces) is added to the flow tables as rejected.
 *
 *              tcx ingress ──▶ netfilter ──▶ ...            counted, then dropped
 *   ... ──▶ netfilter ──▶ tcx egress ──▶ qdisc             dropped, never counted
 *
 * So a drop on the way in is WEIR_DROPPED: the agent takes it off the ACCEPT of
 * the same flow. A drop on the way out is WEIR_REJECT. A forwarded packet may
 * be both, at the interface it came in by and at the one it was to leave by.
 *
 * Where a dropped packet was shows in the packet: skb_iif is the device it came
 * in by (0: this machine sent it); the device it was to leave by is skb->dev if
 * that is another one, else that of its route. Device indexes are unique only
 * within a network namespace.
 *
 * The reason is tested first: nearly all packets that are freed were not
 * dropped by a firewall.
 */
#include "count.h"
#include "headers.h"
#include "kernel.h"

char LICENSE[] SEC("license") = "GPL";

#define WEIR_OF_NETFILTER 1
#define WEIR_OF_XDP 2
#define WEIR_OF_TC_INGRESS 3
#define WEIR_OF_TC_EGRESS 4
#define WEIR_OF_CGROUP_EGRESS 5

#define LOOPBACK_FLAG 8 /* IFF_LOOPBACK */
#define PACKET_HOST 0
#define PACKET_BROADCAST 1
#define PACKET_MULTICAST 2
#define NFCT_INFO 7ul    /* enum ip_conntrack_info in the pointer's low bits */
#define NFCT_REPLY 3     /* IP_CT_IS_REPLY and above: a packet of the reply direction */
#define NFCT_NAT 0x30ul  /* IPS_SRC_NAT | IPS_DST_NAT */
#define DST_NOREF 1ul
#define MAX_EXTENSIONS 8

/* A dropped packet. */
struct weir_dropped {
	struct weir_flow_key key;
	struct weir_amount amount;
	struct weir_fragment_key fragment;
	__u32 is_later_fragment;
};

/* The program never meets itself on one CPU: the kernel sees to that. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct weir_dropped);
} weir_dropped SEC(".maps");

#define weir_reason_is(reason, name) \
	(bpf_core_enum_value_exists(enum skb_drop_reason, SKB_DROP_REASON_##name) && \
	 (reason) == bpf_core_enum_value(enum skb_drop_reason, SKB_DROP_REASON_##name))

static __always_inline __u32 weir_firewall(__u32 reason)
{
	if (weir_reason_is(reason, NETFILTER_DROP))
		return WEIR_OF_NETFILTER;
	if (weir_reason_is(reason, XDP))
		return WEIR_OF_XDP;
	if (weir_reason_is(reason, TC_INGRESS))
		return WEIR_OF_TC_INGRESS;
	if (weir_reason_is(reason, TC_EGRESS))
		return WEIR_OF_TC_EGRESS;
	if (weir_reason_is(reason, BPF_CGROUP_EGRESS))
		return WEIR_OF_CGROUP_EGRESS;
	return 0;
}

/*
 * A datagram that was put together again arrived in several packets, each with
 * its header; all but the last carry as much as the largest.
 */
static __always_inline void weir_take_apart(struct weir_dropped *d, struct sk_buff *skb, __u32 length, __u32 header)
{
	__u16 largest = 0;
	__u32 fragments, each;

	/* Before routing and connection tracking cb may be somebody else's. */
	if (!(skb->_skb_refdst & ~DST_NOREF) && !(skb->_nfct & ~NFCT_INFO))
		return;
	if (d->key.family == 4) {
		struct inet_skb_parm *parm = (void *)skb->cb;

		bpf_core_read(&largest, sizeof(largest), &parm->frag_max_size);
	} else {
		struct inet6_skb_parm *parm = (void *)skb->cb;

		bpf_core_read(&largest, sizeof(largest), &parm->frag_max_size);
		header += 8;
		length += 8;
	}
	if (largest >= length || largest < header + 8)
		return;
	each = (largest - header) & ~7u;
	fragments = (length - header + each - 1) / each;
	d->amount.packets = fragments;
	d->amount.bytes = length + (__u64)(fragments - 1) * header;
}

/* Addresses, protocol and ports of the packet at `at`; 0: it is to be counted. */
static __always_inline int weir_read_dropped(struct weir_dropped *d, struct sk_buff *skb)
{
	__u32 off, length, headers, transport = 0;
	unsigned char *at = skb->head + skb->network_header;
	union weir_words {
		__u8 bytes[40];
		__u16 halves[20];
		__u32 words[10];
	} h = {};
	__u16 type = bpf_ntohs(skb->protocol);
	struct skb_shared_info *shared;
	__u16 size = 0, segments = 0;
	__u8 protocol;
	int i;

	__builtin_memset(d, 0, sizeof(*d));
	if (type == ETH_IPV4) {
		__u16 fragment;

		if (bpf_probe_read_kernel(h.bytes, 20, at) || h.bytes[0] >> 4 != 4)
			return -1;
		d->key.family = 4;
		((__u32 *)d->key.src)[2] = ((__u32 *)d->key.dst)[2] = bpf_htonl(0xffff);
		((__u32 *)d->key.src)[3] = h.words[3];
		((__u32 *)d->key.dst)[3] = h.words[4];
		protocol = h.bytes[9];
		length = bpf_ntohs(h.halves[1]);
		fragment = bpf_ntohs(h.halves[3]);
		d->is_later_fragment = (fragment & 0x1fff) != 0;
		d->fragment.id = bpf_ntohs(h.halves[2]);
		d->fragment.protocol = protocol;
		off = (h.bytes[0] & 15) * 4;
	} else if (type == ETH_IPV6) {
		if (bpf_probe_read_kernel(h.bytes, 40, at) || h.bytes[0] >> 4 != 6)
			return -1;
		d->key.family = 6;
		weir_copy_address(d->key.src, h.words + 2);
		weir_copy_address(d->key.dst, h.words + 6);
		length = bpf_ntohs(h.halves[2]);
		if (length)
			length += 40;
		protocol = h.bytes[6];
		off = 40;
		for (i = 0; i < MAX_EXTENSIONS; i++) {
			if (!weir_is_extension(protocol))
				break;
			if (bpf_probe_read_kernel(h.bytes, 8, at + (off & 0x3fff)))
				return -1;
			if (protocol == PROTO_FRAGMENT) {
				d->is_later_fragment = (bpf_ntohs(h.halves[1]) & 0xfff8) != 0;
				d->fragment.id = bpf_ntohl(h.words[1]);
				d->fragment.protocol = h.bytes[0];
				off += 8;
				protocol = h.bytes[0];
				if (d->is_later_fragment)
					break;
				continue;
			}
			off += protocol == PROTO_AH ? (h.bytes[1] + 2) * 4 : (h.bytes[1] + 1) * 8;
			protocol = h.bytes[0];
		}
	} else {
		return -1;
	}
	if (!length)
		length = skb->len;
	d->key.protocol = protocol;
	headers = off;
	if (!d->is_later_fragment && !bpf_probe_read_kernel(h.bytes, 8, at + (off & 0x3fff))) {
		if (weir_has_ports(protocol)) {
			d->key.src_port = bpf_ntohs(h.halves[0]);
			d->key.dst_port = bpf_ntohs(h.halves[1]);
			transport = protocol == PROTO_UDP ? 8 : 12;
		} else if (weir_is_icmp(protocol)) {
			if (weir_is_discovery(d->key.family, protocol, h.bytes[0]))
				return -1;
			transport = 8;
		}
		if (protocol == PROTO_TCP && !bpf_probe_read_kernel(h.bytes, 4, at + (off & 0x3fff) + 12)) {
			transport = (h.bytes[0] >> 4) * 4;
			d->amount.flags = weir_reported_flags(h.bytes[1]);
		}
	}
	headers += transport;
	/* Segmentation offload, unfolded as in parse.h. */
	shared = (void *)(skb->head + skb->end);
	bpf_core_read(&size, sizeof(size), &shared->gso_size);
	bpf_core_read(&segments, sizeof(segments), &shared->gso_segs);
	if (size && !segments && length > headers)
		segments = (length - headers + size - 1) / size;
	if (!size || !segments)
		segments = 1;
	d->amount.packets = segments;
	d->amount.bytes = length + (__u64)(segments - 1) * headers;
	if (!size && skb->skb_iif && !d->is_later_fragment)
		weir_take_apart(d, skb, length, d->key.family == 4 ? off : 40);
	d->amount.now = bpf_ktime_get_ns(); /* the coarse one is not for tracing programs */
	return 0;
}

/*
 * On the way in the addresses are those that the packet arrived with: what NAT
 * made of them stands in the packet, what they were in its connection.
 */
static __always_inline void weir_undo_nat(struct weir_flow_key *key, unsigned long nfct)
{
	struct nf_conntrack_tuple_hash *hash;
	unsigned long status = 0;
	struct nf_conn *conn = (void *)(nfct & ~NFCT_INFO);
	__be16 port = 0;

	if (!conn || !bpf_core_type_exists(struct nf_conn))
		return;
	if (bpf_core_read(&status, sizeof(status), &conn->status) || !(status & NFCT_NAT))
		return;
	hash = (nfct & NFCT_INFO) >= NFCT_REPLY ? &conn->tuplehash[1] : &conn->tuplehash[0];
	if (key->family == 4) {
		bpf_core_read(key->src + 12, 4, &hash->tuple.src.u3.all[0]);
		bpf_core_read(key->dst + 12, 4, &hash->tuple.dst.u3.all[0]);
	} else {
		bpf_core_read(key->src, 16, &hash->tuple.src.u3.all);
		bpf_core_read(key->dst, 16, &hash->tuple.dst.u3.all);
	}
	if (!weir_has_ports(key->protocol))
		return;
	bpf_core_read(&port, sizeof(port), &hash->tuple.src.u.all);
	key->src_port = bpf_ntohs(port);
	bpf_core_read(&port, sizeof(port), &hash->tuple.dst.u.all);
	key->dst_port = bpf_ntohs(port);
}

/*
 * Whose window a drop belongs to: that in which the packet was counted. It was
 * on this CPU, moments ago, and nearly always the last one to come in. (Drivers
 * may hand in several at once: then the agent carries what is over.) Packets of
 * the epoch before come until the agent has turned drops_epoch as well.
 */
static __always_inline __u32 weir_drops_epoch(const struct weir_control *control)
{
	__u32 now = *(volatile __u32 *)&control->epoch;
	__u32 drops = *(volatile __u32 *)&control->drops_epoch;
	const struct weir_packet *last;
	__u32 zero = 0;

	if (drops == now)
		return now & 1;
	last = bpf_map_lookup_elem(&weir_scratch, &zero);
	return (last && last->ingress_epoch == now ? now : drops) & 1;
}

/* Adds the packet to its flow at a device, if an interface in observe mode is there. */
static __always_inline void weir_reject_at(struct weir_dropped *d, const struct weir_device_key *at, __u8 direction,
					   __u8 action, unsigned long nfct)
{
	const struct weir_interface *config;
	const struct weir_control *control;
	const struct weir_device *device;
	__u32 interface, epoch, zero = 0;

	device = bpf_map_lookup_elem(&weir_devices, at);
	if (!device)
		return;
	interface = device->interface;
	config = bpf_map_lookup_elem(&weir_ifaces, &interface);
	control = bpf_map_lookup_elem(&weir_control, &zero);
	if (!config || !control || *(volatile __u32 *)&config->mode != WEIR_OBSERVE)
		return;
	epoch = weir_drops_epoch(control);
	d->key.interface = interface;
	d->key.direction = direction ^ (device->swap & 1);
	d->key.action = action;
	d->amount.losses = interface * 2 + epoch;
	if (d->is_later_fragment) {
		const struct weir_fragment *first;

		__builtin_memcpy(d->fragment.src, d->key.src, 16);
		__builtin_memcpy(d->fragment.dst, d->key.dst, 16);
		d->fragment.interface = interface;
		d->fragment.direction = d->key.direction;
		d->fragment.family = d->key.family;
		first = bpf_map_lookup_elem(&weir_frags, &d->fragment);
		if (first) {
			d->key.src_port = first->src_port;
			d->key.dst_port = first->dst_port;
			d->key.protocol = first->protocol;
		}
	}
	if (nfct)
		weir_undo_nat(&d->key, nfct);
	weir_add_to(&d->key, epoch, &d->amount);
}

SEC("tp_btf/kfree_skb")
int weir_drop(unsigned long long *ctx)
{
	struct sk_buff *skb = (void *)ctx[0];
	struct weir_device_key in = {}, out = {};
	__u32 firewall = weir_firewall((__u32)ctx[2]);
	__u32 zero = 0, type, in_action = WEIR_DROPPED, own = 0;
	unsigned long route;
	struct weir_dropped *d;
	struct net_device *dev;

	if (!firewall)
		return 0;
	d = bpf_map_lookup_elem(&weir_dropped, &zero);
	if (!d || weir_read_dropped(d, skb))
		return 0;
	d->amount.reason = WEIR_BY_FIREWALL + firewall;
	type = BPF_CORE_READ_BITFIELD_PROBED(skb, pkt_type);
	route = skb->_skb_refdst & ~DST_NOREF;
	dev = skb->dev;
	if (dev) {
		own = dev->ifindex;
		out.netns = in.netns = dev->nd_net.net->ns.inum;
	}
	in.index = skb->skb_iif;
	if (own && own != in.index) {
		if (in.index && !route && type == PACKET_HOST) {
			/* For the bridge itself, which has not seen it yet. */
			in.index = own;
			in_action = WEIR_REJECT;
		} else {
			out.index = own;
			/* A bridge had a copy for each port: the other ports may still send it. */
			if (!route && (type == PACKET_BROADCAST || type == PACKET_MULTICAST))
				in.index = 0;
		}
	} else if (route) {
		struct dst_entry *to = (void *)route;
		struct net_device *device = BPF_CORE_READ(to, dev);

		if (device && !(in.index && BPF_CORE_READ(device, flags) & LOOPBACK_FLAG)) {
			out.index = BPF_CORE_READ(device, ifindex);
			out.netns = BPF_CORE_READ(device, nd_net.net, ns.inum);
			if (out.index == in.index)
				out.index = 0;
		}
	}
	/* Generic XDP runs before tcx. */
	if (firewall == WEIR_OF_XDP)
		in_action = WEIR_REJECT;
	if (out.index)
		weir_reject_at(d, &out, WEIR_EGRESS, firewall == WEIR_OF_TC_EGRESS ? WEIR_DROPPED : WEIR_REJECT, 0);
	if (in.index)
		weir_reject_at(d, &in, WEIR_INGRESS, in_action, skb->_nfct);
	return 0;
}
