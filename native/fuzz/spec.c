/* Watch files of the supervisor (../supervisor.md): any text gives a whole spec or none, and nothing is lost or freed twice. */
#include <stdlib.h>
#include <string.h>

#include "../supd/supd.h"
#include "fuzz.h"

const char *const fuzz_words[] = {"health_arg ", "command_arg ", "exit_file ", "pid ", "pid_start ", "restart ", "always", "on-failure",
                                  "max_retries ", "paused ", "health_interval_ms ", "health_retries ", "%00", "%41", "%", "\n", "-", NULL};

void fuzz_mend(uint8_t *data, size_t size) {
  (void)data;
  (void)size;
}

void fuzz_one(const uint8_t *data, size_t size) {
  char *text = malloc(size + 1);
  if (text == NULL) BROKEN();
  memcpy(text, data, size);
  text[size] = '\0';
  struct spec spec;
  if (spec_parse(text, &spec)) {
    if (spec.pid <= 0 || spec.interval_ms <= 0 || spec.timeout_ms <= 0 || spec.start_interval_ms <= 0 || spec.retries <= 0 || spec.log_max_files <= 0) BROKEN();
    if (spec.command_length > ARGV_MAX || spec.command_argv[spec.command_length] != NULL) BROKEN();
    for (int i = 0; i < spec.command_length; i++)
      if (strlen(spec.command_argv[i]) > size) BROKEN();
  }
  spec_free(&spec);
  free(text);
}
