/* Removing a tree: by descriptors only, never through a link, never into a mount, to any depth. */
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "addon.h"

/* Below this depth a folder is first moved up beside the root of the removal, so descriptors stay few. */
#define MAX_DEPTH 96

struct removal {
  struct job *job;
  int top;
  unsigned moved;
};

static int fail(struct removal *r, const char *syscall, const char *name) {
  if (r->job->error == 0) {
    r->job->error = errno;
    r->job->syscall = syscall;
    size_t used = strlen(r->job->path);
    snprintf(r->job->path + used, sizeof r->job->path - used, "/…/%s", name);
  }
  return -1;
}

static int empty_folder(struct removal *r, int fd, int depth) {
  DIR *folder = fdopendir(fd);
  if (folder == NULL) {
    close(fd);
    return fail(r, "fdopendir", "");
  }
  int result = 0;
  for (bool again = true; again && result == 0;) {
    struct dirent *entry;
    again = false;
    rewinddir(folder);
    while (result == 0 && (errno = 0, entry = readdir(folder)) != NULL) {
      const char *name = entry->d_name;
      if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0) continue;
      /* Entries moved up or missed by a changing readdir are met in the next round. */
      again = true;
      if (entry->d_type != DT_DIR) {
        if (unlinkat(dirfd(folder), name, 0) == 0 || errno == ENOENT) continue;
        if (errno != EISDIR) {
          result = fail(r, "unlink", name);
          continue;
        }
      }
      if (unlinkat(dirfd(folder), name, AT_REMOVEDIR) == 0 || errno == ENOENT) continue;
      if (errno != ENOTEMPTY && errno != EEXIST) {
        result = fail(r, "rmdir", name);
        continue;
      }
      if (depth >= MAX_DEPTH) {
        char other[32];
        snprintf(other, sizeof other, ".tsc-removed-%u", r->moved++);
        if (renameat(dirfd(folder), name, r->top, other) < 0) result = fail(r, "rename", name);
        continue;
      }
      int child = tsc_openat2(dirfd(folder), name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC, 0,
                              RESOLVE_BENEATH | RESOLVE_NO_XDEV | RESOLVE_NO_SYMLINKS);
      if (child < 0) {
        result = fail(r, "openat2", name);
        continue;
      }
      result = empty_folder(r, child, depth + 1);
      if (result == 0 && unlinkat(dirfd(folder), name, AT_REMOVEDIR) < 0 && errno != ENOENT && errno != ENOTEMPTY)
        result = fail(r, "rmdir", name);
    }
    if (result == 0 && entry == NULL && errno != 0) result = fail(r, "readdir", "");
  }
  closedir(folder);
  return result;
}

static void remove_run(struct job *job) {
  char *path = job->data;
  struct removal r = {.job = job, .top = -1};
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
  r.top = fcntl(fd, F_DUPFD_CLOEXEC, 3);
  if (empty_folder(&r, fd, 0) == 0 && rmdir(path) < 0 && errno != ENOENT) {
    job->error = errno;
    job->syscall = "rmdir";
  }
  if (r.top >= 0) close(r.top);
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
