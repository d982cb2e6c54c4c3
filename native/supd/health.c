/* Health probes: when to run one, what its end means, and the status file. Semantics: docker's HEALTHCHECK. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common.h"
#include "supd.h"

static void entry_free(struct health_entry *entry) {
  free(entry->output);
  memset(entry, 0, sizeof *entry);
}

static void add_time(struct tsc_text *text, struct timespec time) {
  struct tm utc;
  char date[32];
  gmtime_r(&time.tv_sec, &utc);
  strftime(date, sizeof date, "%Y-%m-%dT%H:%M:%S", &utc);
  tsc_text_addf(text, "\"%s.%09ldZ\"", date, time.tv_nsec);
}

static void write_status(const struct watch *watch) {
  struct tsc_text text = {0};
  tsc_text_addf(&text, "{\"Status\":\"%s\",\"FailingStreak\":%ld,\"Log\":[", watch->status, watch->failing_streak);
  for (int i = 0; i < watch->log_length; i++) {
    const struct health_entry *entry = &watch->log[i];
    tsc_text_adds(&text, i > 0 ? ",{\"Start\":" : "{\"Start\":");
    add_time(&text, entry->start);
    tsc_text_adds(&text, ",\"End\":");
    add_time(&text, entry->end);
    tsc_text_addf(&text, ",\"ExitCode\":%d,\"Output\":", entry->exit_code);
    tsc_text_json(&text, entry->output == NULL ? "" : entry->output, entry->length);
    tsc_text_adds(&text, "}");
  }
  tsc_text_adds(&text, "]}\n");
  char temporary[128], name[128];
  snprintf(temporary, sizeof temporary, ".%s.health", watch->id);
  snprintf(name, sizeof name, "%s.health", watch->id);
  int fd = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (fd >= 0) {
    if (!text.failed && tsc_write_all(fd, text.data, text.length) == 0) rename(temporary, name);
    close(fd);
  }
  tsc_text_free(&text);
}

static void set_status(struct watch *watch, const char *status) {
  if (watch->status != NULL && strcmp(watch->status, status) != 0) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    int fd = open("events.log", O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd >= 0) {
      dprintf(fd, "%lld%09ld %s health_status %s\n", (long long)now.tv_sec, now.tv_nsec, watch->id, status);
      close(fd);
    }
  }
  watch->status = status;
}

void health_begin(struct watch *watch, int64_t now) {
  if (watch->spec.health_argv[0] == NULL) return;
  watch->status = "starting";
  watch->failing_streak = 0;
  watch->started = watch->spec.start_period_ms <= 0;
  watch->probe_due_ms = now + (watch->started ? watch->spec.interval_ms : watch->spec.start_interval_ms);
  if (!watch->started && watch->spec.interval_ms < watch->spec.start_interval_ms) watch->probe_due_ms = now + watch->spec.interval_ms;
  write_status(watch);
}

static void close_probe(struct watch *watch) {
  if (watch->probe_fd >= 0) {
    supd_unwatch_fd(watch->probe_fd);
    close(watch->probe_fd);
    watch->probe_fd = -1;
  }
}

void health_end(struct watch *watch) {
  if (watch->probe > 0) {
    supd_kill_tree(watch->probe);
    watch->probe = 0; /* reaped by the loop as a stranger */
  }
  close_probe(watch);
  entry_free(&watch->current);
  for (int i = 0; i < watch->log_length; i++) entry_free(&watch->log[i]);
  watch->log_length = 0;
  watch->status = NULL;
}

static void schedule(struct watch *watch, int64_t now) {
  bool starting = !watch->started && strcmp(watch->status, "starting") == 0;
  int64_t wait = watch->spec.interval_ms;
  if (starting && watch->spec.start_interval_ms < wait) wait = watch->spec.start_interval_ms;
  watch->probe_due_ms = now + wait;
}

