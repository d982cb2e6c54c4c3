/* Restart policies: what follows when a container's init is gone. The engine's own commands do the work. */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common.h"
#include "supd.h"

#define GRACE_MS 300          /* a deliberate stop removes the watch file within this time */
#define EXIT_FILE_WAIT_MS 3000 /* conmon writes the exit code just after the death */
#define BACKOFF_MS 100
#define BACKOFF_MAX_MS 60000
#define STEADY_MS 10000
#define COMMAND_ATTEMPTS 5
#define COMMANDS_AT_ONCE 2

static int64_t backoff_ms(int failures) {
  int64_t wait = BACKOFF_MS;
  for (int i = 0; i < failures && wait < BACKOFF_MAX_MS; i++) wait *= 2;
  return wait < BACKOFF_MAX_MS ? wait : BACKOFF_MAX_MS;
}

/* -1 while conmon has not written it. */
static int exit_code_of(const struct watch *watch) {
  if (watch->spec.exit_file == NULL) return -1;
  char *text = tsc_read_file(watch->spec.exit_file, 16, NULL);
  if (text == NULL) return -1;
  int code = (int)strtol(text, NULL, 10);
  free(text);
  return code;
}

static bool wants_restart(const struct watch *watch, int exit_code) {
  switch (watch->spec.restart) {
    case RESTART_ALWAYS:
    case RESTART_UNLESS_STOPPED: return true;
    case RESTART_ON_FAILURE:
      return exit_code != 0 && (watch->spec.max_retries == 0 || watch->spec.restart_count < watch->spec.max_retries);
    case RESTART_NO: break;
  }
  return false;
}

static void run(struct watch *watch, bool restart, int64_t now) {
  if (watch->spec.command_length == 0) {
    watch->phase = PHASE_DONE;
    return;
  }
  if (supd_commands() >= COMMANDS_AT_ONCE) {
    watch->command_is_restart = restart;
    watch->phase = PHASE_BACKOFF;
    watch->due_ms = now + 50;
    return;
  }
  char **argv = watch->spec.command_argv;
  int n = watch->spec.command_length;
  char internal[] = "internal", verb_restart[] = "restart", verb_cleanup[] = "cleanup";
  argv[n] = internal;
  argv[n + 1] = restart ? verb_restart : verb_cleanup;
  argv[n + 2] = watch->id;
  argv[n + 3] = NULL;
  watch->command = supd_spawn(argv, -1);
  argv[n] = NULL;
  watch->command_is_restart = restart;
  watch->phase = watch->command > 0 ? PHASE_COMMAND : PHASE_DONE;
}

void restart_died(struct watch *watch, int64_t now) {
  health_end(watch);
  watch->phase = PHASE_DEAD;
  watch->died_ms = now;
  watch->due_ms = now + GRACE_MS;
  if (now - watch->watched_since_ms >= STEADY_MS) watch->failures = 0;
}

void restart_tick(struct watch *watch, int64_t now) {
  if (now < restart_next(watch)) return;
  if (watch->phase == PHASE_DEAD) {
    int code = exit_code_of(watch);
    if (code < 0 && now < watch->died_ms + EXIT_FILE_WAIT_MS) {
      watch->due_ms = now + 50;
      return;
    }
    if (wants_restart(watch, code < 0 ? 137 : code)) {
      watch->phase = PHASE_BACKOFF;
      watch->command_is_restart = true;
      watch->due_ms = now + backoff_ms(watch->failures++) - GRACE_MS;
      if (watch->due_ms < now) watch->due_ms = now;
    } else {
      run(watch, false, now);
    }
    return;
  }
  if (watch->phase == PHASE_BACKOFF) run(watch, watch->command_is_restart, now);
}

void restart_reaped(struct watch *watch, int status, int64_t now) {
  watch->command = 0;
  if (watch->phase != PHASE_COMMAND) return; /* the new watch file came first */
  bool failed = !WIFEXITED(status) || WEXITSTATUS(status) != 0;
  if (!failed || !watch->command_is_restart) {
    watch->phase = PHASE_DONE;
    return;
  }
  if (++watch->command_failures < COMMAND_ATTEMPTS) {
    watch->phase = PHASE_BACKOFF;
    watch->due_ms = now + backoff_ms(watch->failures++);
  } else {
    run(watch, false, now);
  }
}

int64_t restart_next(const struct watch *watch) {
  return watch->phase == PHASE_DEAD || watch->phase == PHASE_BACKOFF ? watch->due_ms : INT64_MAX;
}
