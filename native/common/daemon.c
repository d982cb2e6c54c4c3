#include "daemon.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "common.h"
#include "process-record.h"

int64_t tsc_now_ms(void) {
  struct timespec now;
  clock_gettime(CLOCK_BOOTTIME, &now);
  return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

bool tsc_daemon_enter(const char *program, const char *folder, mode_t mask) {
  if (chdir(folder) != 0) {
    fprintf(stderr, "%s: %s: %s\n", program, folder, strerror(errno));
    return false;
  }
  umask(mask);
  int null = open("/dev/null", O_RDWR);
  for (int fd = 0; fd < 3 && null >= 0; fd++) dup2(null, fd);
  tsc_close_from(3, NULL, 0);
  return true;
}

void tsc_daemon_detach(void) {
  setsid();
  if (fork() != 0) _exit(0);
  signal(SIGPIPE, SIG_IGN);
  signal(SIGHUP, SIG_IGN);
  signal(SIGINT, SIG_IGN);
}

int tsc_daemon_lock(int attempts) {
  int fd = open(".lock", O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (fd < 0) return -1;
  /* A command that only looks whether one runs holds the lock for a moment, and one that ends lets go in a moment. */
  for (int attempt = 0; flock(fd, LOCK_EX | LOCK_NB) != 0; attempt++) {
    if (attempt == attempts) {
      close(fd);
      return -1;
    }
    usleep(10000);
  }
  struct tsc_process_record self;
  if (ftruncate(fd, 0) == 0 && tsc_record_of(getpid(), &self)) tsc_record_write(fd, &self);
  return fd;
}
