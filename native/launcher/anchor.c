/* Finds the processes that hold our namespaces. Only processes that we wrote down count (process-record.h): containers share our user
 * namespace, so names, command lines and the lowest pid are theirs to choose. */
#include <dirent.h>
#include <fcntl.h>
#include <linux/nsfs.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "launcher.h"
#include "process-record.h"

#define MAX_NAMED 32

/* True when `fd` is the namespace with this inode; closes it. */
static bool is_namespace(int fd, ino_t inode) {
  struct stat st;
  bool same = fd >= 0 && fstat(fd, &st) == 0 && st.st_ino == inode;
  if (fd >= 0) close(fd);
  return same;
}

/* A user namespace of this user right below ours (a container's own lies deeper), and a mount namespace that belongs to it. */
static bool are_ours(const struct namespaces *found) {
  uid_t owner;
  struct stat here, user;
  return ioctl(found->user, NS_GET_OWNER_UID, &owner) == 0 && owner == host.uid && fstat(found->user, &user) == 0 &&
         stat("/proc/self/ns/user", &here) == 0 && user.st_ino != here.st_ino &&
         is_namespace(ioctl(found->user, NS_GET_PARENT), here.st_ino) && is_namespace(ioctl(found->mnt, NS_GET_USERNS), user.st_ino);
}

/* The namespaces of the process that a record names. They are opened through its folder in /proc, so they cannot be another one's. */
static bool open_recorded(int folder, const char *name, struct namespaces *out) {
  struct tsc_process_record record;
  int process = tsc_record_read(folder, name, &record) ? tsc_record_open(&record) : -1;
  if (process < 0) return false;
  *out = (struct namespaces){openat(process, "ns/user", O_RDONLY | O_CLOEXEC), openat(process, "ns/mnt", O_RDONLY | O_CLOEXEC)};
  close(process);
  if (out->user >= 0 && out->mnt >= 0 && are_ours(out)) return true;
  if (out->user >= 0) close(out->user);
  if (out->mnt >= 0) close(out->mnt);
  return false;
}

bool open_pause(struct namespaces *out) { return open_recorded(host.run_root_fd, "pause.pid", out); }

static DIR *open_containers(void) {
  char path[PATH_MAX];
  if (!store_root(path)) return NULL;
  int root = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
  int folder = root < 0 ? -1 : openat(root, "containers", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  if (root >= 0) close(root);
  DIR *list = folder < 0 ? NULL : fdopendir(folder);
  if (list == NULL && folder >= 0) close(folder);
  return list;
}

bool open_survivor(struct namespaces *out) {
  if (open_recorded(host.run_root_fd, "supervise/.lock", out)) return true;
  /* In the store: an emptied run root must not hide them. */
  DIR *containers = open_containers();
  if (containers == NULL) return false;
  bool found = false;
  for (struct dirent *entry; !found && (entry = readdir(containers)) != NULL;) {
    char name[300];
    if (entry->d_name[0] == '.') continue;
    snprintf(name, sizeof name, "%s/conmon.process", entry->d_name);
    found = open_recorded(dirfd(containers), name, out);
  }
  closedir(containers);
  return found;
}

void refuse_if_containers_live(void) {
  DIR *containers = open_containers();
  if (containers == NULL) return;
  struct tsc_text message = {0}, hint = {0};
  int count = 0;
  for (struct dirent *entry; (entry = readdir(containers)) != NULL;) {
    char name[300];
    struct tsc_process_record record;
    if (entry->d_name[0] == '.') continue;
    snprintf(name, sizeof name, "%s/init.process", entry->d_name);
    int process = tsc_record_read(dirfd(containers), name, &record) ? tsc_record_find(&record) : -1;
    if (process < 0) continue;
    close(process);
    if (++count > MAX_NAMED) continue;
    tsc_text_addf(&message, "%s%.12s (pid %d)", count == 1 ? "containers run in namespaces that no process of ours holds any more: " : ", ",
                  entry->d_name, (int)record.pid);
    tsc_text_addf(&hint, count == 1 ? "end them with `kill -9 %d" : " %d", (int)record.pid);
  }
  closedir(containers);
  if (count == 0) return;
  if (count > MAX_NAMED) tsc_text_addf(&message, " and %d more", count - MAX_NAMED);
  tsc_text_adds(&hint, "`, then run this command again: it cleans up after them");
  die("TSC_NAMESPACE_LOST", message.failed ? "containers run in lost namespaces" : message.data, hint.failed ? NULL : hint.data);
}
