/*
 * tscompose-launcher ENTRY.js ARGS…: becomes Node, inside the right namespaces.
 *
 * uid 0: straight exec. An ordinary user: joins the rootless user and mount namespaces of the run root, or makes
 * them first. Node is multi-threaded before any of our code runs there, so this must happen in a process that has
 * one thread. The namespaces are held by `tsc-pause`, whose identity stands in RUNROOT/pause.pid.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/magic.h>
#include <linux/nsfs.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common.h"

#define MAX_RANGES 32
#define MIN_NODE 24
#define RUN_ROOT "TSC_RUN_ROOT"
#define USERNS "TSC_USER_NAMESPACE"
#define NOT_INSTALLED "is not installed"

struct range {
  unsigned long long start, length;
};
struct ranges {
  struct range list[MAX_RANGES];
  size_t count;
};

static char run_root[PATH_MAX - 64];
static char native_dir[PATH_MAX - 64];
static uid_t host_uid;
static gid_t host_gid;

/* The form of src/cli/render/error.ts: one error, whoever found it. */
static _Noreturn void die(const char *code, const char *message, const char *hint) {
  fprintf(stderr, "error[%s]: %s\n", code, message);
  if (hint != NULL) fprintf(stderr, "  hint: %s\n", hint);
  exit(1);
}

static _Noreturn void die_errno(const char *code, const char *what, const char *name) {
  fprintf(stderr, "error[%s]: cannot %s %s: %s\n", code, what, name, strerror(errno));
  exit(1);
}

static void warn(const char *message) { fprintf(stderr, "tscompose: warning: %s\n", message); }

/* ---- run root ------------------------------------------------------------------------------------------- */

/* A folder of ours that nobody else can write or swap; made when missing. */
static bool private_folder(const char *path, bool strict) {
  struct stat st;
  if (mkdir(path, 0700) < 0 && errno != EEXIST) return false;
  /* lstat: a link planted in /tmp by somebody else must not be followed. */
  if (lstat(path, &st) < 0 || !S_ISDIR(st.st_mode) || st.st_uid != host_uid) {
    errno = EPERM;
    return false;
  }
  if ((st.st_mode & 077) != 0) {
    if (strict) {
      errno = EPERM;
      return false;
    }
    if (chmod(path, 0700) < 0) return false;
  }
  return true;
}

static void choose_run_root(void) {
  const char *given = getenv("TSCOMPOSE_RUN_ROOT");
  if (given != NULL && *given != '\0') {
    if (given[0] != '/') die(RUN_ROOT, "TSCOMPOSE_RUN_ROOT must be an absolute path", NULL);
    if ((size_t)snprintf(run_root, sizeof run_root, "%s", given) >= sizeof run_root) die(RUN_ROOT, "TSCOMPOSE_RUN_ROOT is too long", NULL);
    if (tsc_make_parents(run_root) < 0 || !private_folder(run_root, false)) die_errno(RUN_ROOT, "use run root", run_root);
    return;
  }
  const char *xdg = getenv("XDG_RUNTIME_DIR");
  struct stat st;
  if (xdg != NULL && xdg[0] == '/' && stat(xdg, &st) == 0 && S_ISDIR(st.st_mode) && st.st_uid == host_uid &&
      (size_t)snprintf(run_root, sizeof run_root, "%s/tscompose", xdg) < sizeof run_root && private_folder(run_root, false))
    return;
  char base[64];
  snprintf(base, sizeof base, "/run/user/%u", host_uid);
  if (lstat(base, &st) == 0 && S_ISDIR(st.st_mode) && st.st_uid == host_uid && (st.st_mode & 0777) == 0700) {
    snprintf(run_root, sizeof run_root, "%s/tscompose", base);
    if (private_folder(run_root, false)) return;
  }
  snprintf(run_root, sizeof run_root, "/tmp/tscompose-run-%u", host_uid);
  if (!private_folder(run_root, true)) {
    char message[PATH_MAX];
    snprintf(message, sizeof message, "cannot use run root %.200s: it is not a folder of yours with mode 0700", run_root);
    die(RUN_ROOT, message, "remove it, or set XDG_RUNTIME_DIR or TSCOMPOSE_RUN_ROOT to a folder of your own");
  }
}

