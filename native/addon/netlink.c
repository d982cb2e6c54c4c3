#include "netlink.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* The kernel fills at most this much per answer when the reader offers it (netlink_dump in af_netlink.c). */
#define ANSWER_BYTES 32768

bool netlink_open(struct netlink *netlink) {
  netlink->sequence = 0;
  netlink->fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
  return netlink->fd >= 0;
}

void netlink_close(struct netlink *netlink) {
  if (netlink->fd >= 0) close(netlink->fd);
  netlink->fd = -1;
}

void *netlink_begin(struct netlink_message *message, int type, int flags, size_t length) {
  memset(message, 0, sizeof *message);
  message->header.nlmsg_type = (uint16_t)type;
  message->header.nlmsg_flags = (uint16_t)(NLM_F_REQUEST | flags);
  message->header.nlmsg_len = (uint32_t)NLMSG_LENGTH(length);
  return NLMSG_DATA(&message->header);
}

void netlink_put(struct netlink_message *message, int type, const void *data, size_t length) {
  size_t at = NLMSG_ALIGN(message->header.nlmsg_len);
  /* Every caller's attributes are of bounded size; one that is not must not be cut silently. */
  if (at + RTA_SPACE(length) > sizeof *message) abort();
  struct rtattr *attribute = (struct rtattr *)((char *)message + at);
  attribute->rta_type = (unsigned short)type;
  attribute->rta_len = (unsigned short)RTA_LENGTH(length);
  if (length > 0) memcpy(RTA_DATA(attribute), data, length);
  message->header.nlmsg_len = (uint32_t)(at + RTA_LENGTH(length));
}

void netlink_put_string(struct netlink_message *message, int type, const char *value) {
  netlink_put(message, type, value, strlen(value) + 1);
}

void netlink_put_u32(struct netlink_message *message, int type, uint32_t value) {
  netlink_put(message, type, &value, sizeof value);
}

struct rtattr *netlink_nest(struct netlink_message *message, int type) {
  struct rtattr *nest = (struct rtattr *)((char *)message + NLMSG_ALIGN(message->header.nlmsg_len));
  netlink_put(message, type | NLA_F_NESTED, NULL, 0);
  return nest;
}

void netlink_end(struct netlink_message *message, struct rtattr *nest) {
  nest->rta_len = (unsigned short)((char *)message + message->header.nlmsg_len - (char *)nest);
}

/*
 * Whether a whole message stands in the `left` bytes at `at`. NLMSG_OK must not be given a size_t: NLMSG_NEXT takes the padding away as
 * well, and what is left goes below zero when the last message ends without it.
 */
static bool is_whole(const struct nlmsghdr *at, ssize_t left) {
  return left >= (ssize_t)sizeof *at && at->nlmsg_len >= sizeof *at && at->nlmsg_len <= (size_t)left;
}

/* Whether a message is of this type and holds its fixed part. */
static bool holds(const struct nlmsghdr *header, int type, size_t length) {
  return header->nlmsg_type == type && header->nlmsg_len >= NLMSG_LENGTH(length);
}

/* The kernel's answer to the last request in `buffer`; its length, or -1 with errno. */
static ssize_t receive(struct netlink *netlink, char *buffer, size_t size) {
  for (;;) {
    ssize_t length = recv(netlink->fd, buffer, size, 0);
    if (length < 0 && errno == EINTR) continue;
    if (length < 0) return -1;
    const struct nlmsghdr *header = (const struct nlmsghdr *)buffer;
    if (!is_whole(header, length)) {
      errno = EBADMSG;
      return -1;
    }
    if (header->nlmsg_seq != netlink->sequence) continue;
    if (header->nlmsg_type != NLMSG_ERROR) return length;
    const int *error = NLMSG_DATA(header);
    if (holds(header, NLMSG_ERROR, sizeof *error) && *error == 0) return length;
    errno = holds(header, NLMSG_ERROR, sizeof *error) && *error > -4096 && *error < 0 ? -*error : EBADMSG;
    return -1;
  }
}

static bool send_request(struct netlink *netlink, struct netlink_message *message) {
  message->header.nlmsg_seq = ++netlink->sequence;
  struct sockaddr_nl kernel = {.nl_family = AF_NETLINK};
  ssize_t sent;
  do
    sent = sendto(netlink->fd, message, message->header.nlmsg_len, 0, (struct sockaddr *)&kernel, sizeof kernel);
  while (sent < 0 && errno == EINTR);
  return sent >= 0;
}

bool netlink_talk(struct netlink *netlink, struct netlink_message *message) {
  char buffer[4096];
  message->header.nlmsg_flags |= NLM_F_ACK;
  return send_request(netlink, message) && receive(netlink, buffer, sizeof buffer) >= 0;
}

