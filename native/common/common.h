/* Small helpers shared by every native program: whole reads and writes, process identity, JSON text.
 * No policy, no globals. */
#ifndef TSC_COMMON_H
#define TSC_COMMON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#ifndef RESOLVE_IN_ROOT
#include <linux/openat2.h>
#endif

/* openat2(2); glibc 2.36 has no wrapper. */
int tsc_openat2(int dirfd, const char *path, uint64_t flags, uint64_t mode, uint64_t resolve);

/* Writes everything; -1 with errno. */
int tsc_write_all(int fd, const void *data, size_t length);

/* Reads a whole small file, NUL-terminated, malloc'd; NULL with errno (EFBIG past `limit`). */
char *tsc_read_file(const char *path, size_t limit, size_t *length);
char *tsc_read_fd(int fd, size_t limit, size_t *length);

/* Field 22 of /proc/PID/stat (start time in ticks since boot); false when gone or a zombie. */
bool tsc_start_time(pid_t pid, unsigned long long *start);
/* The same of an open folder /proc/PID, which stays that process's. */
bool tsc_start_time_at(int process, unsigned long long *start);

/* pidfd of exactly that incarnation of a pid; -1 with ESRCH when it is gone or another one. */
int tsc_pidfd_of(pid_t pid, unsigned long long start);

/* A growing text buffer; `failed` is set when memory ran out and further calls do nothing. */
struct tsc_text {
  char *data;
  size_t length, capacity;
  bool failed;
};
void tsc_text_add(struct tsc_text *text, const char *data, size_t length);
void tsc_text_adds(struct tsc_text *text, const char *string);
void tsc_text_addf(struct tsc_text *text, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Adds a quoted JSON string; invalid UTF-8 becomes U+FFFD, control characters are escaped. */
void tsc_text_json(struct tsc_text *text, const char *data, size_t length);
void tsc_text_free(struct tsc_text *text);

/* mkdir -p of the parents of `path`, mode 0700. */
int tsc_make_parents(const char *path);

/* Closes every descriptor >= first except those listed (sorted or not). */
void tsc_close_from(int first, const int *keep, size_t count);

#endif
