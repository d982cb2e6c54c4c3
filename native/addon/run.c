/* Runs a program to its end off the event loop: a thread of its own starts it with posix_spawn (no copy of Node's page
 * tables), feeds and drains its pipes, waits, and hands over the result. */
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "addon.h"

/* Above every number a child is given, so that no dup2 hits another source. */
#define FIRST_FD 64
#define CHUNK 16384

enum { OUT, ERR, LINE, OUTPUTS };

struct output {
  /* Our end, -1 when closed; the child's number, -1 when there is none. */
  int fd, child;
  char *data;
  size_t used, limit;
  bool is_line;
};

struct run {
  char **argv, **envp, *cwd;
  bool session;
  int input_child, input_fd;
  char *input;
  size_t input_length, input_used;
  struct output outputs[OUTPUTS];
  int64_t timeout_ms;
  int error, status;
  bool timed_out, overflow;
  napi_threadsafe_function done;
};

static void free_list(char **list) {
  for (size_t i = 0; list != NULL && list[i] != NULL; i++) free(list[i]);
  free(list);
}

static void run_free(struct run *run) {
  free_list(run->argv);
  free_list(run->envp);
  free(run->cwd);
  free(run->input);
  for (int i = 0; i < OUTPUTS; i++) free(run->outputs[i].data);
  free(run);
}

