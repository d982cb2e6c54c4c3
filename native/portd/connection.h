/* A TCP connection: two sockets, and what is under way between them. */
#ifndef TSC_PORTD_CONNECTION_H
#define TSC_PORTD_CONNECTION_H

#include "portd.h"

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

/* A connection of the port with these two sockets, which are its own from now on; NULL (both sockets reset) when there is no room. */
struct connection *connection_begin(struct port *port, int client, int inside);
/* Closes a socket so that its other side learns that something was lost. */
void connection_refuse(int fd);
/* Ends it; with `reset` both sides learn that something was lost. */
void connection_close(struct connection *connection, bool reset);
/* Has it stand in the queue of those that have something to do. */
void connection_enqueue(struct connection *connection);
/* All that stand in the queue, oldest first by `queued`, which is empty from now on. */
struct connection *connection_queued(void);
bool connection_is_any_queued(void);
/* Whether it waits for a pipe. */
void connection_starve(struct connection *connection, bool starved);
/* How many wait for a pipe. */
int connection_starving(void);
/* Takes it from its port, to go on without one until then. */
void connection_linger(struct connection *connection, int64_t until);
bool connection_is_any_lingering(void);
/* Ends those whose time is over. */
void connection_end_lingering(int64_t now);
/* Gives the pipe of a direction back. */
void connection_give_pipe(struct way *way);

/* move.c: moves what can be moved; true when some is left for another turn. May close the connection. */
bool connection_move(struct connection *connection);

#endif
