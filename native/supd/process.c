/* Starting programs and ending whole trees of them. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "common.h"
#include "supd.h"

pid_t supd_spawn(char *const argv[], int out) {
  pid_t pid = fork();
  if (pid != 0) return pid;
  setpgid(0, 0);
  /* What we ignore would be ignored for ever in the container that a probe enters. */
  for (int number = 1; number < NSIG; number++) signal(number, SIG_DFL);
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, NULL);
  int null = open("/dev/null", O_RDWR);
  if (null < 0) _exit(126);
  dup2(null, 0);
  dup2(out >= 0 ? out : null, 1);
  dup2(out >= 0 ? out : null, 2);
  tsc_close_from(3, NULL, 0);
  execv(argv[0], argv);
  dprintf(2, "%s: %s\n", argv[0], strerror(errno));
  _exit(127);
}

/* Children of every thread of a process, as the kernel lists them. */
static void kill_below(pid_t pid, int depth) {
  char path[64];
  snprintf(path, sizeof path, "/proc/%d/task/%d/children", pid, pid);
  char *list = tsc_read_file(path, 1 << 16, NULL);
  if (list == NULL) return;
  char *rest = list;
  for (char *word = strtok_r(list, " \n", &rest); word != NULL; word = strtok_r(NULL, " \n", &rest)) {
    pid_t child = (pid_t)strtol(word, NULL, 10);
    if (child <= 1) continue;
    unsigned long long start;
    /* looked up, then opened and compared: a reused pid is never signalled */
    if (!tsc_start_time(child, &start)) continue;
    int fd = tsc_pidfd_of(child, start);
    if (fd < 0) continue;
    if (depth < 32) kill_below(child, depth + 1);
    syscall(SYS_pidfd_send_signal, fd, SIGKILL, NULL, 0);
    close(fd);
  }
  free(list);
}

void supd_kill_tree(pid_t root) {
  /* our own child, not reaped yet: its pid cannot have been reused */
  kill(root, SIGSTOP);
  kill_below(root, 0);
  kill(root, SIGKILL);
}
