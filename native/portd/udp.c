/* UDP: a flow per client and address it asked, each with a connected socket towards the container. */
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "portd.h"

#define IDLE_MS 90000 /* as docker's userland proxy */
#define BUCKETS 4096
#define BATCH 16
#define BATCHES 8
#define DATAGRAM 65536
/* A port with this many clients lets go of the one that was silent for longest: a flood from false addresses costs no more. */
#define PORT_FLOWS 4096

union pktinfo {
  struct in_pktinfo four;
  struct in6_pktinfo six;
};

struct flow {
  struct source source; /* first: epoll names it */
  struct port *port;
  struct flow *chain, *newer, *older;
  union address client;
  union pktinfo asked; /* the address that the client knows us by */
  uint32_t bucket;
  int fd;
  int64_t last_ms;
};

static struct flow *buckets[BUCKETS], *dead;
static int flows;
static uint64_t seed;
static unsigned char data[BATCH][DATAGRAM];

int udp_count(void) { return flows; }

static uint64_t mix(uint64_t hash, const void *bytes, size_t length) {
  const unsigned char *at = bytes;
  for (size_t index = 0; index < length; index++) {
    hash ^= at[index];
    hash *= 0x9e3779b97f4a7c15u;
    hash ^= hash >> 29;
  }
  return hash;
}

static uint32_t bucket_of(const struct port *port, const union address *client) {
  uint64_t hash = mix(seed, &port, sizeof port);
  if (client->any.sa_family == AF_INET) hash = mix(hash, &client->four.sin_addr, 4);
  else hash = mix(hash, &client->six.sin6_addr, 16);
  unsigned number = address_port(client);
  return (uint32_t)(mix(hash, &number, sizeof number) % BUCKETS);
}

