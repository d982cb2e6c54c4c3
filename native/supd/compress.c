/* Packs one rotated log file in a process of its own; whole or not at all. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include "common.h"
#include "supd.h"

static bool pack(int from, int to) {
  static unsigned char in[1 << 16], out[1 << 16];
  z_stream stream;
  memset(&stream, 0, sizeof stream);
  if (deflateInit2(&stream, Z_DEFAULT_COMPRESSION, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) != Z_OK) return false;
  bool good = true;
  for (int flush = Z_NO_FLUSH; good && flush != Z_FINISH;) {
    ssize_t got = read(from, in, sizeof in);
    if (got < 0 && errno == EINTR) continue;
    good = got >= 0;
    flush = got == 0 ? Z_FINISH : Z_NO_FLUSH;
    stream.next_in = in;
    stream.avail_in = good ? (unsigned)got : 0;
    do {
      stream.next_out = out;
      stream.avail_out = sizeof out;
      good = good && deflate(&stream, flush) != Z_STREAM_ERROR && tsc_write_all(to, out, sizeof out - stream.avail_out) == 0;
    } while (good && stream.avail_out == 0);
  }
  deflateEnd(&stream);
  return good;
}

static int compress_file(int folder, const char *name) {
  char packed[NAME_MAX + 1], temporary[NAME_MAX + 32];
  snprintf(packed, sizeof packed, "%s.gz", name);
  snprintf(temporary, sizeof temporary, "%s.%d.tmp", packed, (int)getpid());
  int from = openat(folder, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
  struct stat st;
  if (from < 0 || fstat(from, &st) != 0) return 1; /* taken away meanwhile */
  int to = openat(folder, temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
  if (to < 0) return 1;
  /* its time says how old its last line is */
  struct timespec times[2] = {st.st_mtim, st.st_mtim};
  bool good = pack(from, to) && futimens(to, times) == 0 && close(to) == 0;
  /* a reader that came meanwhile holds this file's place, which the packed one would not have */
  bool is_read = good && flock(from, LOCK_EX | LOCK_NB) != 0;
  good = good && !is_read && renameat(folder, temporary, folder, packed) == 0;
  unlinkat(folder, good ? name : temporary, 0);
  return good ? 0 : is_read ? LOG_PACK_READ : 1;
}

pid_t log_compress(int folder, const char *name) {
  pid_t pid = fork();
  if (pid != 0) return pid;
  setpgid(0, 0);
  setpriority(PRIO_PROCESS, 0, 10);
  tsc_close_from(3, &folder, 1);
  _exit(compress_file(folder, name));
}
