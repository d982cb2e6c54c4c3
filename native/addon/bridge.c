/* A container's link to a bridge without a process: what the CNI plugins `bridge` and `static` do for an ADD, on a
 * short-lived thread that visits the bridge's network namespace and then the container's. */
#include <fcntl.h>
#include <linux/if_bridge.h>
#include <linux/if_link.h>
#include <linux/veth.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bridge.h"

static void sysctl_path(char path[128], const char *family, const char *link, const char *setting) {
  snprintf(path, 128, "/proc/sys/net/%s/conf/%s/%s", family, link, setting);
}

/* Writes a setting of one link, unless this kernel has no such setting (IPv6 may be left out of it). */
static bool set_sysctl(struct job *job, const char *family, const char *link, const char *setting, const char *value) {
  char path[128];
  sysctl_path(path, family, link, setting);
  return write_sysctl(path, value) == 0 || errno == ENOENT || job_fail(job, errno, "write", path);
}

static bool add_address(struct job *job, struct netlink *netlink, int index, const char *text) {
  struct prefix prefix;
  if (!prefix_parse(text, &prefix)) return job_fail(job, EINVAL, "add address", text);
  struct netlink_message message;
  struct ifaddrmsg *part = netlink_begin(&message, RTM_NEWADDR, NLM_F_CREATE | NLM_F_EXCL, sizeof *part);
  part->ifa_family = (uint8_t)prefix.family;
  part->ifa_prefixlen = (uint8_t)prefix.bits;
  part->ifa_index = (uint32_t)index;
  /* Who has which address is known here: nobody needs to wait for duplicates to show. */
  if (prefix.family == AF_INET6) part->ifa_flags = IFA_F_NODAD;
  netlink_put(&message, IFA_LOCAL, prefix.address, prefix.bytes);
  netlink_put(&message, IFA_ADDRESS, prefix.address, prefix.bytes);
  if (prefix.family == AF_INET && prefix.bits < 31) {
    for (unsigned bit = prefix.bits; bit < 32; bit++) prefix.address[bit / 8] |= (uint8_t)(0x80 >> bit % 8);
    netlink_put(&message, IFA_BROADCAST, prefix.address, prefix.bytes);
  }
  return netlink_talk(netlink, &message) || errno == EEXIST || job_fail(job, errno, "add address", text);
}

static bool raise(struct job *job, struct netlink *netlink, const struct link_state *link) {
  struct netlink_message message;
  struct ifinfomsg *part = netlink_begin(&message, RTM_NEWLINK, 0, sizeof *part);
  part->ifi_index = link->index;
  part->ifi_flags = part->ifi_change = IFF_UP;
  return netlink_talk(netlink, &message) || job_fail(job, errno, "raise", link->name);
}

static bool random_bytes(struct job *job, void *bytes, size_t length) {
  return getrandom(bytes, length, 0) == (ssize_t)length || job_fail(job, errno, "getrandom", "");
}

static bool make_bridge(struct job *job, struct netlink *netlink, const struct join *join) {
  struct netlink_message message;
  netlink_begin(&message, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, sizeof(struct ifinfomsg));
  netlink_put_string(&message, IFLA_IFNAME, join->bridge);
  if (join->mtu > 0) netlink_put_u32(&message, IFLA_MTU, (uint32_t)join->mtu);
  /* An address of its own, which does not change with the ports that come and go. */
  uint8_t mac[MAC_BYTES];
  if (!random_bytes(job, mac, sizeof mac)) return false;
  mac[0] = (uint8_t)((mac[0] & 0xfc) | 0x02);
  netlink_put(&message, IFLA_ADDRESS, mac, sizeof mac);
  struct rtattr *info = netlink_nest(&message, IFLA_LINKINFO);
  netlink_put_string(&message, IFLA_INFO_KIND, "bridge");
  netlink_end(&message, info);
  return netlink_talk(netlink, &message) || errno == EEXIST || job_fail(job, errno, "make bridge", join->bridge);
}

/* In a namespace that is ours alone. The host's own switch has a guard and an end, which are not a link's affair. */
static bool forwards(struct job *job, const struct texts *gateways) {
  for (uint32_t i = 0; i < gateways->count; i++) {
    const char *family = strchr(gateways->items[i], ':') == NULL ? "ipv4" : "ipv6";
    char path[128];
    sysctl_path(path, family, "all", "forwarding");
    char *now = tsc_read_file(path, 16, NULL);
    bool is_on = now != NULL && now[0] == '1';
    free(now);
    if (!is_on && !set_sysctl(job, family, "all", "forwarding", "1")) return false;
  }
  return true;
}

/* Whether one of the addresses has the family that is written with this separator. */
static bool has_family(const struct texts *addresses, char separator) {
  for (uint32_t i = 0; i < addresses->count; i++)
    if (strchr(addresses->items[i], separator) != NULL) return true;
  return false;
}

