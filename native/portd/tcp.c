/* TCP: two sockets per connection, bytes moved between them by splice(2) through a pipe that a direction holds only while it has bytes
 * under way. Edge-triggered: what a socket can do is remembered, and a connection that has something to do stands in a queue. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "portd.h"

/* What a direction may move before others have their turn. */
#define TURN_BYTES (4 << 20)
#define LINGER_MS 1000
#define ACCEPT_TURN 256

struct end {
  struct source source; /* first: epoll names it */
  struct connection *connection;
  int fd;
  bool readable, writable, eof, shut, failed;
};

/* Bytes on their way from ends[i] to ends[1 - i]. */
struct way {
  struct pipe *pipe;
  size_t held;
};

struct connection {
  struct port *port; /* NULL once the port is closed */
  struct connection *next, *previous; /* of the port, or of those that linger */
  struct connection *queued;
  struct end ends[2]; /* the client's, the container's */
  struct way ways[2];
  bool connected, in_queue, starved;
  int64_t ends_at; /* lingering */
};

static int connections, starving;
static struct connection *queue, **queue_tail = &queue, *lingering;
static bool refused; /* an accept failed for want of something: tried again at the next tick */

int tcp_count(void) { return connections; }
bool tcp_waits(void) { return starving > 0 || refused || lingering != NULL; }

static void give_pipe(struct way *way) {
  if (way->pipe != NULL) pipe_give(way->pipe, way->held == 0);
  way->pipe = NULL;
}

static void enqueue(struct connection *connection) {
  if (connection->in_queue) return;
  connection->in_queue = true;
  connection->queued = NULL;
  *queue_tail = connection;
  queue_tail = &connection->queued;
}

static void dequeue(struct connection *connection) {
  if (!connection->in_queue) return;
  struct connection **at = &queue;
  while (*at != connection) at = &(*at)->queued;
  *at = connection->queued;
  if (queue_tail == &connection->queued) queue_tail = at;
  connection->in_queue = false;
}

static void set_starved(struct connection *connection, bool starved) {
  if (connection->starved == starved) return;
  connection->starved = starved;
  starving += starved ? 1 : -1;
}

static void unlink_connection(struct connection *connection) {
  struct connection **first = connection->port != NULL ? &connection->port->connections : &lingering;
  if (connection->previous != NULL) connection->previous->next = connection->next;
  else *first = connection->next;
  if (connection->next != NULL) connection->next->previous = connection->previous;
}

static void link_connection(struct connection *connection, struct connection **first) {
  connection->previous = NULL;
  connection->next = *first;
  if (*first != NULL) (*first)->previous = connection;
  *first = connection;
}

/* With `reset` both sides learn that something was lost. */
static void close_connection(struct connection *connection, bool reset) {
  struct linger linger = {.l_onoff = 1, .l_linger = 0};
  for (int side = 0; side < 2; side++) {
    struct end *end = &connection->ends[side];
    if (end->fd < 0) continue;
    if (reset) setsockopt(end->fd, SOL_SOCKET, SO_LINGER, &linger, sizeof linger);
    close(end->fd);
    portd_count(-1);
  }
  set_starved(connection, false);
  for (int side = 0; side < 2; side++) give_pipe(&connection->ways[side]);
  dequeue(connection);
  unlink_connection(connection);
  free(connection);
  connections--;
}

static void handle_end(struct source *source, uint32_t events) {
  struct end *end = (struct end *)source;
  if (events & (EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR)) end->readable = true;
  if (events & (EPOLLOUT | EPOLLHUP | EPOLLERR)) end->writable = true;
  if (events & EPOLLERR) end->failed = true;
  enqueue(end->connection);
}

