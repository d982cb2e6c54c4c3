/* What the engine says: the whole set of ports that should be open, and is answered which could not be. Callers are of our own user and
 * are given little room and time. */
#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "portd.h"

#define CALLERS 8
#define LINE_MAX_BYTES 256
#define PORTS_MAX 131072
#define PATIENCE_MS 10000

struct caller {
  struct source source; /* first: epoll names it */
  int fd;
  int64_t since;
  char line[LINE_MAX_BYTES];
  size_t length, ports;
  bool complete, broken, keep_four, keep_six, answering;
  struct port *wanted;
  struct tsc_text answer;
  size_t sent;
};

static struct caller callers[CALLERS];
static struct source listener;
static int listen_fd = -1;

static void hang_up(struct caller *caller) {
  close(caller->fd);
  caller->fd = -1;
  ports_free(caller->wanted);
  caller->wanted = NULL;
  tsc_text_free(&caller->answer);
}

/* `keep 4|6` or `port tcp|udp HOST-IP HOST-PORT TARGET-IP TARGET-PORT OWNER` or `end`. */
static bool take_line(struct caller *caller) {
  char *words[8], *rest = NULL;
  size_t count = 0;
  for (char *word = strtok_r(caller->line, " ", &rest); word != NULL && count < 8; word = strtok_r(NULL, " ", &rest)) words[count++] = word;
  if (count == 1 && strcmp(words[0], "end") == 0) {
    caller->complete = true;
    return true;
  }
  if (count == 2 && strcmp(words[0], "keep") == 0) {
    if (strcmp(words[1], "4") == 0) caller->keep_four = true;
    else if (strcmp(words[1], "6") == 0) caller->keep_six = true;
    else return false;
    return true;
  }
  if (count != 7 || strcmp(words[0], "port") != 0 || ++caller->ports > PORTS_MAX) return false;
  bool udp = strcmp(words[1], "udp") == 0;
  if (!udp && strcmp(words[1], "tcp") != 0) return false;
  unsigned numbers[2];
  for (int index = 0; index < 2; index++) {
    char *text = words[3 + 2 * index], *end;
    unsigned long number = strtoul(text, &end, 10);
    if (*text < '1' || *text > '9' || *end != '\0' || number > 65535) return false;
    numbers[index] = (unsigned)number;
  }
  if (strlen(words[6]) > OWNER_MAX) return false;
  struct port *port = calloc(1, sizeof *port);
  if (port == NULL) return false;
  port->fd = -1;
  port->udp = udp;
  strcpy(port->owner, words[6]);
  port->next = caller->wanted;
  caller->wanted = port;
  return address_parse(&port->listen, words[2], numbers[0]) && address_parse(&port->target, words[4], numbers[1]);
}

static void handle_caller(struct source *source, uint32_t events) {
  struct caller *caller = (struct caller *)source;
  if (caller->fd < 0) return;
  if (caller->answering) {
    ssize_t n = send(caller->fd, caller->answer.data + caller->sent, caller->answer.length - caller->sent, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (n > 0) caller->sent += (size_t)n;
    if ((n < 0 && errno != EAGAIN && errno != EINTR) || caller->sent == caller->answer.length) hang_up(caller);
    return;
  }
  (void)events;
  char buffer[16384];
  ssize_t n = recv(caller->fd, buffer, sizeof buffer, MSG_DONTWAIT);
  if (n < 0 && (errno == EAGAIN || errno == EINTR)) return;
  if (n <= 0) {
    if (!caller->complete) hang_up(caller);
    return;
  }
  for (ssize_t at = 0; at < n && !caller->complete && !caller->broken; at++) {
    if (buffer[at] != '\n') {
      if (caller->length + 1 >= sizeof caller->line || buffer[at] == '\0') caller->broken = true;
      else caller->line[caller->length++] = buffer[at];
      continue;
    }
    caller->line[caller->length] = '\0';
    caller->length = 0;
    if (!take_line(caller)) caller->broken = true;
  }
}

static void handle_listener(struct source *source, uint32_t events) {
  (void)source;
  (void)events;
  int fd = accept4(listen_fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
  if (fd < 0) return;
  struct ucred who;
  socklen_t length = sizeof who;
  struct caller *caller = NULL;
  for (int index = 0; index < CALLERS && caller == NULL; index++)
    if (callers[index].fd < 0) caller = &callers[index];
  if (caller == NULL || getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &length) != 0 || who.uid != geteuid()) {
    close(fd);
    return;
  }
  *caller = (struct caller){.source = {handle_caller}, .fd = fd, .since = tsc_now_ms()};
  if (!portd_watch(fd, &caller->source, EPOLLIN)) hang_up(caller);
}

static void answer(struct caller *caller) {
  if (caller->broken) {
    tsc_text_adds(&caller->answer, "refused\n");
  } else {
    origin_keep(caller->keep_four, caller->keep_six);
    ports_apply(caller->wanted);
    caller->wanted = NULL;
    for (const struct port *port = ports; port != NULL; port = port->next) {
      if (port->error == 0) continue;
      char place[64];
      const char *name = strerrorname_np(port->error);
      bool four = port->listen.any.sa_family == AF_INET;
      if (inet_ntop(four ? AF_INET : AF_INET6, four ? (const void *)&port->listen.four.sin_addr : &port->listen.six.sin6_addr, place, sizeof place) == NULL) continue;
      tsc_text_addf(&caller->answer, "failed %s %s %u %s\n", port->udp ? "udp" : "tcp", place, address_port(&port->listen), name == NULL ? "EIO" : name);
    }
    for (int index = 0; index < 2; index++)
      if (origin_can(index == 0 ? AF_INET : AF_INET6)) tsc_text_adds(&caller->answer, index == 0 ? "keeps 4\n" : "keeps 6\n");
    tsc_text_adds(&caller->answer, "done\n");
  }
  if (caller->answer.failed) {
    hang_up(caller);
    return;
  }
  caller->answering = true;
  portd_watch_again(caller->fd, &caller->source, EPOLLOUT);
  handle_caller(&caller->source, EPOLLOUT);
}

void control_apply(void) {
  for (int index = 0; index < CALLERS; index++) {
    struct caller *caller = &callers[index];
    if (caller->fd >= 0 && !caller->answering && (caller->complete || caller->broken)) answer(caller);
  }
}

bool control_tick(int64_t now) {
  bool any = false;
  for (int index = 0; index < CALLERS; index++) {
    struct caller *caller = &callers[index];
    if (caller->fd >= 0 && now - caller->since > PATIENCE_MS) hang_up(caller);
    any |= caller->fd >= 0;
  }
  return any;
}

bool control_begin(void) {
  for (int index = 0; index < CALLERS; index++) callers[index].fd = -1;
  struct sockaddr_un place = {.sun_family = AF_UNIX, .sun_path = "control"};
  listen_fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (listen_fd < 0) return false;
  unlink(place.sun_path);
  mode_t before = umask(0177);
  int bound = bind(listen_fd, (const struct sockaddr *)&place, sizeof place);
  umask(before);
  listener.handle = handle_listener;
  return bound == 0 && listen(listen_fd, 64) == 0 && portd_watch(listen_fd, &listener, EPOLLIN);
}
