/* POSIX.1-1988 ustar, POSIX.1-2001 pax, GNU long names and all four sparse formats (tar(5), GNU tar manual). */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "unpack.h"

#define BLOCK 512
/* Longest extension header taken; real ones hold a path or a few attributes. */
#define MAX_EXTENSION (1024 * 1024)
#define MAX_SEGMENTS 100000
/* Extension headers in a row without an entry. */
#define MAX_CHAIN 64

static uint64_t headers;
static char *held[4];
enum { HELD_PATH, HELD_LINK, HELD_PAX, HELD_SPARSE };

uint64_t tar_headers(void) { return headers; }

static void hold(int slot, char *text) {
  free(held[slot]);
  held[slot] = text;
}

/* Octal text, or base 256 when the first bit is set. */
static int64_t number(const uint8_t *field, size_t size, const char *what) {
  if (field[0] & 0x80) {
    bool negative = (field[0] & 0x40) != 0;
    uint64_t value = negative ? ~0ULL : 0;
    for (size_t i = 0; i < size; i++) {
      uint8_t byte = i == 0 && !negative ? field[0] & 0x7f : field[i];
      if (value >> 55 != (negative ? 0x1ff : 0)) fail("CORRUPT", "", "%s is out of range", what);
      value = value << 8 | byte;
    }
    return (int64_t)value;
  }
  size_t i = 0;
  uint64_t value = 0;
  while (i < size && (field[i] == ' ' || field[i] == '\0')) i++;
  for (; i < size && field[i] != ' ' && field[i] != '\0'; i++) {
    if (field[i] < '0' || field[i] > '7' || value >> 59 != 0) fail("CORRUPT", "", "%s is not a number", what);
    value = value << 3 | (uint64_t)(field[i] - '0');
  }
  return (int64_t)value;
}

static uint64_t size_of(int64_t value, const char *what) {
  if (value < 0) fail("CORRUPT", "", "%s is negative", what);
  return (uint64_t)value;
}

static bool checksum_ok(const uint8_t *block) {
  int64_t unsigned_sum = 0, signed_sum = 0;
  for (int i = 0; i < BLOCK; i++) {
    uint8_t byte = i >= 148 && i < 156 ? ' ' : block[i];
    unsigned_sum += byte;
    signed_sum += (int8_t)byte;
  }
  int64_t wanted = number(block + 148, 8, "checksum");
  return wanted == unsigned_sum || wanted == signed_sum;
}

static uint64_t padding_of(uint64_t size) { return (BLOCK - size % BLOCK) % BLOCK; }

static char *copy(const void *data, size_t length) {
  char *text = malloc(length + 1);
  if (text == NULL) fail("ENOMEM", "", "out of memory");
  memcpy(text, data, length);
  text[length] = '\0';
  return text;
}

static char *read_extension(uint64_t size, size_t *length) {
  if (size > MAX_EXTENSION) fail("LIMIT", "", "extension header of %llu bytes", (unsigned long long)size);
  char *text = malloc(size + 1);
  if (text == NULL) fail("ENOMEM", "", "out of memory");
  if (size > 0 && !stream_read(text, size)) fail("CORRUPT", "", "archive ends inside a header");
  text[size] = '\0';
  stream_skip(padding_of(size));
  if (length != NULL) *length = size;
  return text;
}

/* ---- pax ---- */

/* Overrides of one entry, pointing into the held extension text. */
struct pax {
  const char *path, *sparse_name, *link;
  bool has_size, has_mtime, has_uid, has_gid;
  uint64_t size;
  int64_t uid, gid;
  struct timespec mtime;
  int sparse_major, sparse_minor;
  bool has_real_size;
  uint64_t real_size;
  const char *sparse_map;
};

static struct xattr *xattrs;
static size_t xattr_count, xattr_room;
static struct segment *segments;
static size_t segment_count, segment_room;

static int64_t decimal(const char *text, const char *what) {
  char *end;
  errno = 0;
  long long value = strtoll(text, &end, 10);
  if (end == text || *end != '\0' || errno != 0) fail("CORRUPT", "", "pax %s is not a number", what);
  return value;
}

