/* A program that is run to its end: what goes in and what comes out. */
#ifndef TSC_ADDON_RUN_H
#define TSC_ADDON_RUN_H

#include "addon.h"

enum { OUT, ERR, LINE, OUTPUTS };

struct output {
  /* Our end, -1 when closed; the child's number, -1 when there is none. */
  int fd, child;
  char *data;
  size_t used, limit;
  bool is_line;
};

struct run {
  char **argv, **envp, *cwd;
  bool session;
  int input_child, input_fd;
  char *input;
  size_t input_length, input_used;
  struct output outputs[OUTPUTS];
  int64_t timeout_ms;
  int error, status;
  bool timed_out, overflow;
  napi_threadsafe_function done;
};

/* Closes a descriptor that is open; it is -1 afterwards. */
void run_close(int *fd);
/* Starts the program; its pid, or -1 with run->error. */
pid_t run_start(struct run *run);
/* Feeds and drains its pipes until the program has ended and its line, when one is wanted, is there or will not come. */
void run_attend(struct run *run, int pidfd);

#endif
