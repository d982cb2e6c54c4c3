/* flock(2): a non-blocking try, and a wait on a thread of its own so that waiters never fill libuv's pool. */
#include <pthread.h>
#include <sys/file.h>
#include <unistd.h>

#include "addon.h"

struct waiter {
  int fd, operation, error;
  bool abandoned;
  /* The JS handle and the thread each hold one. */
  int references;
  napi_threadsafe_function deliver;
  napi_ref callback;
};

static napi_value js_try(napi_env env, napi_callback_info info) {
  napi_value args[MAX_ARGS];
  int64_t fd;
  if (!get_args(env, info, 2, args) || !get_int(env, args[0], &fd)) return NULL;
  int operation = get_bool(env, args[1]) ? LOCK_SH : LOCK_EX;
  for (;;) {
    if (flock((int)fd, operation | LOCK_NB) == 0) return from_bool(env, true);
    if (errno == EWOULDBLOCK) return from_bool(env, false);
    if (errno != EINTR) return throw_errno(env, errno, "flock", NULL, NULL);
  }
}

static void waiter_release(napi_env env, struct waiter *waiter) {
  if (--waiter->references > 0) return;
  if (env != NULL && waiter->callback != NULL) napi_delete_reference(env, waiter->callback);
  free(waiter);
}

static void *wait_thread(void *data) {
  struct waiter *waiter = data;
  while (flock(waiter->fd, waiter->operation) < 0) {
    if (errno == EINTR) continue;
    waiter->error = errno;
    break;
  }
  napi_threadsafe_function deliver = waiter->deliver;
  napi_call_threadsafe_function(deliver, waiter, napi_tsfn_blocking);
  napi_release_threadsafe_function(deliver, napi_tsfn_release);
  return NULL;
}

static void deliver_lock(napi_env env, napi_value function, void *context, void *data) {
  (void)function;
  (void)context;
  struct waiter *waiter = data;
  if (env == NULL || waiter->abandoned) {
    /* Nobody wants the lock any more: closing the descriptor gives it back. */
    close(waiter->fd);
  } else {
    napi_value argument = waiter->error == 0 ? undefined(env) : make_errno_error(env, waiter->error, "flock", NULL, NULL);
    call_back(env, waiter->callback, 1, &argument);
  }
  waiter_release(env, waiter);
}

static void waiter_finalize(napi_env env, void *data, void *hint) {
  (void)hint;
  waiter_release(env, data);
}

/* lockWait(fd, shared, callback(error?)) → handle for lockAbandon. Owns the fd once abandoned. */
static napi_value js_wait(napi_env env, napi_callback_info info) {
  napi_value args[MAX_ARGS], handle;
  int64_t fd;
  if (!get_args(env, info, 3, args) || !get_int(env, args[0], &fd)) return NULL;
  struct waiter *waiter = calloc(1, sizeof *waiter);
  if (waiter == NULL) return throw_errno(env, ENOMEM, "malloc", NULL, NULL);
  waiter->fd = (int)fd;
  waiter->operation = get_bool(env, args[1]) ? LOCK_SH : LOCK_EX;
  waiter->references = 2;
  napi_create_reference(env, args[2], 1, &waiter->callback);
  napi_create_threadsafe_function(env, NULL, NULL, from_string(env, "flock"), 0, 1, NULL, NULL, NULL, deliver_lock,
                                  &waiter->deliver);
  napi_create_external(env, waiter, waiter_finalize, NULL, &handle);
  pthread_attr_t attributes;
  pthread_t thread;
  pthread_attr_init(&attributes);
  pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
  pthread_attr_setstacksize(&attributes, 256 * 1024);
  int error = pthread_create(&thread, &attributes, wait_thread, waiter);
  pthread_attr_destroy(&attributes);
  if (error != 0) {
    napi_release_threadsafe_function(waiter->deliver, napi_tsfn_abort);
    waiter_release(env, waiter);
    return throw_errno(env, error, "pthread_create", NULL, NULL);
  }
  return handle;
}

static napi_value js_abandon(napi_env env, napi_callback_info info) {
  napi_value args[MAX_ARGS];
  void *data = NULL;
  if (!get_args(env, info, 1, args) || napi_get_value_external(env, args[0], &data) != napi_ok) return NULL;
  struct waiter *waiter = data;
  waiter->abandoned = true;
  /* A reference count of one means that the thread has delivered already. */
  if (waiter->references == 2) napi_unref_threadsafe_function(env, waiter->deliver);
  return undefined(env);
}

void init_lock(napi_env env, napi_value exports) {
  define(env, exports, "lockTry", js_try);
  define(env, exports, "lockWait", js_wait);
  define(env, exports, "lockAbandon", js_abandon);
}