static struct timespec pax_time(const char *text) {
  struct timespec time = {0};
  char *end;
  errno = 0;
  long long seconds = strtoll(text, &end, 10);
  if (end == text || errno != 0) fail("CORRUPT", "", "pax mtime is not a number");
  if (*end == '.') {
    long scale = 100000000;
    for (end++; *end >= '0' && *end <= '9'; end++, scale /= 10) time.tv_nsec += (*end - '0') * scale;
  }
  if (*end != '\0') fail("CORRUPT", "", "pax mtime is not a number");
  time.tv_sec = seconds;
  if (text[0] == '-' && time.tv_nsec > 0) {
    time.tv_sec--;
    time.tv_nsec = 1000000000 - time.tv_nsec;
  }
  return time;
}

static void add_segment(uint64_t offset, uint64_t length) {
  if (segment_count == MAX_SEGMENTS) fail("LIMIT", "", "sparse file with more than %d parts", MAX_SEGMENTS);
  if (segment_count == segment_room) {
    segment_room = segment_room == 0 ? 64 : segment_room * 2;
    struct segment *bigger = realloc(segments, segment_room * sizeof *segments);
    if (bigger == NULL) fail("ENOMEM", "", "out of memory");
    segments = bigger;
  }
  segments[segment_count++] = (struct segment){offset, length};
}

static void add_xattr(char *name, char *value, size_t length) {
  if (xattr_count == xattr_room) {
    xattr_room = xattr_room == 0 ? 8 : xattr_room * 2;
    struct xattr *bigger = realloc(xattrs, xattr_room * sizeof *xattrs);
    if (bigger == NULL) fail("ENOMEM", "", "out of memory");
    xattrs = bigger;
  }
  xattrs[xattr_count++] = (struct xattr){name, value, length};
}

static const char *text_value(char *value, size_t length, const char *key) {
  /* Another reader would see a shorter name than this one. */
  if (memchr(value, '\0', length) != NULL) fail("CORRUPT", "", "pax %s holds a NUL byte", key);
  return value;
}

static void pax_record(struct pax *pax, char *key, char *value, size_t length) {
  static const char prefix[] = "SCHILY.xattr.";
  static uint64_t sparse_offset;
  if (strncmp(key, prefix, sizeof prefix - 1) == 0) {
    add_xattr(key + sizeof prefix - 1, value, length);
    return;
  }
  text_value(value, length, key);
  if (strcmp(key, "path") == 0) pax->path = value;
  else if (strcmp(key, "linkpath") == 0) pax->link = value;
  else if (strcmp(key, "size") == 0) pax->size = size_of(decimal(value, key), key), pax->has_size = true;
  else if (strcmp(key, "uid") == 0) pax->uid = decimal(value, key), pax->has_uid = true;
  else if (strcmp(key, "gid") == 0) pax->gid = decimal(value, key), pax->has_gid = true;
  else if (strcmp(key, "mtime") == 0) pax->mtime = pax_time(value), pax->has_mtime = true;
  else if (strcmp(key, "GNU.sparse.name") == 0) pax->sparse_name = value;
  else if (strcmp(key, "GNU.sparse.major") == 0) pax->sparse_major = (int)decimal(value, key);
  else if (strcmp(key, "GNU.sparse.minor") == 0) pax->sparse_minor = (int)decimal(value, key);
  else if (strcmp(key, "GNU.sparse.realsize") == 0 || strcmp(key, "GNU.sparse.size") == 0)
    pax->real_size = size_of(decimal(value, key), key), pax->has_real_size = true;
  else if (strcmp(key, "GNU.sparse.map") == 0) pax->sparse_map = value;
  else if (strcmp(key, "GNU.sparse.offset") == 0) sparse_offset = size_of(decimal(value, key), key);
  else if (strcmp(key, "GNU.sparse.numbytes") == 0) add_segment(sparse_offset, size_of(decimal(value, key), key));
}

