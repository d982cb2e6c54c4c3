/* Finds or makes the rootless namespaces and enters them. */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "launcher.h"

bool enter(const struct namespaces *found) { return setns(found->user, CLONE_NEWUSER) == 0 && setns(found->mnt, CLONE_NEWNS) == 0; }

static void run_and_wait(pid_t child) {
  int status;
  if (child < 0) die_errno(USERNS, "start", "child process");
  while (waitpid(child, &status, 0) < 0)
    if (errno != EINTR) die_errno(USERNS, "wait for", "child process");
  /* The child has said why. */
  if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) exit(1);
}

/* Under a lock, so that parallel first commands make one set. */
static void open_or_make(struct namespaces *found) {
  if (open_pause(found)) return;
  int lock = openat(host.run_root_fd, "pause.lock", O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (lock < 0) die_errno(RUN_ROOT, "open", "pause.lock");
  while (flock(lock, LOCK_EX) < 0)
    if (errno != EINTR) die_errno(RUN_ROOT, "lock", "pause.lock");
  if (!open_pause(found)) {
    if (unlinkat(host.run_root_fd, "pause.pid", 0) < 0 && errno != ENOENT) die_errno(RUN_ROOT, "remove", "pause.pid");
    bool survived = open_survivor(found);
    if (!survived) refuse_if_containers_live();
    pid_t child = fork();
    if (child == 0) {
      close(lock);
      if (survived) pin_again(found);
      make_namespaces();
    }
    run_and_wait(child);
    if (!survived && !open_pause(found)) die(USERNS, "the namespaces just made are gone", NULL);
  }
  close(lock);
}

void join_rootless(const struct seen_file *same, size_t count) {
  char cwd[PATH_MAX];
  struct namespaces found;
  bool has_cwd = getcwd(cwd, sizeof cwd) != NULL && cwd[0] == '/';
  char pause[PATH_MAX];
  snprintf(pause, sizeof pause, "%s/tsc-pause", host.native_dir);
  host.pause_program = open(pause, O_RDONLY | O_CLOEXEC);
  if (host.pause_program < 0) die_errno("TSC_NOT_BUILT", "open", pause);
  open_or_make(&found);
  if (!enter(&found)) die_errno(USERNS, "join", "the rootless namespaces");
  close(found.user);
  close(found.mnt);
  close(host.pause_program);
  close(host.run_root_fd);
  for (size_t i = 0; i < count; i++) {
    struct stat st;
    char message[PATH_MAX + 64];
    if (stat(same[i].path, &st) == 0 && st.st_dev == same[i].st.st_dev && st.st_ino == same[i].st.st_ino) continue;
    snprintf(message, sizeof message, "%.4000s is another file in the rootless namespaces", same[i].path);
    die(USERNS, message, "something was mounted since they were made: stop all stacks, end tsc-pause, and run this command again");
  }
  bool full = is_full_mapping();
  if (syscall(SYS_setresgid, 0, 0, 0) < 0 || syscall(SYS_setresuid, 0, 0, 0) < 0) die_errno(USERNS, "become", "root in the user namespace");
  if (!has_cwd || chdir(cwd) < 0) {
    if (chdir("/") < 0) die_errno(USERNS, "enter", "/");
    if (has_cwd) warn("the current folder cannot be reached from the rootless namespaces; working in /");
  }
  setenv("TSCOMPOSE_ID_MAPPING", full ? "full" : "single", 1);
}
