/* What the two targets that read tars have in common: words of the format, and header sums made right again. */
#include <stdio.h>
#include <string.h>

#include "fuzz.h"

const char *const fuzz_words[] = {"../", "/", "./", ".wh.", ".wh..wh..opq", ".wh..wh.plnk/", "ustar", "ustar  ", "SCHILY.xattr.", "trusted.overlay.", "user.overlay.",
                                  "security.capability", "path=", "linkpath=", "size=", "uid=", "mtime=", "GNU.sparse.major=1", "GNU.sparse.minor=0", "GNU.sparse.map=",
                                  "GNU.sparse.realsize=", "GNU.sparse.name=", "x", "g", "L", "K", "S", "1", "2", "5", "7", "00000000000", "77777777777",
                                  "\n", " ", "=", NULL};

void fuzz_mend(uint8_t *data, size_t size) {
  for (size_t at = 0; at + 512 <= size; at += 512) {
    uint8_t *block = data + at;
    unsigned sum = 0;
    char text[8];
    if (memcmp(block + 257, "ustar", 5) != 0) continue;
    for (size_t i = 0; i < 512; i++) sum += i >= 148 && i < 156 ? ' ' : block[i];
    snprintf(text, sizeof text, "%06o", sum);
    memcpy(block + 148, text, 7);
    block[155] = ' ';
  }
}
