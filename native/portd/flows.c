/* The table of UDP flows: by port and client, by client and container, and each port's by their last datagram. Knows no descriptors. */
#include <string.h>
#include <sys/random.h>

#include "portd.h"

#define BUCKETS 4096

/* `kept`: those that the container sees with the client's address and port. Two with the same client and container there, and the kernel
 * would give the answers of both to one of them. */
static struct flow *buckets[BUCKETS], *kept[BUCKETS];
static uint64_t seed;

void flows_begin(void) {
  if (seed == 0 && getrandom(&seed, sizeof seed, 0) != sizeof seed) seed = (uint64_t)tsc_now_ms();
  seed |= 1;
}

static uint64_t mix(uint64_t hash, const void *bytes, size_t length) {
  const unsigned char *at = bytes;
  for (size_t index = 0; index < length; index++) {
    hash ^= at[index];
    hash *= 0x9e3779b97f4a7c15u;
    hash ^= hash >> 29;
  }
  return hash;
}

static uint64_t mix_address(uint64_t hash, const union address *address) {
  if (address->any.sa_family == AF_INET) hash = mix(hash, &address->four.sin_addr, 4);
  else hash = mix(hash, &address->six.sin6_addr, 16);
  unsigned number = address_port(address);
  return mix(hash, &number, sizeof number);
}

static struct flow **bucket_of(const struct port *port, const union address *client) {
  return &buckets[mix_address(mix(seed, &port, sizeof port), client) % BUCKETS];
}

static struct flow **kept_of(const union address *client, const union address *target) {
  return &kept[mix_address(mix_address(seed, client), target) % BUCKETS];
}

bool flows_has_kept(const union address *client, const union address *target) {
  for (const struct flow *flow = *kept_of(client, target); flow != NULL; flow = flow->next_kept)
    if (address_equal(&flow->client, client) && address_equal(&flow->target, target)) return true;
  return false;
}

bool flows_asked_same(const struct flow *flow, const union pktinfo *asked) {
  if (flow->client.any.sa_family == AF_INET) return flow->asked.four.ipi_spec_dst.s_addr == asked->four.ipi_spec_dst.s_addr;
  return memcmp(&flow->asked.six.ipi6_addr, &asked->six.ipi6_addr, sizeof asked->six.ipi6_addr) == 0;
}

struct flow *flows_find(const struct port *port, const union address *client, const union pktinfo *asked) {
  for (struct flow *flow = *bucket_of(port, client); flow != NULL; flow = flow->chain)
    if (flow->port == port && address_equal(&flow->client, client) && flows_asked_same(flow, asked)) return flow;
  return NULL;
}

static void unlink_flow(struct flow *flow) {
  struct port *port = flow->port;
  if (flow->newer != NULL) flow->newer->older = flow->older;
  else port->newest = flow->older;
  if (flow->older != NULL) flow->older->newer = flow->newer;
  else port->oldest = flow->newer;
}

static void link_newest(struct flow *flow) {
  struct port *port = flow->port;
  flow->newer = NULL;
  flow->older = port->newest;
  if (port->newest != NULL) port->newest->newer = flow;
  else port->oldest = flow;
  port->newest = flow;
}

void flows_touch(struct flow *flow) {
  flow->last_ms = tsc_now_ms();
  if (flow->port->newest == flow) return;
  unlink_flow(flow);
  link_newest(flow);
}

void flows_add(struct flow *flow) {
  struct flow **at = bucket_of(flow->port, &flow->client);
  flow->chain = *at;
  *at = flow;
  if (flow->is_kept) {
    at = kept_of(&flow->client, &flow->target);
    flow->next_kept = *at;
    *at = flow;
  }
  flow->port->flows++;
  link_newest(flow);
}

void flows_drop(struct flow *flow) {
  struct flow **at = bucket_of(flow->port, &flow->client);
  while (*at != flow) at = &(*at)->chain;
  *at = flow->chain;
  if (flow->is_kept) {
    at = kept_of(&flow->client, &flow->target);
    while (*at != flow) at = &(*at)->next_kept;
    *at = flow->next_kept;
  }
  unlink_flow(flow);
  flow->port->flows--;
}
