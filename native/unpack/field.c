/* Fields of tar headers (tar(5)). */
#include <stdlib.h>
#include <string.h>

#include "tar.h"

int64_t field_number(const uint8_t *field, size_t size, const char *what) {
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

uint64_t field_size(int64_t value, const char *what) {
  if (value < 0) fail("CORRUPT", "", "%s is negative", what);
  return (uint64_t)value;
}

bool field_checksum_ok(const uint8_t *block) {
  int64_t unsigned_sum = 0, signed_sum = 0;
  for (int i = 0; i < BLOCK; i++) {
    uint8_t byte = i >= 148 && i < 156 ? ' ' : block[i];
    unsigned_sum += byte;
    signed_sum += (int8_t)byte;
  }
  int64_t wanted = field_number(block + 148, 8, "checksum");
  return wanted == unsigned_sum || wanted == signed_sum;
}

char *field_path(const uint8_t *block) {
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
