#include "process-record.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static bool read_boot(char boot[37]) {
  char *text = tsc_read_file("/proc/sys/kernel/random/boot_id", 64, NULL);
  if (text == NULL) return false;
  snprintf(boot, 37, "%.36s", text);
  free(text);
  return true;
}

static int open_process(pid_t pid) {
  char path[32];
  snprintf(path, sizeof path, "/proc/%d", (int)pid);
  return open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
}

bool tsc_record_of(pid_t pid, struct tsc_process_record *record) {
  struct stat exe;
  *record = (struct tsc_process_record){.pid = pid};
  int process = open_process(pid);
  if (process < 0) return false;
  if (fstatat(process, "exe", &exe, 0) == 0) {
    record->device = exe.st_dev;
    record->inode = exe.st_ino;
  }
  bool ok = tsc_start_time_at(process, &record->start) && read_boot(record->boot);
  close(process);
  return ok;
}

int tsc_record_write(int fd, const struct tsc_process_record *record) {
  char line[160];
  int length = snprintf(line, sizeof line, "%d %llu %llu:%llu %s\n", (int)record->pid, record->start, record->device, record->inode, record->boot);
  return tsc_write_all(fd, line, (size_t)length);
}

bool tsc_record_read(int folder, const char *name, struct tsc_process_record *record) {
  struct stat st;
  *record = (struct tsc_process_record){0};
  int fd = openat(folder, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
  if (fd < 0) return false;
  char *text = NULL;
  if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_uid == geteuid() && (st.st_mode & 022) == 0) text = tsc_read_fd(fd, 256, NULL);
  close(fd);
  if (text == NULL) return false;
  int pid = 0;
  bool ok = sscanf(text, "%d %llu %llu:%llu %36s", &pid, &record->start, &record->device, &record->inode, record->boot) == 5 && pid > 1;
  record->pid = pid;
  free(text);
  return ok;
}

int tsc_record_find(const struct tsc_process_record *record) {
  char boot[37];
  unsigned long long start;
  int process = open_process(record->pid);
  /* The folder is open: it stays that process's, and reads as nothing once it has ended. */
  if (process >= 0 && read_boot(boot) && strcmp(boot, record->boot) == 0 && tsc_start_time_at(process, &start) && start == record->start)
    return process;
  if (process >= 0) close(process);
  errno = ESRCH;
  return -1;
}

int tsc_record_open(const struct tsc_process_record *record) {
  struct stat exe, theirs, ours;
  int process = tsc_record_find(record);
  if (process < 0) return -1;
  if (record->inode != 0 && fstatat(process, "exe", &exe, 0) == 0 && exe.st_dev == record->device && exe.st_ino == record->inode &&
      fstatat(process, "ns/pid", &theirs, 0) == 0 && stat("/proc/self/ns/pid", &ours) == 0 && theirs.st_ino == ours.st_ino)
    return process;
  close(process);
  errno = ESRCH;
  return -1;
}
