/* The event loop of the supervisor. Watches the folder for watch files, pidfds for deaths, pipes for probe output.
 * Decides nothing about health (health.c) or restarts (restart.c). Protocol: ../supervisor.md. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/file.h>
#include <sys/inotify.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common.h"
#include "supd.h"

#define IDLE_MS 3000
#define ID_MAX 64

static struct watch *watches;
static int epoll_fd = -1, inotify_fd = -1, folder_mark = -1;

/* The low bit of the pointer tells a probe's pipe from a container's pidfd. */
void supd_watch_fd(int fd, struct watch *watch, bool is_probe) {
  struct epoll_event event = {.events = EPOLLIN, .data.u64 = (uint64_t)(uintptr_t)watch | (is_probe ? 1 : 0)};
  epoll_ctl(epoll_fd, EPOLL_CTL_ADD, fd, &event);
}

void supd_unwatch_fd(int fd) { epoll_ctl(epoll_fd, EPOLL_CTL_DEL, fd, NULL); }

int supd_watch_file(const char *path) {
  return inotify_add_watch(inotify_fd, path, IN_MODIFY | IN_ONESHOT | IN_DONT_FOLLOW);
}

void supd_unwatch_file(int mark) {
  if (mark >= 0) inotify_rm_watch(inotify_fd, mark);
}

int supd_commands(void) {
  int running = 0;
  for (struct watch *watch = watches; watch != NULL; watch = watch->next) running += watch->command > 0;
  return running;
}

static bool is_id(const char *name) {
  size_t length = strlen(name);
  return length > 0 && length <= ID_MAX && strspn(name, "0123456789abcdef") == length;
}

static struct watch *find(const char *id) {
  for (struct watch *watch = watches; watch != NULL; watch = watch->next)
    if (!watch->gone && strcmp(watch->id, id) == 0) return watch;
  return NULL;
}

static void close_pidfd(struct watch *watch) {
  if (watch->pidfd < 0) return;
  supd_unwatch_fd(watch->pidfd);
  close(watch->pidfd);
  watch->pidfd = -1;
}

/* Takes up (again) the process that the spec names. */
static void adopt(struct watch *watch, int64_t now) {
  close_pidfd(watch);
  health_end(watch);
  watch->watched_since_ms = now;
  watch->phase = PHASE_RUNNING;
  watch->command_failures = 0;
  log_begin(watch, now);
  watch->pidfd = tsc_pidfd_of(watch->spec.pid, watch->spec.pid_start);
  if (watch->pidfd < 0) {
    restart_died(watch, now);
    return;
  }
  supd_watch_fd(watch->pidfd, watch, false);
  health_begin(watch, now);
}

static void forget(struct watch *watch, int64_t now) {
  health_end(watch);
  log_last(watch, now);
  close_pidfd(watch);
  watch->gone = true; /* freed after the event batch: events may still point at it */
}

static void load(const char *id, int64_t now) {
  char *text = tsc_read_file(id, 1 << 20, NULL);
  struct watch *watch = find(id);
  struct spec spec;
  if (text == NULL || !spec_parse(text, &spec)) {
    free(text);
    if (watch != NULL) forget(watch, now);
    return;
  }
  free(text);
  if (watch == NULL) {
    for (struct watch *old = watches; old != NULL; old = old->next)
      if (strcmp(old->id, id) == 0) log_end(old); /* the new one goes on with it */
    watch = calloc(1, sizeof *watch);
    if (watch == NULL || (watch->id = strdup(id)) == NULL) {
      free(watch);
      spec_free(&spec);
      return;
    }
    watch->pidfd = watch->probe_fd = watch->log_folder = watch->log_mark = -1;
    watch->next = watches;
    watches = watch;
  } else {
    bool same = watch->spec.pid == spec.pid && watch->spec.pid_start == spec.pid_start;
    log_end(watch); /* its name is the spec's */
    spec_free(&watch->spec);
    watch->spec = spec;
    if (same) {
      log_begin(watch, now);
      return; /* paused, or a policy changed */
    }
    adopt(watch, now);
    return;
  }
  watch->spec = spec;
  adopt(watch, now);
}

static void load_all(int64_t now) {
  DIR *folder = opendir(".");
  if (folder == NULL) return;
  for (struct dirent *entry; (entry = readdir(folder)) != NULL;)
    if (is_id(entry->d_name) && find(entry->d_name) == NULL) load(entry->d_name, now);
  closedir(folder);
}

static void file_written(int mark, int64_t now) {
  for (struct watch *watch = watches; watch != NULL; watch = watch->next)
    if (!watch->gone && watch->log_folder >= 0 && (mark < 0 || watch->log_mark == mark)) log_written(watch, now);
}