static bool asked_same(const struct flow *flow, const union pktinfo *asked) {
  if (flow->client.any.sa_family == AF_INET) return flow->asked.four.ipi_spec_dst.s_addr == asked->four.ipi_spec_dst.s_addr;
  return memcmp(&flow->asked.six.ipi6_addr, &asked->six.ipi6_addr, sizeof asked->six.ipi6_addr) == 0;
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

static void touch(struct flow *flow) {
  flow->last_ms = tsc_now_ms();
  if (flow->port->newest == flow) return;
  unlink_flow(flow);
  link_newest(flow);
}

static void close_flow(struct flow *flow) {
  struct flow **at = &buckets[flow->bucket];
  while (*at != flow) at = &(*at)->chain;
  *at = flow->chain;
  unlink_flow(flow);
  flow->port->flows--;
  close(flow->fd);
  portd_count(-1);
  flows--;
  flow->fd = -1;
  flow->chain = dead;
  dead = flow;
}

void udp_sweep(void) {
  while (dead != NULL) {
    struct flow *next = dead->chain;
    free(dead);
    dead = next;
  }
}

/* Sends `count` datagrams, by the address that the client asked when `flow` is given; what finds no room is lost, as on any wire. */
static void send_all(int fd, struct mmsghdr *messages, int count) {
  for (int sent = 0, errors = 0; sent < count;) {
    int n = sendmmsg(fd, messages + sent, (unsigned)(count - sent), MSG_DONTWAIT);
    if (n > 0) {
      sent += n;
      errors = 0;
    } else if (errno == EINTR || (errno == ECONNREFUSED && errors++ == 0)) {
      continue; /* the error belongs to an earlier datagram */
    } else if (errno == EAGAIN || errno == ENOBUFS) {
      return;
    } else {
      sent++;
    }
  }
}

/* Answers of the container. */
static void handle_flow(struct source *source, uint32_t events) {
  struct flow *flow = (struct flow *)source;
  (void)events;
  for (int batch = 0; batch < BATCHES && flow->fd >= 0; batch++) {
    struct mmsghdr messages[BATCH];
    struct iovec parts[BATCH];
    memset(messages, 0, sizeof messages);
    for (int index = 0; index < BATCH; index++) {
      parts[index] = (struct iovec){data[index], DATAGRAM};
      messages[index].msg_hdr.msg_iov = &parts[index];
      messages[index].msg_hdr.msg_iovlen = 1;
    }
    int count = recvmmsg(flow->fd, messages, BATCH, MSG_DONTWAIT, NULL);
    if (count < 0 && errno == ECONNREFUSED) continue; /* the container told that nobody listens: cleared by this read */
    if (count <= 0) return;
    _Alignas(struct cmsghdr) char control[CMSG_SPACE(sizeof(struct in6_pktinfo))];
    memset(control, 0, sizeof control);
    bool four = flow->client.any.sa_family == AF_INET;
    size_t size = four ? sizeof(struct in_pktinfo) : sizeof(struct in6_pktinfo);
    struct cmsghdr *header = (struct cmsghdr *)control;
    header->cmsg_level = four ? IPPROTO_IP : IPPROTO_IPV6;
    header->cmsg_type = four ? IP_PKTINFO : IPV6_PKTINFO;
    header->cmsg_len = CMSG_LEN(size);
    memcpy(CMSG_DATA(header), &flow->asked, size);
    for (int index = 0; index < count; index++) {
      parts[index].iov_len = messages[index].msg_len;
      struct msghdr *message = &messages[index].msg_hdr;
      message->msg_name = &flow->client;
      message->msg_namelen = address_length(&flow->client);
      message->msg_control = control;
      message->msg_controllen = CMSG_SPACE(size);
    }
    send_all(flow->port->fd, messages, count);
    touch(flow);
    if (count < BATCH) return;
  }
}

static struct flow *open_flow(struct port *port, const union address *client, const union pktinfo *asked, uint32_t bucket) {
  if (port->flows >= PORT_FLOWS || (portd_room() < 6 && port->oldest != NULL)) close_flow(port->oldest);
  if (portd_room() < 6) return NULL;
  struct flow *flow = calloc(1, sizeof *flow);
  if (flow == NULL) return NULL;
  const union address *target = &port->target;
  /* With the client's port, else its address, else ours. */
  for (int attempt = 0; attempt < 3; attempt++) {
    flow->fd = socket(target->any.sa_family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (flow->fd < 0) break;
    if (attempt < 2) origin_bind(flow->fd, client, target, attempt == 0);
    flow->source.handle = handle_flow;
    if (connect(flow->fd, &target->any, address_length(target)) == 0 && portd_watch(flow->fd, &flow->source, EPOLLIN)) break;
    close(flow->fd);
    flow->fd = -1;
  }
  if (flow->fd < 0) {
    free(flow);
    return NULL;
  }
  flow->port = port;
  flow->client = *client;
  flow->asked = *asked;
  flow->bucket = bucket;
  flow->chain = buckets[bucket];
  buckets[bucket] = flow;
  port->flows++;
  flows++;
  portd_count(1);
  link_newest(flow);
  return flow;
}

static struct flow *flow_for(struct port *port, const union address *client, const union pktinfo *asked) {
  uint32_t bucket = bucket_of(port, client);
  for (struct flow *flow = buckets[bucket]; flow != NULL; flow = flow->chain)
    if (flow->port == port && address_equal(&flow->client, client) && asked_same(flow, asked)) return flow;
  return open_flow(port, client, asked, bucket);
}

/* The address that a datagram was sent to; the interface is the kernel's to choose again. */
static union pktinfo asked_of(struct msghdr *message) {
  union pktinfo asked;
  memset(&asked, 0, sizeof asked);
  for (struct cmsghdr *header = CMSG_FIRSTHDR(message); header != NULL; header = CMSG_NXTHDR(message, header)) {
    if (header->cmsg_level == IPPROTO_IP && header->cmsg_type == IP_PKTINFO) {
      memcpy(&asked.four, CMSG_DATA(header), sizeof asked.four);
      asked.four.ipi_ifindex = 0;
    } else if (header->cmsg_level == IPPROTO_IPV6 && header->cmsg_type == IPV6_PKTINFO) {
      memcpy(&asked.six, CMSG_DATA(header), sizeof asked.six);
      if (!IN6_IS_ADDR_LINKLOCAL(&asked.six.ipi6_addr)) asked.six.ipi6_ifindex = 0;
      /* answers to a group come from the interface's own address */
      if (IN6_IS_ADDR_MULTICAST(&asked.six.ipi6_addr)) memset(&asked.six.ipi6_addr, 0, sizeof asked.six.ipi6_addr);
    }
  }
  return asked;
}

/* Datagrams of clients. */
static void handle_port(struct source *source, uint32_t events) {
  struct port *port = (struct port *)source;
  (void)events;
  for (int batch = 0; batch < BATCHES; batch++) {
    struct mmsghdr messages[BATCH];
    struct iovec parts[BATCH];
    union address from[BATCH];
    _Alignas(struct cmsghdr) char control[BATCH][CMSG_SPACE(sizeof(struct in6_pktinfo)) + CMSG_SPACE(sizeof(struct in_pktinfo))];
    memset(messages, 0, sizeof messages);
    memset(from, 0, sizeof from);
    for (int index = 0; index < BATCH; index++) {
      parts[index] = (struct iovec){data[index], DATAGRAM};
      messages[index].msg_hdr = (struct msghdr){.msg_name = &from[index],
                                                .msg_namelen = sizeof from[index],
                                                .msg_iov = &parts[index],
                                                .msg_iovlen = 1,
                                                .msg_control = control[index],
                                                .msg_controllen = sizeof control[index]};
    }
    int count = recvmmsg(port->fd, messages, BATCH, MSG_DONTWAIT, NULL);
    if (count <= 0) return;
    for (int first = 0, last; first < count; first = last) {
      union pktinfo asked = asked_of(&messages[first].msg_hdr);
      struct flow *flow = flow_for(port, &from[first], &asked);
      for (last = first; last < count && address_equal(&from[last], &from[first]); last++) {
        if (last > first) {
          union pktinfo other = asked_of(&messages[last].msg_hdr);
          if (flow != NULL && !asked_same(flow, &other)) break;
        }
        parts[last].iov_len = messages[last].msg_len;
        messages[last].msg_hdr = (struct msghdr){.msg_iov = &parts[last], .msg_iovlen = 1};
      }
      if (flow == NULL) continue;
      send_all(flow->fd, messages + first, last - first);
      touch(flow);
    }
    if (count < BATCH) return;
  }
}

void udp_open(struct port *port) {
  if (seed == 0 && getrandom(&seed, sizeof seed, 0) != sizeof seed) seed = (uint64_t)tsc_now_ms();
  seed |= 1;
  port->source.handle = handle_port;
  if (portd_watch(port->fd, &port->source, EPOLLIN)) return;
  port->error = ENOMEM;
  close(port->fd);
  port->fd = -1;
}

void udp_end(struct port *port) {
  while (port->oldest != NULL) close_flow(port->oldest);
}

void udp_tick(int64_t now) {
  for (struct port *port = ports; port != NULL; port = port->next)
    while (port->oldest != NULL && now - port->oldest->last_ms >= IDLE_MS) close_flow(port->oldest);
}