/* ---- Node ----------------------------------------------------------------------------------------------- */

/* Major version of a Node binary, 0 when it cannot be run. */
static int node_major(const char *path) {
  int out[2];
  if (pipe2(out, O_CLOEXEC) < 0) return 0;
  pid_t pid = fork();
  if (pid == 0) {
    dup2(out[1], 1);
    execl(path, path, "--version", (char *)NULL);
    _exit(127);
  }
  close(out[1]);
  char text[32] = {0};
  ssize_t n = pid < 0 ? -1 : read(out[0], text, sizeof text - 1);
  close(out[0]);
  if (pid > 0) waitpid(pid, NULL, 0);
  return n > 1 && text[0] == 'v' ? atoi(text + 1) : 0;
}

static void find_node(char out[PATH_MAX]) {
  /* The pinned one of a checkout; beside us when installed as a dependency. */
  static const char *const places[] = {"../../node_modules/node/bin/node", "../../../node/bin/node"};
  for (unsigned i = 0; i < 2; i++) {
    snprintf(out, PATH_MAX, "%s/%s", native_dir, places[i]);
    if (access(out, X_OK) == 0) return;
  }
  const char *path = getenv("PATH");
  int found = 0;
  for (const char *at = path == NULL ? "/usr/local/bin:/usr/bin:/bin" : path; *at != '\0';) {
    size_t length = strcspn(at, ":");
    if (length > 0 && length < PATH_MAX - 8) {
      snprintf(out, PATH_MAX, "%.*s/node", (int)length, at);
      if (access(out, X_OK) == 0) {
        int major = node_major(out);
        if (major >= MIN_NODE) return;
        if (found == 0) found = major;
      }
    }
    at += length;
    if (*at == ':') at++;
  }
  char message[128];
  if (found > 0) snprintf(message, sizeof message, "node %d is too old: tscompose needs node %d or newer", found, MIN_NODE);
  else snprintf(message, sizeof message, "node was not found: tscompose needs node %d or newer", MIN_NODE);
  die("TSC_NODE_MISSING", message, "run `npm install` in the tscompose folder (it brings its own node), or put a newer node in PATH");
}

/* ---- identity mapping ----------------------------------------------------------------------------------- */

/* The user's name from /etc/passwd, else $USER: newuidmap checks for itself, a wrong name only finds nothing. */
static void user_name(char *out, size_t size) {
  out[0] = '\0';
  char *text = tsc_read_file("/etc/passwd", 16 << 20, NULL);
  char *save = NULL;
  for (char *line = text == NULL ? NULL : strtok_r(text, "\n", &save); line != NULL; line = strtok_r(NULL, "\n", &save)) {
    char *name_end = strchr(line, ':');
    char *uid = name_end == NULL ? NULL : strchr(name_end + 1, ':');
    if (uid == NULL) continue;
    char *end;
    unsigned long value = strtoul(uid + 1, &end, 10);
    if (end == uid + 1 || *end != ':' || value != host_uid) continue;
    *name_end = '\0';
    snprintf(out, size, "%s", line);
    break;
  }
  free(text);
  if (out[0] == '\0' && getenv("USER") != NULL) snprintf(out, size, "%s", getenv("USER"));
}

/* Ranges given to the user in /etc/subuid or /etc/subgid, by name or number, in file order. */
static void sub_ranges(const char *file, const char *name, uid_t id, struct ranges *out) {
  out->count = 0;
  char *text = tsc_read_file(file, 16 << 20, NULL), *save = NULL;
  for (char *line = text == NULL ? NULL : strtok_r(text, "\n", &save); line != NULL; line = strtok_r(NULL, "\n", &save)) {
    char *first = strchr(line, ':');
    char *second = first == NULL ? NULL : strchr(first + 1, ':');
    if (second == NULL) continue;
    *first = *second = '\0';
    char *end;
    unsigned long number = strtoul(line, &end, 10);
    bool is_ours = (name[0] != '\0' && strcmp(line, name) == 0) || (*line != '\0' && *end == '\0' && number == id);
    if (!is_ours || out->count == MAX_RANGES) continue;
    struct range range = {strtoull(first + 1, NULL, 10), strtoull(second + 1, NULL, 10)};
    /* A range that holds the user's own id would map it twice. */
    if (range.length == 0 || (range.start <= id && id < range.start + range.length)) continue;
    out->list[out->count++] = range;
  }
  free(text);
}

