/*
 * Bytes in, four jobs at once: read + hash the input, inflate, hash the output, and the caller's own parsing and
 * writing. Stages pass fixed buffers through rings; a slow stage holds the ones before it, memory stays bounded.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

#include "ring.h"
#include "sha256.h"
#include "unpack.h"

static struct ring input = {.lock = PTHREAD_MUTEX_INITIALIZER, .moved = PTHREAD_COND_INITIALIZER, .consumers = 1};
static struct ring output = {.lock = PTHREAD_MUTEX_INITIALIZER, .moved = PTHREAD_COND_INITIALIZER, .consumers = 2};
static int source;
static bool is_gzip;
static uint64_t limit, input_bytes, output_bytes;
static struct sha256 input_hash, output_hash;
static pthread_t reader, inflater, hasher;
static const uint8_t *at;
static size_t at_left;
static bool holding;

/* Fills a buffer from the input; short only at its end. -1 with errno. */
static ssize_t fill(uint8_t *slot) {
  size_t used = 0;
  while (used < SLOT_SIZE) {
    ssize_t n = read(source, slot + used, SLOT_SIZE - used);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return -1;
    if (n == 0) break;
    used += (size_t)n;
    /* A slow download: pass on what came instead of waiting for a full buffer. */
    if (n < 4096 && used >= 32768) break;
  }
  return (ssize_t)used;
}

static bool over_limit(uint64_t bytes) { return limit != 0 && bytes > limit; }

static void *read_input(void *unused) {
  (void)unused;
  struct ring *ring = is_gzip ? &input : &output;
  for (;;) {
    uint8_t *slot = ring_reserve(ring);
    ssize_t n = fill(slot);
    if (n < 0) {
      const char *code = strerrorname_np(errno);
      ring_end(ring, code == NULL ? "EIO" : code, "cannot read the archive");
      return NULL;
    }
    if (n == 0) break;
    input_bytes += (uint64_t)n;
    if (!is_gzip && over_limit(input_bytes)) {
      ring_end(ring, "LIMIT", "uncompressed size is over the limit");
      return NULL;
    }
    if (is_gzip) sha256_update(&input_hash, slot, (size_t)n);
    ring_publish(ring, (size_t)n);
  }
  if (!is_gzip) output_bytes = input_bytes;
  ring_end(ring, "", "");
  return NULL;
}

static void *inflate_input(void *unused) {
  (void)unused;
  z_stream z = {0};
  const uint8_t *data = NULL;
  size_t length = 0;
  const char *problem = NULL;
  /* 16: gzip framing only. */
  if (inflateInit2(&z, 15 + 16) != Z_OK) {
    ring_end(&output, "ENOMEM", "out of memory");
    return NULL;
  }
  bool fresh = true, any_member = false;
  uint8_t *slot = ring_reserve(&output);
  z.next_out = slot;
  z.avail_out = SLOT_SIZE;
  while (problem == NULL) {
    if (z.avail_in == 0) {
      if (length > 0) ring_release(&input, 0);
      length = ring_take(&input, 0, &data);
      if (length == 0) {
        if (!fresh || !any_member) problem = any_member || !fresh ? "compressed data ends early" : "empty gzip stream";
        break;
      }
      z.next_in = (Bytef *)(uintptr_t)data;
      z.avail_in = (uInt)length;
    }
    if (fresh && any_member) {
      /* Between members only zero padding may stand. */
      while (z.avail_in > 0 && *z.next_in == 0) {
        z.next_in++;
        z.avail_in--;
      }
      if (z.avail_in == 0) continue;
    }
    fresh = false;
    int result = inflate(&z, Z_NO_FLUSH);
    if (z.avail_out == 0 || result == Z_STREAM_END) {
      size_t made = SLOT_SIZE - z.avail_out;
      output_bytes += made;
      if (over_limit(output_bytes)) {
        inflateEnd(&z);
        ring_end(&output, "LIMIT", "uncompressed size is over the limit");
        return NULL;
      }
      if (made > 0) {
        ring_publish(&output, made);
        slot = ring_reserve(&output);
        z.next_out = slot;
        z.avail_out = SLOT_SIZE;
      }
    }
    if (result == Z_STREAM_END) {
      inflateReset(&z);
      fresh = any_member = true;
    } else if (result != Z_OK && result != Z_BUF_ERROR) {
      problem = z.msg == NULL ? "invalid compressed data" : z.msg;
    }
  }
  if (problem == NULL || z.avail_out < SLOT_SIZE) {
    size_t made = SLOT_SIZE - z.avail_out;
    output_bytes += made;
    if (made > 0) ring_publish(&output, made);
  }
  char message[160];
  snprintf(message, sizeof message, "%s", problem == NULL ? "" : problem);
  inflateEnd(&z);
  if (input.code[0] != '\0') ring_end(&output, input.code, input.message);
  else ring_end(&output, problem == NULL ? "" : "CORRUPT", message);
  return NULL;
}

