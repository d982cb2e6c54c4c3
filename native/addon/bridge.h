/* What `bridge.c` does in network namespaces for the calls in `bridge-calls.c`. */
#ifndef TSC_BRIDGE_H
#define TSC_BRIDGE_H

#include "addon.h"
#include "netlink.h"

#define MAX_TEXTS 64

struct texts {
  char *items[MAX_TEXTS];
  uint32_t count;
};

struct join {
  char *site, *bridge, *netns, *name, *mac;
  /* Gateways and addresses with prefix length; routes as pairs of destination and gateway. */
  struct texts gateways, addresses, routes;
  int64_t mtu;
  bool hairpin, isolated;
  struct link_state on_bridge, at_host, inside;
};

struct port {
  char *netns, *name;
};

/* Bodies of threads that end in another network namespace than they began in; `data` is a job with a `join` or `port`. */
void *bridge_join(void *data);
/* Takes a link away, and its other end with it; a missing namespace or link is no error. */
void *bridge_leave(void *data);
/* Lets a port talk to its bridge and to ports that are not isolated, and to no other. */
void *bridge_isolate(void *data);

#endif
