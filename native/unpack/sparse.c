/* Maps of sparse files in all four formats (GNU tar manual, "Storing Sparse Files"). */
#include <errno.h>
#include <stdlib.h>

#include "tar.h"

static struct segment *segments;
static size_t segment_count, segment_room;

void sparse_begin(void) { segment_count = 0; }
size_t sparse_count(void) { return segment_count; }

void sparse_add(uint64_t offset, uint64_t length) {
  if (segment_count == MAX_SEGMENTS) fail("LIMIT", "", "sparse file with more than %d parts", MAX_SEGMENTS);
  if (segment_count == segment_room) {
    segment_room = segment_room == 0 ? 64 : segment_room * 2;
    struct segment *bigger = realloc(segments, segment_room * sizeof *segments);
    if (bigger == NULL) fail("ENOMEM", "", "out of memory");
    segments = bigger;
  }
  segments[segment_count++] = (struct segment){offset, length};
}

void sparse_from_text(const char *text) {
  while (*text != '\0') {
    uint64_t pair[2];
    for (int i = 0; i < 2; i++) {
      char *end;
      errno = 0;
      if (*text < '0' || *text > '9') fail("CORRUPT", "", "malformed sparse map");
      pair[i] = strtoull(text, &end, 10);
      if (errno != 0 || (*end != ',' && *end != '\0') || (i == 0 && *end != ',')) fail("CORRUPT", "", "malformed sparse map");
      text = *end == ',' ? end + 1 : end;
    }
    sparse_add(pair[0], pair[1]);
  }
}

void sparse_from_data(struct entry *entry) {
  uint8_t block[BLOCK];
  size_t at = BLOCK;
  uint64_t numbers[3] = {0}, count = 0;
  for (uint64_t line = 0; line == 0 || line <= 2 * count; line++) {
    uint64_t value = 0;
    for (int digits = 0;; digits++) {
      if (at == BLOCK) {
        if (entry->left < BLOCK || !stream_read(block, BLOCK)) fail("CORRUPT", "", "malformed sparse map");
        entry->left -= BLOCK;
        at = 0;
      }
      uint8_t c = block[at++];
      if (c == '\n' && digits > 0) break;
      if (c < '0' || c > '9' || digits == 18) fail("CORRUPT", "", "malformed sparse map");
      value = value * 10 + (uint64_t)(c - '0');
    }
    if (line == 0) {
      count = value;
      if (count > MAX_SEGMENTS) fail("LIMIT", "", "sparse file with more than %d parts", MAX_SEGMENTS);
      continue;
    }
    numbers[line % 2] = value;
    if (line % 2 == 0) sparse_add(numbers[1], numbers[0]);
  }
}

void sparse_from_header(const uint8_t *header) {
  const uint8_t *field = header + 386;
  uint8_t block[BLOCK];
  int parts = 4;
  bool more = header[482] != 0;
  for (;;) {
    for (int i = 0; i < parts; i++) {
      if (field[24 * i] == '\0' && field[24 * i + 12] == '\0') break;
      sparse_add(field_size(field_number(field + 24 * i, 12, "sparse offset"), "sparse offset"),
                  field_size(field_number(field + 24 * i + 12, 12, "sparse length"), "sparse length"));
    }
    if (!more) return;
    if (!stream_read(block, BLOCK)) fail("CORRUPT", "", "archive ends inside a sparse map");
    field = block;
    parts = 21;
    more = block[504] != 0;
  }
}

void sparse_settle(struct entry *entry) {
  uint64_t end = 0, total = 0;
  for (size_t i = 0; i < segment_count; i++) {
    const struct segment *s = &segments[i];
    if (s->offset < end || s->length > entry->real_size || s->offset > entry->real_size - s->length)
      fail("CORRUPT", entry->path, "sparse map does not fit its file");
    end = s->offset + s->length;
    total += s->length;
  }
  if (total != entry->left) fail("CORRUPT", entry->path, "sparse map does not fit its data");
  entry->segments = segments;
  entry->segment_count = segment_count;
}
