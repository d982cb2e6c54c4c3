/* POSIX.1-1988 ustar, POSIX.1-2001 pax, GNU long names and all four sparse formats (tar(5), GNU tar manual). */
#include <stdlib.h>
#include <string.h>

#include "tar.h"

/* Longest extension header taken; real ones hold a path or a few attributes. */
#define MAX_EXTENSION (1024 * 1024)
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

static bool is_zero(const uint8_t *block) {
  for (int i = 0; i < BLOCK; i++)
    if (block[i] != 0) return false;
  return true;
}

bool tar_next(struct entry *entry) {
  uint8_t block[BLOCK];
  struct pax pax = {0};
  bool has_path = false, has_link = false;
  pax_begin();
  sparse_begin();
  for (int chain = 0;; chain++) {
    if (chain > MAX_CHAIN) fail("CORRUPT", "", "more than %d extension headers for one entry", MAX_CHAIN);
    if (!stream_read(block, BLOCK)) {
      if (chain > 0) fail("CORRUPT", "", "archive ends after an extension header");
      return false;
    }
    if (is_zero(block)) return false;
    if (!field_checksum_ok(block)) fail("CORRUPT", "", "header checksum is wrong");
    headers++;
    uint64_t size = field_size(field_number(block + 124, 12, "size"), "size");
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
        pax_begin();
        sparse_begin();
        pax_parse(&pax, text, length);
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
    entry->mode = (uint32_t)field_number(block + 100, 8, "mode") & 07777;
    entry->uid = pax.has_uid ? pax.uid : field_number(block + 108, 8, "uid");
    entry->gid = pax.has_gid ? pax.gid : field_number(block + 116, 8, "gid");
    entry->mtime = pax.has_mtime ? pax.mtime : (struct timespec){.tv_sec = field_number(block + 136, 12, "mtime")};
    if (entry->uid < 0 || entry->gid < 0 || entry->uid >= 0xffffffffLL || entry->gid >= 0xffffffffLL)
      fail("CORRUPT", entry->path, "owner is out of range");
    if (entry->type == '3' || entry->type == '4') {
      entry->major = (uint32_t)field_number(block + 329, 8, "device");
      entry->minor = (uint32_t)field_number(block + 337, 8, "device");
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
      entry->real_size = field_size(field_number(block + 483, 12, "real size"), "real size");
      sparse_from_header(block);
    } else if (entry->type == '0' && pax.sparse_major == 1 && pax.sparse_minor == 0 && pax.has_real_size) {
      entry->is_sparse = true;
      entry->real_size = pax.real_size;
      sparse_begin();
      sparse_from_data(entry);
    } else if (entry->type == '0' && pax.has_real_size && (pax.sparse_map != NULL || sparse_count() > 0)) {
      entry->is_sparse = true;
      entry->real_size = pax.real_size;
      if (pax.sparse_map != NULL) {
        sparse_begin();
        sparse_from_text(pax.sparse_map);
      }
    }
    if (entry->is_sparse) sparse_settle(entry);
    entry->xattrs = pax_xattrs(&entry->xattr_count);
    return true;
  }
}

void tar_finish(struct entry *entry) {
  stream_skip(entry->left);
  stream_skip(entry->padding);
  entry->left = entry->padding = 0;
}
