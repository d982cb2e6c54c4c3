/* Keeps the client's address: a socket towards the container is bound to it (IP_TRANSPARENT) and marked; the container's answers, which
 * packet filter rules of the engine mark in turn, are led here by a rule and a route of ours. Only in a namespace that is ours alone. */
#include <errno.h>
#include <linux/fib_rules.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "portd.h"

/* Of our sockets, and of answers to them; `network/origin-rules.ts` writes the same. */
#define MARK_OURS 0x54534301
#define MARK_ANSWER 0x54534302
#define TABLE 0x545343
#define RULE_PRIORITY 100

#ifndef IPV6_TRANSPARENT
#define IPV6_TRANSPARENT 75
#endif

static int netlink = -1;
static bool routed[2], ruled[2];

static int index_of(int family) { return family == AF_INET ? 0 : 1; }

struct request {
  struct nlmsghdr header;
  union {
    struct rtmsg route;
    struct fib_rule_hdr rule;
  };
  char attributes[128];
};

static void add(struct request *request, unsigned short type, const void *value, size_t length) {
  struct rtattr *attribute = (struct rtattr *)((char *)request + NLMSG_ALIGN(request->header.nlmsg_len));
  attribute->rta_type = type;
  attribute->rta_len = (unsigned short)RTA_LENGTH(length);
  memcpy(RTA_DATA(attribute), value, length);
  request->header.nlmsg_len = NLMSG_ALIGN(request->header.nlmsg_len) + (unsigned)RTA_ALIGN(attribute->rta_len);
}

/* One request, one answer: its length, or -errno. */
static ssize_t ask(struct request *request, void *answer, size_t size) {
  static unsigned sequence;
  request->header.nlmsg_seq = ++sequence;
  if (send(netlink, request, request->header.nlmsg_len, 0) < 0) return -errno;
  for (;;) {
    ssize_t n = recv(netlink, answer, size, 0);
    if (n < 0) {
      if (errno == EINTR) continue;
      return -errno;
    }
    const struct nlmsghdr *header = answer;
    if ((size_t)n < sizeof *header || header->nlmsg_len > (size_t)n || header->nlmsg_seq != sequence) continue;
    if (header->nlmsg_type != NLMSG_ERROR) return n;
    const struct nlmsgerr *error = NLMSG_DATA(header);
    return header->nlmsg_len < NLMSG_LENGTH(sizeof *error) ? -EPROTO : error->error;
  }
}

static bool lead_answers(int family) {
  _Alignas(struct nlmsghdr) char answer[4096];
  unsigned table = TABLE, mark = MARK_ANSWER, priority = RULE_PRIORITY, loopback = if_nametoindex("lo");
  struct request route = {.header = {.nlmsg_type = RTM_NEWROUTE, .nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK | NLM_F_CREATE | NLM_F_REPLACE}};
  route.header.nlmsg_len = NLMSG_LENGTH(sizeof route.route);
  route.route = (struct rtmsg){.rtm_family = (unsigned char)family, .rtm_protocol = RTPROT_STATIC, .rtm_scope = RT_SCOPE_HOST, .rtm_type = RTN_LOCAL};
  add(&route, RTA_TABLE, &table, sizeof table);
  add(&route, RTA_OIF, &loopback, sizeof loopback);
  if (ask(&route, answer, sizeof answer) != 0) return false;
  struct request rule = {.header = {.nlmsg_type = RTM_NEWRULE, .nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK | NLM_F_CREATE | NLM_F_EXCL}};
  rule.header.nlmsg_len = NLMSG_LENGTH(sizeof rule.rule);
  rule.rule = (struct fib_rule_hdr){.family = (unsigned char)family, .action = FR_ACT_TO_TBL};
  add(&rule, FRA_TABLE, &table, sizeof table);
  add(&rule, FRA_FWMARK, &mark, sizeof mark);
  add(&rule, FRA_PRIORITY, &priority, sizeof priority);
  ssize_t result = ask(&rule, answer, sizeof answer);
  return result == 0 || result == -EEXIST;
}

