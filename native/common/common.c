#include "common.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

int tsc_openat2(int dirfd, const char *path, uint64_t flags, uint64_t mode, uint64_t resolve) {
  struct open_how how = {.flags = flags, .mode = mode, .resolve = resolve};
  for (int attempt = 0;; attempt++) {
    int fd = (int)syscall(SYS_openat2, dirfd, path, &how, sizeof how);
    /* EAGAIN: a rename raced with a `..` lookup; the kernel asks for a retry. */
    if (fd >= 0 || errno != EAGAIN || attempt == 64) return fd;
  }
}

int tsc_write_all(int fd, const void *data, size_t length) {
  const char *at = data;
  while (length > 0) {
    ssize_t n = write(fd, at, length);
    if (n < 0) {
      if (errno == EINTR) continue;
      return -1;
    }
    at += n;
    length -= (size_t)n;
  }
  return 0;
}

char *tsc_read_fd(int fd, size_t limit, size_t *length) {
  size_t capacity = limit < 4096 ? limit + 1 : 4096, used = 0;
  char *data = malloc(capacity + 1);
  if (data == NULL) return NULL;
  for (;;) {
    if (used == capacity) {
      if (capacity > limit) {
        free(data);
        errno = EFBIG;
        return NULL;
      }
      capacity = capacity * 2 > limit + 1 ? limit + 1 : capacity * 2;
      char *bigger = realloc(data, capacity + 1);
      if (bigger == NULL) {
        free(data);
        return NULL;
      }
      data = bigger;
    }
    ssize_t n = read(fd, data + used, capacity - used);
    if (n < 0) {
      if (errno == EINTR) continue;
      int saved = errno;
      free(data);
      errno = saved;
      return NULL;
    }
    if (n == 0) break;
    used += (size_t)n;
  }
  if (used > limit) {
    free(data);
    errno = EFBIG;
    return NULL;
  }
  data[used] = '\0';
  if (length != NULL) *length = used;
  return data;
}

char *tsc_read_file(const char *path, size_t limit, size_t *length) {
  int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
  if (fd < 0) return NULL;
  char *data = tsc_read_fd(fd, limit, length);
  int saved = errno;
  close(fd);
  errno = saved;
  return data;
}

bool tsc_start_time_at(int process, unsigned long long *start) {
  int fd = openat(process, "stat", O_RDONLY | O_CLOEXEC);
  if (fd < 0) return false;
  char *text = tsc_read_fd(fd, 4096, NULL);
  close(fd);
  if (text == NULL) return false;
  bool ok = false;
  /* The command name may hold spaces and parentheses: fields are counted from the last ')'. */
  char *at = strrchr(text, ')');
  if (at != NULL && at[1] == ' ') {
    at += 2;
    char state = *at;
    int field = 3;
    while (field < 22 && at != NULL) {
      at = strchr(at, ' ');
      if (at != NULL) at++;
      field++;
    }
    if (at != NULL && state != 'Z' && state != 'X') {
      *start = strtoull(at, NULL, 10);
      ok = true;
    }
  }
  free(text);
  return ok;
}

bool tsc_start_time(pid_t pid, unsigned long long *start) {
  char path[32];
  snprintf(path, sizeof path, "/proc/%d", (int)pid);
  int process = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
  if (process < 0) return false;
  bool ok = tsc_start_time_at(process, start);
  close(process);
  return ok;
}

int tsc_pidfd_of(pid_t pid, unsigned long long start) {
  if (pid <= 0) {
    errno = ESRCH;
    return -1;
  }
  int fd = pidfd_open(pid, 0);
  if (fd < 0) return -1;
  unsigned long long now;
  /* The pidfd is open already, so the pid cannot be reused between this check and its use. */
  if (!tsc_start_time(pid, &now) || now != start) {
    close(fd);
    errno = ESRCH;
    return -1;
  }
  return fd;
}

static bool text_room(struct tsc_text *text, size_t more) {
  if (text->failed) return false;
  if (text->length + more + 1 <= text->capacity) return true;
  size_t capacity = text->capacity == 0 ? 256 : text->capacity;
  while (capacity < text->length + more + 1) capacity *= 2;
  char *bigger = realloc(text->data, capacity);
  if (bigger == NULL) {
    text->failed = true;
    return false;
  }
  text->data = bigger;
  text->capacity = capacity;
  return true;
}