/* A program in PATH or the system's folders. execvp would call a missing one forbidden when a folder of PATH is. */
static bool find_program(const char *name, char out[PATH_MAX]) {
  const char *const paths[] = {getenv("PATH"), "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin"};
  for (int i = 0; i < 2; i++) {
    for (const char *at = paths[i] == NULL ? "" : paths[i]; *at != '\0';) {
      size_t length = strcspn(at, ":");
      int n = snprintf(out, PATH_MAX, "%.*s/%s", (int)length, at, name);
      if (*at == '/' && n > 0 && n < PATH_MAX && access(out, X_OK) == 0) return true;
      at += length;
      if (*at == ':') at++;
    }
  }
  return false;
}

/* Runs newuidmap or newgidmap; false with its words in `message`. */
static bool run_idmap(const char *program, pid_t pid, uid_t own, const struct ranges *ranges, char *message, size_t size) {
  char text[3 * MAX_RANGES + 5][24];
  char *argv[3 * MAX_RANGES + 6];
  int count = 0;
  argv[count++] = (char *)(uintptr_t)program;
  snprintf(text[count], 24, "%d", (int)pid);
  argv[count] = text[count];
  count++;
  unsigned long long numbers[3] = {0, own, 1}, inside = 1;
  for (size_t r = 0;; r++) {
    for (int i = 0; i < 3; i++, count++) {
      snprintf(text[count], 24, "%llu", numbers[i]);
      argv[count] = text[count];
    }
    if (r == ranges->count) break;
    numbers[0] = inside;
    numbers[1] = ranges->list[r].start;
    numbers[2] = ranges->list[r].length;
    inside += ranges->list[r].length;
  }
  argv[count] = NULL;
  char file[PATH_MAX];
  if (!find_program(program, file)) {
    snprintf(message, size, "%s %s", program, NOT_INSTALLED);
    return false;
  }
  int out[2];
  if (pipe2(out, O_CLOEXEC) < 0) return false;
  pid_t child = fork();
  if (child == 0) {
    dup2(out[1], 1);
    dup2(out[1], 2);
    execv(file, argv);
    dprintf(2, "%s", strerror(errno));
    _exit(127);
  }
  close(out[1]);
  char words[200] = {0};
  size_t used = 0;
  ssize_t n;
  while (child > 0 && (n = read(out[0], words + used, sizeof words - 1 - used)) > 0) used += (size_t)n;
  close(out[0]);
  int status = 1;
  if (child > 0) waitpid(child, &status, 0);
  if (child > 0 && WIFEXITED(status) && WEXITSTATUS(status) == 0) return true;
  words[strcspn(words, "\n")] = '\0';
  snprintf(message, size, "%s: %s", program, used == 0 ? "failed" : words);
  return false;
}

static bool write_proc(pid_t pid, const char *file, const char *text) {
  char path[64];
  snprintf(path, sizeof path, "/proc/%d/%s", (int)pid, file);
  int fd = open(path, O_WRONLY | O_CLOEXEC);
  if (fd < 0) return false;
  bool ok = tsc_write_all(fd, text, strlen(text)) == 0;
  int saved = errno;
  close(fd);
  errno = saved;
  return ok;
}

static bool map_single(pid_t pid) {
  char uid[48], gid[48];
  snprintf(uid, sizeof uid, "0 %u 1\n", host_uid);
  snprintf(gid, sizeof gid, "0 %u 1\n", host_gid);
  return write_proc(pid, "setgroups", "deny") && write_proc(pid, "uid_map", uid) && write_proc(pid, "gid_map", gid);
}

/* ---- pause process -------------------------------------------------------------------------------------- */

