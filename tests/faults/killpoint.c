/*
 * Preloaded into a command: ends it with SIGKILL just before its n-th change to the system. Changes are numbered over all of its processes
 * and threads through a shared counter, so that the launcher and Node count as one. Programs they start are left alone.
 *
 *   KILLPOINT_COUNTER  file of at least 8 bytes, mapped by every process: the number of changes seen so far
 *   KILLPOINT_AT       the change to die before; 0 or unset only counts
 *   KILLPOINT_GROUP    set: the whole process group dies, else only the process
 *   KILLPOINT_STOP     set: it stops there instead, for somebody outside to kill it together with what it has started
 *   KILLPOINT_TRACE    a file: every change is told there
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <signal.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

static _Atomic uint64_t *counter;
static uint64_t at;
static int group, stop, trace_fd = -1;

/* The C library's own function of that name. */
#define REAL(name, type) ((type)dlsym(RTLD_NEXT, name))

__attribute__((constructor)) static void begin(void) {
  char program[4096];
  ssize_t length = readlink("/proc/self/exe", program, sizeof program - 1);
  if (length < 0) return;
  program[length] = '\0';
  const char *name = strrchr(program, '/');
  if (name == NULL || (strcmp(name, "/node") != 0 && strcmp(name, "/tscompose-launcher") != 0)) return;
  const char *path = getenv("KILLPOINT_COUNTER"), *point = getenv("KILLPOINT_AT"), *trace = getenv("KILLPOINT_TRACE");
  if (path == NULL) return;
  int fd = open(path, O_RDWR | O_CLOEXEC);
  if (fd < 0) return;
  void *mapped = mmap(NULL, 8, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  close(fd);
  if (mapped == MAP_FAILED) return;
  if (trace != NULL) trace_fd = open(trace, O_WRONLY | O_APPEND | O_CLOEXEC);
  at = point == NULL ? 0 : strtoull(point, NULL, 10);
  group = getenv("KILLPOINT_GROUP") != NULL;
  stop = getenv("KILLPOINT_STOP") != NULL;
  counter = mapped;
}

static void change(const char *what, const char *on) {
  if (counter == NULL) return;
  uint64_t number = atomic_fetch_add(counter, 1) + 1;
  if (trace_fd >= 0) dprintf(trace_fd, "%llu %s %s\n", (unsigned long long)number, what, on == NULL ? "" : on);
  if (number != at) return;
  REAL("kill", int (*)(pid_t, int))(group ? 0 : getpid(), stop ? SIGSTOP : SIGKILL);
  for (;;) pause();
}

/* A write that changes a file: of SQLite's only the frame that commits (file format 4.1: its header holds the database's size). */
static void written(int fd, const void *data, size_t length) {
  struct stat status;
  struct statfs place;
  if (counter == NULL || fd == trace_fd || fstat(fd, &status) != 0) return;
  if (S_ISFIFO(status.st_mode) && fstatfs(fd, &place) == 0 && place.f_type != PIPEFS_MAGIC) return change("write", "fifo");
  if (!S_ISREG(status.st_mode)) return;
  uint32_t pages = 0;
  if (length == 24) memcpy(&pages, (const char *)data + 4, sizeof pages);
  if (pages != 0) change("commit", NULL);
  else if (length != 24 && length != 32 && length % 4096 != 0) change("write", NULL);
}
ssize_t write(int fd, const void *data, size_t length) {
  written(fd, data, length);
  return REAL("write", ssize_t(*)(int, const void *, size_t))(fd, data, length);
}
ssize_t pwrite64(int fd, const void *data, size_t length, off64_t offset) {
  written(fd, data, length);
  return REAL("pwrite64", ssize_t(*)(int, const void *, size_t, off64_t))(fd, data, length, offset);
}

/* Opening for creation is a change when nothing was there. */
#define OPENING(name, parameters, place, ...)                                                     \
  int name parameters {                                                                           \
    mode_t mode = 0;                                                                              \
    if ((flags & (O_CREAT | __O_TMPFILE)) != 0) {                                                 \
      va_list list;                                                                               \
      va_start(list, flags);                                                                      \
      mode = va_arg(list, mode_t);                                                                \
      va_end(list);                                                                               \
    }                                                                                             \
    if (counter != NULL && (flags & O_CREAT) != 0 && faccessat(place, path, F_OK, 0) != 0) change("create", path); \
    return REAL(#name, int (*) parameters)(__VA_ARGS__, flags, mode);                             \
  }
OPENING(open, (const char *path, int flags, ...), AT_FDCWD, path)
OPENING(open64, (const char *path, int flags, ...), AT_FDCWD, path)
OPENING(openat, (int dir, const char *path, int flags, ...), dir, dir, path)

#define CHANGE(name, on, parameters, ...)                    \
  int name parameters {                                      \
    change(#name, on);                                       \
    return REAL(#name, int (*) parameters)(__VA_ARGS__);     \
  }
CHANGE(rename, to, (const char *from, const char *to), from, to)
CHANGE(renameat, to, (int a, const char *from, int b, const char *to), a, from, b, to)
CHANGE(unlink, path, (const char *path), path)
CHANGE(unlinkat, path, (int dir, const char *path, int flags), dir, path, flags)
CHANGE(rmdir, path, (const char *path), path)
CHANGE(mkdir, path, (const char *path, mode_t mode), path, mode)
CHANGE(mkdirat, path, (int dir, const char *path, mode_t mode), dir, path, mode)
CHANGE(symlink, path, (const char *to, const char *path), to, path)
CHANGE(link, to, (const char *from, const char *to), from, to)
CHANGE(mount, target, (const char *source, const char *target, const char *type, unsigned long flags, const void *data), source, target, type,
       flags, data)
CHANGE(umount2, target, (const char *target, int flags), target, flags)
CHANGE(move_mount, target, (int from, const char *source, int dir, const char *target, unsigned flags), from, source, dir, target, flags)
CHANGE(unshare, NULL, (int flags), flags)
CHANGE(kill, NULL, (pid_t pid, int signal), pid, signal)
CHANGE(pidfd_send_signal, NULL, (int fd, int signal, siginfo_t *info, unsigned flags), fd, signal, info, flags)

int connect(int fd, const struct sockaddr *address, socklen_t length) {
  if (address != NULL && address->sa_family == AF_UNIX) change("connect", NULL);
  return REAL("connect", int (*)(int, const struct sockaddr *, socklen_t))(fd, address, length);
}

/* Starting a program is two points: not yet started, and started but not waited for. */
typedef int spawner(pid_t *, const char *, const posix_spawn_file_actions_t *, const posix_spawnattr_t *, char *const[], char *const[]);
int posix_spawn(pid_t *pid, const char *path, const posix_spawn_file_actions_t *actions, const posix_spawnattr_t *attributes, char *const argv[],
                char *const envp[]) {
  change("spawn", path);
  int result = REAL("posix_spawn", spawner *)(pid, path, actions, attributes, argv, envp);
  change("spawned", path);
  return result;
}
pid_t fork(void) {
  change("fork", NULL);
  pid_t pid = REAL("fork", pid_t(*)(void))();
  if (pid != 0) change("forked", NULL);
  return pid;
}
