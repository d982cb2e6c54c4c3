#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "launcher.h"

_Noreturn void die(const char *code, const char *message, const char *hint) {
  fprintf(stderr, "error[%s]: %s\n", code, message);
  if (hint != NULL) fprintf(stderr, "  hint: %s\n", hint);
  exit(1);
}

_Noreturn void die_errno(const char *code, const char *what, const char *name) {
  fprintf(stderr, "error[%s]: cannot %s %s: %s\n", code, what, name, strerror(errno));
  exit(1);
}

void warn(const char *message) { fprintf(stderr, "tscompose: warning: %s\n", message); }
