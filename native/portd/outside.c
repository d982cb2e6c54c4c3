/* Sockets of the namespace that the process began in, and what rights are left where. */
#include <errno.h>
#include <linux/capability.h>
#include <pthread.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "portd.h"

static int outside = -1;

struct wish {
  int family, type;
};

static int make_socket(struct wish wish) {
  int fd = socket(wish.family, wish.type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  return fd < 0 ? -errno : fd;
}

bool outside_drop(uint32_t kept) {
  struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
  struct __user_cap_data_struct sets[2] = {{.effective = kept, .permitted = kept}};
  return syscall(SYS_capset, &header, sets) == 0;
}

/* Stays in the namespace that the process began in: a socket belongs to the namespace of the thread that makes it. */
static void *make_sockets(void *argument) {
  int fd = (int)(intptr_t)argument;
  struct wish wish;
  if (!outside_drop(0)) return NULL;
  while (read(fd, &wish, sizeof wish) == sizeof wish) {
    int made = make_socket(wish);
    if (write(fd, &made, sizeof made) != sizeof made) break;
  }
  return NULL;
}

int outside_socket(int family, int type) {
  struct wish wish = {family, type};
  int made = -EIO;
  if (outside < 0) made = make_socket(wish);
  else if (write(outside, &wish, sizeof wish) != sizeof wish || read(outside, &made, sizeof made) != sizeof made) made = -EIO;
  if (made >= 0) return made;
  errno = -made;
  return -1;
}

bool outside_begin(void) {
  int pair[2];
  pthread_t thread;
  if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0) return false;
  if (pthread_create(&thread, NULL, make_sockets, (void *)(intptr_t)pair[1]) != 0) return false;
  pthread_detach(thread);
  outside = pair[0];
  return true;
}