static void close_fd(int *fd) {
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

/* Starts the program; its pid, or -1 with run->error. */
static pid_t start(struct run *run) {
  posix_spawn_file_actions_t actions;
  posix_spawnattr_t attributes;
  int theirs[OUTPUTS + 1] = {-1, -1, -1, -1};
  pid_t pid = -1;
  posix_spawn_file_actions_init(&actions);
  posix_spawnattr_init(&attributes);
  run->error = configure(run, &actions, &attributes, theirs);
  if (run->error == 0) run->error = posix_spawn(&pid, run->argv[0], &actions, &attributes, run->argv, run->envp);
  for (int i = 0; i <= OUTPUTS; i++) close_fd(&theirs[i]);
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
  close_fd(&run->input_fd);
}

static void drain(struct run *run, struct output *output) {
  char chunk[CHUNK];
  while (output->fd >= 0) {
    ssize_t n = read(output->fd, chunk, sizeof chunk);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0 && errno == EAGAIN) return;
    if (n <= 0) {
      close_fd(&output->fd);
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
    if (output->is_line && (output->used == output->limit || memchr(data, '\n', output->used) != NULL)) close_fd(&output->fd);
  }
}

static int64_t now_ms(void) {
  struct timespec at;
  clock_gettime(CLOCK_MONOTONIC, &at);
  return at.tv_sec * 1000 + at.tv_nsec / 1000000;
}

/* Until the program has ended and its line, when one is wanted, is there or will not come. */
static void attend(struct run *run, int pidfd) {
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
      close_fd(&run->outputs[LINE].fd);
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

static void *run_thread(void *data) {
  struct run *run = data;
  pid_t pid = start(run);
  if (pid > 0) {
    int pidfd = pidfd_open(pid, 0);
    if (pidfd >= 0) {
      attend(run, pidfd);
      close(pidfd);
    } else {
      run->error = errno;
    }
  }
  for (int i = 0; i < OUTPUTS; i++) close_fd(&run->outputs[i].fd);
  close_fd(&run->input_fd);
  napi_threadsafe_function done = run->done;
  /* The loop is gone when Node is ending: nobody is left to tell. */
  if (napi_call_threadsafe_function(done, run, napi_tsfn_blocking) == napi_closing) run_free(run);
  else napi_release_threadsafe_function(done, napi_tsfn_release);
  return NULL;
}

static napi_value text_of(napi_env env, const struct output *output) {
  napi_value value = NULL;
  napi_create_string_utf8(env, output->data == NULL ? "" : output->data, output->used, &value);
  return value;
}

/* On the main thread: callback(error) or callback(undefined, result). */
static void finished(napi_env env, napi_value callback, void *context, void *data) {
  struct run *run = data;
  (void)context;
  if (env != NULL) {
    napi_value args[2] = {undefined(env), undefined(env)}, global, ignored;
    if (run->error != 0) {
      args[0] = make_errno_error(env, run->error, "spawn", run->argv[0], NULL);
    } else {
      napi_create_object(env, &args[1]);
      napi_set_named_property(env, args[1], "code", from_int(env, run->status));
      napi_set_named_property(env, args[1], "stdout", text_of(env, &run->outputs[OUT]));
      napi_set_named_property(env, args[1], "stderr", text_of(env, &run->outputs[ERR]));
      if (run->outputs[LINE].used > 0) napi_set_named_property(env, args[1], "line", text_of(env, &run->outputs[LINE]));
      napi_set_named_property(env, args[1], "timedOut", from_bool(env, run->timed_out));
      napi_set_named_property(env, args[1], "overflow", from_bool(env, run->overflow));
    }
    napi_get_global(env, &global);
    napi_call_function(env, global, callback, 2, args, &ignored);
  }
  run_free(run);
}

/* NULL-ended copy of an array of strings; NULL with a pending exception. */
static char **get_list(napi_env env, napi_value array, char *first) {
  uint32_t length = 0;
  size_t used = 0;
  napi_value value;
  if (napi_get_array_length(env, array, &length) != napi_ok) {
    napi_throw_type_error(env, NULL, "array expected");
    return NULL;
  }
  char **list = calloc((size_t)length + 2, sizeof *list);
  if (list == NULL) {
    napi_throw_error(env, NULL, "out of memory");
    return NULL;
  }
  if (first != NULL) list[used++] = first;
  for (uint32_t i = 0; i < length; i++) {
    napi_get_element(env, array, i, &value);
    if ((list[used++] = get_string(env, value)) == NULL) {
      list[0] = first == NULL ? list[0] : NULL;
      free_list(list);
      return NULL;
    }
  }
  return list;
}

static int64_t get_property_int(napi_env env, napi_value object, const char *name, int64_t missing) {
  napi_value value;
  int64_t result;
  if (napi_get_named_property(env, object, name, &value) != napi_ok) return missing;
  return napi_get_value_int64(env, value, &result) == napi_ok ? result : missing;
}

static bool get_input(napi_env env, napi_value options, struct run *run) {
  run->input = get_property_string(env, options, "input");
  run->input_length = run->input == NULL ? 0 : strlen(run->input);
  napi_value nul;
  /* conmon's start pipe wants one zero byte, which no text may hold. */
  if (napi_get_named_property(env, options, "zeroByte", &nul) == napi_ok && get_bool(env, nul)) {
    free(run->input);
    run->input = calloc(1, 1);
    run->input_length = run->input == NULL ? 0 : 1;
  }
  return !is_pending(env);
}

/* run(program, args, env, options, callback); options: cwd, newSession, input, zeroByte, inputDescriptor, lineDescriptor, noStdout,
 * timeoutMs, stdoutLimit. */
static napi_value js_run(napi_env env, napi_callback_info info) {
  napi_value args[MAX_ARGS], value;
  if (!get_args(env, info, 5, args)) return NULL;
  struct run *run = calloc(1, sizeof *run);
  if (run == NULL) return throw_errno(env, ENOMEM, "malloc", NULL, NULL);
  run->input_fd = -1;
  char *program = get_string(env, args[0]);
  if (program != NULL) run->argv = get_list(env, args[1], program);
  if (run->argv == NULL) free(program);
  else run->envp = get_list(env, args[2], NULL);
  if (run->envp != NULL) run->cwd = get_property_string(env, args[3], "cwd");
  if (is_pending(env) || !get_input(env, args[3], run)) {
    run_free(run);
    return NULL;
  }
  run->session = napi_get_named_property(env, args[3], "newSession", &value) == napi_ok && get_bool(env, value);
  bool no_stdout = napi_get_named_property(env, args[3], "noStdout", &value) == napi_ok && get_bool(env, value);
  run->input_child = (int)get_property_int(env, args[3], "inputDescriptor", run->input == NULL ? -1 : 0);
  run->timeout_ms = get_property_int(env, args[3], "timeoutMs", 30000);
  size_t limit = (size_t)get_property_int(env, args[3], "stdoutLimit", 4 << 20);
  run->outputs[OUT] = (struct output){.fd = -1, .child = no_stdout ? -1 : 1, .limit = limit};
  run->outputs[ERR] = (struct output){.fd = -1, .child = 2, .limit = 64 << 10};
  run->outputs[LINE] =
      (struct output){.fd = -1, .child = (int)get_property_int(env, args[3], "lineDescriptor", -1), .limit = 64 << 10, .is_line = true};
  napi_status status = napi_create_threadsafe_function(env, args[4], NULL, from_string(env, "run"), 0, 1, NULL, NULL, NULL, finished, &run->done);
  pthread_attr_t attributes;
  pthread_t thread;
  pthread_attr_init(&attributes);
  pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
  pthread_attr_setstacksize(&attributes, 256 << 10);
  int error = status == napi_ok ? pthread_create(&thread, &attributes, run_thread, run) : EINVAL;
  pthread_attr_destroy(&attributes);
  if (error != 0) {
    if (status == napi_ok) napi_release_threadsafe_function(run->done, napi_tsfn_abort);
    run_free(run);
    return throw_errno(env, error, "pthread_create", NULL, NULL);
  }
  return undefined(env);
}

void init_run(napi_env env, napi_value exports) { define(env, exports, "run", js_run); }
