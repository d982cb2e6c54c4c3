/* An AF_UNIX SOCK_SEQPACKET client on the event loop: conmon's attach socket, which node:net cannot open. */
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include <uv.h>

#include "addon.h"

#define PACKET_MAX 32768

struct outgoing {
  struct outgoing *next;
  size_t length;
  napi_ref callback;
  char data[];
};

struct packet_socket {
  uv_poll_t poll;
  int fd;
  napi_env env;
  napi_ref on_packet, on_end;
  struct outgoing *first, *last;
  bool reading, ended, closing, shut_after_writes;
  int references;
};

static void on_ready(uv_poll_t *poll, int status, int events);

static void update(struct packet_socket *s) {
  if (s->closing) return;
  int events = (s->reading && !s->ended ? UV_READABLE : 0) | (s->first != NULL ? UV_WRITABLE : 0);
  if (events == 0) uv_poll_stop(&s->poll);
  else uv_poll_start(&s->poll, events, on_ready);
}

static void release(struct packet_socket *s) {
  if (--s->references == 0) free(s);
}

static void closed(uv_handle_t *handle) { release(handle->data); }

/* Ends the first pending write with an error (0 for success). */
static void settle(struct packet_socket *s, int error) {
  struct outgoing *out = s->first;
  s->first = out->next;
  if (s->first == NULL) s->last = NULL;
  napi_value argument =
      error == 0 ? undefined(s->env) : make_errno_error(s->env, error, "send", NULL, NULL);
  call_back(s->env, out->callback, 1, &argument);
  napi_delete_reference(s->env, out->callback);
  free(out);
}

static void stop(struct packet_socket *s) {
  if (s->closing) return;
  s->closing = true;
  uv_poll_stop(&s->poll);
  uv_close((uv_handle_t *)&s->poll, closed);
  close(s->fd);
  while (s->first != NULL) settle(s, EPIPE);
}

static void end(struct packet_socket *s) {
  if (s->ended) return;
  s->ended = true;
  call_back(s->env, s->on_end, 0, NULL);
}

static void read_packets(struct packet_socket *s) {
  static char buffer[PACKET_MAX + 64];
  /* A bounded burst, so that a flooding container cannot starve the event loop. */
  for (int i = 0; i < 64 && s->reading && !s->closing && !s->ended; i++) {
    ssize_t n = recv(s->fd, buffer, sizeof buffer, MSG_DONTWAIT);
    if (n < 0 && (errno == EAGAIN || errno == EINTR)) return;
    if (n <= 0) {
      end(s);
      return;
    }
    napi_value packet;
    void *copy;
    if (napi_create_buffer_copy(s->env, (size_t)n, buffer, &copy, &packet) != napi_ok) return;
    call_back(s->env, s->on_packet, 1, &packet);
  }
}

static void write_packets(struct packet_socket *s) {
  while (s->first != NULL && !s->closing) {
    ssize_t n = send(s->fd, s->first->data, s->first->length, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (n < 0 && (errno == EAGAIN || errno == EINTR)) return;
    settle(s, n < 0 ? errno : 0);
  }
  if (s->first == NULL && s->shut_after_writes && !s->closing) {
    s->shut_after_writes = false;
    shutdown(s->fd, SHUT_WR);
  }
}

static void on_ready(uv_poll_t *poll, int status, int events) {
  struct packet_socket *s = poll->data;
  /* release() may free s while the scope is still open. */
  napi_env env = s->env;
  napi_handle_scope scope;
  napi_open_handle_scope(env, &scope);
  s->references++;
  if (status < 0) {
    end(s);
  } else {
    if (events & UV_READABLE) read_packets(s);
    if (!s->closing && (events & UV_WRITABLE)) write_packets(s);
  }
  update(s);
  release(s);
  napi_close_handle_scope(env, scope);
}

static void finalize(napi_env env, void *data, void *hint) {
  (void)hint;
  struct packet_socket *s = data;
  stop(s);
  napi_delete_reference(env, s->on_packet);
  napi_delete_reference(env, s->on_end);
  release(s);
}

static int connect_path(const char *path) {
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  int folder = -1;
  if (strlen(path) < sizeof address.sun_path) {
    strcpy(address.sun_path, path);
  } else {
    /* sun_path holds 108 bytes: reach the socket through a descriptor of its folder. */
    char *copy = strdup(path);
    if (copy == NULL) return -1;
    const char *slash = strrchr(path, '/');
    folder = open(dirname(copy), O_PATH | O_DIRECTORY | O_CLOEXEC);
    free(copy);
    if (folder < 0) return -1;
    int n = snprintf(address.sun_path, sizeof address.sun_path, "/proc/self/fd/%d/%s", folder,
                     slash == NULL ? path : slash + 1);
    if (n < 0 || (size_t)n >= sizeof address.sun_path) {
      close(folder);
      errno = ENAMETOOLONG;
      return -1;
    }
  }
  int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd >= 0 && connect(fd, (struct sockaddr *)&address, sizeof address) < 0) {
    int saved = errno;
    close(fd);
    fd = -1;
    errno = saved;
  }
  int saved = errno;
  if (folder >= 0) close(folder);
  errno = saved;
  return fd;
}

