/* Shared by the three parts of tsc-unpack: stream (bytes in, digests), tar (entries), extract (files out). */
#ifndef TSC_UNPACK_H
#define TSC_UNPACK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

/*
 * Ends the program with one JSON error line. Codes: CORRUPT (not an acceptable archive), HOSTILE (tries to leave
 * the target), LIMIT, or an errno name.
 */
_Noreturn void fail(const char *code, const char *path, const char *format, ...) __attribute__((format(printf, 3, 4)));
_Noreturn void fail_errno(const char *path, const char *call);

/* ---- stream.c: reads, hashes, inflates and hashes again on threads of their own ---- */

void stream_start(int fd, bool gzip, uint64_t max_bytes);
/* The bytes at hand, at least one; 0 at the end of the stream. Fails on broken input. */
size_t stream_peek(const uint8_t **data);
void stream_consume(size_t length);
/* Exactly `length` bytes into `out`; false at a clean end before the first byte. */
bool stream_read(void *out, size_t length);
void stream_skip(uint64_t length);
/* Reads to the end and waits for the digests. */
struct stream_result {
  char diff_digest[65], input_digest[65];
  uint64_t input_bytes, output_bytes;
};
struct stream_result stream_finish(void);

/* ---- tar.c: one entry at a time, with its extensions folded in ---- */

struct xattr {
  char *name, *value;
  size_t length;
};
struct segment {
  uint64_t offset, length;
};
struct entry {
  /* As in the archive, not cleaned. */
  char *path, *link;
  char type;
  uint32_t mode;
  int64_t uid, gid;
  /* Bytes of data in the archive; `real_size` is that of the file when it is sparse. */
  uint64_t size, real_size;
  struct timespec mtime;
  uint32_t major, minor;
  struct xattr *xattrs;
  size_t xattr_count;
  bool is_sparse;
  struct segment *segments;
  size_t segment_count;
  /* Data bytes that the extractor has not read yet, and the padding after them. */
  uint64_t left, padding;
};

/* The next entry; false at the end of the archive. The entry's memory lasts until the next call. */
bool tar_next(struct entry *entry);
/* Skips what is left of the entry's data. */
void tar_finish(struct entry *entry);
/* Number of headers read so far, extension headers included. */
uint64_t tar_headers(void);

/* ---- extract.c: writes entries below the (chrooted) target ---- */

enum whiteouts { WHITEOUTS_TRUSTED, WHITEOUTS_USER, WHITEOUTS_APPLY };

void extract_start(enum whiteouts whiteouts, bool squash_owners);
void extract_entry(struct entry *entry);
/* Sets the times of folders, last of all. */
void extract_finish(void);

#endif
