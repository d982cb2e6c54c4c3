/* Requests to the kernel's routing netlink (rtnetlink(7)): building messages, sending one, reading its answer. */
#ifndef TSC_NETLINK_H
#define TSC_NETLINK_H

#include <arpa/inet.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MAC_BYTES 6

struct netlink {
  int fd;
  uint32_t sequence;
};

struct netlink_message {
  struct nlmsghdr header;
  char body[1024];
};

/* What RTM_GETLINK tells of one link. */
struct link_state {
  int index;
  /* Index of the bridge it is a port of; 0 when it is none's. */
  int master;
  unsigned flags;
  char name[IFNAMSIZ];
  char kind[16];
  uint8_t mac[MAC_BYTES];
};

/* What RTM_GETADDR tells of one address. */
struct link_address {
  int index;
  char text[INET6_ADDRSTRLEN];
};

/* An address with the length of its prefix. */
struct prefix {
  int family;
  size_t bytes;
  unsigned bits;
  uint8_t address[16];
};

/* A socket of the calling thread's network namespace, for as long as it is open; false with errno. */
bool netlink_open(struct netlink *netlink);
void netlink_close(struct netlink *netlink);

/* A request of `type` whose fixed part is `length` zero bytes; returns that part. */
void *netlink_begin(struct netlink_message *message, int type, int flags, size_t length);
void netlink_put(struct netlink_message *message, int type, const void *data, size_t length);
void netlink_put_string(struct netlink_message *message, int type, const char *value);
void netlink_put_u32(struct netlink_message *message, int type, uint32_t value);
/* Attributes put until `netlink_end` stand inside this one. */
struct rtattr *netlink_nest(struct netlink_message *message, int type);
void netlink_end(struct netlink_message *message, struct rtattr *nest);

/* Sends it and waits for the kernel's acknowledgement; false with errno. */
bool netlink_talk(struct netlink *netlink, struct netlink_message *message);
/* Sends a dump request and hands each part of the answer to `take`; false with errno, or when `take` does so. */
bool netlink_dump(struct netlink *netlink, struct netlink_message *message, bool (*take)(const struct nlmsghdr *, void *),
                  void *data);
/* What one message tells; false when it is not an RTM_NEWLINK, or too short for one. */
bool netlink_read_link(const struct nlmsghdr *header, struct link_state *link);
/* The same of RTM_NEWADDR; also false for families other than IP's, and without an address. */
bool netlink_read_address(const struct nlmsghdr *header, struct link_address *address);
/* The link of that name; false with errno (ENODEV when there is none). */
bool netlink_link(struct netlink *netlink, const char *name, struct link_state *link);

/* "10.0.0.2/24" or "fd00::2/64"; false when it is neither. The length may be left out. */
bool prefix_parse(const char *text, struct prefix *prefix);

#endif