static void finish(struct watch *watch, int exit_code, int64_t now) {
  close_probe(watch);
  clock_gettime(CLOCK_REALTIME, &watch->current.end);
  watch->current.exit_code = exit_code;
  if (watch->log_length == HEALTH_LOG_ENTRIES) {
    entry_free(&watch->log[0]);
    memmove(&watch->log[0], &watch->log[1], sizeof watch->log[0] * (HEALTH_LOG_ENTRIES - 1));
    watch->log_length--;
  }
  watch->log[watch->log_length++] = watch->current;
  memset(&watch->current, 0, sizeof watch->current);

  if (exit_code == 0) {
    watch->started = true;
    watch->failing_streak = 0;
    set_status(watch, "healthy");
  } else {
    if (!watch->started && now - watch->watched_since_ms >= watch->spec.start_period_ms) watch->started = true;
    if (watch->started) {
      watch->failing_streak++;
      if (watch->failing_streak >= watch->spec.retries) set_status(watch, "unhealthy");
    }
  }
  write_status(watch);
  schedule(watch, now);
}

static void say(struct watch *watch, const char *text) {
  free(watch->current.output);
  watch->current.output = strdup(text);
  watch->current.length = watch->current.output == NULL ? 0 : strlen(text);
}

void health_tick(struct watch *watch, int64_t now) {
  if (watch->status == NULL || watch->phase != PHASE_RUNNING) return;
  if (watch->probe > 0) {
    if (now < watch->probe_deadline_ms) return;
    char text[96];
    snprintf(text, sizeof text, "Health check exceeded timeout (%gs)", (double)watch->spec.timeout_ms / 1000);
    supd_kill_tree(watch->probe);
    watch->probe = 0;
    say(watch, text);
    finish(watch, -1, now);
    return;
  }
  if (now < watch->probe_due_ms) return;
  if (watch->spec.paused) {
    schedule(watch, now);
    return;
  }
  int pipe_fds[2];
  if (pipe2(pipe_fds, O_CLOEXEC | O_NONBLOCK) != 0) {
    schedule(watch, now);
    return;
  }
  /* only our end may be non-blocking: the probe's writes must not fail */
  fcntl(pipe_fds[1], F_SETFL, fcntl(pipe_fds[1], F_GETFL) & ~O_NONBLOCK);
  clock_gettime(CLOCK_REALTIME, &watch->current.start);
  watch->probe = supd_spawn(watch->spec.health_argv, pipe_fds[1]);
  close(pipe_fds[1]);
  watch->probe_fd = pipe_fds[0];
  watch->probe_deadline_ms = now + watch->spec.timeout_ms;
  if (watch->probe < 0) {
    watch->probe = 0;
    say(watch, "the probe could not be started");
    finish(watch, -1, now);
    return;
  }
  supd_watch_fd(watch->probe_fd, watch, true);
}

void health_read(struct watch *watch) {
  char buffer[4096];
  for (;;) {
    ssize_t got = read(watch->probe_fd, buffer, sizeof buffer);
    if (got < 0 && errno == EINTR) continue;
    if (got == 0) {
      supd_unwatch_fd(watch->probe_fd); /* closed by the probe; its exit is still to come */
      return;
    }
    if (got < 0) return;
    size_t room = HEALTH_OUTPUT_BYTES - watch->current.length;
    size_t take = (size_t)got < room ? (size_t)got : room;
    if (take == 0) continue; /* drained and dropped: a chatty probe must not block */
    char *grown = realloc(watch->current.output, watch->current.length + take);
    if (grown == NULL) return;
    memcpy(grown + watch->current.length, buffer, take);
    watch->current.output = grown;
    watch->current.length += take;
  }
}

void health_reaped(struct watch *watch, int status, int64_t now) {
  watch->probe = 0;
  if (watch->probe_fd >= 0) health_read(watch);
  finish(watch, WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status), now);
}

int64_t health_next(const struct watch *watch) {
  if (watch->status == NULL || watch->phase != PHASE_RUNNING) return INT64_MAX;
  return watch->probe > 0 ? watch->probe_deadline_ms : watch->probe_due_ms;
}
