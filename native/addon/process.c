/* Processes by pidfd: open, signal, and one-shot readiness through the event loop. */
#include <fcntl.h>
#include <linux/close_range.h>
#include <stdio.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <uv.h>

#include "addon.h"
#include "process-record.h"

struct poller {
  uv_poll_t poll;
  int fd;
  napi_env env;
  napi_ref callback;
  bool closing;
  /* The JS handle and libuv each hold one. */
  int references;
};

/* Start time of a pid as text, undefined when it is gone or a zombie. */
static napi_value js_start_time(napi_env env, napi_callback_info info) {
  napi_value args[MAX_ARGS];
  int64_t pid;
  if (!get_args(env, info, 1, args) || !get_int(env, args[0], &pid)) return NULL;
  unsigned long long start;
  if (pid <= 0 || !tsc_start_time((pid_t)pid, &start)) return undefined(env);
  char text[32];
  snprintf(text, sizeof text, "%llu", start);
  return from_string(env, text);
}

/* The pidfd of (pid, startTime), or -1 with errno ESRCH; an exception is pending on other failures. */
static int open_identity(napi_env env, const napi_value *args) {
  int64_t pid;
  if (!get_int(env, args[0], &pid)) return -1;
  char *start = get_string(env, args[1]);
  if (start == NULL) return -1;
  int fd = tsc_pidfd_of((pid_t)pid, strtoull(start, NULL, 10));
  int saved = errno;
  free(start);
  if (fd < 0 && saved != ESRCH) throw_errno(env, saved, "pidfd_open", NULL, NULL);
  errno = saved;
  return fd;
}

/* signalProcess(pid, startTime, signal) → false when that process is gone. */
static napi_value js_signal(napi_env env, napi_callback_info info) {
  napi_value args[MAX_ARGS];
  int64_t number;
  if (!get_args(env, info, 3, args) || !get_int(env, args[2], &number)) return NULL;
  int fd = open_identity(env, args);
  if (fd < 0) return is_pending(env) ? NULL : from_bool(env, false);
  bool sent = pidfd_send_signal(fd, (int)number, NULL, 0) == 0;
  int saved = errno;
  close(fd);
  if (!sent && saved != ESRCH) return throw_errno(env, saved, "pidfd_send_signal", NULL, NULL);
  return from_bool(env, sent);
}

static void poller_release(struct poller *poller) {
  if (--poller->references == 0) free(poller);
}

static void poller_closed(uv_handle_t *handle) { poller_release(handle->data); }

static void poller_stop(struct poller *poller) {
  if (poller->closing) return;
  poller->closing = true;
  uv_poll_stop(&poller->poll);
  uv_close((uv_handle_t *)&poller->poll, poller_closed);
  close(poller->fd);
}

static void poller_ready(uv_poll_t *poll, int status, int events) {
  (void)status;
  (void)events;
  struct poller *poller = poll->data;
  if (poller->closing) return;
  napi_env env = poller->env;
  napi_handle_scope scope;
  napi_open_handle_scope(env, &scope);
  napi_ref callback = poller->callback;
  poller->callback = NULL;
  poller_stop(poller);
  call_back(env, callback, 0, NULL);
  napi_delete_reference(env, callback);
  napi_close_handle_scope(env, scope);
}

static void poller_finalize(napi_env env, void *data, void *hint) {
  (void)hint;
  struct poller *poller = data;
  if (poller->callback != NULL) napi_delete_reference(env, poller->callback);
  poller->callback = NULL;
  poller_stop(poller);
  poller_release(poller);
}

