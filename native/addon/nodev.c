/* Takes device nodes from a container: its root becomes nodev inside its own mount namespace, where the runtime made it anew without. */
#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "addon.h"

struct container {
  int64_t pid;
  char *start;
};

/* setns(2): only a thread that shares its root and working folder with no other may change its mount namespace. */
static void *nodev_thread(void *data) {
  struct job *job = data;
  const struct container *container = job->data;
  struct mount_attr attr = {.attr_set = MOUNT_ATTR_NODEV};
  int fd = tsc_pidfd_of((pid_t)container->pid, strtoull(container->start, NULL, 10));
  if (fd < 0) job_fail(job, errno, "pidfd_open", "");
  else if (unshare(CLONE_FS) < 0) job_fail(job, errno, "unshare", "");
  else if (setns(fd, CLONE_NEWNS) < 0) job_fail(job, errno, "setns", "");
  else if (syscall(SYS_mount_setattr, AT_FDCWD, "/", 0, &attr, sizeof attr) < 0) job_fail(job, errno, "mount_setattr", "/");
  if (fd >= 0) close(fd);
  return NULL;
}

static void container_free(void *data) {
  struct container *container = data;
  free(container->start);
  free(container);
}

/* forbidDevices(pid, startTime) → promise */
static napi_value js_forbid_devices(napi_env env, napi_callback_info info) {
  napi_value args[MAX_ARGS];
  if (!get_args(env, info, 2, args)) return NULL;
  struct job *job = new_job(env, sizeof(struct container), container_free);
  if (job == NULL) return NULL;
  struct container *container = job->data;
  if (get_int(env, args[0], &container->pid)) container->start = get_string(env, args[1]);
  job->thread = nodev_thread;
  return queue_job(env, "forbidDevices", job);
}

void init_nodev(napi_env env, napi_value exports) { define(env, exports, "forbidDevices", js_forbid_devices); }
