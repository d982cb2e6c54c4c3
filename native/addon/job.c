/* Work off the event loop: jobs for the libuv pool, or for a thread of their own. */
#include <pthread.h>
#include <stdio.h>

#include "addon.h"

static void job_execute(napi_env env, void *data) {
  (void)env;
  struct job *job = data;
  if (job->thread == NULL) {
    job->run(job);
    return;
  }
  pthread_t thread;
  int error = pthread_create(&thread, NULL, job->thread, job);
  if (error != 0) job_fail(job, error, "pthread_create", "");
  else pthread_join(thread, NULL);
}

bool job_fail(struct job *job, int error, const char *syscall, const char *path) {
  job->error = error;
  job->syscall = syscall;
  snprintf(job->path, sizeof job->path, "%s", path);
  return false;
}

static void free_job(struct job *job) {
  if (job->free_data != NULL) job->free_data(job->data);
  free(job);
}

static void job_complete(napi_env env, napi_status status, void *data) {
  struct job *job = data;
  if (status == napi_cancelled) job->error = ECANCELED;
  if (job->error != 0)
    napi_reject_deferred(
        env, job->deferred,
        make_errno_error(env, job->error, job->syscall == NULL ? "work" : job->syscall, job->path, job->detail));
  else
    napi_resolve_deferred(env, job->deferred, job->make_result == NULL ? undefined(env) : job->make_result(env, job->data));
  napi_delete_async_work(env, job->work);
  free_job(job);
}

struct job *new_job(napi_env env, size_t size, void (*free_data)(void *data)) {
  struct job *job = calloc(1, sizeof *job);
  void *data = calloc(1, size);
  if (job == NULL || data == NULL) {
    free(job);
    free(data);
    throw_errno(env, ENOMEM, "malloc", NULL, NULL);
    return NULL;
  }
  job->data = data;
  job->free_data = free_data;
  return job;
}

napi_value queue_job(napi_env env, const char *name, struct job *job) {
  napi_value promise;
  if (is_pending(env)) {
    free_job(job);
    return NULL;
  }
  napi_create_promise(env, &job->deferred, &promise);
  napi_create_async_work(env, NULL, from_string(env, name), job_execute, job_complete, job, &job->work);
  napi_queue_async_work(env, job->work);
  return promise;
}
