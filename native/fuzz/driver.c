/*
 * Plays a corpus, then seeded changes of it, against the target linked in:
 *
 *   tsc-fuzz-TARGET CORPUS EXECUTIONS SEED FINDING
 *
 * The same seed plays the same inputs. The input at work stands in the file FINDING, which is removed when all went well; copied into the
 * corpus it is played first from then on. Prints `{"executions":N,"inputs":N}`.
 */
#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "common.h"
#include "fuzz.h"

#define INPUT_MAX (64 * 1024)
#define MAX_FILES 256
/* A limit against hanging on a busy machine, not a measure. */
#define HANG_SECONDS 60

struct input {
  size_t size;
  uint8_t data[INPUT_MAX];
};

static uint8_t *files[MAX_FILES];
static size_t sizes[MAX_FILES], file_count;
static uint64_t state;

/* xorshift64*, https://doi.org/10.18637/jss.v008.i14: small, and the same everywhere. */
static uint64_t next_random(void) {
  state ^= state >> 12;
  state ^= state << 25;
  state ^= state >> 27;
  return state * 0x2545f4914f6cdd1dULL >> 16;
}
static size_t below(size_t limit) { return limit == 0 ? 0 : (size_t)(next_random() % limit); }

static _Noreturn void give_up(const char *what, const char *which) {
  fprintf(stderr, "%s: %s\n", what, which);
  exit(2);
}

void fuzz_broken(const char *file, int line) {
  fprintf(stderr, "broken promise: %s:%d\n", file, line);
  abort();
}

static void on_alarm(int signal) {
  (void)signal;
  static const char text[] = "hang: one input takes too long\n";
  (void)!write(2, text, sizeof text - 1);
  _exit(3);
}

static void load(const char *folder) {
  struct dirent **names;
  int count = scandir(folder, &names, NULL, alphasort);
  if (count < 0) give_up("cannot list", folder);
  for (int i = 0; i < count; i++) {
    char path[4096];
    snprintf(path, sizeof path, "%s/%s", folder, names[i]->d_name);
    if (names[i]->d_name[0] != '.' && file_count < MAX_FILES) {
      size_t length;
      char *data = tsc_read_file(path, INPUT_MAX, &length);
      if (data == NULL) give_up("cannot read", path);
      files[file_count] = (uint8_t *)data;
      sizes[file_count++] = length;
    }
    free(names[i]);
  }
  free(names);
  if (file_count == 0) give_up("empty corpus", folder);
}

/* Room for `length` bytes at `at`; false when the input is full. */
static bool open_gap(struct input *input, size_t at, size_t length) {
  if (input->size + length > INPUT_MAX) return false;
  memmove(input->data + at + length, input->data + at, input->size - at);
  input->size += length;
  return true;
}

static void change(struct input *input) {
  static const uint64_t edges[] = {0, 1, 4, 16, 0x7f, 0x80, 0xff, 0x7fff, 0x8000, 0xffff, 0x7fffffff, 0x80000000, 0xffffffff, 0x7fffffffffffffff, 0xffffffffffffffff};
  size_t at = below(input->size + 1), room = input->size - at;
  switch (below(9)) {
    case 0:
      if (room > 0) input->data[at] ^= (uint8_t)(1u << below(8));
      break;
    case 1:
      if (room > 0) input->data[at] = (uint8_t)next_random();
      break;
    case 2: {
      uint64_t edge = edges[below(sizeof edges / sizeof *edges)];
      size_t width = (size_t)1 << below(4);
      if (room >= width) memcpy(input->data + at, &edge, width);
      break;
    }
    case 3: {
      size_t length = below(room < 64 ? room + 1 : 64);
      memmove(input->data + at, input->data + at + length, room - length);
      input->size -= length;
      break;
    }
    case 4: {
      size_t from = below(input->size + 1), left = input->size - from, length = below(left < 1024 ? left + 1 : 1024);
      uint8_t piece[1024];
      memcpy(piece, input->data + from, length);
      if (open_gap(input, at, length)) memcpy(input->data + at, piece, length);
      break;
    }
    case 5: {
      size_t words = 0;
      while (fuzz_words[words] != NULL) words++;
      if (words == 0) break;
      const char *word = fuzz_words[below(words)];
      size_t length = strlen(word);
      /* over what is there as often as between it: formats of fixed places need the first */
      if (below(2) == 0 ? room >= length : open_gap(input, at, length)) memcpy(input->data + at, word, length);
      break;
    }
    case 6: {
      size_t other = below(file_count), from = below(sizes[other] + 1), left = sizes[other] - from;
      size_t length = below(left < 4096 ? left + 1 : 4096);
      if (open_gap(input, at, length)) memcpy(input->data + at, files[other] + from, length);
      break;
    }
    case 7:
      input->size = at;
      break;
    default: {
      char digits[24];
      int length = snprintf(digits, sizeof digits, "%llu", (unsigned long long)edges[below(sizeof edges / sizeof *edges)]);
      if (open_gap(input, at, (size_t)length)) memcpy(input->data + at, digits, (size_t)length);
    }
  }
}

static void play(const struct input *input) {
  alarm(HANG_SECONDS);
  /* of exactly its size, so that the sanitizer sees the first byte behind it */
  uint8_t *data = malloc(input->size == 0 ? 1 : input->size);
  if (data == NULL) give_up("out of memory", "input");
  memcpy(data, input->data, input->size);
  fuzz_one(data, input->size);
  free(data);
}

int main(int argc, char **argv) {
  if (argc != 5) give_up("usage", "CORPUS EXECUTIONS SEED FINDING");
  unsigned long long executions = strtoull(argv[2], NULL, 10);
  state = strtoull(argv[3], NULL, 10) * 2 + 1;
  load(argv[1]);
  /* the writes reach the file also when this process dies */
  int fd = open(argv[4], O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (fd < 0 || ftruncate(fd, sizeof(struct input)) < 0) give_up("cannot write", argv[4]);
  struct input *input = mmap(NULL, sizeof *input, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  if (input == MAP_FAILED) give_up("cannot map", argv[4]);
  struct sigaction action = {.sa_handler = on_alarm};
  sigaction(SIGALRM, &action, NULL);
  for (size_t i = 0; i < file_count; i++) {
    input->size = sizes[i];
    memcpy(input->data, files[i], sizes[i]);
    play(input);
  }
  for (unsigned long long i = 0; i < executions; i++) {
    size_t which = below(file_count);
    input->size = sizes[which];
    memcpy(input->data, files[which], sizes[which]);
    for (size_t changes = 1 + below(6); changes > 0; changes--) change(input);
    if (below(8) != 0) fuzz_mend(input->data, input->size);
    play(input);
  }
  unlink(argv[4]);
  printf("{\"executions\":%llu,\"inputs\":%zu}\n", executions + file_count, file_count);
  return 0;
}
