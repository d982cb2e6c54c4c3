/* Pipes that bytes go through between two sockets, a few of them kept for the next. */
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "portd.h"

#define IDLE_PIPES 32

static struct pipe *idle;
static int idle_count;

struct pipe *pipe_take(void) {
  if (idle != NULL) {
    struct pipe *pipe = idle;
    idle = pipe->next;
    idle_count--;
    return pipe;
  }
  struct pipe *pipe = portd_room_for_pipe() ? malloc(sizeof *pipe) : NULL;
  int fds[2];
  if (pipe == NULL || pipe2(fds, O_CLOEXEC | O_NONBLOCK) != 0) {
    free(pipe);
    return NULL;
  }
  /* refused beyond what a user may have: a smaller pipe works as well */
  fcntl(fds[1], F_SETPIPE_SZ, PIPE_BYTES);
  pipe->in = fds[0];
  pipe->out = fds[1];
  portd_count(2);
  return pipe;
}

static void close_pipe(struct pipe *pipe) {
  close(pipe->in);
  close(pipe->out);
  free(pipe);
  portd_count(-2);
}

void pipe_give(struct pipe *pipe, bool empty) {
  if (!empty || idle_count >= IDLE_PIPES) {
    close_pipe(pipe);
    return;
  }
  pipe->next = idle;
  idle = pipe;
  idle_count++;
}