/* packetConnect(path, onPacket, onEnd) → handle; reading starts with packetRead(handle, true). */
static napi_value js_connect(napi_env env, napi_callback_info info) {
  napi_value args[MAX_ARGS], handle;
  uv_loop_t *loop;
  if (!get_args(env, info, 3, args)) return NULL;
  char *path = get_string(env, args[0]);
  if (path == NULL) return NULL;
  struct packet_socket *s = calloc(1, sizeof *s);
  int fd = s == NULL ? -1 : connect_path(path);
  if (s == NULL || fd < 0) {
    throw_errno(env, s == NULL ? ENOMEM : errno, "connect", path, NULL);
    free(s);
    free(path);
    return NULL;
  }
  free(path);
  s->fd = fd;
  s->env = env;
  s->references = 2;
  s->poll.data = s;
  napi_get_uv_event_loop(env, &loop);
  if (uv_poll_init(loop, &s->poll, fd) < 0) {
    close(fd);
    free(s);
    return throw_errno(env, EINVAL, "uv_poll_init", NULL, NULL);
  }
  napi_create_reference(env, args[1], 1, &s->on_packet);
  napi_create_reference(env, args[2], 1, &s->on_end);
  napi_create_external(env, s, finalize, NULL, &handle);
  return handle;
}

static struct packet_socket *get_socket(napi_env env, napi_value value) {
  void *data = NULL;
  if (napi_get_value_external(env, value, &data) == napi_ok) return data;
  napi_throw_type_error(env, NULL, "packet socket expected");
  return NULL;
}

static napi_value js_read(napi_env env, napi_callback_info info) {
  napi_value args[MAX_ARGS];
  if (!get_args(env, info, 2, args)) return NULL;
  struct packet_socket *s = get_socket(env, args[0]);
  if (s == NULL) return NULL;
  s->reading = get_bool(env, args[1]);
  update(s);
  return undefined(env);
}

/* packetWrite(handle, bytes, callback(error?)) */
static napi_value js_write(napi_env env, napi_callback_info info) {
  napi_value args[MAX_ARGS];
  void *data = NULL;
  size_t length = 0;
  napi_typedarray_type type;
  if (!get_args(env, info, 3, args)) return NULL;
  struct packet_socket *s = get_socket(env, args[0]);
  if (s == NULL) return NULL;
  if (napi_get_typedarray_info(env, args[1], &type, &length, &data, NULL, NULL) != napi_ok ||
      type != napi_uint8_array) {
    napi_throw_type_error(env, NULL, "bytes expected");
    return NULL;
  }
  if (s->closing || s->shut_after_writes) return throw_errno(env, EPIPE, "send", NULL, NULL);
  if (length > PACKET_MAX) return throw_errno(env, EMSGSIZE, "send", NULL, NULL);
  struct outgoing *out = malloc(sizeof *out + length);
  if (out == NULL) return throw_errno(env, ENOMEM, "malloc", NULL, NULL);
  out->next = NULL;
  out->length = length;
  if (length > 0) memcpy(out->data, data, length);
  napi_create_reference(env, args[2], 1, &out->callback);
  if (s->last == NULL) s->first = out;
  else s->last->next = out;
  s->last = out;
  update(s);
  return undefined(env);
}

static napi_value js_shutdown(napi_env env, napi_callback_info info) {
  napi_value args[MAX_ARGS];
  if (!get_args(env, info, 1, args)) return NULL;
  struct packet_socket *s = get_socket(env, args[0]);
  if (s == NULL || s->closing) return undefined(env);
  if (s->first == NULL) shutdown(s->fd, SHUT_WR);
  else s->shut_after_writes = true;
  return undefined(env);
}

static napi_value js_close(napi_env env, napi_callback_info info) {
  napi_value args[MAX_ARGS];
  if (!get_args(env, info, 1, args)) return NULL;
  struct packet_socket *s = get_socket(env, args[0]);
  if (s != NULL) stop(s);
  return undefined(env);
}

void init_packet(napi_env env, napi_value exports) {
  define(env, exports, "packetConnect", js_connect);
  define(env, exports, "packetRead", js_read);
  define(env, exports, "packetWrite", js_write);
  define(env, exports, "packetShutdown", js_shutdown);
  define(env, exports, "packetClose", js_close);
}
