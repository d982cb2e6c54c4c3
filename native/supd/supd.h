/* The supervisor's data: one `struct watch` per container. Protocol: ../supervisor.md. */
#ifndef TSC_SUPD_H
#define TSC_SUPD_H

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include <time.h>

#include "daemon.h"

#define HEALTH_LOG_ENTRIES 5
#define HEALTH_OUTPUT_BYTES 4096
#define ARGV_MAX 128

enum restart_policy { RESTART_NO, RESTART_ALWAYS, RESTART_ON_FAILURE, RESTART_UNLESS_STOPPED };

/* What the engine asked for; replaced whole when its file changes. */
struct spec {
  pid_t pid;
  unsigned long long pid_start;
  char *exit_file;
  enum restart_policy restart;
  long max_retries, restart_count;
  bool paused;
  char *health_argv[ARGV_MAX + 1];
  int64_t interval_ms, timeout_ms, start_period_ms, start_interval_ms;
  long retries;
  char *command_argv[ARGV_MAX + 4];
  int command_length;
  char *log_file, *log_ctl; /* NULL when its log is not rotated */
  int64_t log_max_bytes, log_max_files;
  bool log_compress;
};

struct health_entry {
  struct timespec start, end;
  int exit_code;
  char *output;
  size_t length;
};

enum phase {
  PHASE_RUNNING, /* init lives */
  PHASE_DEAD,    /* init died; `due_ms` decides */
  PHASE_BACKOFF, /* restart wanted at `due_ms` */
  PHASE_COMMAND, /* `command` runs */
  PHASE_DONE     /* nothing more to do until the file changes */
};

struct watch {
  struct watch *next;
  char *id;
  struct spec spec;
  enum phase phase;
  int pidfd;
  int64_t watched_since_ms, died_ms, due_ms;
  pid_t command;
  bool command_is_restart, gone;
  int failures; /* of restarts in a row, for the back-off */
  int command_failures;

  /* health */
  const char *status; /* NULL without a probe */
  long failing_streak;
  bool started; /* a probe succeeded or the start period is over */
  int64_t probe_due_ms, probe_deadline_ms;
  pid_t probe;
  int probe_fd;
  struct health_entry current, log[HEALTH_LOG_ENTRIES];
  int log_length;

  /* log rotation */
  int log_folder;       /* -1 when nothing is rotated */
  const char *log_name; /* inside spec.log_file */
  int log_mark;         /* of supd_watch_file, -1 */
  int64_t log_size;     /* at the last look, -1 */
  int64_t looked_ms, wait_ms, look_due_ms, settle_due_ms, asked_ms;
  bool is_reopening; /* the log was renamed and conmon has not made the next one */
  pid_t compression;
};

/* Watches the current folder until nothing is to be watched for a while, then gives `lock` back; the exit code. */
int supd_loop(int lock);

/* Parses a watch file; false when it is not one (the reason goes nowhere: the engine wrote it). Free with spec_free. */
bool spec_parse(const char *text, struct spec *spec);
void spec_free(struct spec *spec);

/* Starts argv with stdout and stderr on `out` (or /dev/null for -1), own process group; its pid or -1. */
pid_t supd_spawn(char *const argv[], int out);

/* SIGKILL to a process and everything below it, found through /proc. */
void supd_kill_tree(pid_t root);

void health_begin(struct watch *watch, int64_t now);
void health_end(struct watch *watch);
/* Starts a due probe, ends one that is over its time. */
void health_tick(struct watch *watch, int64_t now);
/* The probe's output is readable. */
void health_read(struct watch *watch);
/* The probe was reaped with this wait status. */
void health_reaped(struct watch *watch, int status, int64_t now);
/* The next moment health_tick is wanted, or INT64_MAX. */
int64_t health_next(const struct watch *watch);

/* Init of the container died / a timer of the restart machinery came due / its command ended. */
void restart_died(struct watch *watch, int64_t now);
void restart_tick(struct watch *watch, int64_t now);
void restart_reaped(struct watch *watch, int status, int64_t now);
int64_t restart_next(const struct watch *watch);

/* Takes up the log that the spec names (again) / lets it go / does what is left to do for one that is not written to any more. */
void log_begin(struct watch *watch, int64_t now);
void log_end(struct watch *watch);
void log_last(struct watch *watch, int64_t now);
bool log_is_settled(const struct watch *watch);
/* Rotates a log that is big enough, takes away what is too old, packs the rest. */
void log_tick(struct watch *watch, int64_t now);
/* Something was written to it / a compression has ended with this wait status. */
void log_written(struct watch *watch, int64_t now);
void log_reaped(struct watch *watch, int status, int64_t now);
int64_t log_next(const struct watch *watch);
/* Packs a file into NAME.gz in a new process, which ends with 0, or LOG_PACK_READ for a file that somebody reads; its pid or -1. */
#define LOG_PACK_READ 2
pid_t log_compress(int folder, const char *name);

/* Tells log_written once of the next write to a file; a mark for supd_unwatch_file, -1 when it cannot. */
int supd_watch_file(const char *path);
void supd_unwatch_file(int mark);

/* Registered with epoll by main.c. */
void supd_watch_fd(int fd, struct watch *watch, bool is_probe);
void supd_unwatch_fd(int fd);
/* Commands of the engine running now. */
int supd_commands(void);

#endif
