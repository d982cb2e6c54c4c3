/* Overlay by the new mount API, or mount(2) on kernels before 6.5. */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <unistd.h>

#include "addon.h"

/* One overlay option. Strings of fsconfig end at 255 bytes, so longer paths go through a descriptor's name. */
struct overlay_paths {
  int fds[512];
  size_t count;
};

static int set_path(int fs, struct overlay_paths *open_paths, const char *key, const char *path) {
  if (strlen(path) < 250) return fsconfig(fs, FSCONFIG_SET_STRING, key, path, 0);
  char name[40];
  if (open_paths->count == sizeof open_paths->fds / sizeof open_paths->fds[0]) {
    errno = E2BIG;
    return -1;
  }
  int fd = open(path, O_PATH | O_CLOEXEC | O_DIRECTORY);
  if (fd < 0) return -1;
  open_paths->fds[open_paths->count++] = fd;
  snprintf(name, sizeof name, "/proc/self/fd/%d", fd);
  return fsconfig(fs, FSCONFIG_SET_STRING, key, name, 0);
}

/* The last lines of the kernel's own explanation, read from the filesystem context. */
static void read_log(int fs, char *out, size_t size) {
  size_t used = 0;
  char line[256];
  ssize_t n;
  out[0] = '\0';
  while ((n = read(fs, line, sizeof line - 1)) > 0) {
    line[n] = '\0';
    int written = snprintf(out + used, size - used, "%s%s", used == 0 ? "" : "; ", line);
    if (written < 0 || (size_t)written >= size - used) break;
    used += (size_t)written;
  }
}

struct overlay {
  char **lower;
  size_t lower_count;
  char *upper, *work, *target, *context;
  bool userxattr, is_volatile, legacy;
  const char *failed_call;
  char log[512];
};

static int overlay_new_api(struct overlay *o) {
  struct overlay_paths paths = {.count = 0};
  int result = -1, mnt = -1;
  o->failed_call = "fsopen";
  int fs = fsopen("overlay", FSOPEN_CLOEXEC);
  if (fs < 0) return -1;
  o->failed_call = "fsconfig";
  fsconfig(fs, FSCONFIG_SET_STRING, "source", "overlay", 0);
  for (size_t i = 0; i < o->lower_count; i++)
    if (set_path(fs, &paths, "lowerdir+", o->lower[i]) < 0) goto out;
  if (o->upper != NULL) {
    if (set_path(fs, &paths, "upperdir", o->upper) < 0 || set_path(fs, &paths, "workdir", o->work) < 0) goto out;
  }
  if (o->userxattr) {
    if (fsconfig(fs, FSCONFIG_SET_FLAG, "userxattr", NULL, 0) < 0) goto out;
  } else {
    /* A layer is committed from its upper folder alone: no redirects, no metadata-only copies in it. */
    if (fsconfig(fs, FSCONFIG_SET_STRING, "redirect_dir", "off", 0) < 0) goto out;
    if (fsconfig(fs, FSCONFIG_SET_STRING, "metacopy", "off", 0) < 0) goto out;
  }
  if (fsconfig(fs, FSCONFIG_SET_STRING, "index", "off", 0) < 0 && errno != EINVAL) goto out;
  if (o->is_volatile && o->upper != NULL && fsconfig(fs, FSCONFIG_SET_FLAG, "volatile", NULL, 0) < 0) goto out;
  if (o->context != NULL && fsconfig(fs, FSCONFIG_SET_STRING, "context", o->context, 0) < 0) goto out;
  if (fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0) goto out;
  o->failed_call = "fsmount";
  mnt = fsmount(fs, FSMOUNT_CLOEXEC, 0);
  if (mnt < 0) goto out;
  o->failed_call = "move_mount";
  result = move_mount(mnt, "", AT_FDCWD, o->target, MOVE_MOUNT_F_EMPTY_PATH);
out:;
  int saved = errno;
  if (result < 0) read_log(fs, o->log, sizeof o->log);
  if (mnt >= 0) close(mnt);
  close(fs);
  for (size_t i = 0; i < paths.count; i++) close(paths.fds[i]);
  errno = saved;
  return result;
}

