/* tsc-portd DIRECTORY [NETNS]: the event loop. Listens where it was started; with NETNS it lives in that network namespace and connects
 * there, while a thread that stays behind makes the listening sockets. Protocol: ../portd.md. */
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "portd.h"
#include "process-record.h"

/* Descriptors kept back: half for pipes of connections that stand, half for callers, netlink and the like. */
#define RESERVE 64
#define EVENTS 256
#define UNASKED_MS 10000

static int epoll_fd = -1, outside = -1;
static long taken, limit;

int64_t portd_now_ms(void) {
  struct timespec now;
  clock_gettime(CLOCK_BOOTTIME, &now);
  return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

bool portd_watch(int fd, struct source *source, uint32_t events) {
  struct epoll_event event = {.events = events, .data.ptr = source};
  return epoll_ctl(epoll_fd, EPOLL_CTL_ADD, fd, &event) == 0;
}

void portd_watch_again(int fd, struct source *source, uint32_t events) {
  struct epoll_event event = {.events = events, .data.ptr = source};
  epoll_ctl(epoll_fd, EPOLL_CTL_MOD, fd, &event);
}

void portd_count(int descriptors) { taken += descriptors; }

bool portd_room_for_pipe(void) { return limit + RESERVE / 2 - taken >= 2; }

int portd_room(void) { return taken >= limit ? 0 : limit - taken > 1000 ? 1000 : (int)(limit - taken); }

struct wish {
  int family, type;
};

static int make_socket(struct wish wish) {
  int fd = socket(wish.family, wish.type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  return fd < 0 ? -errno : fd;
}

static bool drop_capabilities(uint32_t kept) {
  struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
  struct __user_cap_data_struct sets[2] = {{.effective = kept, .permitted = kept}};
  return syscall(SYS_capset, &header, sets) == 0;
}

/* Stays in the namespace that the process began in: a socket belongs to the namespace of the thread that makes it. */
static void *make_sockets(void *argument) {
  int fd = (int)(intptr_t)argument;
  struct wish wish;
  if (!drop_capabilities(0)) return NULL;
  while (read(fd, &wish, sizeof wish) == sizeof wish) {
    int made = make_socket(wish);
    if (write(fd, &made, sizeof made) != sizeof made) break;
  }
  return NULL;
}

int portd_outside_socket(int family, int type) {
  struct wish wish = {family, type};
  int made = -EIO;
  if (outside < 0) made = make_socket(wish);
  else if (write(outside, &wish, sizeof wish) != sizeof wish || read(outside, &made, sizeof made) != sizeof made) made = -EIO;
  if (made >= 0) return made;
  errno = -made;
  return -1;
}

static bool start_outside(void) {
  int pair[2];
  pthread_t thread;
  if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0) return false;
  if (pthread_create(&thread, NULL, make_sockets, (void *)(intptr_t)pair[1]) != 0) return false;
  pthread_detach(thread);
  outside = pair[0];
  return true;
}

static void raise_limit(void) {
  struct rlimit files;
  limit = 1024;
  if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
    if (getrlimit(RLIMIT_NOFILE, &files) == 0) limit = files.rlim_cur > 1 << 20 ? 1 << 20 : (long)files.rlim_cur;
  }
  limit -= RESERVE;
}

static int take_lock(void) {
  int fd = open(".lock", O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
  /* One that ends lets go in a moment. */
  for (int attempt = 0; fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) != 0; attempt++) {
    if (attempt == 50) {
      close(fd);
      return -1;
    }
    usleep(10000);
  }
  struct tsc_process_record self;
  if (fd >= 0 && ftruncate(fd, 0) == 0 && tsc_record_of(getpid(), &self)) tsc_record_write(fd, &self);
  return fd;
}

static void loop(void) {
  bool more = false, asked = false;
  int64_t begun = portd_now_ms(), ticked = begun;
  for (;;) {
    bool waits = tcp_waits();
    int64_t every = waits ? 100 : 1000;
    /* asked each time: no traffic keeps a caller beyond its time */
    bool timed = control_tick(portd_now_ms()) || waits || !asked || udp_count() > 0;
    struct epoll_event events[EVENTS];
    int count = epoll_wait(epoll_fd, events, EVENTS, more ? 0 : timed ? (int)every : -1);
    for (int index = 0; index < count; index++) {
      struct source *source = events[index].data.ptr;
      source->handle(source, events[index].events);
    }
    control_apply();
    int64_t now = portd_now_ms();
    if (now - ticked >= every) {
      ticked = now;
      tcp_tick(now);
      udp_tick(now);
    }
    more = tcp_run();
    more |= tcp_accept();
    udp_sweep();
    if (ports != NULL) asked = true;
    /* Gone with the last port: an answer on its way is written first. A caller that was killed never asks. */
    if ((asked || now - begun > UNASKED_MS) && ports == NULL && tcp_count() == 0 && !control_tick(now)) return;
  }
}

static int serve(int ready) {
  int lock = take_lock();
  /* another one serves already */
  if (lock < 0) return 0;
  epoll_fd = epoll_create1(EPOLL_CLOEXEC);
  if (epoll_fd < 0 || !control_begin() || write(ready, "1", 1) != 1) return 1;
  close(ready);
  loop();
  unlink("control");
  return 0;
}

/* Everything after the fork: namespaces, privileges, then the loop. */
static int live(const char *netns, int ready) {
  signal(SIGPIPE, SIG_IGN);
  signal(SIGHUP, SIG_IGN);
  signal(SIGINT, SIG_IGN);
  raise_limit();
  uint32_t kept = 1u << CAP_NET_BIND_SERVICE;
  if (netns != NULL) {
    int fd = open(netns, O_RDONLY | O_CLOEXEC);
    if (fd < 0 || !start_outside() || setns(fd, CLONE_NEWNET) != 0) return 1;
    close(fd);
    origin_begin();
    /* foreign source addresses and marks; of use in that namespace alone */
    kept = 1u << CAP_NET_ADMIN | 1u << CAP_NET_RAW;
  }
  if (!drop_capabilities(kept) || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return 1;
  return serve(ready);
}

int main(int argc, char **argv) {
  if (argc != 2 && argc != 3) {
    fprintf(stderr, "usage: tsc-portd DIRECTORY [NETNS]\n");
    return 2;
  }
  if (chdir(argv[1]) != 0) {
    fprintf(stderr, "tsc-portd: %s: %s\n", argv[1], strerror(errno));
    return 1;
  }
  umask(077);
  int null = open("/dev/null", O_RDWR);
  for (int fd = 0; fd < 3 && null >= 0; fd++) dup2(null, fd);
  tsc_close_from(3, NULL, 0);
  int ready[2];
  if (pipe2(ready, O_CLOEXEC) != 0) return 1;
  pid_t child = fork();
  if (child < 0) return 1;
  if (child == 0) {
    close(ready[0]);
    setsid();
    /* no controlling terminal can ever be had */
    if (fork() != 0) _exit(0);
    _exit(live(argc == 3 ? argv[2] : NULL, ready[1]));
  }
  close(ready[1]);
  /* The caller goes on when the socket is there, or another one's. */
  char byte;
  return read(ready[0], &byte, 1) < 0;
}