static bool sysctl_is(const char *path, char value) {
  char *text = tsc_read_file(path, 64, NULL);
  bool is = text != NULL && text[0] == value && (text[1] == '\n' || text[1] == '\0');
  free(text);
  return is;
}

static _Noreturn void die_no_userns(int error) {
  errno = error;
  char message[160];
  snprintf(message, sizeof message, "cannot create a user namespace: %s", strerror(error));
  if (sysctl_is("/proc/sys/kernel/unprivileged_userns_clone", '0'))
    die(USERNS, message, "as root: sysctl -w kernel.unprivileged_userns_clone=1");
  if (sysctl_is("/proc/sys/user/max_user_namespaces", '0')) die(USERNS, message, "as root: sysctl -w user.max_user_namespaces=15000");
  if (sysctl_is("/proc/sys/kernel/apparmor_restrict_unprivileged_userns", '1'))
    die(USERNS, message, "as root: sysctl -w kernel.apparmor_restrict_unprivileged_userns=0, or add an AppArmor profile with `userns,` for tscompose-launcher");
  if (error == ENOSPC) die(USERNS, message, "the limit of nested or counted user namespaces is reached (user.max_user_namespaces)");
  die(USERNS, message, "a container or seccomp policy around this shell forbids it; run on the host or allow unshare(2)");
}

static void pause_path(char *out, size_t size, const char *suffix) { snprintf(out, size, "%s/pause.pid%s", run_root, suffix); }

/* Becomes the pause program; `report` closes on success and gets a line on failure. */
static _Noreturn void become_pause(int report) {
  char program[PATH_MAX];
  setsid();
  umask(022);
  int null = open("/dev/null", O_RDWR | O_CLOEXEC);
  if (null >= 0)
    for (int fd = 0; fd < 3; fd++) dup2(null, fd);
  if (chdir("/") < 0) _exit(1);
  fcntl(report, F_SETFD, FD_CLOEXEC);
  tsc_close_from(3, &report, 1);
  char *const env[] = {NULL};
  /* Blocked signals would be inherited for ever. */
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, NULL);
  snprintf(program, sizeof program, "%s/tsc-pause", native_dir);
  char *const own[] = {(char *)(uintptr_t) "tsc-pause", NULL};
  execve(program, own, env);
  static const char *const catatonit[] = {"/usr/bin/catatonit", "/usr/libexec/podman/catatonit"};
  char *const other[] = {(char *)(uintptr_t) "catatonit", (char *)(uintptr_t) "-P", NULL};
  for (int i = 0; i < 2; i++) execve(catatonit[i], other, env);
  dprintf(report, "Ecannot run %s: %s", program, strerror(errno));
  _exit(1);
}

/* Writes RUNROOT/pause.pid for the pause process; false when another one is there already. */
static bool publish_pause(pid_t pid) {
  char final[PATH_MAX], temporary[PATH_MAX], suffix[32], text[64];
  unsigned long long start;
  if (!tsc_start_time(pid, &start)) die(USERNS, "the namespace holder ended at once", NULL);
  snprintf(suffix, sizeof suffix, ".%d", (int)getpid());
  pause_path(final, sizeof final, "");
  pause_path(temporary, sizeof temporary, suffix);
  int fd = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
  int length = snprintf(text, sizeof text, "%d %llu\n", (int)pid, start);
  if (fd < 0 || tsc_write_all(fd, text, (size_t)length) < 0) die_errno(RUN_ROOT, "write", temporary);
  close(fd);
  if (renameat2(AT_FDCWD, temporary, AT_FDCWD, final, RENAME_NOREPLACE) == 0) return true;
  int saved = errno;
  unlink(temporary);
  errno = saved;
  if (saved != EEXIST) die_errno(RUN_ROOT, "write", final);
  return false;
}