/* Records are "LENGTH key=value\n"; the length counts all of it. */
static void parse_pax(struct pax *pax, char *text, size_t total) {
  for (size_t used = 0; used < total;) {
    char *record = text + used, *space;
    errno = 0;
    unsigned long long length = record[0] >= '0' && record[0] <= '9' ? strtoull(record, &space, 10) : 0;
    if (length == 0 || errno != 0 || *space != ' ' || length > total - used || record + length <= space + 1 ||
        record[length - 1] != '\n')
      fail("CORRUPT", "", "malformed pax header");
    char *end = record + length - 1, *key = space + 1;
    char *equals = memchr(key, '=', (size_t)(end - key));
    if (equals == NULL || equals == key) fail("CORRUPT", "", "malformed pax record");
    *equals = *end = '\0';
    if (strlen(key) != (size_t)(equals - key)) fail("CORRUPT", "", "malformed pax record");
    pax_record(pax, key, equals + 1, (size_t)(end - equals - 1));
    used += length;
  }
}

/* ---- sparse maps ---- */

/* pax 0.1: "offset,length,…" in one record. */
static void map_from_text(const char *text) {
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
    add_segment(pair[0], pair[1]);
  }
}

/* pax 1.0: decimal lines at the start of the data, padded to whole blocks. */
static void map_from_data(struct entry *entry) {
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
    if (line % 2 == 0) add_segment(numbers[1], numbers[0]);
  }
}

/* Old GNU: four parts in the header, 21 in each following block. */
static void map_from_header(const uint8_t *header) {
  const uint8_t *field = header + 386;
  uint8_t block[BLOCK];
  int parts = 4;
  bool more = header[482] != 0;
  for (;;) {
    for (int i = 0; i < parts; i++) {
      if (field[24 * i] == '\0' && field[24 * i + 12] == '\0') break;
      add_segment(size_of(number(field + 24 * i, 12, "sparse offset"), "sparse offset"),
                  size_of(number(field + 24 * i + 12, 12, "sparse length"), "sparse length"));
    }
    if (!more) return;
    if (!stream_read(block, BLOCK)) fail("CORRUPT", "", "archive ends inside a sparse map");
    field = block;
    parts = 21;
    more = block[504] != 0;
  }
}

static void check_map(const struct entry *entry) {
  uint64_t end = 0, total = 0;
  for (size_t i = 0; i < segment_count; i++) {
    const struct segment *s = &segments[i];
    if (s->offset < end || s->length > entry->real_size || s->offset > entry->real_size - s->length)
      fail("CORRUPT", entry->path, "sparse map does not fit its file");
    end = s->offset + s->length;
    total += s->length;
  }
  if (total != entry->left) fail("CORRUPT", entry->path, "sparse map does not fit its data");
}

/* ---- entries ---- */

static char *field_path(const uint8_t *block) {
  size_t name = strnlen((const char *)block, 100), prefix = 0;
  /* GNU archives use the prefix bytes for other things. */
  if (memcmp(block + 257, "ustar\0", 6) == 0) prefix = strnlen((const char *)block + 345, 155);
  char *path = malloc(name + prefix + 2);
  if (path == NULL) fail("ENOMEM", "", "out of memory");
  memcpy(path, block + 345, prefix);
  if (prefix > 0) path[prefix++] = '/';
  memcpy(path + prefix, block, name);
  path[prefix + name] = '\0';
  return path;
}

static bool is_zero(const uint8_t *block) {
  for (int i = 0; i < BLOCK; i++)
    if (block[i] != 0) return false;
  return true;
}

