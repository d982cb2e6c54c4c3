/* Bytes of a TCP connection: moved by splice(2) through a pipe that a direction holds only while it has bytes under way. */
#include <errno.h>
#include <fcntl.h>

#include "connection.h"

/* What a direction may move before others have their turn. */
#define TURN_BYTES (4 << 20)

enum outcome { QUIET, MORE, BROKEN };

/* Moves what can be moved one way. EAGAIN of a read tells "nothing there" only while the pipe is empty: a full one says the same. */
static enum outcome move(struct connection *connection, int from) {
  struct end *source = &connection->ends[from], *sink = &connection->ends[1 - from];
  struct way *way = &connection->ways[from];
  for (size_t moved = 0; moved < TURN_BYTES;) {
    if (way->held == 0 && source->eof) {
      connection_give_pipe(way);
      if (!sink->shut) shutdown(sink->fd, SHUT_WR);
      sink->shut = true;
      return QUIET;
    }
    if (source->readable && !source->eof) {
      if (way->pipe == NULL && (way->pipe = pipe_take()) == NULL) {
        connection_starve(connection, true);
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
      connection_give_pipe(way);
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

bool connection_move(struct connection *connection) {
  if (!connection->connected && !is_connected(connection)) {
    connection_close(connection, true);
    return false;
  }
  if (!connection->connected) return false;
  connection_starve(connection, false);
  enum outcome in = move(connection, 0), out = in == BROKEN ? BROKEN : move(connection, 1);
  /* A reset of an end that is read to its end shows in nothing else. */
  for (int side = 0; side < 2; side++)
    if (connection->ends[side].failed && connection->ends[side].eof) in = BROKEN;
  if (in == BROKEN || out == BROKEN) {
    connection_close(connection, true);
    return false;
  }
  if (connection->ends[0].shut && connection->ends[1].shut) {
    connection_close(connection, false);
    return false;
  }
  return in == MORE || out == MORE;
}
