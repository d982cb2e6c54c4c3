/* tsc-supd DIRECTORY: health probes, restarts and log rotation of a store's containers. Protocol: ../supervisor.md. */
#include <stdio.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "supd.h"

int main(int argc, char **argv) {
  if (argc != 2) {
    fprintf(stderr, "usage: tsc-supd DIRECTORY\n");
    return 2;
  }
  /* Our own files have modes of their own; what we start writes files that containers read. */
  if (!tsc_daemon_enter("tsc-supd", argv[1], 022)) return 1;
  /* nobody waits for us */
  if (fork() != 0) _exit(0);
  tsc_daemon_detach();
  prctl(PR_SET_CHILD_SUBREAPER, 1); /* what a killed probe leaves behind comes to us to be reaped */
  int lock = tsc_daemon_lock(10);
  return lock < 0 ? 0 : supd_loop(lock);
}