void tsc_text_add(struct tsc_text *text, const char *data, size_t length) {
  if (!text_room(text, length)) return;
  memcpy(text->data + text->length, data, length);
  text->length += length;
  text->data[text->length] = '\0';
}

void tsc_text_adds(struct tsc_text *text, const char *string) { tsc_text_add(text, string, strlen(string)); }

void tsc_text_addf(struct tsc_text *text, const char *format, ...) {
  va_list args;
  va_start(args, format);
  char *line = NULL;
  int n = vasprintf(&line, format, args);
  va_end(args);
  if (n < 0) {
    text->failed = true;
    return;
  }
  tsc_text_add(text, line, (size_t)n);
  free(line);
}

/* Length of the valid UTF-8 sequence at `data`, or 0. */
static size_t utf8_length(const unsigned char *data, size_t left) {
  unsigned char c = data[0];
  if (c < 0x80) return 1;
  size_t n = c >= 0xc2 && c <= 0xdf ? 2 : c >= 0xe0 && c <= 0xef ? 3 : c >= 0xf0 && c <= 0xf4 ? 4 : 0;
  if (n == 0 || n > left) return 0;
  for (size_t i = 1; i < n; i++)
    if ((data[i] & 0xc0) != 0x80) return 0;
  if ((c == 0xe0 && data[1] < 0xa0) || (c == 0xed && data[1] > 0x9f) || (c == 0xf0 && data[1] < 0x90) ||
      (c == 0xf4 && data[1] > 0x8f))
    return 0;
  return n;
}

void tsc_text_json(struct tsc_text *text, const char *data, size_t length) {
  tsc_text_add(text, "\"", 1);
  for (size_t i = 0; i < length;) {
    unsigned char c = (unsigned char)data[i];
    size_t n = utf8_length((const unsigned char *)data + i, length - i);
    if (n == 0) {
      tsc_text_adds(text, "\\ufffd");
      i++;
      continue;
    }
    if (c == '"' || c == '\\') {
      char escaped[2] = {'\\', (char)c};
      tsc_text_add(text, escaped, 2);
    } else if (c == '\n') {
      tsc_text_adds(text, "\\n");
    } else if (c == '\t') {
      tsc_text_adds(text, "\\t");
    } else if (c < 0x20 || c == 0x7f) {
      tsc_text_addf(text, "\\u%04x", c);
    } else {
      tsc_text_add(text, data + i, n);
    }
    i += n;
  }
  tsc_text_add(text, "\"", 1);
}

void tsc_text_free(struct tsc_text *text) {
  free(text->data);
  *text = (struct tsc_text){0};
}

int tsc_make_parents(const char *path) {
  char *copy = strdup(path);
  if (copy == NULL) return -1;
  int result = 0;
  for (char *slash = strchr(copy + 1, '/'); slash != NULL; slash = strchr(slash + 1, '/')) {
    *slash = '\0';
    if (mkdir(copy, 0700) < 0 && errno != EEXIST) {
      struct stat st;
      int saved = errno;
      if (stat(copy, &st) < 0 || !S_ISDIR(st.st_mode)) {
        errno = saved;
        result = -1;
        break;
      }
    }
    *slash = '/';
  }
  int saved = errno;
  free(copy);
  errno = saved;
  return result;
}

void tsc_close_from(int first, const int *keep, size_t count) {
  unsigned low = (unsigned)first;
  for (;;) {
    /* The lowest kept descriptor not below `low`. */
    unsigned next = ~0U;
    for (size_t i = 0; i < count; i++)
      if (keep[i] >= 0 && (unsigned)keep[i] >= low && (unsigned)keep[i] < next) next = (unsigned)keep[i];
    if (next == ~0U) {
      syscall(SYS_close_range, low, ~0U, 0);
      return;
    }
    if (next > low) syscall(SYS_close_range, low, next - 1, 0);
    low = next + 1;
  }
}