static void *hash_output(void *unused) {
  (void)unused;
  const uint8_t *data;
  size_t length;
  while ((length = ring_take(&output, 1, &data)) > 0) {
    sha256_update(&output_hash, data, length);
    ring_release(&output, 1);
  }
  return NULL;
}

static void start(pthread_t *thread, void *(*run)(void *)) {
  int error = pthread_create(thread, NULL, run, NULL);
  if (error != 0) fail("EAGAIN", "", "cannot start a thread: %s", strerror(error));
}

void stream_start(int fd, bool gzip, uint64_t max_bytes) {
  source = fd;
  is_gzip = gzip;
  limit = max_bytes;
  sha256_init(&input_hash);
  sha256_init(&output_hash);
  /* Fails on files and sockets, which is fine. */
  fcntl(fd, F_SETPIPE_SZ, 1 << 20);
  if (gzip) ring_start(&input);
  ring_start(&output);
  start(&reader, read_input);
  if (gzip) start(&inflater, inflate_input);
  start(&hasher, hash_output);
}

size_t stream_peek(const uint8_t **data) {
  while (at_left == 0) {
    if (holding) ring_release(&output, 0);
    at_left = ring_take(&output, 0, &at);
    holding = at_left > 0;
    if (at_left == 0) {
      if (output.code[0] != '\0') fail(output.code, "", "%s", output.message);
      return 0;
    }
  }
  *data = at;
  return at_left;
}

void stream_consume(size_t length) {
  at += length;
  at_left -= length;
}

bool stream_read(void *out, size_t length) {
  uint8_t *to = out;
  const uint8_t *data;
  for (size_t used = 0; used < length;) {
    size_t have = stream_peek(&data);
    if (have == 0) {
      if (used == 0) return false;
      fail("CORRUPT", "", "archive ends inside a record");
    }
    size_t take = have < length - used ? have : length - used;
    memcpy(to + used, data, take);
    stream_consume(take);
    used += take;
  }
  return true;
}

void stream_skip(uint64_t length) {
  const uint8_t *data;
  while (length > 0) {
    size_t have = stream_peek(&data);
    if (have == 0) fail("CORRUPT", "", "archive ends inside an entry");
    size_t take = have < length ? have : (size_t)length;
    stream_consume(take);
    length -= take;
  }
}

struct stream_result stream_finish(void) {
  struct stream_result result = {0};
  const uint8_t *data;
  size_t have;
  while ((have = stream_peek(&data)) > 0) stream_consume(have);
  pthread_join(reader, NULL);
  if (is_gzip) pthread_join(inflater, NULL);
  pthread_join(hasher, NULL);
  sha256_hex(&output_hash, result.diff_digest);
  if (is_gzip) sha256_hex(&input_hash, result.input_digest);
  else memcpy(result.input_digest, result.diff_digest, sizeof result.input_digest);
  result.input_bytes = input_bytes;
  result.output_bytes = output_bytes;
  return result;
}