static bool ensure_bridge(struct job *job, struct netlink *netlink, struct join *join) {
  struct link_state *bridge = &join->on_bridge;
  if (!netlink_link(netlink, join->bridge, bridge)) {
    if (errno != ENODEV) return job_fail(job, errno, "look at", join->bridge);
    if (!make_bridge(job, netlink, join)) return false;
    if (!netlink_link(netlink, join->bridge, bridge)) return job_fail(job, errno, "look at", join->bridge);
  }
  if (strcmp(bridge->kind, "bridge") != 0) return job_fail(job, EEXIST, "a link that is no bridge has the name", join->bridge);
  if ((bridge->flags & IFF_UP) == 0) {
    /* Routes are ours: no router may add any (CVE-2020-10749). */
    if (!set_sysctl(job, "ipv6", join->bridge, "accept_ra", "0")) return false;
    /* Rules are per family: where there is none for IPv6, the host must not be reachable by its link-local address. */
    if (!has_family(&join->gateways, ':') && !set_sysctl(job, "ipv6", join->bridge, "disable_ipv6", "1")) return false;
    if (!raise(job, netlink, bridge)) return false;
  }
  for (uint32_t i = 0; i < join->gateways.count; i++)
    if (!add_address(job, netlink, bridge->index, join->gateways.items[i])) return false;
  return *join->site == '\0' || forwards(job, &join->gateways);
}

static bool parse_mac(const char *text, uint8_t mac[MAC_BYTES]) {
  unsigned part[MAC_BYTES];
  if (sscanf(text, "%2x:%2x:%2x:%2x:%2x:%2x", &part[0], &part[1], &part[2], &part[3], &part[4], &part[5]) != MAC_BYTES)
    return false;
  for (int i = 0; i < MAC_BYTES; i++) mac[i] = (uint8_t)part[i];
  return true;
}

/* Switches a setting of a bridge's port on (IFLA_BRPORT_*). */
static bool set_port(struct job *job, struct netlink *netlink, const struct link_state *link, int setting) {
  struct netlink_message message;
  struct ifinfomsg *part = netlink_begin(&message, RTM_SETLINK, 0, sizeof *part);
  part->ifi_family = AF_BRIDGE;
  part->ifi_index = link->index;
  struct rtattr *port = netlink_nest(&message, IFLA_PROTINFO);
  uint8_t on = 1;
  netlink_put(&message, setting, &on, sizeof on);
  netlink_end(&message, port);
  const char *what = setting == IFLA_BRPORT_ISOLATED ? "isolate port" : "set hairpin mode of";
  return netlink_talk(netlink, &message) || job_fail(job, errno, what, link->name);
}

/* Both ends at once: one on the bridge and up, the other in the container's namespace from its first moment. */
static bool make_pair(struct job *job, struct netlink *netlink, struct join *join, int netns) {
  uint8_t mac[MAC_BYTES];
  if (*join->mac != '\0' && !parse_mac(join->mac, mac)) return job_fail(job, EINVAL, "use MAC address", join->mac);
  uint32_t number;
  if (!random_bytes(job, &number, sizeof number)) return false;
  char host[IFNAMSIZ];
  snprintf(host, sizeof host, "veth%08x", number);
  struct netlink_message message;
  struct ifinfomsg *part = netlink_begin(&message, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, sizeof *part);
  part->ifi_flags = part->ifi_change = IFF_UP;
  netlink_put_string(&message, IFLA_IFNAME, host);
  netlink_put_u32(&message, IFLA_MASTER, (uint32_t)join->on_bridge.index);
  if (join->mtu > 0) netlink_put_u32(&message, IFLA_MTU, (uint32_t)join->mtu);
  struct rtattr *info = netlink_nest(&message, IFLA_LINKINFO);
  netlink_put_string(&message, IFLA_INFO_KIND, "veth");
  struct rtattr *data = netlink_nest(&message, IFLA_INFO_DATA);
  struct rtattr *peer = netlink_nest(&message, VETH_INFO_PEER);
  struct ifinfomsg none = {.ifi_family = AF_UNSPEC};
  memcpy((char *)&message + message.header.nlmsg_len, &none, sizeof none);
  message.header.nlmsg_len += (uint32_t)NLMSG_ALIGN(sizeof none);
  netlink_put_string(&message, IFLA_IFNAME, join->name);
  netlink_put_u32(&message, IFLA_NET_NS_FD, (uint32_t)netns);
  if (join->mtu > 0) netlink_put_u32(&message, IFLA_MTU, (uint32_t)join->mtu);
  if (*join->mac != '\0') netlink_put(&message, IFLA_ADDRESS, mac, sizeof mac);
  netlink_end(&message, peer);
  netlink_end(&message, data);
  netlink_end(&message, info);
  if (!netlink_talk(netlink, &message)) return job_fail(job, errno, "make link", join->name);
  if (!netlink_link(netlink, host, &join->at_host)) return job_fail(job, errno, "look at", host);
  return (!join->hairpin || set_port(job, netlink, &join->at_host, IFLA_BRPORT_MODE)) &&
         (!join->isolated || set_port(job, netlink, &join->at_host, IFLA_BRPORT_ISOLATED));
}

