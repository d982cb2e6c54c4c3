/* SHA-256 (FIPS 180-4), with the CPU's SHA instructions where it has them. */
#ifndef TSC_SHA256_H
#define TSC_SHA256_H

#include <stddef.h>
#include <stdint.h>

struct sha256 {
  uint32_t state[8];
  uint64_t length;
  uint8_t block[64];
  size_t used;
  void (*compress)(uint32_t state[8], const uint8_t *data, size_t blocks);
};

void sha256_init(struct sha256 *hash);
void sha256_update(struct sha256 *hash, const void *data, size_t length);
/* Writes 64 hex digits and a NUL. */
void sha256_hex(struct sha256 *hash, char out[65]);

#endif
