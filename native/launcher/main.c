/*
 * tscompose-launcher ENTRY.js ARGS…: becomes Node, inside the right namespaces.
 *
 * uid 0: straight exec. An ordinary user: joins the rootless user and mount namespaces of the run root, or makes
 * them first. Node is multi-threaded before any of our code runs there, so this must happen in a process that has
 * one thread. The namespaces are held by `tsc-pause`, which RUNROOT/pause.pid records. What runs after the join was
 * opened before it.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "launcher.h"

struct host host;

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

static struct seen_file see(const char *path) {
  struct seen_file file = {.path = path};
  if (stat(path, &file.st) < 0) die_errno("TSC_NOT_BUILT", "find", path);
  return file;
}

int main(int argc, char **argv) {
  if (argc < 2) die("TSC_USAGE", "usage: tscompose-launcher ENTRY.js [ARG]...", NULL);
  host.uid = getuid();
  host.gid = getgid();
  if (geteuid() != host.uid || getegid() != host.gid) die("TSC_SETUID", "refusing to run setuid", NULL);
  settle_process_state(argc, argv);
  ssize_t n = readlink("/proc/self/exe", host.native_dir, sizeof host.native_dir - 1);
  if (n <= 0) die("TSC_NO_PROC", "cannot read /proc/self/exe", "/proc is not mounted here, or hides processes: mount -t proc proc /proc");
  host.native_dir[n] = '\0';
  char *slash = strrchr(host.native_dir, '/');
  if (slash != NULL) *slash = '\0';

  char node_path[PATH_MAX], entry[PATH_MAX];
  int node = open_node(node_path);
  /* Resolved now: a relative path must not depend on the namespace change. */
  if (realpath(argv[1], entry) == NULL) die_errno("TSC_NOT_BUILT", "find", argv[1]);
  if (host.uid != 0) {
    /* Node and its helpers open these by path, inside. */
    const struct seen_file same[] = {see(entry), see(host.native_dir)};
    choose_run_root();
    setenv("TSCOMPOSE_RUN_ROOT", host.run_root, 1);
    set_number("TSCOMPOSE_HOST_UID", host.uid);
    set_number("TSCOMPOSE_HOST_GID", host.gid);
    join_rootless(same, sizeof same / sizeof same[0]);
    append_path();
  }
  char **args = calloc((size_t)argc + 4, sizeof *args);
  if (args == NULL) die("TSC_NO_MEMORY", "out of memory", NULL);
  size_t count = 0;
  args[count++] = node_path;
  args[count++] = (char *)(uintptr_t) "--disable-warning=ExperimentalWarning";
  /* A command ends before its garbage is worth collecting: V8 begins with one megabyte and would copy what lives several times. */
  args[count++] = (char *)(uintptr_t) "--min-semi-space-size=16";
  /* Without `--` Node looks for its own --env-file in our words: it would load the file by its own rules, or end at a missing one. */
  args[count++] = (char *)(uintptr_t) "--";
  args[count++] = entry;
  for (int i = 2; i < argc; i++) args[count++] = argv[i];
  fexecve(node, args, environ);
  die_errno("TSC_NODE_MISSING", "run", node_path);
}