/* Hybrid cgroups: crun refuses to work beside a cgroup2 tree without controllers of its own; cover it once here. */
static void hide_unified(void) {
  struct statfs st;
  if (statfs("/sys/fs/cgroup", &st) < 0 || st.f_type == CGROUP2_SUPER_MAGIC) return;
  if (statfs("/sys/fs/cgroup/unified", &st) < 0 || st.f_type != CGROUP2_SUPER_MAGIC) return;
  if (umount2("/sys/fs/cgroup/unified", MNT_DETACH) == 0) return;
  /* Mounts of the parent namespace are locked: an empty folder over it does as well. */
  if (mount("none", "/sys/fs/cgroup/unified", "tmpfs", MS_NOSUID | MS_NODEV | MS_NOEXEC, "size=4k,mode=0555") < 0)
    warn("cannot hide /sys/fs/cgroup/unified; crun may refuse to start containers");
}

/* The first process of the new namespaces. */
static _Noreturn void namespace_child(int channel) {
  char go;
  if (read(channel, &go, 1) != 1) _exit(1);
  if (syscall(SYS_setresgid, 0, 0, 0) < 0 || syscall(SYS_setresuid, 0, 0, 0) < 0) {
    dprintf(channel, "Ecannot become root in the user namespace: %s", strerror(errno));
    _exit(1);
  }
  if (mount(NULL, "/", NULL, MS_REC | MS_SLAVE, NULL) < 0) {
    dprintf(channel, "Ecannot set mount propagation: %s", strerror(errno));
    _exit(1);
  }
  hide_unified();
  become_pause(channel);
}

/* Makes namespaces with one kind of mapping. Returns the pause pid, or -1 with `message`. */
static pid_t try_namespace(bool full, const struct ranges *uids, const struct ranges *gids, char *message, size_t size) {
  int channel[2];
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, channel) < 0) die_errno(USERNS, "create", "socket pair");
  pid_t child = (pid_t)syscall(SYS_clone, CLONE_NEWUSER | CLONE_NEWNS | SIGCHLD, NULL, NULL, NULL, NULL);
  if (child < 0) die_no_userns(errno);
  if (child == 0) {
    close(channel[0]);
    namespace_child(channel[1]);
  }
  close(channel[1]);
  bool mapped;
  if (full) {
    mapped = run_idmap("newuidmap", child, host_uid, uids, message, size) &&
             run_idmap("newgidmap", child, host_gid, gids, message, size);
  } else {
    mapped = map_single(child);
    if (!mapped) snprintf(message, size, "cannot write the id mapping: %s", strerror(errno));
  }
  char answer[200] = {0};
  size_t used = 0;
  ssize_t n;
  if (mapped && write(channel[0], "g", 1) == 1)
    while ((n = read(channel[0], answer + used, sizeof answer - 1 - used)) > 0) used += (size_t)n;
  close(channel[0]);
  if (mapped && used == 0) {
    unsigned long long start;
    if (tsc_start_time(child, &start)) return child;
    snprintf(message, size, "the namespace holder ended at once");
  } else if (mapped) {
    snprintf(message, size, "%s", answer + 1);
  }
  kill(child, SIGKILL);
  waitpid(child, NULL, 0);
  return -1;
}

/* Runs in a child that exits afterwards, so that the pause process belongs to nobody. */
static _Noreturn void make_namespaces(void) {
  struct ranges uids, gids;
  char name[256], message[256] = "";
  user_name(name, sizeof name);
  sub_ranges("/etc/subuid", name, host_uid, &uids);
  sub_ranges("/etc/subgid", name, host_uid, &gids);
  pid_t pause = -1;
  if (uids.count > 0 && gids.count > 0) {
    pause = try_namespace(true, &uids, &gids, message, sizeof message);
  } else {
    snprintf(message, sizeof message, "%.100s has no range in %s", name[0] == '\0' ? "this user" : name,
             uids.count == 0 ? "/etc/subuid" : "/etc/subgid");
  }
  if (pause < 0) {
    char reason[768], give[256];
    /* The user was given ids: a store with the owners of all files lost would be a bad surprise later. */
    if (strstr(message, NOT_INSTALLED) != NULL) die("TSC_MISSING_PROGRAM", message, "as root: apt-get install uidmap");
    snprintf(give, sizeof give, "as root: usermod --add-subuids 100000-165535 --add-subgids 100000-165535 %.100s",
             name[0] == '\0' ? "USER" : name);
    const char *fix = uids.count == 0 || gids.count == 0
                          ? give
                          : "check that newuidmap and newgidmap are setuid root or have file capabilities";
    snprintf(reason, sizeof reason, "only your own user id can be used in containers (%s); %s", message, fix);
    pause = try_namespace(false, &uids, &gids, message, sizeof message);
    if (pause < 0) {
      const char *hint = NULL;
      if (sysctl_is("/proc/sys/kernel/apparmor_restrict_unprivileged_userns", '1'))
        hint = "AppArmor restricts user namespaces; as root: sysctl -w kernel.apparmor_restrict_unprivileged_userns=0";
      die(USERNS, message, hint);
    }
    warn(reason);
  }
  if (!publish_pause(pause)) kill(pause, SIGKILL);
  exit(0);
}

