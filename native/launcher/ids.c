/* Which ids the user namespace maps, and who writes the mapping. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "launcher.h"

void user_name(char *out, size_t size) {
  out[0] = '\0';
  char *text = tsc_read_file("/etc/passwd", 16 << 20, NULL);
  char *save = NULL;
  for (char *line = text == NULL ? NULL : strtok_r(text, "\n", &save); line != NULL; line = strtok_r(NULL, "\n", &save)) {
    char *name_end = strchr(line, ':');
    char *uid = name_end == NULL ? NULL : strchr(name_end + 1, ':');
    if (uid == NULL) continue;
    char *end;
    unsigned long value = strtoul(uid + 1, &end, 10);
    if (end == uid + 1 || *end != ':' || value != host.uid) continue;
    *name_end = '\0';
    snprintf(out, size, "%s", line);
    break;
  }
  free(text);
  if (out[0] == '\0' && getenv("USER") != NULL) snprintf(out, size, "%s", getenv("USER"));
}

void sub_ranges(const char *file, const char *name, uid_t id, struct ranges *out) {
  out->count = 0;
  char *text = tsc_read_file(file, 16 << 20, NULL), *save = NULL;
  for (char *line = text == NULL ? NULL : strtok_r(text, "\n", &save); line != NULL; line = strtok_r(NULL, "\n", &save)) {
    char *first = strchr(line, ':');
    char *second = first == NULL ? NULL : strchr(first + 1, ':');
    if (second == NULL) continue;
    *first = *second = '\0';
    char *end;
    unsigned long number = strtoul(line, &end, 10);
    bool is_ours = (name[0] != '\0' && strcmp(line, name) == 0) || (*line != '\0' && *end == '\0' && number == id);
    if (!is_ours || out->count == MAX_RANGES) continue;
    struct range range = {strtoull(first + 1, NULL, 10), strtoull(second + 1, NULL, 10)};
    /* A range that holds the user's own id would map it twice. */
    if (range.length == 0 || (range.start <= id && id < range.start + range.length)) continue;
    out->list[out->count++] = range;
  }
  free(text);
}

/* A program in PATH or the system's folders. execvp would call a missing one forbidden when a folder of PATH is. */
static bool find_program(const char *name, char out[PATH_MAX]) {
  const char *const paths[] = {getenv("PATH"), "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin"};
  for (int i = 0; i < 2; i++) {
    for (const char *at = paths[i] == NULL ? "" : paths[i]; *at != '\0';) {
      size_t length = strcspn(at, ":");
      int n = snprintf(out, PATH_MAX, "%.*s/%s", (int)length, at, name);
      if (*at == '/' && n > 0 && n < PATH_MAX && access(out, X_OK) == 0) return true;
      at += length;
      if (*at == ':') at++;
    }
  }
  return false;
}

bool run_idmap(const char *program, pid_t pid, uid_t own, const struct ranges *ranges, char *message, size_t size) {
  char text[3 * MAX_RANGES + 5][24];
  char *argv[3 * MAX_RANGES + 6];
  int count = 0;
  argv[count++] = (char *)(uintptr_t)program;
  snprintf(text[count], 24, "%d", (int)pid);
  argv[count] = text[count];
  count++;
  unsigned long long numbers[3] = {0, own, 1}, inside = 1;
  for (size_t r = 0;; r++) {
    for (int i = 0; i < 3; i++, count++) {
      snprintf(text[count], 24, "%llu", numbers[i]);
      argv[count] = text[count];
    }
    if (r == ranges->count) break;
    numbers[0] = inside;
    numbers[1] = ranges->list[r].start;
    numbers[2] = ranges->list[r].length;
    inside += ranges->list[r].length;
  }
  argv[count] = NULL;
  char file[PATH_MAX];
  if (!find_program(program, file)) {
    snprintf(message, size, "%s %s", program, NOT_INSTALLED);
    return false;
  }
  int out[2];
  if (pipe2(out, O_CLOEXEC) < 0) return false;
  pid_t child = fork();
  if (child == 0) {
    dup2(out[1], 1);
    dup2(out[1], 2);
    execv(file, argv);
    dprintf(2, "%s", strerror(errno));
    _exit(127);
  }
  close(out[1]);
  char words[200] = {0};
  size_t used = 0;
  ssize_t n;
  while (child > 0 && (n = read(out[0], words + used, sizeof words - 1 - used)) > 0) used += (size_t)n;
  close(out[0]);
  int status = 1;
  if (child > 0) waitpid(child, &status, 0);
  if (child > 0 && WIFEXITED(status) && WEXITSTATUS(status) == 0) return true;
  words[strcspn(words, "\n")] = '\0';
  snprintf(message, size, "%s: %s", program, used == 0 ? "failed" : words);
  return false;
}

static bool write_proc(pid_t pid, const char *file, const char *text) {
  char path[64];
  snprintf(path, sizeof path, "/proc/%d/%s", (int)pid, file);
  int fd = open(path, O_WRONLY | O_CLOEXEC);
  if (fd < 0) return false;
  bool ok = tsc_write_all(fd, text, strlen(text)) == 0;
  int saved = errno;
  close(fd);
  errno = saved;
  return ok;
}

bool map_single(pid_t pid) {
  char uid[48], gid[48];
  snprintf(uid, sizeof uid, "0 %u 1\n", host.uid);
  snprintf(gid, sizeof gid, "0 %u 1\n", host.gid);
  return write_proc(pid, "setgroups", "deny") && write_proc(pid, "uid_map", uid) && write_proc(pid, "gid_map", gid);
}

bool is_full_mapping(void) {
  char *text = tsc_read_file("/proc/self/uid_map", 65536, NULL), *save = NULL;
  unsigned long long total = 0, mapped = 0;
  for (char *line = text == NULL ? NULL : strtok_r(text, "\n", &save); line != NULL; line = strtok_r(NULL, "\n", &save)) {
    unsigned long long inside, outside, length;
    if (sscanf(line, "%llu %llu %llu", &inside, &outside, &length) == 3) total += length;
  }
  free(text);
  char name[256];
  struct ranges uids;
  user_name(name, sizeof name);
  sub_ranges("/etc/subuid", name, host.uid, &uids);
  for (size_t i = 0; i < uids.count; i++) mapped += uids.list[i].length;
  if (total > 1 && mapped + 1 != total)
    warn("/etc/subuid changed since the user namespace was made; it takes effect after all stacks are down and tsc-pause is ended");
  return total > 1;
}
