/*
 * tsc-unpack: one layer archive from stdin into a folder. Prints one JSON line; see native/README.md.
 *
 *   tsc-unpack --target DIR --whiteouts trusted|user|apply [--compression none|gzip] [--squash-owners]
 *              [--max-bytes N] [--max-entries N]
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common.h"
#include "unpack.h"

/* Headers accepted unless told otherwise: far above real layers, far below what fills a disk with inodes unseen. */
#define DEFAULT_MAX_ENTRIES 5000000ULL

static uint64_t count_of(const char *text) {
  char *end;
  errno = 0;
  unsigned long long value = strtoull(text, &end, 10);
  if (*text < '0' || *text > '9' || *end != '\0' || errno != 0) fail("EINVAL", "", "not a number: %s", text);
  return value;
}

int main(int argc, char **argv) {
  const char *target = NULL;
  int mode = -1;
  bool gzip = false, squash = false;
  uint64_t max_bytes = 0, max_entries = DEFAULT_MAX_ENTRIES;
  for (int i = 1; i < argc; i++) {
    const char *name = argv[i], *value = i + 1 < argc ? argv[i + 1] : NULL;
    if (strcmp(name, "--squash-owners") == 0) {
      squash = true;
      continue;
    }
    if (value == NULL) fail("EINVAL", "", "bad argument: %s", name);
    i++;
    if (strcmp(name, "--target") == 0) target = value;
    else if (strcmp(name, "--whiteouts") == 0)
      mode = strcmp(value, "trusted") == 0 ? WHITEOUTS_TRUSTED
             : strcmp(value, "user") == 0  ? WHITEOUTS_USER
             : strcmp(value, "apply") == 0 ? WHITEOUTS_APPLY
                                           : -1;
    else if (strcmp(name, "--compression") == 0) {
      gzip = strcmp(value, "gzip") == 0;
      if (!gzip && strcmp(value, "none") != 0) fail("EINVAL", "", "unknown compression: %s", value);
    } else if (strcmp(name, "--max-bytes") == 0) max_bytes = count_of(value);
    else if (strcmp(name, "--max-entries") == 0) max_entries = count_of(value);
    else fail("EINVAL", "", "bad argument: %s", name);
  }
  if (target == NULL || mode < 0) fail("EINVAL", "", "--target and --whiteouts are required");
  umask(0);
  struct rlimit files;
  if (getrlimit(RLIMIT_NOFILE, &files) == 0 && files.rlim_cur < files.rlim_max) {
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
  }
  if (chroot(target) < 0) fail_errno(target, "chroot");
  if (chdir("/") < 0) fail_errno(target, "chdir");
  /* Only now: the target may be the name of a descriptor that we were given. */
  tsc_close_from(3, NULL, 0);

  extract_start((enum whiteouts)mode, squash);
  stream_start(0, gzip, max_bytes);
  struct entry entry;
  uint64_t entries = 0, bytes = 0;
  while (tar_next(&entry)) {
    if (tar_headers() > max_entries) fail("LIMIT", entry.path, "more than %llu entries", (unsigned long long)max_entries);
    entries++;
    /* A sparse file may claim any size without carrying it. */
    if (max_bytes != 0 && entry.real_size > max_bytes - (bytes < max_bytes ? bytes : max_bytes))
      fail("LIMIT", entry.path, "size of the files is over the limit");
    bytes += entry.real_size;
    extract_entry(&entry);
    tar_finish(&entry);
  }
  struct stream_result result = stream_finish();
  extract_finish();
  printf("{\"diffId\":\"sha256:%s\",\"inputDigest\":\"sha256:%s\",\"inputBytes\":%llu,\"sizeBytes\":%llu,\"entries\":%llu}\n",
         result.diff_digest, result.input_digest, (unsigned long long)result.input_bytes, (unsigned long long)bytes,
         (unsigned long long)entries);
  return fflush(stdout) == 0 ? 0 : 1;
}