/* ---- joining -------------------------------------------------------------------------------------------- */

/* Opens the namespaces of a process after checking that it is that process and that the user owns them. */
static bool open_namespaces(pid_t pid, const unsigned long long *start, int *user, int *mnt) {
  char path[64];
  unsigned long long now;
  uid_t owner;
  struct stat theirs, ours;
  snprintf(path, sizeof path, "/proc/%d/ns/user", (int)pid);
  *user = open(path, O_RDONLY | O_CLOEXEC);
  snprintf(path, sizeof path, "/proc/%d/ns/mnt", (int)pid);
  *mnt = open(path, O_RDONLY | O_CLOEXEC);
  /* Start time read after opening: a pid reused in between cannot pass. */
  if (*user >= 0 && *mnt >= 0 && tsc_start_time(pid, &now) && (start == NULL || now == *start) &&
      ioctl(*user, NS_GET_OWNER_UID, &owner) == 0 && owner == host_uid && fstat(*user, &theirs) == 0 &&
      stat("/proc/self/ns/user", &ours) == 0 && theirs.st_ino != ours.st_ino)
    return true;
  if (*user >= 0) close(*user);
  if (*mnt >= 0) close(*mnt);
  return false;
}

/* A "PID START" file. */
static bool open_pid_file(const char *name, int *user, int *mnt) {
  char path[PATH_MAX];
  snprintf(path, sizeof path, "%s/%s", run_root, name);
  int fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
  if (fd < 0) return false;
  char *text = tsc_read_fd(fd, 128, NULL);
  close(fd);
  if (text == NULL) return false;
  int pid = 0;
  unsigned long long start = 0;
  bool ok = sscanf(text, "%d %llu", &pid, &start) == 2 && pid > 1 && open_namespaces(pid, &start, user, mnt);
  free(text);
  return ok;
}

/* A file with a pid of ours; without a start time the program's name guards against a reused pid. */
static bool open_named_pid(const char *file, const char *program, int *user, int *mnt) {
  char comm[64], wanted[64];
  char *text = tsc_read_file(file, 64, NULL);
  if (text == NULL) return false;
  int pid = atoi(text);
  free(text);
  snprintf(comm, sizeof comm, "/proc/%d/comm", pid);
  snprintf(wanted, sizeof wanted, "%s\n", program);
  text = pid > 1 ? tsc_read_file(comm, 64, NULL) : NULL;
  bool ok = text != NULL && strcmp(text, wanted) == 0 && open_namespaces(pid, NULL, user, mnt);
  free(text);
  return ok;
}

/* The supervisor lives in the same namespaces. */
static bool open_supervisor(int *user, int *mnt) {
  char path[PATH_MAX];
  snprintf(path, sizeof path, "%s/supervise/.lock", run_root);
  return open_named_pid(path, "tsc-supd", user, mnt);
}

