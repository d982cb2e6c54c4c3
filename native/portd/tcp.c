/* TCP ports: who is let in, and what becomes of connections when a port closes. Edge-triggered: what a socket can do is remembered, and a
 * connection that has something to do stands in a queue. */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "connection.h"

#define LINGER_MS 1000
#define ACCEPT_TURN 256

static bool refused; /* an accept failed for want of something: tried again at the next tick */

bool tcp_waits(void) { return connection_starving() > 0 || refused || connection_is_any_lingering(); }

static void begin(struct port *port, int client, const union address *from) {
  int inside = connect_to(from, &port->target);
  if (inside >= 0) connection_begin(port, client, inside);
  else connection_refuse(client);
}

static struct port *ready; /* listeners that may have more */

static void accept_some(struct port *port) {
  for (int turn = 0; turn < ACCEPT_TURN && portd_room() >= 6; turn++) {
    union address from;
    socklen_t length = sizeof from;
    memset(&from, 0, sizeof from);
    int client = accept4(port->fd, &from.any, &length, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (client >= 0) {
      begin(port, client, &from);
      continue;
    }
    if (errno == ECONNABORTED || errno == EINTR || errno == EPROTO || errno == ENETDOWN || errno == EHOSTUNREACH || errno == ENETUNREACH) continue;
    if (errno == EAGAIN) port->ready = false;
    else refused = true;
    return;
  }
}

bool tcp_accept(void) {
  for (struct port **at = &ready; *at != NULL && !refused && portd_room() >= 6;) {
    struct port *port = *at;
    accept_some(port);
    if (port->ready) at = &port->next_ready;
    else *at = port->next_ready;
  }
  return ready != NULL && !refused && portd_room() >= 6;
}

static void handle_port(struct source *source, uint32_t events) {
  struct port *port = (struct port *)source;
  (void)events;
  if (port->ready) return;
  port->ready = true;
  port->next_ready = ready;
  ready = port;
}

void tcp_open(struct port *port) {
  port->source.handle = handle_port;
  if (portd_watch(port->fd, &port->source, EPOLLIN | EPOLLET)) return;
  port->error = ENOMEM;
  close(port->fd);
  port->fd = -1;
}

bool tcp_run(void) {
  /* Those that were queued meanwhile have their turn with the next round. */
  for (struct connection *next, *at = connection_queued(); at != NULL; at = next) {
    next = at->queued;
    at->in_queue = false;
    if (connection_move(at)) connection_enqueue(at);
  }
  return connection_is_any_queued();
}

void tcp_end(struct port *port) {
  int64_t until = tsc_now_ms() + LINGER_MS;
  if (port->ready) {
    struct port **at = &ready;
    while (*at != port) at = &(*at)->next_ready;
    *at = port->next_ready;
    port->ready = false;
  }
  while (port->connections != NULL) {
    struct connection *connection = port->connections;
    connection_linger(connection, until);
    /* Nothing more comes from the container; what it has sent is read to its end. */
    if (connection->connected) {
      shutdown(connection->ends[1].fd, SHUT_RD);
      connection->ends[1].readable = connection->ends[0].eof = true;
      connection->ends[1].shut = true;
      connection_enqueue(connection);
    } else {
      connection_close(connection, true);
    }
  }
}

void tcp_tick(int64_t now) {
  refused = false;
  connection_end_lingering(now);
  if (connection_starving() == 0) return;
  for (struct port *port = ports; port != NULL; port = port->next)
    for (struct connection *at = port->connections; at != NULL; at = at->next)
      if (at->starved) connection_enqueue(at);
}
