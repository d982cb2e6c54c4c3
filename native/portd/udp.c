/* UDP: a flow per client and address it asked, each with a connected socket towards the container. */
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "portd.h"

#define IDLE_MS 90000 /* as docker's userland proxy */
#define BATCH 16
#define BATCHES 8
#define DATAGRAM 65536
/* A port with this many clients lets go of the one that was silent for longest: a flood from false addresses costs no more. */
#define PORT_FLOWS 4096

static struct flow *dead;
static int flows;
static unsigned char data[BATCH][DATAGRAM];

int udp_count(void) { return flows; }

static void close_flow(struct flow *flow) {
  flows_drop(flow);
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
    flows_touch(flow);
    if (count < BATCH) return;
  }
}

static struct flow *open_flow(struct port *port, const union address *client, const union pktinfo *asked) {
  if (port->flows >= PORT_FLOWS || (portd_room() < 6 && port->oldest != NULL)) close_flow(port->oldest);
  if (portd_room() < 6) return NULL;
  struct flow *flow = calloc(1, sizeof *flow);
  if (flow == NULL) return NULL;
  const union address *target = &port->target;
  bool is_free = !flows_has_kept(client, target);
  /* With the client's port, else its address, else ours. */
  for (int attempt = 0; attempt < 3; attempt++) {
    flow->fd = socket(target->any.sa_family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (flow->fd < 0) break;
    if (attempt < 2) origin_bind(flow->fd, client, target, attempt == 0 && is_free);
    flow->source.handle = handle_flow;
    if (connect(flow->fd, &target->any, address_length(target)) == 0 && portd_watch(flow->fd, &flow->source, EPOLLIN)) break;
    close(flow->fd);
    flow->fd = -1;
  }
  if (flow->fd < 0) {
    free(flow);
    return NULL;
  }
  union address own;
  socklen_t length = sizeof own;
  memset(&own, 0, sizeof own);
  flow->is_kept = getsockname(flow->fd, &own.any, &length) == 0 && address_equal(&own, client);
  flow->port = port;
  flow->client = *client;
  flow->target = *target;
  flow->asked = *asked;
  flows++;
  portd_count(1);
  flows_add(flow);
  return flow;
}

static struct flow *flow_for(struct port *port, const union address *client, const union pktinfo *asked) {
  struct flow *flow = flows_find(port, client, asked);
  return flow == NULL ? open_flow(port, client, asked) : flow;
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
          if (flow != NULL && !flows_asked_same(flow, &other)) break;
        }
        parts[last].iov_len = messages[last].msg_len;
        messages[last].msg_hdr = (struct msghdr){.msg_iov = &parts[last], .msg_iovlen = 1};
      }
      if (flow == NULL) continue;
      send_all(flow->fd, messages + first, last - first);
      flows_touch(flow);
    }
    if (count < BATCH) return;
  }
}

void udp_open(struct port *port) {
  flows_begin();
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