/* watchProcess(pid, startTime, callback) → handle for unwatch, or undefined when it is gone already. */
static napi_value js_watch(napi_env env, napi_callback_info info) {
  napi_value args[MAX_ARGS], handle;
  uv_loop_t *loop;
  if (!get_args(env, info, 3, args)) return NULL;
  int fd = open_identity(env, args);
  if (fd < 0) return is_pending(env) ? NULL : undefined(env);
  struct poller *poller = calloc(1, sizeof *poller);
  if (poller == NULL) {
    close(fd);
    return throw_errno(env, ENOMEM, "malloc", NULL, NULL);
  }
  poller->fd = fd;
  poller->env = env;
  poller->references = 2;
  poller->poll.data = poller;
  napi_get_uv_event_loop(env, &loop);
  if (uv_poll_init(loop, &poller->poll, fd) < 0) {
    close(fd);
    free(poller);
    return throw_errno(env, EINVAL, "uv_poll_init", NULL, NULL);
  }
  napi_create_reference(env, args[2], 1, &poller->callback);
  uv_poll_start(&poller->poll, UV_READABLE, poller_ready);
  napi_create_external(env, poller, poller_finalize, NULL, &handle);
  return handle;
}

static napi_value js_unwatch(napi_env env, napi_callback_info info) {
  napi_value args[MAX_ARGS];
  void *data = NULL;
  if (!get_args(env, info, 1, args) || napi_get_value_external(env, args[0], &data) != napi_ok) return NULL;
  struct poller *poller = data;
  if (poller->callback != NULL) napi_delete_reference(env, poller->callback);
  poller->callback = NULL;
  poller_stop(poller);
  return undefined(env);
}

/* recordProcess(path, pid, startTime) → false when that process is gone: writes it down for recordedProcess and the launcher. */
static napi_value js_record(napi_env env, napi_callback_info info) {
  napi_value args[MAX_ARGS];
  int64_t pid;
  if (!get_args(env, info, 3, args) || !get_int(env, args[1], &pid)) return NULL;
  char *path = get_string(env, args[0]), *start = path == NULL ? NULL : get_string(env, args[2]);
  struct tsc_process_record record;
  int error = 0;
  bool found = start != NULL && tsc_record_of((pid_t)pid, &record) && record.start == strtoull(start, NULL, 10);
  if (found) {
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0 || tsc_record_write(fd, &record) < 0) error = errno;
    if (fd >= 0) close(fd);
  }
  napi_value result = error != 0 ? throw_errno(env, error, "open", path, NULL) : is_pending(env) ? NULL : from_bool(env, found);
  free(path);
  free(start);
  return result;
}

/* recordedProcess(path) → {pid, startTime} of the living process that the file records, else undefined. */
static napi_value js_recorded(napi_env env, napi_callback_info info) {
  napi_value args[MAX_ARGS], result = NULL;
  if (!get_args(env, info, 1, args)) return NULL;
  char *path = get_string(env, args[0]), start[32];
  if (path == NULL) return NULL;
  struct tsc_process_record record;
  int process = tsc_record_read(AT_FDCWD, path, &record) ? tsc_record_open(&record) : -1;
  free(path);
  if (process < 0) return undefined(env);
  close(process);
  snprintf(start, sizeof start, "%llu", record.start);
  napi_create_object(env, &result);
  napi_set_named_property(env, result, "pid", from_int(env, record.pid));
  napi_set_named_property(env, result, "startTime", from_string(env, start));
  return result;
}

/* Marks every open descriptor close-on-exec: what our caller left open must not reach conmon or a container. */
static napi_value js_close_on_exec(napi_env env, napi_callback_info info) {
  (void)info;
  if (syscall(SYS_close_range, 3, ~0U, CLOSE_RANGE_CLOEXEC) < 0)
    return throw_errno(env, errno, "close_range", NULL, NULL);
  return undefined(env);
}

void init_process(napi_env env, napi_value exports) {
  define(env, exports, "startTime", js_start_time);
  define(env, exports, "signalProcess", js_signal);
  define(env, exports, "watchProcess", js_watch);
  define(env, exports, "unwatch", js_unwatch);
  define(env, exports, "recordProcess", js_record);
  define(env, exports, "recordedProcess", js_recorded);
  define(env, exports, "closeOnExecAll", js_close_on_exec);
}
