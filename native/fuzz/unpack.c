/*
 * tsc-unpack whole, a process per input: it ends with 0 or with 1 and one JSON line, and nothing outside its target changes. The first
 * byte chooses the options, the rest is the archive.
 */
#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common.h"
#include "remove.h"
#include "tar-words.h"

/* The program itself, as a function of this one. */
int unpack_main(int argc, char **argv);
#define main unpack_main
#include "../unpack/main.c"
#undef main

static char base[] = "/tmp/tsc-fuzz-unpack-XXXXXX";
static int base_fd = -1;

static void clear(const char *name) {
  struct tsc_removal removal = {.keep = NULL};
  if (tsc_remove_at(&removal, base_fd, name) < 0) BROKEN();
}

static void leave(void) {
  clear("target");
  clear("outside");
  rmdir(base);
}

static void prepare(void) {
  if (base_fd < 0) {
    if (mkdtemp(base) == NULL) BROKEN();
    base_fd = open(base, O_PATH | O_DIRECTORY | O_CLOEXEC);
    int fd = openat(base_fd, "outside", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0 || tsc_write_all(fd, "untouched", 9) < 0) BROKEN();
    close(fd);
    atexit(leave);
  }
  clear("target");
  if (mkdirat(base_fd, "target", 0755) < 0) BROKEN();
}

static void check_outside(void) {
  struct stat st;
  if (fstatat(base_fd, "outside", &st, AT_SYMLINK_NOFOLLOW) < 0 || !S_ISREG(st.st_mode) || st.st_size != 9 || st.st_nlink != 1 ||
      (st.st_mode & 07777) != 0600)
    BROKEN();
  DIR *folder = opendir(base);
  int entries = 0;
  if (folder == NULL) BROKEN();
  while (readdir(folder) != NULL) entries++;
  closedir(folder);
  if (entries != 4) BROKEN();
}

static _Noreturn void child(const uint8_t *data, size_t size, int answer) {
  static const char *const modes[] = {"trusted", "user", "apply"};
  uint8_t choice = size == 0 ? 0 : data[0];
  char target[sizeof base + 8];
  snprintf(target, sizeof target, "%s/target", base);
  int archive = memfd_create("archive", 0);
  if (archive < 0 || (size > 1 && tsc_write_all(archive, data + 1, size - 1) < 0) || lseek(archive, 0, SEEK_SET) != 0) BROKEN();
  if (dup2(archive, 0) < 0 || dup2(answer, 1) < 0) BROKEN();
  alarm(0);
  const char *argv[] = {"tsc-unpack", "--target", target, "--whiteouts", modes[choice % 3], "--compression", choice & 4 ? "gzip" : "none",
                  "--max-bytes", "1000000", "--max-entries", "1000", choice & 8 ? "--squash-owners" : NULL, NULL};
  /* not our own end: that removes the folder */
  _exit(unpack_main(choice & 8 ? 12 : 11, (char **)(uintptr_t)argv));
}

void fuzz_one(const uint8_t *data, size_t size) {
  prepare();
  int answer = memfd_create("answer", MFD_CLOEXEC), status;
  if (answer < 0) BROKEN();
  fflush(NULL);
  pid_t pid = fork();
  if (pid < 0) BROKEN();
  if (pid == 0) child(data, size, answer);
  if (waitpid(pid, &status, 0) != pid || !WIFEXITED(status) || WEXITSTATUS(status) > 1) BROKEN();
  char line[8192];
  ssize_t length = pread(answer, line, sizeof line, 0);
  const char *start = WEXITSTATUS(status) == 0 ? "{\"diffId\":\"sha256:" : "{\"error\":{\"code\":\"";
  if (length < 2 || line[length - 1] != '\n' || memchr(line, '\n', (size_t)length) != line + length - 1 || strncmp(line, start, strlen(start)) != 0) BROKEN();
  close(answer);
  check_outside();
}