static void read_kind(const struct rtattr *info, char *kind, size_t size) {
  int length = (int)RTA_PAYLOAD(info);
  for (const struct rtattr *at = RTA_DATA(info); RTA_OK(at, length); at = RTA_NEXT(at, length))
    if (at->rta_type == IFLA_INFO_KIND) snprintf(kind, size, "%.*s", (int)RTA_PAYLOAD(at), (const char *)RTA_DATA(at));
}

bool netlink_read_link(const struct nlmsghdr *header, struct link_state *link) {
  const struct ifinfomsg *info = NLMSG_DATA(header);
  if (!holds(header, RTM_NEWLINK, sizeof *info)) return false;
  memset(link, 0, sizeof *link);
  link->index = info->ifi_index;
  link->flags = info->ifi_flags;
  int length = (int)IFLA_PAYLOAD(header);
  for (const struct rtattr *at = IFLA_RTA(info); RTA_OK(at, length); at = RTA_NEXT(at, length)) {
    if (at->rta_type == IFLA_IFNAME)
      snprintf(link->name, sizeof link->name, "%.*s", (int)RTA_PAYLOAD(at), (const char *)RTA_DATA(at));
    if (at->rta_type == IFLA_MASTER && RTA_PAYLOAD(at) == sizeof link->master) memcpy(&link->master, RTA_DATA(at), sizeof link->master);
    if (at->rta_type == IFLA_ADDRESS && RTA_PAYLOAD(at) == MAC_BYTES) memcpy(link->mac, RTA_DATA(at), MAC_BYTES);
    if ((at->rta_type & NLA_TYPE_MASK) == IFLA_LINKINFO) read_kind(at, link->kind, sizeof link->kind);
  }
  return true;
}

bool netlink_read_address(const struct nlmsghdr *header, struct link_address *address) {
  const struct ifaddrmsg *info = NLMSG_DATA(header);
  if (!holds(header, RTM_NEWADDR, sizeof *info)) return false;
  size_t bytes = info->ifa_family == AF_INET ? 4 : info->ifa_family == AF_INET6 ? 16 : 0;
  int length = (int)IFA_PAYLOAD(header);
  const void *local = NULL, *own = NULL;
  for (const struct rtattr *at = IFA_RTA(info); RTA_OK(at, length); at = RTA_NEXT(at, length)) {
    if (RTA_PAYLOAD(at) != bytes) continue;
    if (at->rta_type == IFA_LOCAL) local = RTA_DATA(at);
    if (at->rta_type == IFA_ADDRESS) own = RTA_DATA(at);
  }
  if (local == NULL) local = own;
  if (bytes == 0 || local == NULL) return false;
  address->index = (int)info->ifa_index;
  return inet_ntop(info->ifa_family, local, address->text, sizeof address->text) != NULL;
}

bool netlink_link(struct netlink *netlink, const char *name, struct link_state *link) {
  struct netlink_message message;
  netlink_begin(&message, RTM_GETLINK, 0, sizeof(struct ifinfomsg));
  netlink_put_string(&message, IFLA_IFNAME, name);
  /* Statistics would make the answer large. */
  netlink_put_u32(&message, IFLA_EXT_MASK, RTEXT_FILTER_SKIP_STATS);
  char buffer[ANSWER_BYTES];
  if (!send_request(netlink, &message) || receive(netlink, buffer, sizeof buffer) < 0) return false;
  const struct nlmsghdr *header = (const struct nlmsghdr *)buffer;
  if (netlink_read_link(header, link)) return true;
  errno = EBADMSG;
  return false;
}

bool netlink_dump(struct netlink *netlink, struct netlink_message *message, bool (*take)(const struct nlmsghdr *, void *),
                  void *data) {
  char buffer[ANSWER_BYTES];
  if (!send_request(netlink, message)) return false;
  for (;;) {
    ssize_t length = receive(netlink, buffer, sizeof buffer);
    if (length < 0) return false;
    for (const struct nlmsghdr *at = (const struct nlmsghdr *)buffer; is_whole(at, length); at = NLMSG_NEXT(at, length)) {
      if (at->nlmsg_type == NLMSG_DONE) return true;
      if (!take(at, data)) return false;
    }
  }
}

bool prefix_parse(const char *text, struct prefix *prefix) {
  char address[INET6_ADDRSTRLEN];
  const char *slash = strchrnul(text, '/');
  if ((size_t)(slash - text) >= sizeof address) return false;
  snprintf(address, sizeof address, "%.*s", (int)(slash - text), text);
  memset(prefix, 0, sizeof *prefix);
  prefix->family = strchr(address, ':') == NULL ? AF_INET : AF_INET6;
  prefix->bytes = prefix->family == AF_INET ? 4 : 16;
  prefix->bits = (unsigned)prefix->bytes * 8;
  if (inet_pton(prefix->family, address, prefix->address) != 1) return false;
  if (*slash == '\0') return true;
  char *end;
  unsigned long bits = strtoul(slash + 1, &end, 10);
  if (slash[1] < '0' || slash[1] > '9' || *end != '\0' || bits > prefix->bits) return false;
  prefix->bits = (unsigned)bits;
  return true;
}