static bool add_route(struct job *job, struct netlink *netlink, int index, const char *to, const char *gateway) {
  struct prefix destination, via;
  if (!prefix_parse(to, &destination) || !prefix_parse(gateway, &via) || via.family != destination.family)
    return job_fail(job, EINVAL, "add route", to);
  struct netlink_message message;
  struct rtmsg *part = netlink_begin(&message, RTM_NEWROUTE, NLM_F_CREATE | NLM_F_EXCL, sizeof *part);
  part->rtm_family = (uint8_t)destination.family;
  part->rtm_dst_len = (uint8_t)destination.bits;
  part->rtm_table = RT_TABLE_MAIN;
  part->rtm_protocol = RTPROT_BOOT;
  part->rtm_scope = RT_SCOPE_UNIVERSE;
  part->rtm_type = RTN_UNICAST;
  if (destination.bits > 0) netlink_put(&message, RTA_DST, destination.address, destination.bytes);
  netlink_put(&message, RTA_GATEWAY, via.address, via.bytes);
  netlink_put_u32(&message, RTA_OIF, (uint32_t)index);
  return netlink_talk(netlink, &message) || errno == EEXIST || job_fail(job, errno, "add route", to);
}

/* The container's end, in the container's namespace. */
static bool configure(struct job *job, struct netlink *netlink, struct join *join) {
  struct link_state *link = &join->inside;
  if (!netlink_link(netlink, join->name, link)) return job_fail(job, errno, "look at", join->name);
  if (has_family(&join->addresses, ':') && (!set_sysctl(job, "ipv6", "lo", "disable_ipv6", "0") ||
                   !set_sysctl(job, "ipv6", join->name, "disable_ipv6", "0")))
    return false;
  /* Neighbours that knew the address with another MAC are told. */
  if (!set_sysctl(job, "ipv4", join->name, "arp_notify", "1") ||
      !set_sysctl(job, "ipv6", join->name, "accept_dad", "0"))
    return false;
  for (uint32_t i = 0; i < join->addresses.count; i++)
    if (!add_address(job, netlink, link->index, join->addresses.items[i])) return false;
  if (!raise(job, netlink, link)) return false;
  for (uint32_t i = 0; i + 1 < join->routes.count; i += 2)
    if (!add_route(job, netlink, link->index, join->routes.items[i], join->routes.items[i + 1])) return false;
  return true;
}

static void join_namespaces(struct job *job, struct join *join, int netns) {
  struct netlink outside, inside = {.fd = -1};
  if (!job_enter(job, join->site)) return;
  if (!netlink_open(&outside)) {
    job_fail(job, errno, "socket", "rtnetlink");
    return;
  }
  if (ensure_bridge(job, &outside, join) && make_pair(job, &outside, join, netns)) {
    if (setns(netns, CLONE_NEWNET) < 0) job_fail(job, errno, "setns", join->netns);
    else if (!netlink_open(&inside)) job_fail(job, errno, "socket", "rtnetlink");
    else configure(job, &inside, join);
  }
  netlink_close(&inside);
  netlink_close(&outside);
}

void *bridge_join(void *data) {
  struct job *job = data;
  struct join *join = job->data;
  int netns = open(join->netns, O_RDONLY | O_CLOEXEC | O_NOCTTY);
  if (netns < 0) {
    job_fail(job, errno, "open", join->netns);
    return NULL;
  }
  join_namespaces(job, join, netns);
  close(netns);
  return NULL;
}

void *bridge_leave(void *data) {
  struct job *job = data;
  struct port *port = job->data;
  struct netlink netlink;
  if (!job_enter(job, port->netns)) {
    if (job->error == ENOENT) job->error = 0;
    return NULL;
  }
  if (!netlink_open(&netlink)) {
    job_fail(job, errno, "socket", "rtnetlink");
    return NULL;
  }
  struct netlink_message message;
  netlink_begin(&message, RTM_DELLINK, 0, sizeof(struct ifinfomsg));
  netlink_put_string(&message, IFLA_IFNAME, port->name);
  if (!netlink_talk(&netlink, &message) && errno != ENODEV) job_fail(job, errno, "remove link", port->name);
  netlink_close(&netlink);
  return NULL;
}

void *bridge_isolate(void *data) {
  struct job *job = data;
  struct port *port = job->data;
  struct link_state link;
  struct netlink netlink;
  if (!job_enter(job, port->netns)) return NULL;
  if (!netlink_open(&netlink)) {
    job_fail(job, errno, "socket", "rtnetlink");
    return NULL;
  }
  if (!netlink_link(&netlink, port->name, &link)) job_fail(job, errno, "look at", port->name);
  else set_port(job, &netlink, &link, IFLA_BRPORT_ISOLATED);
  netlink_close(&netlink);
  return NULL;
}
