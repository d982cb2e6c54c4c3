/* The socket towards a container, and what both sockets of a connection are set to. */
#include <errno.h>
#include <netinet/tcp.h>
#include <unistd.h>

#include "portd.h"

void connect_options(int fd) {
  int on = 1, idle_seconds = 120, every = 30, count = 4;
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  /* a peer that is gone without a word must not hold its place for ever */
  setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
  setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &idle_seconds, sizeof idle_seconds);
  setsockopt(fd, IPPROTO_TCP, TCP_KEEPINTVL, &every, sizeof every);
  setsockopt(fd, IPPROTO_TCP, TCP_KEEPCNT, &count, sizeof count);
}

int connect_to(const union address *client, const union address *target) {
  for (int attempt = 0; attempt < 3; attempt++) {
    int fd = socket(target->any.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0) return -1;
    bool bound = attempt < 2 && origin_bind(fd, client, target, attempt == 0);
    if (connect(fd, &target->any, address_length(target)) == 0 || errno == EINPROGRESS) return fd;
    int saved = errno;
    close(fd);
    errno = saved;
    /* the four numbers are those of an earlier connection that is not quite over */
    if (!bound) return -1;
  }
  return -1;
}
