/* One supervisor per folder: whoever holds its lock. */
#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include "process-record.h"
#include "supd.h"

int supd_take_lock(void) {
  int fd = open(".lock", O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (fd < 0) return -1;
  /* A command that only looks whether we run holds the lock for a moment. */
  for (int attempt = 0; flock(fd, LOCK_EX | LOCK_NB) != 0; attempt++) {
    if (attempt == 10) {
      close(fd);
      return -1;
    }
    usleep(10000);
  }
  /* By this record the engine and the launcher know us again. */
  struct tsc_process_record self;
  if (ftruncate(fd, 0) == 0 && tsc_record_of(getpid(), &self)) tsc_record_write(fd, &self);
  return fd;
}
