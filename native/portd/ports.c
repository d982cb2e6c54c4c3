/* Makes the open ports equal to the wanted ones. Knows sockets, nothing about what flows through them. */
#include <errno.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "portd.h"

struct port *ports;

static int listen_on(const struct port *port) {
  int family = port->listen.any.sa_family;
  int fd = outside_socket(family, port->udp ? SOCK_DGRAM : SOCK_STREAM);
  if (fd < 0) return -1;
  int on = 1;
  if (family == AF_INET6) setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on);
  if (port->udp) {
    /* answers leave by the address that was asked */
    if (family == AF_INET) setsockopt(fd, IPPROTO_IP, IP_PKTINFO, &on, sizeof on);
    else setsockopt(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, &on, sizeof on);
    int bytes = 4 << 20;
    setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof bytes);
    setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &bytes, sizeof bytes);
  } else {
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  }
  if (bind(fd, &port->listen.any, address_length(&port->listen)) == 0 && (port->udp || listen(fd, 4096) == 0)) return fd;
  int saved = errno;
  close(fd);
  errno = saved;
  return -1;
}

static void open_port(struct port *port) {
  port->error = 0;
  if (portd_room() == 0) {
    port->error = EMFILE;
    return;
  }
  port->fd = listen_on(port);
  if (port->fd < 0) {
    port->error = errno;
    return;
  }
  if (port->udp) udp_open(port);
  else tcp_open(port);
  if (port->fd >= 0) portd_count(1);
}

static void close_port(struct port *port) {
  if (port->fd >= 0) {
    close(port->fd);
    portd_count(-1);
  }
  port->fd = -1;
  if (port->udp) udp_end(port);
  else tcp_end(port);
}

static bool is_same(const struct port *a, const struct port *b) {
  return a->udp == b->udp && address_equal(&a->listen, &b->listen) && strcmp(a->owner, b->owner) == 0;
}

static int by_place(const void *left, const void *right) {
  const struct port *a = *(struct port *const *)left, *b = *(struct port *const *)right;
  if (a->udp != b->udp) return a->udp ? 1 : -1;
  int ports_differ = (int)address_port(&a->listen) - (int)address_port(&b->listen);
  if (ports_differ != 0) return ports_differ;
  if (a->listen.any.sa_family != b->listen.any.sa_family) return a->listen.any.sa_family < b->listen.any.sa_family ? -1 : 1;
  int differ = a->listen.any.sa_family == AF_INET ? memcmp(&a->listen.four.sin_addr, &b->listen.four.sin_addr, 4)
                                                  : memcmp(&a->listen.six.sin6_addr, &b->listen.six.sin6_addr, 16);
  return differ != 0 ? differ : strcmp(a->owner, b->owner);
}

static struct port **sorted(struct port *list, size_t *count) {
  *count = 0;
  for (struct port *at = list; at != NULL; at = at->next) ++*count;
  struct port **all = calloc(*count + 1, sizeof *all);
  if (all == NULL) return NULL;
  size_t index = 0;
  for (struct port *at = list; at != NULL; at = at->next) all[index++] = at;
  qsort(all, *count, sizeof *all, by_place);
  return all;
}

void ports_free(struct port *list) {
  while (list != NULL) {
    struct port *next = list->next;
    free(list);
    list = next;
  }
}

/* A port that connections still name is not freed before the last of them: they are cut from it by close_port. */
static void drop_unwanted(void) {
  for (struct port **at = &ports; *at != NULL;) {
    struct port *port = *at;
    if (port->wanted) {
      at = &port->next;
      continue;
    }
    *at = port->next;
    close_port(port);
    free(port);
  }
}

void ports_apply(struct port *wanted) {
  size_t have = 0, want = 0;
  struct port **mine = sorted(ports, &have), **theirs = sorted(wanted, &want);
  if (mine == NULL || theirs == NULL) {
    free(mine);
    free(theirs);
    ports_free(wanted);
    return;
  }
  for (size_t index = 0; index < have; index++) mine[index]->wanted = false;
  struct port *fresh = NULL;
  for (size_t left = 0, right = 0; right < want; right++) {
    struct port *port = theirs[right];
    if (right > 0 && by_place(&theirs[right - 1], &theirs[right]) == 0) {
      free(port);
      theirs[right] = theirs[right - 1];
      continue;
    }
    while (left < have && by_place(&mine[left], &port) < 0) left++;
    if (left < have && is_same(mine[left], port)) {
      mine[left]->wanted = true;
      mine[left]->target = port->target; /* connections that are there keep the way they have */
      free(port);
      theirs[right] = mine[left];
    } else {
      port->wanted = true;
      port->next = fresh;
      fresh = port;
    }
  }
  drop_unwanted(); /* before the new ones are opened: one may take the place of another */
  for (struct port *port = ports; port != NULL; port = port->next)
    if (port->fd < 0) open_port(port);
  while (fresh != NULL) {
    struct port *port = fresh;
    fresh = port->next;
    open_port(port);
    port->next = ports;
    ports = port;
  }
  free(mine);
  free(theirs);
}
