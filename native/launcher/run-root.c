/* Where the user's run root and store are. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "launcher.h"

/* A folder of ours that nobody else can write or swap; made when missing. */
static bool private_folder(const char *path, bool strict) {
  struct stat st;
  if (mkdir(path, 0700) < 0 && errno != EEXIST) return false;
  /* lstat: a link planted in /tmp by somebody else must not be followed. */
  if (lstat(path, &st) < 0 || !S_ISDIR(st.st_mode) || st.st_uid != host.uid) {
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

static void choose(void) {
  const char *given = getenv("TSCOMPOSE_RUN_ROOT");
  if (given != NULL && *given != '\0') {
    if (given[0] != '/') die(RUN_ROOT, "TSCOMPOSE_RUN_ROOT must be an absolute path", NULL);
    if ((size_t)snprintf(host.run_root, sizeof host.run_root, "%s", given) >= sizeof host.run_root) die(RUN_ROOT, "TSCOMPOSE_RUN_ROOT is too long", NULL);
    if (tsc_make_parents(host.run_root) < 0 || !private_folder(host.run_root, false)) die_errno(RUN_ROOT, "use run root", host.run_root);
    return;
  }
  const char *xdg = getenv("XDG_RUNTIME_DIR");
  struct stat st;
  if (xdg != NULL && xdg[0] == '/' && stat(xdg, &st) == 0 && S_ISDIR(st.st_mode) && st.st_uid == host.uid &&
      (size_t)snprintf(host.run_root, sizeof host.run_root, "%s/tscompose", xdg) < sizeof host.run_root && private_folder(host.run_root, false))
    return;
  char base[64];
  snprintf(base, sizeof base, "/run/user/%u", host.uid);
  if (lstat(base, &st) == 0 && S_ISDIR(st.st_mode) && st.st_uid == host.uid && (st.st_mode & 0777) == 0700) {
    snprintf(host.run_root, sizeof host.run_root, "%s/tscompose", base);
    if (private_folder(host.run_root, false)) return;
  }
  snprintf(host.run_root, sizeof host.run_root, "/tmp/tscompose-run-%u", host.uid);
  if (!private_folder(host.run_root, true)) {
    char message[PATH_MAX];
    snprintf(message, sizeof message, "cannot use run root %.200s: it is not a folder of yours with mode 0700", host.run_root);
    die(RUN_ROOT, message, "remove it, or set XDG_RUNTIME_DIR or TSCOMPOSE_RUN_ROOT to a folder of your own");
  }
}

void choose_run_root(void) {
  choose();
  host.run_root_fd = open(host.run_root, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  if (host.run_root_fd < 0) die_errno(RUN_ROOT, "open run root", host.run_root);
}

bool store_root(char out[PATH_MAX]) {
  const char *given = getenv("TSCOMPOSE_ROOT"), *data = getenv("XDG_DATA_HOME"), *home = getenv("HOME");
  int n;
  if (given != NULL && *given != '\0') n = snprintf(out, PATH_MAX, "%s", given);
  else if (data != NULL && *data != '\0') n = snprintf(out, PATH_MAX, "%s/tscompose", data);
  else n = snprintf(out, PATH_MAX, "%s/.local/share/tscompose", home == NULL ? "" : home);
  return n > 0 && n < PATH_MAX && out[0] == '/';
}
