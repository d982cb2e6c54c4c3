/* Makes the rootless namespaces and the process that holds them. */
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <unistd.h>

#include "launcher.h"
#include "process-record.h"

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

/* Becomes the pause program; `report` closes on success and gets a line on failure. */
static _Noreturn void become_pause(int report) {
  setsid();
  int null = open("/dev/null", O_RDWR | O_CLOEXEC);
  if (null >= 0)
    for (int fd = 0; fd < 3; fd++) dup2(null, fd);
  if (chdir("/") < 0) _exit(1);
  const int keep[] = {report, host.pause_program};
  tsc_close_from(3, keep, 2);
  char *const argv[] = {(char *)(uintptr_t) "tsc-pause", NULL}, *const env[] = {NULL};
  /* By descriptor: nothing is looked up in the namespaces. */
  fexecve(host.pause_program, argv, env);
  dprintf(report, "Ecannot run tsc-pause: %s", strerror(errno));
  _exit(1);
}

/* Writes RUNROOT/pause.pid for the pause process; false when another one is there already. */
static bool publish_pause(pid_t pid) {
  char temporary[48];
  struct tsc_process_record record;
  if (!tsc_record_of(pid, &record)) die(USERNS, "the namespace holder ended at once", NULL);
  snprintf(temporary, sizeof temporary, "pause.pid.%d", (int)getpid());
  int fd = openat(host.run_root_fd, temporary, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
  if (fd < 0 || tsc_record_write(fd, &record) < 0) die_errno(RUN_ROOT, "write", temporary);
  close(fd);
  if (renameat2(host.run_root_fd, temporary, host.run_root_fd, "pause.pid", RENAME_NOREPLACE) == 0) return true;
  int saved = errno;
  unlinkat(host.run_root_fd, temporary, 0);
  errno = saved;
  if (saved != EEXIST) die_errno(RUN_ROOT, "write", "pause.pid");
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
    mapped = run_idmap("newuidmap", child, host.uid, uids, message, size) &&
             run_idmap("newgidmap", child, host.gid, gids, message, size);
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

_Noreturn void make_namespaces(void) {
  struct ranges uids, gids;
  char name[256], message[256] = "";
  user_name(name, sizeof name);
  sub_ranges("/etc/subuid", name, host.uid, &uids);
  sub_ranges("/etc/subgid", name, host.uid, &gids);
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

_Noreturn void pin_again(const struct namespaces *found) {
  int channel[2];
  if (!enter(found) || pipe2(channel, O_CLOEXEC) < 0) die_errno(USERNS, "join", "the rootless namespaces");
  pid_t pause = fork();
  if (pause == 0) {
    if (syscall(SYS_setresgid, 0, 0, 0) < 0 || syscall(SYS_setresuid, 0, 0, 0) < 0) _exit(1);
    become_pause(channel[1]);
  }
  close(channel[1]);
  char byte;
  if (pause < 0 || read(channel[0], &byte, 1) != 0) die(USERNS, "the namespace holder cannot be started", NULL);
  exit(publish_pause(pause) ? 0 : 1);
}
