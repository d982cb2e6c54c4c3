/* The child of a run: started with posix_spawn (no copy of Node's page tables), fed, drained and waited for. */
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "run.h"

/* Above every number a child is given, so that no dup2 hits another source. */
#define FIRST_FD 64
#define CHUNK 16384

void run_close(int *fd) {
  if (*fd >= 0) close(*fd);
  *fd = -1;
}

/* Moves a descriptor above FIRST_FD; -1 with errno. */
static int lift(int fd) {
  int high = fcntl(fd, F_DUPFD_CLOEXEC, FIRST_FD), saved = errno;
  close(fd);
  errno = saved;
  return high;
}

/* A pipe whose end `ours` does not block. */
static int make_pipe(int *ours, int *theirs, bool we_read) {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) < 0) return -1;
  *ours = lift(ends[we_read ? 0 : 1]);
  *theirs = lift(ends[we_read ? 1 : 0]);
  if (*ours < 0 || *theirs < 0) return -1;
  return fcntl(*ours, F_SETFL, O_NONBLOCK);
}

static int configure(struct run *run, posix_spawn_file_actions_t *actions, posix_spawnattr_t *attributes, int theirs[OUTPUTS + 1]) {
  static const int standard[] = {0, 1, 2};
  for (int i = 0; i < 3; i++) {
    int error = posix_spawn_file_actions_addopen(actions, standard[i], "/dev/null", i == 0 ? O_RDONLY : O_WRONLY, 0);
    if (error != 0) return error;
  }
  if (run->input_child >= 0) {
    if (make_pipe(&run->input_fd, &theirs[OUTPUTS], false) < 0) return errno;
    int error = posix_spawn_file_actions_adddup2(actions, theirs[OUTPUTS], run->input_child);
    if (error != 0) return error;
  }
  for (int i = 0; i < OUTPUTS; i++) {
    struct output *output = &run->outputs[i];
    if (output->child < 0) continue;
    if (make_pipe(&output->fd, &theirs[i], true) < 0) return errno;
    int error = posix_spawn_file_actions_adddup2(actions, theirs[i], output->child);
    if (error != 0) return error;
  }
  if (run->cwd != NULL) {
    int error = posix_spawn_file_actions_addchdir_np(actions, run->cwd);
    if (error != 0) return error;
  }
  sigset_t none, all;
  sigemptyset(&none);
  /* Not sigfillset: it leaves out the C library's own two signals, which posix_spawn would then ignore in the child, and a container for ever. */
  memset(&all, 0xff, sizeof all);
  posix_spawnattr_setsigmask(attributes, &none);
  /* Node ignores SIGPIPE; a child must not. */
  posix_spawnattr_setsigdefault(attributes, &all);
  /* A Ctrl-C is for us: a plugin that dies of it half-way leaves a network half made. */
  posix_spawnattr_setpgroup(attributes, 0);
  short flags = POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF;
  return posix_spawnattr_setflags(attributes, (short)(flags | (run->session ? POSIX_SPAWN_SETSID : POSIX_SPAWN_SETPGROUP)));
}

pid_t run_start(struct run *run) {
  posix_spawn_file_actions_t actions;
  posix_spawnattr_t attributes;
  int theirs[OUTPUTS + 1] = {-1, -1, -1, -1};
  pid_t pid = -1;
  posix_spawn_file_actions_init(&actions);
  posix_spawnattr_init(&attributes);
  run->error = configure(run, &actions, &attributes, theirs);
  if (run->error == 0) run->error = posix_spawn(&pid, run->argv[0], &actions, &attributes, run->argv, run->envp);
  for (int i = 0; i <= OUTPUTS; i++) run_close(&theirs[i]);
  posix_spawnattr_destroy(&attributes);
  posix_spawn_file_actions_destroy(&actions);
  return run->error == 0 ? pid : -1;
}

static void feed(struct run *run) {
  while (run->input_used < run->input_length) {
    ssize_t n = write(run->input_fd, run->input + run->input_used, run->input_length - run->input_used);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0 && errno == EAGAIN) return;
    /* A program that does not read its input: its exit code tells the story. */
    if (n < 0) break;
    run->input_used += (size_t)n;
  }
  run_close(&run->input_fd);
}

static void drain(struct run *run, struct output *output) {
  char chunk[CHUNK];
  while (output->fd >= 0) {
    ssize_t n = read(output->fd, chunk, sizeof chunk);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0 && errno == EAGAIN) return;
    if (n <= 0) {
      run_close(&output->fd);
      return;
    }
    size_t take = (size_t)n;
    if (take > output->limit - output->used) {
      take = output->limit - output->used;
      if (output == &run->outputs[OUT]) run->overflow = true;
    }
    char *data = take == 0 ? output->data : realloc(output->data, output->used + take);
    if (take > 0 && data == NULL) {
      run->error = ENOMEM;
      return;
    }
    output->data = data;
    if (take > 0) memcpy(data + output->used, chunk, take);
    output->used += take;
    if (output->is_line && (output->used == output->limit || memchr(data, '\n', output->used) != NULL)) run_close(&output->fd);
  }
}

static int64_t now_ms(void) {
  struct timespec at;
  clock_gettime(CLOCK_MONOTONIC, &at);
  return at.tv_sec * 1000 + at.tv_nsec / 1000000;
}

void run_attend(struct run *run, int pidfd) {
  int64_t deadline = now_ms() + run->timeout_ms;
  bool ended = false, killed = false;
  while (!ended || run->outputs[LINE].fd >= 0) {
    struct pollfd polled[OUTPUTS + 2];
    for (int i = 0; i < OUTPUTS; i++) polled[i] = (struct pollfd){run->outputs[i].fd, POLLIN, 0};
    polled[OUTPUTS] = (struct pollfd){run->input_fd, POLLOUT, 0};
    polled[OUTPUTS + 1] = (struct pollfd){ended ? -1 : pidfd, POLLIN, 0};
    int64_t left = deadline - now_ms();
    if ((left <= 0 || run->overflow || run->error != 0) && !killed) {
      run->timed_out = left <= 0;
      killed = true;
      run_close(&run->outputs[LINE].fd);
      if (!ended) pidfd_send_signal(pidfd, SIGKILL, NULL, 0);
      continue;
    }
    if (poll(polled, OUTPUTS + 2, killed ? -1 : (int)left) < 0) continue;
    if (polled[OUTPUTS].revents != 0) feed(run);
    if (polled[OUTPUTS + 1].revents != 0) {
      siginfo_t info = {0};
      ended = waitid(P_PIDFD, (id_t)pidfd, &info, WEXITED) == 0 || errno == ECHILD;
      run->status = info.si_code == CLD_EXITED ? info.si_status : 128 + info.si_status;
    }
    /* After the end everything written is in the pipes: a survivor that holds them is not waited for. */
    for (int i = 0; i < OUTPUTS; i++)
      if (polled[i].revents != 0 || ended) drain(run, &run->outputs[i]);
  }
}
