/* The rotated files of a log, in their folder. Who may read them and how: ../supervisor.md. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "old-files.h"

#define NUMBER_DIGITS 15

void old_file_name(const struct watch *watch, const struct old_file *old, char *name, size_t size) {
  snprintf(name, size, "%s.%llu%s", watch->log_name, old->number, old->packed ? ".gz" : "");
}

static bool old_file_of(const struct watch *watch, const char *name, struct old_file *old) {
  size_t length = strlen(watch->log_name);
  if (strncmp(name, watch->log_name, length) != 0 || name[length] != '.') return false;
  const char *digits = name + length + 1;
  size_t count = strspn(digits, "0123456789");
  if (count == 0 || count > NUMBER_DIGITS) return false;
  old->packed = strcmp(digits + count, ".gz") == 0;
  old->number = strtoull(digits, NULL, 10);
  return old->packed || digits[count] == '\0';
}

static int by_number(const void *a, const void *b) {
  const struct old_file *one = a, *other = b;
  if (one->number != other->number) return one->number < other->number ? -1 : 1;
  return one->packed - other->packed;
}

static DIR *open_folder(const struct watch *watch) {
  int copy = openat(watch->log_folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  DIR *folder = copy < 0 ? NULL : fdopendir(copy);
  if (folder == NULL && copy >= 0) close(copy);
  return folder;
}

/* Removes what a compression left that was killed. */
void old_files_tidy(const struct watch *watch) {
  DIR *folder = open_folder(watch);
  if (folder == NULL) return;
  size_t length = strlen(watch->log_name);
  for (struct dirent *entry; (entry = readdir(folder)) != NULL;) {
    const char *name = entry->d_name, *end = strrchr(name, '.');
    if (strncmp(name, watch->log_name, length) == 0 && strstr(name, ".gz.") != NULL && strcmp(end, ".tmp") == 0)
      unlinkat(watch->log_folder, name, 0);
  }
  closedir(folder);
}

/* The rotated files, oldest first; NULL for none or no memory. */
struct old_file *old_files_list(const struct watch *watch, int *count) {
  DIR *folder = open_folder(watch);
  struct old_file old;
  int room = 0;
  *count = 0;
  if (folder == NULL) return NULL;
  for (struct dirent *entry; (entry = readdir(folder)) != NULL;) room += old_file_of(watch, entry->d_name, &old);
  struct old_file *files = room == 0 ? NULL : calloc((size_t)room, sizeof *files);
  rewinddir(folder);
  for (struct dirent *entry; files != NULL && *count < room && (entry = readdir(folder)) != NULL;) {
    struct stat st;
    if (!old_file_of(watch, entry->d_name, &old)) continue;
    if (fstatat(watch->log_folder, entry->d_name, &st, AT_SYMLINK_NOFOLLOW) != 0 || !S_ISREG(st.st_mode)) continue;
    old.size = st.st_size;
    files[(*count)++] = old;
  }
  closedir(folder);
  if (files != NULL) qsort(files, (size_t)*count, sizeof *files, by_number);
  return files;
}

/* Readers lock (shared) the file they are at; its lock keeps every newer file too. */
bool old_file_is_read(const struct watch *watch, const char *name) {
  int fd = openat(watch->log_folder, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
  if (fd < 0) return false;
  bool held = flock(fd, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK;
  close(fd);
  return held;
}

/* An empty file keeps the number of the last one: numbers only grow, by them a reader knows what comes next. */
void old_file_leave_empty(const struct watch *watch, const char *name) {
  char temporary[NAME_MAX + 32];
  snprintf(temporary, sizeof temporary, "%s.0.gz.%d.tmp", watch->log_name, (int)getpid());
  int fd = openat(watch->log_folder, temporary, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
  if (fd < 0) return;
  close(fd);
  renameat(watch->log_folder, temporary, watch->log_folder, name);
}
