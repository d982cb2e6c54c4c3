/*
 * tsc-nsexec: runs a program inside a pinned network namespace and/or a private mount namespace.
 *
 *   tsc-nsexec [--net PATH] [--bind SOURCE TARGET]… [--hide-unified] [--keep-fd N]… [--cwd DIR] -- PROGRAM ARGS…
 *
 * Mounts made here die with the program; everything mounted before is seen as it was at the start (later mounts
 * of others still arrive, ours never leave: slave propagation). Descriptors >= 3 are closed unless kept.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "common.h"

#define MAX_KEEP 64

static _Noreturn void die(const char *what, const char *name) {
  fprintf(stderr, "tsc-nsexec: %s %s: %s\n", what, name, strerror(errno));
  exit(125);
}

static _Noreturn void usage(void) {
  fputs("usage: tsc-nsexec [--net PATH] [--bind SOURCE TARGET]... [--hide-unified] [--keep-fd N]... [--cwd DIR] -- "
        "PROGRAM [ARG]...\n",
        stderr);
  exit(125);
}

/* Hybrid cgroups: crun refuses to start while a cgroup2 tree hangs beside the v1 controllers. A user namespace may not unmount what
 * it inherited (mount_namespaces(7)), but may cover it. */
static void hide_cgroup2(void) {
  static const char *place = "/sys/fs/cgroup/unified";
  struct statfs st;
  if (statfs("/sys/fs/cgroup", &st) < 0 || st.f_type == CGROUP2_SUPER_MAGIC) return;
  if (statfs(place, &st) < 0 || st.f_type != CGROUP2_SUPER_MAGIC) return;
  if (umount2(place, MNT_DETACH | UMOUNT_NOFOLLOW) == 0) return;
  if (mount("tmpfs", place, "tmpfs", MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC, "size=4k,mode=555") < 0) die("cover", place);
}

int main(int argc, char **argv) {
  const char *net = NULL, *cwd = NULL;
  bool hide_unified = false;
  int keep[MAX_KEEP], binds[256];
  size_t keep_count = 0, bind_count = 0;
  int i = 1;
  for (; i < argc && strcmp(argv[i], "--") != 0; i++) {
    int left = argc - i - 1;
    if (strcmp(argv[i], "--net") == 0 && left >= 1) {
      net = argv[++i];
    } else if (strcmp(argv[i], "--cwd") == 0 && left >= 1) {
      cwd = argv[++i];
    } else if (strcmp(argv[i], "--bind") == 0 && left >= 2 && bind_count < 256) {
      binds[bind_count++] = i + 1;
      i += 2;
    } else if (strcmp(argv[i], "--keep-fd") == 0 && left >= 1 && keep_count < MAX_KEEP) {
      char *end;
      long fd = strtol(argv[++i], &end, 10);
      if (*end != '\0' || fd < 0 || fd > 1 << 20) usage();
      keep[keep_count++] = (int)fd;
    } else if (strcmp(argv[i], "--hide-unified") == 0) {
      hide_unified = true;
    } else {
      usage();
    }
  }
  if (i + 1 >= argc) usage();
  tsc_close_from(3, keep, keep_count);

  if (net != NULL) {
    int fd = open(net, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    if (fd < 0) die("open", net);
    if (setns(fd, CLONE_NEWNET) < 0) die("setns", net);
    close(fd);
  }
  if (bind_count > 0 || hide_unified) {
    if (unshare(CLONE_NEWNS) < 0) die("unshare", "mount namespace");
    if (mount(NULL, "/", NULL, MS_REC | MS_SLAVE, NULL) < 0) die("mount", "/");
    for (size_t b = 0; b < bind_count; b++) {
      const char *source = argv[binds[b]], *target = argv[binds[b] + 1];
      if (mount(source, target, NULL, MS_BIND | MS_REC, NULL) < 0) die("mount", target);
    }
    if (hide_unified) hide_cgroup2();
  }
  if (cwd != NULL && chdir(cwd) < 0) die("chdir", cwd);
  execvp(argv[i + 1], argv + i + 1);
  int saved = errno;
  fprintf(stderr, "tsc-nsexec: exec %s: %s\n", argv[i + 1], strerror(saved));
  return saved == ENOENT ? 127 : 126;
}