/* Kernels before 6.5: mount(2) data is one page, so every folder is given by a short descriptor name. */
static int overlay_old_api(struct overlay *o) {
  struct tsc_text data = {0};
  struct overlay_paths paths = {.count = 0};
  int result = -1;
  o->failed_call = "open";
  for (size_t i = 0; i < o->lower_count; i++) {
    if (paths.count == sizeof paths.fds / sizeof paths.fds[0]) {
      errno = E2BIG;
      goto out;
    }
    int fd = open(o->lower[i], O_PATH | O_CLOEXEC | O_DIRECTORY);
    if (fd < 0) goto out;
    paths.fds[paths.count++] = fd;
    tsc_text_addf(&data, "%s/proc/self/fd/%d", i == 0 ? "lowerdir=" : ":", fd);
  }
  if (o->upper != NULL) {
    const char *names[2] = {"upperdir", "workdir"}, *values[2] = {o->upper, o->work};
    for (int i = 0; i < 2; i++) {
      if (paths.count == sizeof paths.fds / sizeof paths.fds[0]) {
        errno = E2BIG;
        goto out;
      }
      int fd = open(values[i], O_PATH | O_CLOEXEC | O_DIRECTORY);
      if (fd < 0) goto out;
      paths.fds[paths.count++] = fd;
      tsc_text_addf(&data, ",%s=/proc/self/fd/%d", names[i], fd);
    }
  }
  tsc_text_adds(&data, o->userxattr ? ",userxattr" : ",redirect_dir=off,metacopy=off");
  if (o->is_volatile && o->upper != NULL) tsc_text_adds(&data, ",volatile");
  if (o->context != NULL) tsc_text_addf(&data, ",context=\"%s\"", o->context);
  o->failed_call = "mount";
  if (data.failed || data.length >= 4095) errno = E2BIG;
  else result = mount("overlay", o->target, "overlay", 0, data.data);
out:;
  int saved = errno;
  for (size_t i = 0; i < paths.count; i++) close(paths.fds[i]);
  tsc_text_free(&data);
  errno = saved;
  return result;
}

static void overlay_run(struct job *job) {
  struct overlay *o = job->data;
  int result = o->legacy ? -1 : overlay_new_api(o);
  /*
   * No fsopen, or an overlayfs that does not know lowerdir+: an older kernel. One before 6.5 takes every word, fails with the last call and says
   * why in its own log only.
   */
  bool is_older = errno == ENOSYS || (errno == EINVAL && (o->log[0] == '\0' || strstr(o->log, "lowerdir+") != NULL));
  if (o->legacy || (result < 0 && is_older)) result = overlay_old_api(o);
  if (result == 0) return;
  job_fail(job, errno, o->failed_call, o->target);
  job->detail = o->log;
}

static void overlay_free(void *data) {
  struct overlay *o = data;
  for (size_t i = 0; i < o->lower_count; i++) free(o->lower[i]);
  free(o->lower);
  free(o->upper);
  free(o->work);
  free(o->target);
  free(o->context);
  free(o);
}

/* Reads the options; a pending exception when they are wrong. */
static void overlay_read(napi_env env, napi_value options, struct overlay *o) {
  napi_value lower, value;
  uint32_t count = 0;
  napi_get_named_property(env, options, "lower", &lower);
  if (napi_get_array_length(env, lower, &count) != napi_ok) {
    napi_throw_type_error(env, NULL, "lower must be an array");
    return;
  }
  o->lower = calloc(count == 0 ? 1 : count, sizeof *o->lower);
  if (o->lower == NULL) {
    throw_errno(env, ENOMEM, "malloc", NULL, NULL);
    return;
  }
  for (uint32_t i = 0; i < count; i++) {
    napi_get_element(env, lower, i, &value);
    char *path = get_string(env, value);
    if (path == NULL) return;
    o->lower[o->lower_count++] = path;
  }
  o->target = get_property_string(env, options, "target");
  o->upper = get_property_string(env, options, "upper");
  o->work = get_property_string(env, options, "work");
  o->context = get_property_string(env, options, "context");
  napi_get_named_property(env, options, "userxattr", &value);
  o->userxattr = get_bool(env, value);
  napi_get_named_property(env, options, "volatile", &value);
  o->is_volatile = get_bool(env, value);
  napi_get_named_property(env, options, "legacy", &value);
  o->legacy = get_bool(env, value);
  if (!is_pending(env) && (o->target == NULL || (o->upper == NULL) != (o->work == NULL)))
    napi_throw_type_error(env, NULL, "target is required; upper and work go together");
}

/* mountOverlay({lower, upper, work, target, userxattr, volatile, context, legacy}) → promise */
static napi_value js_mount_overlay(napi_env env, napi_callback_info info) {
  napi_value args[MAX_ARGS];
  if (!get_args(env, info, 1, args)) return NULL;
  struct job *job = new_job(env, sizeof(struct overlay), overlay_free);
  if (job == NULL) return NULL;
  overlay_read(env, args[0], job->data);
  job->run = overlay_run;
  return queue_job(env, "mountOverlay", job);
}

void init_overlay(napi_env env, napi_value exports) { define(env, exports, "mountOverlay", js_mount_overlay); }
