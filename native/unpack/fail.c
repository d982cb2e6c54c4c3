/* How the program ends when something is wrong. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common.h"
#include "unpack.h"

static _Noreturn void answer_error(const char *code, const char *path, const char *message) {
  struct tsc_text text = {0};
  tsc_text_adds(&text, "{\"error\":{\"code\":");
  tsc_text_json(&text, code, strlen(code));
  tsc_text_adds(&text, ",\"path\":");
  tsc_text_json(&text, path, strnlen(path, 4096));
  tsc_text_adds(&text, ",\"message\":");
  tsc_text_json(&text, message, strlen(message));
  tsc_text_adds(&text, "}}\n");
  if (!text.failed) (void)!tsc_write_all(1, text.data, text.length);
  /* Threads may still run: no destructors, no flushing. */
  _exit(1);
}

void fail(const char *code, const char *path, const char *format, ...) {
  char message[512];
  va_list args;
  va_start(args, format);
  vsnprintf(message, sizeof message, format, args);
  va_end(args);
  answer_error(code == NULL ? "EIO" : code, path, message);
}

void fail_errno(const char *path, const char *call) {
  int error = errno;
  fail(strerrorname_np(error), path, "%s: %s", call == NULL ? "system call" : call, strerror(error));
}