bool tar_next(struct entry *entry) {
  uint8_t block[BLOCK];
  struct pax pax = {0};
  bool has_path = false, has_link = false;
  xattr_count = segment_count = 0;
  for (int chain = 0;; chain++) {
    if (chain > MAX_CHAIN) fail("CORRUPT", "", "more than %d extension headers for one entry", MAX_CHAIN);
    if (!stream_read(block, BLOCK)) {
      if (chain > 0) fail("CORRUPT", "", "archive ends after an extension header");
      return false;
    }
    if (is_zero(block)) return false;
    if (!checksum_ok(block)) fail("CORRUPT", "", "header checksum is wrong");
    headers++;
    uint64_t size = size_of(number(block + 124, 12, "size"), "size");
    char type = (char)block[156];
    size_t length;
    char *text;
    switch (type) {
      case 'L':
        text = read_extension(size, NULL);
        hold(HELD_PATH, text);
        has_path = true;
        continue;
      case 'K':
        text = read_extension(size, NULL);
        hold(HELD_LINK, text);
        has_link = true;
        continue;
      case 'x':
        text = read_extension(size, &length);
        hold(HELD_PAX, text);
        pax = (struct pax){0};
        xattr_count = segment_count = 0;
        parse_pax(&pax, text, length);
        continue;
      case 'g':
        /* Global headers describe the archive, not files; docker and podman ignore them too. */
        free(read_extension(size, NULL));
        continue;
      default:
        break;
    }
    *entry = (struct entry){.type = type == '\0' || type == '7' ? '0' : type};
    if (!has_path) hold(HELD_PATH, field_path(block));
    if (!has_link) hold(HELD_LINK, copy(block + 157, strnlen((const char *)block + 157, 100)));
    if (pax.sparse_name != NULL) pax.path = pax.sparse_name;
    entry->path = pax.path != NULL ? (char *)(uintptr_t)pax.path : held[HELD_PATH];
    entry->link = pax.link != NULL ? (char *)(uintptr_t)pax.link : held[HELD_LINK];
    entry->mode = (uint32_t)number(block + 100, 8, "mode") & 07777;
    entry->uid = pax.has_uid ? pax.uid : number(block + 108, 8, "uid");
    entry->gid = pax.has_gid ? pax.gid : number(block + 116, 8, "gid");
    entry->mtime = pax.has_mtime ? pax.mtime : (struct timespec){.tv_sec = number(block + 136, 12, "mtime")};
    if (entry->uid < 0 || entry->gid < 0 || entry->uid >= 0xffffffffLL || entry->gid >= 0xffffffffLL)
      fail("CORRUPT", entry->path, "owner is out of range");
    if (entry->type == '3' || entry->type == '4') {
      entry->major = (uint32_t)number(block + 329, 8, "device");
      entry->minor = (uint32_t)number(block + 337, 8, "device");
    }
    entry->size = pax.has_size ? pax.size : size;
    size_t path_length = strlen(entry->path);
    if (entry->type == '0' && path_length > 0 && entry->path[path_length - 1] == '/') entry->type = '5';
    /* Links, nodes and folders carry no data whatever the size field says (as in star, GNU tar and Go). */
    if (entry->type >= '1' && entry->type <= '6') entry->size = 0;
    entry->left = entry->size;
    entry->padding = padding_of(entry->size);
    entry->real_size = entry->size;
    if (entry->type == 'S') {
      entry->type = '0';
      entry->is_sparse = true;
      entry->real_size = size_of(number(block + 483, 12, "real size"), "real size");
      map_from_header(block);
    } else if (entry->type == '0' && pax.sparse_major == 1 && pax.sparse_minor == 0 && pax.has_real_size) {
      entry->is_sparse = true;
      entry->real_size = pax.real_size;
      segment_count = 0;
      map_from_data(entry);
    } else if (entry->type == '0' && pax.has_real_size && (pax.sparse_map != NULL || segment_count > 0)) {
      entry->is_sparse = true;
      entry->real_size = pax.real_size;
      if (pax.sparse_map != NULL) {
        segment_count = 0;
        map_from_text(pax.sparse_map);
      }
    }
    if (entry->is_sparse) check_map(entry);
    entry->xattrs = xattrs;
    entry->xattr_count = xattr_count;
    entry->segments = segments;
    entry->segment_count = segment_count;
    return true;
  }
}

void tar_finish(struct entry *entry) {
  stream_skip(entry->left);
  stream_skip(entry->padding);
  entry->left = entry->padding = 0;
}
