/* Removing a tree in libuv's pool (common/remove.c does the work). */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "addon.h"
#include "remove.h"

static void remove_run(struct job *job) {
  char *path = job->data;
  struct tsc_removal r = {.keep = NULL};
  size_t length = strlen(path);
  while (length > 1 && path[length - 1] == '/') path[--length] = '\0';
  if (unlink(path) == 0 || errno == ENOENT) return;
  if (errno != EISDIR && errno != EPERM) {
    job->error = errno;
    job->syscall = "unlink";
    return;
  }
  int fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  struct statx st;
  if (fd < 0 || statx(fd, "", AT_EMPTY_PATH, 0, &st) < 0) {
    job->error = errno;
    job->syscall = "open";
    if (fd >= 0) close(fd);
    return;
  }
  if (st.stx_attributes & STATX_ATTR_MOUNT_ROOT) {
    job->error = EBUSY;
    job->syscall = "removeTree";
    close(fd);
    return;
  }
  if (tsc_empty_folder(&r, fd) < 0) {
    job->error = errno;
    job->syscall = r.failed_call;
    size_t used = strlen(job->path);
    snprintf(job->path + used, sizeof job->path - used, "/…/%s", r.failed_name);
  } else if (rmdir(path) < 0 && errno != ENOENT) {
    job->error = errno;
    job->syscall = "rmdir";
  }
}

static napi_value js_remove(napi_env env, napi_callback_info info) {
  napi_value args[MAX_ARGS];
  if (!get_args(env, info, 1, args)) return NULL;
  char *path = get_string(env, args[0]);
  if (path == NULL) return NULL;
  struct job *job = calloc(1, sizeof *job);
  if (job == NULL) {
    free(path);
    return throw_errno(env, ENOMEM, "malloc", NULL, NULL);
  }
  snprintf(job->path, sizeof job->path, "%s", path);
  job->data = path;
  job->run = remove_run;
  job->free_data = free;
  return queue_job(env, "removeTree", job);
}

void init_remove(napi_env env, napi_value exports) { define(env, exports, "removeTree", js_remove); }
