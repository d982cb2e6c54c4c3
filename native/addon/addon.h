/* The N-API addon's own helpers: argument reading, errno errors, promises over the libuv pool. */
#ifndef TSC_ADDON_H
#define TSC_ADDON_H

#include <errno.h>
#include <limits.h>
#include <node_api.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>

#include "common.h"

#define MAX_ARGS 8

/* Throws an Error with code (errno name), errno, syscall and path, as node:fs does. `detail` may be NULL. */
napi_value throw_errno(napi_env env, int error, const char *syscall, const char *path, const char *detail);
napi_value make_errno_error(napi_env env, int error, const char *syscall, const char *path, const char *detail);

/* Reads the arguments; false with a pending exception when there are fewer than `wanted`. */
bool get_args(napi_env env, napi_callback_info info, size_t wanted, napi_value args[MAX_ARGS]);
/* malloc'd text without NUL bytes inside; NULL with a pending exception. */
char *get_string(napi_env env, napi_value value);
bool get_int(napi_env env, napi_value value, int64_t *out);
bool get_bool(napi_env env, napi_value value);
/* malloc'd text of a property, NULL when it is missing or undefined (no exception) or wrong (exception pending). */
char *get_property_string(napi_env env, napi_value object, const char *name);
bool is_pending(napi_env env);
napi_value undefined(napi_env env);
napi_value from_bool(napi_env env, bool value);
napi_value from_string(napi_env env, const char *value);
napi_value from_int(napi_env env, int64_t value);
void define(napi_env env, napi_value exports, const char *name, napi_callback callback);

/*
 * Work for the libuv pool. `run` sets error/syscall; with `thread` instead, that runs on a thread of its own, whose end undoes what it
 * did to its namespaces. `make_result` (undefined without it) and `free_data` run on the main thread afterwards.
 */
struct job {
  void (*run)(struct job *job);
  void *(*thread)(void *job);
  napi_value (*make_result)(napi_env env, void *data);
  void (*free_data)(void *data);
  void *data;
  int error;
  const char *syscall;
  char path[PATH_MAX];
  /* More about a failure, inside `data`; may be NULL. */
  const char *detail;
  napi_deferred deferred;
  napi_async_work work;
};
/* A job with `size` zeroed bytes of data, which `free_data` frees with what they hold; NULL with an exception pending. */
struct job *new_job(napi_env env, size_t size, void (*free_data)(void *data));
/* Queues the job and returns its promise; frees it when done, or at once when an exception is pending (its arguments were wrong). */
napi_value queue_job(napi_env env, const char *name, struct job *job);
/* Notes what failed, for the promise's Error; false. */
bool job_fail(struct job *job, int error, const char *syscall, const char *path);
/* Writes a file of /proc/sys; -1 with errno. */
int write_sysctl(const char *path, const char *value);
/* Takes a job's own thread into the network namespace pinned at `path`; "" stays. False after job_fail. */
bool job_enter(struct job *job, const char *path);

/* Calls a JS function from a libuv callback; an exception in it becomes uncaughtException. */
void call_back(napi_env env, napi_ref function, size_t count, const napi_value *args);

void init_mount(napi_env env, napi_value exports);
void init_overlay(napi_env env, napi_value exports);
void init_bridge(napi_env env, napi_value exports);
void init_netns(napi_env env, napi_value exports);
void init_links(napi_env env, napi_value exports);
void init_lock(napi_env env, napi_value exports);
void init_process(napi_env env, napi_value exports);
void init_packet(napi_env env, napi_value exports);
void init_rootfs(napi_env env, napi_value exports);
void init_remove(napi_env env, napi_value exports);
void init_nodev(napi_env env, napi_value exports);
void init_relabel(napi_env env, napi_value exports);
void init_run(napi_env env, napi_value exports);

#endif
