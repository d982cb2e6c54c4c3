/* Parsing of watch files. Hostile text cannot harm: bounded lengths, unknown keys ignored. */
#include <stdlib.h>
#include <string.h>

#include "supd.h"

static int hex(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return -1;
}

/* Percent-decodes; NULL for an encoded NUL or no memory. */
static char *decode(const char *text, size_t length) {
  char *out = malloc(length + 1);
  if (out == NULL) return NULL;
  size_t n = 0;
  for (size_t i = 0; i < length; i++) {
    char c = text[i];
    if (c == '%' && i + 2 < length && hex(text[i + 1]) >= 0 && hex(text[i + 2]) >= 0) {
      c = (char)(hex(text[i + 1]) * 16 + hex(text[i + 2]));
      i += 2;
    }
    if (c == '\0') {
      free(out);
      return NULL;
    }
    out[n++] = c;
  }
  out[n] = '\0';
  return out;
}

static bool append(char **argv, int *length, char *value) {
  if (value == NULL || *length >= ARGV_MAX) {
    free(value);
    return false;
  }
  argv[(*length)++] = value;
  argv[*length] = NULL;
  return true;
}

static enum restart_policy policy_of(const char *name) {
  if (strcmp(name, "always") == 0) return RESTART_ALWAYS;
  if (strcmp(name, "on-failure") == 0) return RESTART_ON_FAILURE;
  if (strcmp(name, "unless-stopped") == 0) return RESTART_UNLESS_STOPPED;
  return RESTART_NO;
}

bool spec_parse(const char *text, struct spec *spec) {
  memset(spec, 0, sizeof *spec);
  spec->interval_ms = 30000;
  spec->timeout_ms = 30000;
  spec->start_interval_ms = 5000;
  spec->retries = 3;
  spec->log_max_files = 1;
  int health_length = 0;
  bool good = true;
  while (*text != '\0' && good) {
    const char *end = strchrnul(text, '\n');
    const char *space = memchr(text, ' ', (size_t)(end - text));
    if (space != NULL) {
      size_t key = (size_t)(space - text);
      char *value = decode(space + 1, (size_t)(end - space - 1));
      if (value == NULL) {
        good = false;
        break;
      }
      long long number = strtoll(value, NULL, 10);
#define KEY(name) (key == sizeof(name) - 1 && memcmp(text, name, key) == 0)
      if (KEY("health_arg")) {
        good = append(spec->health_argv, &health_length, value);
        value = NULL;
      } else if (KEY("command_arg")) {
        good = append(spec->command_argv, &spec->command_length, value);
        value = NULL;
      } else if (KEY("exit_file")) {
        free(spec->exit_file);
        spec->exit_file = value;
        value = NULL;
      } else if (KEY("log_file")) {
        free(spec->log_file);
        spec->log_file = value;
        value = NULL;
      } else if (KEY("log_ctl")) {
        free(spec->log_ctl);
        spec->log_ctl = value;
        value = NULL;
      } else if (KEY("pid")) spec->pid = (pid_t)number;
      else if (KEY("pid_start")) spec->pid_start = strtoull(value, NULL, 10);
      else if (KEY("restart")) spec->restart = policy_of(value);
      else if (KEY("max_retries")) spec->max_retries = (long)number;
      else if (KEY("restart_count")) spec->restart_count = (long)number;
      else if (KEY("paused")) spec->paused = number != 0;
      else if (KEY("log_max_bytes")) spec->log_max_bytes = number;
      else if (KEY("log_max_files") && number > 0) spec->log_max_files = number;
      else if (KEY("log_compress")) spec->log_compress = number != 0;
      else if (KEY("health_interval_ms") && number > 0) spec->interval_ms = number;
      else if (KEY("health_timeout_ms") && number > 0) spec->timeout_ms = number;
      else if (KEY("health_start_period_ms")) spec->start_period_ms = number;
      else if (KEY("health_start_interval_ms") && number > 0) spec->start_interval_ms = number;
      else if (KEY("health_retries") && number > 0) spec->retries = (long)number;
#undef KEY
      free(value);
    }
    text = *end == '\0' ? end : end + 1;
  }
  if (good && spec->pid > 0) return true;
  spec_free(spec);
  return false;
}

void spec_free(struct spec *spec) {
  for (int i = 0; spec->health_argv[i] != NULL; i++) free(spec->health_argv[i]);
  for (int i = 0; i < spec->command_length; i++) free(spec->command_argv[i]);
  free(spec->exit_file);
  free(spec->log_file);
  free(spec->log_ctl);
  memset(spec, 0, sizeof *spec);
}
