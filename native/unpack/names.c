/* Names of entries: cleaned, and what whiteouts make of them. */
#include <string.h>

#include "extract.h"

void name_clean(const char *given, char out[PATH_MAX], const char *what) {
  size_t used = 0;
  out[0] = '\0';
  for (const char *at = given; *at != '\0';) {
    size_t length = strcspn(at, "/");
    if (length == 2 && at[0] == '.' && at[1] == '.') {
      if (used == 0) fail("HOSTILE", given, "%s leaves the layer", what);
      while (used > 0 && out[used - 1] != '/') used--;
      if (used > 0) used--;
      out[used] = '\0';
    } else if (length > 0 && !(length == 1 && at[0] == '.')) {
      if (length > NAME_MAX || used + length + 2 > PATH_MAX) fail("ENAMETOOLONG", given, "%s is too long", what);
      if (used > 0) out[used++] = '/';
      memcpy(out + used, at, length);
      used += length;
      out[used] = '\0';
    }
    at += length;
    while (*at == '/') at++;
  }
}

bool name_starts_with(const char *text, const char *prefix) { return strncmp(text, prefix, strlen(prefix)) == 0; }

bool name_has_whiteout_folder(const char *path, const char *given) {
  for (const char *at = path, *slash; (slash = strchr(at, '/')) != NULL; at = slash + 1) {
    if (name_starts_with(at, WHITEOUT_META)) return true;
    if (name_starts_with(at, WHITEOUT)) fail("HOSTILE", given, "a folder is named like a whiteout");
  }
  return false;
}
