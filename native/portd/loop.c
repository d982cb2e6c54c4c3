/* The event loop of the forwarder, and how many descriptors its parts may take. */
#include <sys/resource.h>
#include <unistd.h>

#include "portd.h"

/* Descriptors kept back: half for pipes of connections that stand, half for callers, netlink and the like. */
#define RESERVE 64
#define EVENTS 256
#define UNASKED_MS 10000

static int epoll_fd = -1;
static long taken, limit;

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

static void run(void) {
  bool more = false, asked = false;
  int64_t begun = tsc_now_ms(), ticked = begun;
  for (;;) {
    bool waits = tcp_waits();
    int64_t every = waits ? 100 : 1000;
    /* asked each time: no traffic keeps a caller beyond its time */
    bool timed = control_tick(tsc_now_ms()) || waits || !asked || udp_count() > 0;
    struct epoll_event events[EVENTS];
    int count = epoll_wait(epoll_fd, events, EVENTS, more ? 0 : timed ? (int)every : -1);
    for (int index = 0; index < count; index++) {
      struct source *source = events[index].data.ptr;
      source->handle(source, events[index].events);
    }
    control_apply();
    int64_t now = tsc_now_ms();
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

int portd_loop(int ready) {
  int lock = tsc_daemon_lock(50);
  /* another one serves already */
  if (lock < 0) return 0;
  raise_limit();
  epoll_fd = epoll_create1(EPOLL_CLOEXEC);
  if (epoll_fd < 0 || !control_begin() || write(ready, "1", 1) != 1) return 1;
  close(ready);
  run();
  unlink("control");
  return 0;
}
