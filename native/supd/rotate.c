/* Rotation of a container's log: docker's max-size, max-file and compress. conmon writes the log and opens it anew when told; here is
 * decided when, and which old files go. Files and locks: ../supervisor.md. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common.h"
#include "old-files.h"

#define LOOK_MS 20        /* between two looks at a file that grows */
#define AHEAD_MS 10       /* what comes in this time at the pace of now belongs to a file's size */
#define FAST_MS 1         /* while conmon is about to open its log anew */
#define ASK_AGAIN_MS 1000 /* conmon took the word and did nothing */
#define HELD_LOOK_MS 200  /* between two looks at files that are kept for somebody who reads */
#define PACK_AGAIN_MS 10000 /* after packing failed: a full disk must not have it done over and over */
#define HELD_BYTES (256LL << 20)
#define HELD_FILES 4096

/* Takes the oldest away until what is left is allowed, not what somebody still reads; true when some stays for a reader. */
static bool drop(const struct watch *watch, const struct old_file *files, int count) {
  long long kept = 0, held = 0;
  if (files == NULL) return false;
  int first = count;
  for (int i = count - 1; i >= 0 && kept < watch->spec.log_max_files - 1; i--) {
    if (files[i].size > 0) kept++;
    first = i;
  }
  for (int i = 0; i < first; i++) held += files[i].size;
  for (int i = 0; i < first; i++) {
    char name[NAME_MAX + 32];
    old_file_name(watch, &files[i], name, sizeof name);
    if (held <= HELD_BYTES && first - i <= HELD_FILES && old_file_is_read(watch, name)) return true;
    held -= files[i].size;
    if (i < count - 1) unlinkat(watch->log_folder, name, 0);
    else if (files[i].size > 0) old_file_leave_empty(watch, name);
  }
  return false;
}

/* True when some file stays as it is for a reader. */
static bool compress_next(struct watch *watch, const struct old_file *files, int count) {
  bool held = false;
  if (files == NULL || !watch->spec.log_compress || watch->compression > 0) return false;
  for (int i = 0; i < count; i++) {
    char name[NAME_MAX + 32];
    old_file_name(watch, &files[i], name, sizeof name);
    if (files[i].packed || files[i].size == 0) continue;
    held = old_file_is_read(watch, name);
    if (held) continue;
    watch->compression = log_compress(watch->log_folder, name);
    if (watch->compression > 0) return false;
    watch->compression = 0; /* no process for it now */
    return true;
  }
  return held;
}

/* After conmon has let go of the last file, or a compression has ended. */
static void settle(struct watch *watch, int64_t now) {
  int count;
  struct stat st;
  /* while there is no log conmon still writes to the last of the old ones */
  int written = fstatat(watch->log_folder, watch->log_name, &st, AT_SYMLINK_NOFOLLOW) != 0;
  struct old_file *files = old_files_list(watch, &count);
  bool held = drop(watch, files, count - written);
  free(files);
  files = old_files_list(watch, &count);
  held = compress_next(watch, files, count - written) || held;
  free(files);
  watch->settle_due_ms = held ? now + HELD_LOOK_MS : INT64_MAX;
}

/* Has conmon open its log anew, unless it has not taken our last word yet. What it opens replaces what is there: only for a log that is not. */
static bool ask(struct watch *watch, int64_t now) {
  int fd = open(watch->spec.log_ctl, O_WRONLY | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC), unread = 0;
  if (fd < 0) return false;
  static const char word[] = "2 0 0\n";
  if (ioctl(fd, FIONREAD, &unread) != 0 || unread == 0) {
    if (tsc_write_all(fd, word, sizeof word - 1) == 0) watch->asked_ms = now;
  }
  close(fd);
  return true;
}

static void rotate(struct watch *watch, int64_t now) {
  int count;
  struct old_file *files = old_files_list(watch, &count);
  struct old_file next = {.number = count == 0 ? 1 : files[count - 1].number + 1};
  char name[NAME_MAX + 32];
  old_file_name(watch, &next, name, sizeof name);
  free(files);
  watch->look_due_ms = now + ASK_AGAIN_MS;
  if (renameat(watch->log_folder, watch->log_name, watch->log_folder, name) != 0) return;
  watch->is_reopening = true;
  watch->wait_ms = 1;
  watch->look_due_ms = ask(watch, now) ? now + FAST_MS : INT64_MAX;
}

