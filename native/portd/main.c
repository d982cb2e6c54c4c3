/* tsc-portd DIRECTORY [NETNS]: forwards published ports. Listens where it was started; with NETNS it lives in that network namespace and
 * connects there, while a thread that stays behind makes the listening sockets. Protocol: ../portd.md. */
#include <fcntl.h>
#include <linux/capability.h>
#include <sched.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "portd.h"

/* Everything after the fork: namespaces, privileges, then the loop. */
static int live(const char *netns, int ready) {
  uint32_t kept = 1u << CAP_NET_BIND_SERVICE;
  if (netns != NULL) {
    int fd = open(netns, O_RDONLY | O_CLOEXEC);
    if (fd < 0 || !outside_begin() || setns(fd, CLONE_NEWNET) != 0) return 1;
    close(fd);
    origin_begin();
    /* foreign source addresses and marks; of use in that namespace alone */
    kept = 1u << CAP_NET_ADMIN | 1u << CAP_NET_RAW;
  }
  if (!outside_drop(kept) || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return 1;
  return portd_loop(ready);
}

int main(int argc, char **argv) {
  if (argc != 2 && argc != 3) {
    fprintf(stderr, "usage: tsc-portd DIRECTORY [NETNS]\n");
    return 2;
  }
  if (!tsc_daemon_enter("tsc-portd", argv[1], 077)) return 1;
  int ready[2];
  if (pipe2(ready, O_CLOEXEC) != 0) return 1;
  pid_t child = fork();
  if (child < 0) return 1;
  if (child == 0) {
    close(ready[0]);
    tsc_daemon_detach();
    _exit(live(argc == 3 ? argv[2] : NULL, ready[1]));
  }
  close(ready[1]);
  /* The caller goes on when the socket is there, or another one's. */
  char byte;
  return read(ready[0], &byte, 1) < 0;
}