static void begin(struct port *port, int client, const union address *from) {
  struct connection *connection = calloc(1, sizeof *connection);
  int inside = connection == NULL ? -1 : connect_to(from, &port->target);
  if (inside < 0) {
    struct linger linger = {.l_onoff = 1, .l_linger = 0};
    setsockopt(client, SOL_SOCKET, SO_LINGER, &linger, sizeof linger);
    close(client);
    free(connection);
    return;
  }
  connection->port = port;
  link_connection(connection, &port->connections);
  connections++;
  portd_count(2);
  int fds[2] = {client, inside};
  for (int side = 0; side < 2; side++) connection->ends[side] = (struct end){.source = {handle_end}, .connection = connection, .fd = fds[side]};
  for (int side = 0; side < 2; side++) {
    connect_options(fds[side]);
    if (portd_watch(fds[side], &connection->ends[side].source, EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET)) continue;
    close_connection(connection, true);
    return;
  }
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

enum outcome { QUIET, MORE, BROKEN };

/* Moves what can be moved one way. EAGAIN of a read tells "nothing there" only while the pipe is empty: a full one says the same. */
static enum outcome move(struct connection *connection, int from) {
  struct end *source = &connection->ends[from], *sink = &connection->ends[1 - from];
  struct way *way = &connection->ways[from];
  for (size_t moved = 0; moved < TURN_BYTES;) {
    if (way->held == 0 && source->eof) {
      give_pipe(way);
      if (!sink->shut) shutdown(sink->fd, SHUT_WR);
      sink->shut = true;
      return QUIET;
    }
    if (source->readable && !source->eof) {
      if (way->pipe == NULL && (way->pipe = pipe_take()) == NULL) {
        set_starved(connection, true);
        return QUIET;
      }
      ssize_t n = splice(source->fd, NULL, way->pipe->out, NULL, PIPE_BYTES, SPLICE_F_MOVE | SPLICE_F_NONBLOCK);
      if (n > 0) way->held += (size_t)n;
      else if (n == 0) source->eof = true;
      else if (errno == EAGAIN) {
        if (way->held == 0) source->readable = false;
      } else if (errno != EINTR) return BROKEN;
    }
    if (way->held == 0) {
      if (source->eof || source->readable) continue;
      give_pipe(way);
      return QUIET;
    }
    if (!sink->writable) return QUIET;
    ssize_t n = splice(way->pipe->in, NULL, sink->fd, NULL, way->held, SPLICE_F_MOVE | SPLICE_F_NONBLOCK);
    if (n > 0) {
      way->held -= (size_t)n;
      moved += (size_t)n;
    } else if (n < 0 && errno == EAGAIN) sink->writable = false;
    else if (n == 0 || errno != EINTR) return BROKEN;
  }
  return MORE;
}

/* Whether the container's end stands; false closes the connection. */
static bool is_connected(struct connection *connection) {
  struct end *inside = &connection->ends[1];
  if (!inside->writable && !inside->readable) return true;
  int error = 0;
  socklen_t length = sizeof error;
  if (getsockopt(inside->fd, SOL_SOCKET, SO_ERROR, &error, &length) != 0 || error != 0) return false;
  connection->connected = true;
  return true;
}

static bool run_one(struct connection *connection) {
  if (!connection->connected && !is_connected(connection)) {
    close_connection(connection, true);
    return false;
  }
  if (!connection->connected) return false;
  set_starved(connection, false);
  enum outcome in = move(connection, 0), out = in == BROKEN ? BROKEN : move(connection, 1);
  /* A reset of an end that is read to its end shows in nothing else. */
  for (int side = 0; side < 2; side++)
    if (connection->ends[side].failed && connection->ends[side].eof) in = BROKEN;
  if (in == BROKEN || out == BROKEN) {
    close_connection(connection, true);
    return false;
  }
  if (connection->ends[0].shut && connection->ends[1].shut) {
    close_connection(connection, false);
    return false;
  }
  return in == MORE || out == MORE;
}

bool tcp_run(void) {
  struct connection *list = queue;
  queue = NULL;
  queue_tail = &queue;
  /* Those that were queued meanwhile have their turn with the next round. */
  for (struct connection *next; list != NULL; list = next) {
    next = list->queued;
    list->in_queue = false;
    if (run_one(list)) enqueue(list);
  }
  return queue != NULL;
}

void tcp_end(struct port *port) {
  int64_t until = portd_now_ms() + LINGER_MS;
  if (port->ready) {
    struct port **at = &ready;
    while (*at != port) at = &(*at)->next_ready;
    *at = port->next_ready;
    port->ready = false;
  }
  while (port->connections != NULL) {
    struct connection *connection = port->connections;
    unlink_connection(connection);
    connection->port = NULL;
    connection->ends_at = until;
    link_connection(connection, &lingering);
    /* Nothing more comes from the container; what it has sent is read to its end. */
    if (connection->connected) {
      shutdown(connection->ends[1].fd, SHUT_RD);
      connection->ends[1].readable = connection->ends[0].eof = true;
      connection->ends[1].shut = true;
      enqueue(connection);
    } else {
      close_connection(connection, true);
    }
  }
}

void tcp_tick(int64_t now) {
  refused = false;
  for (struct connection *next, *at = lingering; at != NULL; at = next) {
    next = at->next;
    if (now >= at->ends_at) close_connection(at, true);
  }
  if (starving == 0) return;
  for (struct port *port = ports; port != NULL; port = port->next)
    for (struct connection *at = port->connections; at != NULL; at = at->next)
      if (at->starved) enqueue(at);
}