static void read_inotify(int64_t now) {
  _Alignas(struct inotify_event) char buffer[8192];
  for (ssize_t got; (got = read(inotify_fd, buffer, sizeof buffer)) > 0;) {
    for (char *at = buffer; at < buffer + got;) {
      struct inotify_event *event = (struct inotify_event *)at;
      at += sizeof *event + event->len;
      if (event->mask & IN_Q_OVERFLOW) {
        load_all(now);
        file_written(-1, now);
      }
      if (event->wd != folder_mark) {
        if (event->mask & IN_MODIFY) file_written(event->wd, now);
        continue;
      }
      if (event->len == 0 || !is_id(event->name)) continue;
      struct watch *watch = find(event->name);
      if (event->mask & (IN_DELETE | IN_MOVED_FROM)) {
        if (watch != NULL) forget(watch, now);
      } else {
        load(event->name, now);
      }
    }
  }
}

static void reap(int64_t now) {
  int status;
  for (pid_t pid; (pid = waitpid(-1, &status, WNOHANG)) > 0;) {
    for (struct watch *watch = watches; watch != NULL; watch = watch->next) {
      if (watch->probe == pid) health_reaped(watch, status, now);
      else if (watch->command == pid) restart_reaped(watch, status, now);
      else if (watch->compression == pid) log_reaped(watch, status, now);
      else continue;
      break;
    }
  }
}

static void sweep(void) {
  for (struct watch **at = &watches; *at != NULL;) {
    struct watch *watch = *at;
    /* a command that still runs keeps its slot until it is reaped, a log until its old files are packed and few enough */
    if (!watch->gone || watch->command > 0 || !log_is_settled(watch)) {
      at = &watch->next;
      continue;
    }
    *at = watch->next;
    log_end(watch);
    spec_free(&watch->spec);
    free(watch->id);
    free(watch);
  }
}

int supd_loop(int lock) {
  sigset_t mask;
  sigemptyset(&mask);
  sigaddset(&mask, SIGCHLD);
  sigprocmask(SIG_BLOCK, &mask, NULL);
  int signals = signalfd(-1, &mask, SFD_CLOEXEC | SFD_NONBLOCK);
  inotify_fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
  epoll_fd = epoll_create1(EPOLL_CLOEXEC);
  if (signals < 0 || inotify_fd < 0 || epoll_fd < 0) return 1;
  folder_mark = inotify_add_watch(inotify_fd, ".", IN_MOVED_TO | IN_CLOSE_WRITE | IN_DELETE | IN_MOVED_FROM);
  if (folder_mark < 0) return 1;
  static char signal_mark, inotify_mark;
  struct epoll_event signal_event = {.events = EPOLLIN, .data.ptr = &signal_mark}, inotify_event = {.events = EPOLLIN, .data.ptr = &inotify_mark};
  epoll_ctl(epoll_fd, EPOLL_CTL_ADD, signals, &signal_event);
  epoll_ctl(epoll_fd, EPOLL_CTL_ADD, inotify_fd, &inotify_event);

  int64_t idle_since = tsc_now_ms();
  load_all(idle_since);
  for (;;) {
    int64_t now = tsc_now_ms(), next = INT64_MAX;
    for (struct watch *watch = watches; watch != NULL; watch = watch->next) {
      log_tick(watch, now);
      if (log_next(watch) < next) next = log_next(watch);
      if (watch->gone) continue;
      health_tick(watch, now);
      restart_tick(watch, now);
      int64_t health = health_next(watch), restart = restart_next(watch);
      if (health < next) next = health;
      if (restart < next) next = restart;
    }
    sweep();
    if (watches != NULL) idle_since = now;
    else if (now - idle_since >= IDLE_MS) {
      /* let go first, look again after: a file written in between finds either us or a free lock */
      flock(lock, LOCK_UN);
      load_all(now);
      if (watches == NULL || flock(lock, LOCK_EX | LOCK_NB) != 0) return 0;
      continue;
    } else next = idle_since + IDLE_MS;

    int64_t wait = next == INT64_MAX ? -1 : next <= now ? 0 : next - now;
    struct epoll_event events[16];
    int count = epoll_wait(epoll_fd, events, 16, wait > 60000 ? 60000 : (int)wait);
    now = tsc_now_ms();
    for (int i = 0; i < count; i++) {
      if (events[i].data.ptr == &signal_mark) {
        struct signalfd_siginfo info;
        while (read(signals, &info, sizeof info) > 0) {
        }
        reap(now);
      } else if (events[i].data.ptr == &inotify_mark) {
        read_inotify(now);
      } else {
        struct watch *watch = (struct watch *)(uintptr_t)(events[i].data.u64 & ~(uint64_t)1);
        if (watch->gone) continue;
        if (events[i].data.u64 & 1) {
          if (watch->probe_fd >= 0) health_read(watch);
        } else if (watch->phase == PHASE_RUNNING) {
          close_pidfd(watch);
          restart_died(watch, now);
        }
      }
    }
  }
}
