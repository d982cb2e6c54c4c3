/* Runs a program to its end off the event loop: a thread of its own starts it, waits, and hands over the result. */
#include <pthread.h>
#include <string.h>
#include <sys/pidfd.h>
#include <unistd.h>

#include "run.h"

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

static void *run_thread(void *data) {
  struct run *run = data;
  pid_t pid = run_start(run);
  if (pid > 0) {
    int pidfd = pidfd_open(pid, 0);
    if (pidfd >= 0) {
      run_attend(run, pidfd);
      close(pidfd);
    } else {
      run->error = errno;
    }
  }
  for (int i = 0; i < OUTPUTS; i++) run_close(&run->outputs[i].fd);
  run_close(&run->input_fd);
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