/* Any conmon that was started with a folder of this run root on its command line. */
static bool open_conmon(int *user, int *mnt) {
  char file[300], wanted[PATH_MAX];
  DIR *folder = opendir("/proc");
  if (folder == NULL) return false;
  int wanted_length = snprintf(wanted, sizeof wanted, "%s/", run_root);
  bool found = false;
  struct dirent *entry;
  while (!found && (entry = readdir(folder)) != NULL) {
    if (entry->d_name[0] < '1' || entry->d_name[0] > '9') continue;
    int pid = atoi(entry->d_name);
    size_t length = 0;
    snprintf(file, sizeof file, "/proc/%d/comm", pid);
    char *text = tsc_read_file(file, 64, NULL);
    bool is_conmon = text != NULL && strcmp(text, "conmon\n") == 0;
    free(text);
    if (!is_conmon) continue;
    snprintf(file, sizeof file, "/proc/%d/cmdline", pid);
    text = tsc_read_file(file, 1 << 20, &length);
    found = text != NULL && memmem(text, length, wanted, (size_t)wanted_length) != NULL && open_namespaces(pid, NULL, user, mnt);
    free(text);
  }
  closedir(folder);
  return found;
}

static bool enter(int user, int mnt) { return setns(user, CLONE_NEWUSER) == 0 && setns(mnt, CLONE_NEWNS) == 0; }

/* A new pause process in namespaces that lost theirs. */
static _Noreturn void pin_again(int user, int mnt) {
  int channel[2];
  if (!enter(user, mnt) || pipe2(channel, O_CLOEXEC) < 0) exit(1);
  pid_t pause = fork();
  if (pause == 0) {
    if (syscall(SYS_setresgid, 0, 0, 0) < 0 || syscall(SYS_setresuid, 0, 0, 0) < 0) _exit(1);
    become_pause(channel[1]);
  }
  close(channel[1]);
  char byte;
  if (pause < 0 || read(channel[0], &byte, 1) != 0) exit(1);
  exit(publish_pause(pause) ? 0 : 1);
}

static void run_and_wait(pid_t child) {
  int status;
  if (child < 0) die_errno(USERNS, "start", "child process");
  while (waitpid(child, &status, 0) < 0)
    if (errno != EINTR) die_errno(USERNS, "wait for", "child process");
  /* The child has said why. */
  if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) exit(1);
}

/* Finds or makes the namespaces, under a lock so that parallel first commands make one set. */
static void open_or_make(int *user, int *mnt) {
  if (open_pid_file("pause.pid", user, mnt)) return;
  char path[PATH_MAX];
  snprintf(path, sizeof path, "%s/pause.lock", run_root);
  int lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (lock < 0) die_errno(RUN_ROOT, "open", path);
  while (flock(lock, LOCK_EX) < 0)
    if (errno != EINTR) die_errno(RUN_ROOT, "lock", path);
  if (!open_pid_file("pause.pid", user, mnt)) {
    pause_path(path, sizeof path, "");
    if (unlink(path) < 0 && errno != ENOENT) die_errno(RUN_ROOT, "remove", path);
    if (open_supervisor(user, mnt) || open_conmon(user, mnt)) {
      pid_t child = fork();
      if (child == 0) pin_again(*user, *mnt);
      run_and_wait(child);
    } else {
      pid_t child = fork();
      if (child == 0) {
        close(lock);
        make_namespaces();
      }
      run_and_wait(child);
      if (!open_pid_file("pause.pid", user, mnt)) die(USERNS, "the namespaces just made are gone", NULL);
    }
  }
  close(lock);
}

/* Number of ids in /proc/self/uid_map; also compares it with /etc/subuid. */
static bool is_full_mapping(void) {
  char *text = tsc_read_file("/proc/self/uid_map", 65536, NULL), *save = NULL;
  unsigned long long total = 0, mapped = 0;
  for (char *line = text == NULL ? NULL : strtok_r(text, "\n", &save); line != NULL; line = strtok_r(NULL, "\n", &save)) {
    unsigned long long inside, outside, length;
    if (sscanf(line, "%llu %llu %llu", &inside, &outside, &length) == 3) total += length;
  }
  free(text);
  char name[256];
  struct ranges uids;
  user_name(name, sizeof name);
  sub_ranges("/etc/subuid", name, host_uid, &uids);
  for (size_t i = 0; i < uids.count; i++) mapped += uids.list[i].length;
  if (total > 1 && mapped + 1 != total)
    warn("/etc/subuid changed since the user namespace was made; it takes effect after all stacks are down and tsc-pause is ended");
  return total > 1;
}

