/* Network namespaces without a process: a short-lived thread leaves the process's namespace, prepares the new
 * one and pins it by a bind mount; the thread's end leaves nothing behind. */
#include <fcntl.h>
#include <net/if.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <unistd.h>

#include "addon.h"

struct netns {
  char *path;
  /* Pairs of /proc/sys path and value. */
  char **sysctls;
  uint32_t count;
};

bool job_enter(struct job *job, const char *path) {
  if (*path == '\0') return true;
  int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
  if (fd < 0) return job_fail(job, errno, "open", path);
  int result = setns(fd, CLONE_NEWNET), error = errno;
  close(fd);
  return result == 0 || job_fail(job, error, "setns", path);
}

static int raise_loopback(void) {
  int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return -1;
  struct ifreq request = {.ifr_name = "lo"};
  request.ifr_flags = IFF_UP | IFF_RUNNING;
  int result = ioctl(fd, SIOCSIFFLAGS, &request), saved = errno;
  close(fd);
  errno = saved;
  return result;
}

int write_sysctl(const char *path, const char *value) {
  int fd = open(path, O_WRONLY | O_CLOEXEC);
  if (fd < 0) return -1;
  int result = tsc_write_all(fd, value, strlen(value)), saved = errno;
  close(fd);
  errno = saved;
  return result;
}

static void *netns_thread(void *data) {
  struct job *job = data;
  struct netns *ns = job->data;
  int pin = open(ns->path, O_RDONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (pin < 0) {
    job_fail(job, errno, "open", ns->path);
    return NULL;
  }
  close(pin);
  if (unshare(CLONE_NEWNET) < 0) job_fail(job, errno, "unshare", ns->path);
  else if (raise_loopback() < 0) job_fail(job, errno, "ioctl", "lo");
  for (uint32_t i = 0; job->error == 0 && i < ns->count; i++)
    if (write_sysctl(ns->sysctls[2 * i], ns->sysctls[2 * i + 1]) < 0) job_fail(job, errno, "write", ns->sysctls[2 * i]);
  if (job->error == 0 && mount("/proc/thread-self/ns/net", ns->path, NULL, MS_BIND, NULL) < 0) job_fail(job, errno, "mount", ns->path);
  if (job->error != 0) unlink(ns->path);
  return NULL;
}

static void netns_free(void *data) {
  struct netns *ns = data;
  for (uint32_t i = 0; i < 2 * ns->count; i++) free(ns->sysctls[i]);
  free(ns->sysctls);
  free(ns->path);
  free(ns);
}

/* createNetworkNamespace(path, [sysctlPath, value, …]) → promise */
static napi_value js_create(napi_env env, napi_callback_info info) {
  napi_value args[MAX_ARGS], value;
  if (!get_args(env, info, 2, args)) return NULL;
  uint32_t length = 0;
  if (napi_get_array_length(env, args[1], &length) != napi_ok) {
    napi_throw_type_error(env, NULL, "array expected");
    return NULL;
  }
  struct job *job = new_job(env, sizeof(struct netns), netns_free);
  if (job == NULL) return NULL;
  struct netns *ns = job->data;
  ns->sysctls = calloc(length + 2, sizeof *ns->sysctls);
  if (ns->sysctls == NULL) {
    throw_errno(env, ENOMEM, "malloc", NULL, NULL);
  } else {
    ns->count = length / 2;
    ns->path = get_string(env, args[0]);
  }
  for (uint32_t i = 0; ns->path != NULL && i < 2 * ns->count; i++) {
    napi_get_element(env, args[1], i, &value);
    ns->sysctls[i] = get_string(env, value);
    if (ns->sysctls[i] == NULL) break;
  }
  job->thread = netns_thread;
  return queue_job(env, "createNetworkNamespace", job);
}

/* removePin(path): unmounts everything stacked on the file and removes it; missing is no error. */
static napi_value js_remove_pin(napi_env env, napi_callback_info info) {
  napi_value args[MAX_ARGS];
  if (!get_args(env, info, 1, args)) return NULL;
  char *path = get_string(env, args[0]);
  if (path == NULL) return NULL;
  while (umount2(path, MNT_DETACH | UMOUNT_NOFOLLOW) == 0) continue;
  if (errno != EINVAL && errno != ENOENT) throw_errno(env, errno, "umount2", path, NULL);
  else if (unlink(path) < 0 && errno != ENOENT) throw_errno(env, errno, "unlink", path, NULL);
  free(path);
  return undefined(env);
}

void init_netns(napi_env env, napi_value exports) {
  define(env, exports, "createNetworkNamespace", js_create);
  define(env, exports, "removePin", js_remove_pin);
}
