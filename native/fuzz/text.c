/* JSON text of the native programs: any bytes become one quoted string of valid UTF-8 without control characters. */
#include <stdlib.h>
#include <string.h>

#include "common.h"
#include "fuzz.h"

const char *const fuzz_words[] = {"\xc3\xa9", "\xe2\x82\xac", "\xf0\x9f\x98\x80", "\xed\xa0\x80", "\xc0\x80", "\xf4\x90\x80\x80", "\"", "\\", "\x7f", "\xc2\x9b", NULL};

void fuzz_mend(uint8_t *data, size_t size) {
  (void)data;
  (void)size;
}

/* Length of the well-formed sequence at `at` (Unicode 15, table 3-7); 0 when there is none. */
static size_t sequence(const uint8_t *at, size_t left) {
  uint8_t a = at[0], low = 0x80, high = 0xbf;
  size_t length = a < 0x80 ? 1 : a >= 0xc2 && a <= 0xdf ? 2 : a >= 0xe0 && a <= 0xef ? 3 : a >= 0xf0 && a <= 0xf4 ? 4 : 0;
  if (length == 0 || length > left) return 0;
  if (a == 0xe0) low = 0xa0;
  if (a == 0xed) high = 0x9f;
  if (a == 0xf0) low = 0x90;
  if (a == 0xf4) high = 0x8f;
  for (size_t i = 1; i < length; i++, low = 0x80, high = 0xbf)
    if (at[i] < low || at[i] > high) return 0;
  return length;
}

void fuzz_one(const uint8_t *data, size_t size) {
  struct tsc_text text = {0};
  tsc_text_json(&text, (const char *)data, size);
  if (text.failed || text.length < 2 || text.data[0] != '"' || text.data[text.length - 1] != '"') BROKEN();
  const uint8_t *out = (const uint8_t *)text.data;
  for (size_t i = 1; i < text.length - 1;) {
    size_t length = sequence(out + i, text.length - 1 - i);
    if (length == 0 || out[i] < 0x20 || out[i] == '"') BROKEN();
    i += length + (out[i] == '\\' ? (out[i + 1] == 'u' ? 5 : 1) : 0);
  }
  tsc_text_free(&text);
}
