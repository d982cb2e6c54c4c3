/* Finds Node: the package's own, else the first in PATH that is new enough. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "launcher.h"

#define MIN_NODE 24

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
    snprintf(out, PATH_MAX, "%s/%s", host.native_dir, places[i]);
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

int open_node(char path[PATH_MAX]) {
  find_node(path);
  int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
  char head[2] = "";
  if (fd < 0 || pread(fd, head, sizeof head, 0) != (ssize_t)sizeof head) die_errno("TSC_NODE_MISSING", "open", path);
  /* The interpreter of a script (a version manager's shim) opens it once more through this descriptor. */
  if (head[0] == '#' && head[1] == '!') fcntl(fd, F_SETFD, 0);
  return fd;
}