void log_begin(struct watch *watch, int64_t now) {
  log_end(watch);
  if (watch->spec.log_file == NULL || watch->spec.log_ctl == NULL || watch->spec.log_max_bytes <= 0) return;
  const char *slash = strrchr(watch->spec.log_file, '/');
  if (slash == NULL || slash == watch->spec.log_file || strlen(slash + 1) > NAME_MAX - 64) return;
  char *folder = strndup(watch->spec.log_file, (size_t)(slash - watch->spec.log_file));
  if (folder == NULL) return;
  watch->log_folder = open(folder, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  free(folder);
  if (watch->log_folder < 0) return;
  watch->log_name = slash + 1;
  old_files_tidy(watch);
  watch->wait_ms = 1;
  watch->log_size = -1;
  watch->look_due_ms = watch->settle_due_ms = now;
}

void log_end(struct watch *watch) {
  log_last(watch, 0);
  if (watch->log_folder >= 0) close(watch->log_folder);
  watch->log_folder = -1;
  watch->compression = 0; /* goes on by itself and is reaped as a stranger */
  watch->settle_due_ms = INT64_MAX;
}

void log_last(struct watch *watch, int64_t now) {
  if (watch->log_folder < 0) return;
  supd_unwatch_file(watch->log_mark);
  watch->log_mark = -1;
  watch->log_size = -1;
  watch->is_reopening = false;
  watch->look_due_ms = INT64_MAX;
  watch->settle_due_ms = now;
}

static void look(struct watch *watch, int64_t now) {
  struct stat st;
  if (fstatat(watch->log_folder, watch->log_name, &st, AT_SYMLINK_NOFOLLOW) != 0) {
    watch->log_size = -1;
    watch->is_reopening = true;
    bool again = now - watch->asked_ms >= ASK_AGAIN_MS;
    bool can = !again || ask(watch, now);
    watch->look_due_ms = !can ? INT64_MAX : now + (now - watch->asked_ms < 50 ? FAST_MS : LOOK_MS);
    return;
  }
  if (watch->is_reopening) {
    watch->is_reopening = false;
    /* conmon lets its group read; its folder is closed to others anyway */
    (void)!fchmodat(watch->log_folder, watch->log_name, 0600, 0);
    settle(watch, now);
  }
  long long grown = st.st_size - watch->log_size, passed = now - watch->looked_ms, most = watch->spec.log_max_bytes;
  long long ahead = watch->log_size >= 0 && grown > 0 && passed > 0 ? grown * AHEAD_MS / passed : 0;
  if (st.st_size + (ahead < most / 2 ? ahead : most / 2) >= most) {
    rotate(watch, now);
    return;
  }
  /* a burst is seen early, a steady stream not looked at too often */
  int64_t wait = watch->wait_ms = 2 * watch->wait_ms < LOOK_MS ? 2 * watch->wait_ms : LOOK_MS;
  if (ahead > 0) {
    /* as much more as fits, at half the pace it came */
    long long room = most - st.st_size, pace = 2 * grown;
    /* a size that no disk has would overflow below, and leaves more than any wait anyway */
    long long fits = room / pace >= LOOK_MS ? LOOK_MS : room * passed / pace;
    wait = fits < 1 ? 1 : fits < wait ? fits : wait;
  }
  bool quiet = grown == 0 && watch->log_size >= 0;
  watch->log_size = st.st_size;
  watch->looked_ms = now;
  watch->look_due_ms = now + wait;
  if (!quiet) return;
  /* nothing came since: told of the next write, and one look more at what came before that */
  if (watch->log_mark < 0) {
    watch->log_mark = supd_watch_file(watch->spec.log_file);
    if (watch->log_mark >= 0 && fstatat(watch->log_folder, watch->log_name, &st, AT_SYMLINK_NOFOLLOW) == 0 && st.st_size == watch->log_size)
      watch->look_due_ms = INT64_MAX;
  }
}

void log_written(struct watch *watch, int64_t now) {
  watch->log_mark = -1; /* told once */
  watch->wait_ms = 1;
  if (watch->look_due_ms > now) watch->look_due_ms = now;
}

void log_tick(struct watch *watch, int64_t now) {
  if (now < log_next(watch)) return;
  if (now >= watch->settle_due_ms) settle(watch, now);
  if (now >= watch->look_due_ms) look(watch, now);
}

void log_reaped(struct watch *watch, int status, int64_t now) {
  watch->compression = 0;
  bool is_done = WIFEXITED(status) && WEXITSTATUS(status) == 0, has_reader = WIFEXITED(status) && WEXITSTATUS(status) == LOG_PACK_READ;
  /* of a log that is written to no more, what cannot be packed stays as it is: its watch must end */
  watch->settle_due_ms = is_done ? now : has_reader ? now + HELD_LOOK_MS : watch->gone ? INT64_MAX : now + PACK_AGAIN_MS;
}

bool log_is_settled(const struct watch *watch) {
  return watch->log_folder < 0 || (watch->compression == 0 && watch->settle_due_ms == INT64_MAX);
}

int64_t log_next(const struct watch *watch) {
  /* a restart writes to the log itself */
  if (watch->log_folder < 0 || (!watch->gone && watch->phase != PHASE_RUNNING && watch->phase != PHASE_DEAD)) return INT64_MAX;
  return watch->look_due_ms < watch->settle_due_ms ? watch->look_due_ms : watch->settle_due_ms;
}