static void join_rootless(void) {
  char cwd[PATH_MAX];
  int user = -1, mnt = -1;
  bool has_cwd = getcwd(cwd, sizeof cwd) != NULL && cwd[0] == '/';
  open_or_make(&user, &mnt);
  if (!enter(user, mnt)) die_errno(USERNS, "join", "the rootless namespaces");
  close(user);
  close(mnt);
  bool full = is_full_mapping();
  if (syscall(SYS_setresgid, 0, 0, 0) < 0 || syscall(SYS_setresuid, 0, 0, 0) < 0) die_errno(USERNS, "become", "root in the user namespace");
  if (!has_cwd || chdir(cwd) < 0) {
    if (chdir("/") < 0) die_errno(USERNS, "enter", "/");
    if (has_cwd) warn("the current folder cannot be reached from the rootless namespaces; working in /");
  }
  setenv("TSCOMPOSE_ID_MAPPING", full ? "full" : "single", 1);
}

/* ---- start ---------------------------------------------------------------------------------------------- */

static void append_path(void) {
  const char *path = getenv("PATH");
  struct tsc_text text = {0};
  tsc_text_adds(&text, path == NULL || *path == '\0' ? "/usr/local/bin:/usr/bin:/bin" : path);
  static const char *const wanted[] = {"/usr/sbin", "/sbin"};
  for (int i = 0; i < 2; i++) {
    size_t length = strlen(wanted[i]);
    bool has = false;
    for (const char *at = text.data; at != NULL && !has; at = strchr(at, ':')) {
      if (*at == ':') at++;
      has = strncmp(at, wanted[i], length) == 0 && (at[length] == ':' || at[length] == '\0');
    }
    if (!has) tsc_text_addf(&text, ":%s", wanted[i]);
  }
  if (!text.failed) setenv("PATH", text.data, 1);
  tsc_text_free(&text);
}

static void set_number(const char *name, unsigned long value) {
  char text[24];
  snprintf(text, sizeof text, "%lu", value);
  setenv(name, text, 1);
}

int main(int argc, char **argv) {
  if (argc < 2) die("TSC_USAGE", "usage: tscompose-launcher ENTRY.js [ARG]...", NULL);
  host_uid = getuid();
  host_gid = getgid();
  if (geteuid() != host_uid || getegid() != host_gid) die("TSC_SETUID", "refusing to run setuid", NULL);
  ssize_t n = readlink("/proc/self/exe", native_dir, sizeof native_dir - 1);
  if (n <= 0) die_errno("TSC_INTERNAL", "read", "/proc/self/exe");
  native_dir[n] = '\0';
  char *slash = strrchr(native_dir, '/');
  if (slash != NULL) *slash = '\0';

  char node[PATH_MAX], entry[PATH_MAX];
  find_node(node);
  /* Resolved now: a relative path must not depend on the namespace change. */
  if (realpath(argv[1], entry) == NULL) die_errno("TSC_NOT_BUILT", "find", argv[1]);
  if (host_uid != 0) {
    choose_run_root();
    setenv("TSCOMPOSE_RUN_ROOT", run_root, 1);
    set_number("TSCOMPOSE_HOST_UID", host_uid);
    set_number("TSCOMPOSE_HOST_GID", host_gid);
    join_rootless();
    append_path();
  }
  char **args = calloc((size_t)argc + 4, sizeof *args);
  if (args == NULL) die("TSC_INTERNAL", "out of memory", NULL);
  size_t count = 0;
  args[count++] = node;
  args[count++] = (char *)(uintptr_t) "--disable-warning=ExperimentalWarning";
  /* A command ends before its garbage is worth collecting: V8 begins with one megabyte and would copy what lives several times. */
  args[count++] = (char *)(uintptr_t) "--min-semi-space-size=16";
  /* Without `--` Node looks for its own --env-file in our words: it would load the file by its own rules, or end at a missing one. */
  args[count++] = (char *)(uintptr_t) "--";
  args[count++] = entry;
  for (int i = 2; i < argc; i++) args[count++] = argv[i];
  execv(node, args);
  die_errno("TSC_NODE_MISSING", "run", node);
}