void origin_begin(void) {
  netlink = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
  if (netlink < 0) return;
  int on = 1;
  setsockopt(netlink, SOL_NETLINK, NETLINK_GET_STRICT_CHK, &on, sizeof on);
  routed[0] = lead_answers(AF_INET);
  routed[1] = lead_answers(AF_INET6);
}

void origin_keep(bool four, bool six) {
  ruled[0] = four;
  ruled[1] = six;
}

bool origin_can(int family) { return routed[index_of(family)]; }

/* A neighbour of containers answers itself: what they send to its address never comes to us. The uplink's own link has no containers. */
static bool is_on_a_bridge(const union address *client) {
  _Alignas(struct nlmsghdr) char answer[4096];
  bool four = client->any.sa_family == AF_INET;
  struct request request = {.header = {.nlmsg_type = RTM_GETROUTE, .nlmsg_flags = NLM_F_REQUEST}};
  request.header.nlmsg_len = NLMSG_LENGTH(sizeof request.route);
  request.route = (struct rtmsg){.rtm_family = (unsigned char)client->any.sa_family, .rtm_dst_len = four ? 32 : 128};
  if (four) add(&request, RTA_DST, &client->four.sin_addr, 4);
  else add(&request, RTA_DST, &client->six.sin6_addr, 16);
  ssize_t n = ask(&request, answer, sizeof answer);
  if (n < 0) return n != -ENETUNREACH && n != -EHOSTUNREACH;
  const struct nlmsghdr *header = (const struct nlmsghdr *)answer;
  if (header->nlmsg_type != RTM_NEWROUTE || header->nlmsg_len < NLMSG_LENGTH(sizeof(struct rtmsg))) return true;
  const struct rtmsg *route = NLMSG_DATA(header);
  if (route->rtm_type != RTN_UNICAST) return true;
  bool has_gateway = false;
  unsigned interface = 0;
  int left = (int)(header->nlmsg_len - NLMSG_LENGTH(sizeof *route));
  for (const struct rtattr *at = RTM_RTA(route); RTA_OK(at, left); at = RTA_NEXT(at, left)) {
    if (at->rta_type == RTA_GATEWAY || at->rta_type == RTA_VIA) has_gateway = true;
    if (at->rta_type == RTA_OIF && RTA_PAYLOAD(at) == sizeof interface) memcpy(&interface, RTA_DATA(at), sizeof interface);
  }
  char name[IF_NAMESIZE];
  bool is_uplink = if_indextoname(interface, name) != NULL && strcmp(name, "tap0") == 0;
  return !has_gateway && !is_uplink;
}

bool origin_bind(int fd, const union address *client, const union address *target, bool port) {
  int family = target->any.sa_family;
  if (client->any.sa_family != family || !routed[index_of(family)] || !ruled[index_of(family)]) return false;
  /* a client on this machine's loopback is seen as the bridge's gateway, as docker shows it */
  if (address_is_loopback(client)) return false;
  if (family == AF_INET6 && IN6_IS_ADDR_LINKLOCAL(&client->six.sin6_addr)) return false;
  if (is_on_a_bridge(client)) return false;
  int on = 1;
  unsigned mark = MARK_OURS;
  int level = family == AF_INET ? IPPROTO_IP : IPPROTO_IPV6, option = family == AF_INET ? IP_TRANSPARENT : IPV6_TRANSPARENT;
  if (setsockopt(fd, level, option, &on, sizeof on) != 0 || setsockopt(fd, SOL_SOCKET, SO_MARK, &mark, sizeof mark) != 0) return false;
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  union address from = *client;
  if (port && bind(fd, &from.any, address_length(&from)) == 0) return true;
  if (family == AF_INET) from.four.sin_port = 0;
  else from.six.sin6_port = 0;
  /* A port of its own: with reuse the kernel gives one datagram socket's port to another. */
  int type = SOCK_STREAM, off = 0;
  socklen_t length = sizeof type;
  if (getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &length) == 0 && type == SOCK_DGRAM) setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &off, sizeof off);
  setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof on);
  return bind(fd, &from.any, address_length(&from)) == 0;
}
