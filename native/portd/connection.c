/* TCP connections: their making and their end, the queue of those that have something to do, and those whose port is closed. */
#include <stdlib.h>
#include <unistd.h>

#include "connection.h"

static int connections, starving;
static struct connection *queue, **queue_tail = &queue, *lingering;

int tcp_count(void) { return connections; }
int connection_starving(void) { return starving; }
bool connection_is_any_queued(void) { return queue != NULL; }
bool connection_is_any_lingering(void) { return lingering != NULL; }

void connection_give_pipe(struct way *way) {
  if (way->pipe != NULL) pipe_give(way->pipe, way->held == 0);
  way->pipe = NULL;
}

void connection_enqueue(struct connection *connection) {
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

void connection_starve(struct connection *connection, bool starved) {
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

void connection_refuse(int fd) {
  struct linger linger = {.l_onoff = 1, .l_linger = 0};
  setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, sizeof linger);
  close(fd);
}

void connection_close(struct connection *connection, bool reset) {
  for (int side = 0; side < 2; side++) {
    struct end *end = &connection->ends[side];
    if (end->fd < 0) continue;
    if (reset) connection_refuse(end->fd);
    else close(end->fd);
    portd_count(-1);
  }
  connection_starve(connection, false);
  for (int side = 0; side < 2; side++) connection_give_pipe(&connection->ways[side]);
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
  connection_enqueue(end->connection);
}

struct connection *connection_begin(struct port *port, int client, int inside) {
  struct connection *connection = calloc(1, sizeof *connection);
  if (connection == NULL) {
    connection_refuse(client);
    connection_refuse(inside);
    return NULL;
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
    connection_close(connection, true);
    return NULL;
  }
  return connection;
}

struct connection *connection_queued(void) {
  struct connection *list = queue;
  queue = NULL;
  queue_tail = &queue;
  return list;
}

void connection_linger(struct connection *connection, int64_t until) {
  unlink_connection(connection);
  connection->port = NULL;
  connection->ends_at = until;
  link_connection(connection, &lingering);
}

void connection_end_lingering(int64_t now) {
  for (struct connection *next, *at = lingering; at != NULL; at = next) {
    next = at->next;
    if (now >= at->ends_at) connection_close(at, true);
  }
}
