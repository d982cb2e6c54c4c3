/* Labels of a security module on files: read, and written to a whole tree by descriptors, never through a link or into another mount. */
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "addon.h"

#define LABEL "security.selinux"
#define MAX_LABEL 4096
/* A descriptor for each level; no honest tree is deeper. */
#define MAX_DEPTH 400

struct relabel {
  int64_t fd;
  char *label;
};

static int failed(struct job *job, int error, const char *call, const char *name) {
  job_fail(job, error, call, name);
  return -1;
}

static void relabel_free(void *data) {
  struct relabel *r = data;
  free(r->label);
  free(r);
}

static bool has_label(const char *path, const char *label) {
  char now[MAX_LABEL];
  ssize_t n = getxattr(path, LABEL, now, sizeof now);
  while (n > 0 && now[n - 1] == '\0') n--;
  return n >= 0 && (size_t)n == strlen(label) && memcmp(now, label, (size_t)n) == 0;
}

/* `path` is a descriptor of ours in /proc: what it is open on gets the label, a link too. Below the top, what takes none is left. */
static int set_label(const char *path, const char *label, bool is_top) {
  if (has_label(path, label)) return 0;
  return setxattr(path, LABEL, label, strlen(label) + 1, 0) == 0 || (errno == ENOTSUP && !is_top) ? 0 : -1;
}

static int label_folder(struct job *job, int fd, const char *label, int depth);

static int label_entry(struct job *job, int folder, const struct dirent *entry, const char *label, int depth) {
  char path[64];
  if (entry->d_type == DT_DIR || entry->d_type == DT_UNKNOWN) {
    int child = tsc_openat2(folder, entry->d_name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC, 0,
                            RESOLVE_BENEATH | RESOLVE_NO_XDEV | RESOLVE_NO_SYMLINKS);
    if (child >= 0) {
      if (depth < MAX_DEPTH) return label_folder(job, child, label, depth + 1);
      close(child);
      return failed(job, ELOOP, "openat2", entry->d_name);
    }
    if (errno == ENOENT || errno == EXDEV) return 0;
    if (errno != ENOTDIR && errno != ELOOP) return failed(job, errno, "openat2", entry->d_name);
    if (entry->d_type == DT_DIR && depth >= MAX_DEPTH) return failed(job, ELOOP, "openat2", entry->d_name);
  }
  /* a file may have another one mounted on it */
  int file = tsc_openat2(folder, entry->d_name, O_PATH | O_NOFOLLOW | O_CLOEXEC, 0, RESOLVE_BENEATH | RESOLVE_NO_XDEV | RESOLVE_NO_SYMLINKS);
  if (file < 0) return errno == ENOENT || errno == EXDEV ? 0 : failed(job, errno, "openat2", entry->d_name);
  snprintf(path, sizeof path, "/proc/self/fd/%d", file);
  int result = set_label(path, label, false) == 0 ? 0 : failed(job, errno, "setxattr", entry->d_name);
  close(file);
  return result;
}

/* Takes the descriptor. The folder itself comes last: where it has its label, all below was given it. */
static int label_folder(struct job *job, int fd, const char *label, int depth) {
  char path[64];
  DIR *folder = fdopendir(fd);
  if (folder == NULL) {
    int saved = errno;
    close(fd);
    return failed(job, saved, "fdopendir", "");
  }
  int result = 0;
  struct dirent *entry;
  while (result == 0 && (errno = 0, entry = readdir(folder)) != NULL) {
    if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0) continue;
    result = label_entry(job, dirfd(folder), entry, label, depth);
  }
  if (result == 0 && errno != 0) result = failed(job, errno, "readdir", "");
  snprintf(path, sizeof path, "/proc/self/fd/%d", dirfd(folder));
  if (result == 0 && set_label(path, label, true) < 0) result = failed(job, errno, "setxattr", "");
  closedir(folder);
  return result;
}

static void relabel_run(struct job *job) {
  struct relabel *r = job->data;
  char path[64];
  struct stat st;
  snprintf(path, sizeof path, "/proc/self/fd/%d", (int)r->fd);
  if (fstat((int)r->fd, &st) < 0) {
    job_fail(job, errno, "fstat", "");
  } else if (!S_ISDIR(st.st_mode)) {
    if (set_label(path, r->label, true) < 0) job_fail(job, errno, "setxattr", "");
  } else {
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) job_fail(job, errno, "open", "");
    else label_folder(job, fd, r->label, 0);
  }
}

/* relabelTree(descriptor, label) → promise; the descriptor stays open until then */
static napi_value js_relabel_tree(napi_env env, napi_callback_info info) {
  napi_value args[MAX_ARGS];
  if (!get_args(env, info, 2, args)) return NULL;
  struct job *job = new_job(env, sizeof(struct relabel), relabel_free);
  if (job == NULL) return NULL;
  struct relabel *r = job->data;
  if (get_int(env, args[0], &r->fd)) r->label = get_string(env, args[1]);
  job->run = relabel_run;
  return queue_job(env, "relabelTree", job);
}

/* fileLabel(descriptor): the label of what is open, undefined when it has none. */
static napi_value js_file_label(napi_env env, napi_callback_info info) {
  napi_value args[MAX_ARGS];
  int64_t fd;
  char path[64], label[MAX_LABEL + 1];
  if (!get_args(env, info, 1, args) || !get_int(env, args[0], &fd)) return NULL;
  snprintf(path, sizeof path, "/proc/self/fd/%d", (int)fd);
  ssize_t n = getxattr(path, LABEL, label, MAX_LABEL);
  if (n < 0 && errno != ENODATA && errno != ENOTSUP) return throw_errno(env, errno, "getxattr", NULL, NULL);
  if (n < 0) return undefined(env);
  label[n] = '\0';
  return from_string(env, label);
}

void init_relabel(napi_env env, napi_value exports) {
  define(env, exports, "relabelTree", js_relabel_tree);
  define(env, exports, "fileLabel", js_file_label);
}
