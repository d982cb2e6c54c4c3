/* What a process inherits and a daemon would not have: taken back here, once, so that containers, builds and the files we write do not
 * depend on the shell that called. The reference is what dockerd hands to containers. A caller's umask and an ignored SIGHUP are remembered
 * in the environment for those who act in the caller's name. Where only root may take something back, it is left, and said if it slows. */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "launcher.h"

#define MAX_KEPT 64
#define STACK_BYTES (8UL << 20)
#define IOPRIO_WHO_PROCESS 1
#define KERNEL_SIGSET_BYTES 8

extern char **environ;

/* Adds the numbers of every `/fd/N` in a text: a shell's `<(…)` hands over descriptors under such names. */
static size_t named_descriptors(const char *text, int *kept, size_t count) {
  for (const char *at = text; count < MAX_KEPT && (at = strstr(at, "/fd/")) != NULL;) {
    at += strlen("/fd/");
    char *end;
    long fd = strtol(at, &end, 10);
    if (end > at && fd > 2 && fd < 1 << 20) kept[count++] = (int)fd;
  }
  return count;
}

static void settle_descriptors(int argc, char **argv) {
  int kept[MAX_KEPT], null;
  size_t count = 0;
  for (int i = 1; i < argc; i++) count = named_descriptors(argv[i], kept, count);
  for (char **variable = environ; *variable != NULL; variable++) count = named_descriptors(*variable, kept, count);
  tsc_close_from(3, kept, count);
  /* Node would speak to whoever started us with fork(). */
  unsetenv("NODE_CHANNEL_FD");
  /* A closed standard stream must not become the next file that is opened. */
  do null = open("/dev/null", O_RDWR);
  while (null >= 0 && null < 3);
  if (null >= 0) close(null);
}

static void settle_umask(void) {
  char text[8];
  /* dockerd's. What is ours lies in folders of mode 0700; the modes of files in them are for containers, which get some of them by mounts. */
  snprintf(text, sizeof text, "%03o", umask(022));
  setenv("TSCOMPOSE_CALLER_UMASK", text, 1);
}

static void settle_signals(void) {
  struct sigaction action;
  bool keeps_running = sigaction(SIGHUP, NULL, &action) == 0 && action.sa_handler == SIG_IGN;
  /* nohup: Node resets dispositions, so the command must be told. */
  if (keeps_running) setenv("TSCOMPOSE_NOHUP", "1", 1);
  else unsetenv("TSCOMPOSE_NOHUP");
  /* By the system call: the C library keeps two signals for itself, and leaves them ignored if they came so. */
  static const unsigned long defaults[4 + 1024 / (8 * sizeof(long))];
  for (int number = 1; number < NSIG; number++) syscall(SYS_rt_sigaction, number, defaults, NULL, KERNEL_SIGSET_BYTES);
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, NULL);
}

static void settle_limits(void) {
  for (int resource = 0; resource < RLIMIT_NLIMITS; resource++) {
    struct rlimit limit;
    /* A core of ours is nobody's wish; what containers get stands in their own configuration. */
    if (resource == RLIMIT_CORE || getrlimit((__rlimit_resource_t)resource, &limit) < 0) continue;
    limit.rlim_cur = resource == RLIMIT_STACK && limit.rlim_max > STACK_BYTES ? STACK_BYTES : limit.rlim_max;
    setrlimit((__rlimit_resource_t)resource, &limit);
  }
}

static void settle_priority(void) {
  const struct sched_param plain = {0};
  cpu_set_t all[8];
  int policy = sched_getscheduler(0);
  bool slow = policy > SCHED_OTHER && sched_setscheduler(0, SCHED_OTHER, &plain) < 0;
  errno = 0;
  int nice_value = getpriority(PRIO_PROCESS, 0);
  slow = (nice_value != 0 && setpriority(PRIO_PROCESS, 0, 0) < 0 && nice_value > 0) || slow;
  if (slow) warn("only root can take back the low priority (nice) of this shell: what is started now keeps it");
  syscall(SYS_ioprio_set, IOPRIO_WHO_PROCESS, 0, 0);
  /* The kernel leaves out what our cpuset does not hold. */
  memset(all, 0xff, sizeof all);
  sched_setaffinity(0, sizeof all, all);
  int score = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
  if (score >= 0) {
    /* Lower than a privileged process once set it is root's alone: podman leaves that too. */
    if (tsc_write_all(score, "0", 1) < 0) errno = 0;
    close(score);
  }
}

static void settle_folder(void) {
  char cwd[PATH_MAX];
  if (getcwd(cwd, sizeof cwd) != NULL && cwd[0] == '/') return;
  if (chdir("/") < 0) die_errno("TSC_INTERNAL", "enter", "/");
  setenv("PWD", "/", 1);
  warn("the current folder is gone; working in /");
}

void settle_process_state(int argc, char **argv) {
  settle_descriptors(argc, argv);
  settle_umask();
  settle_signals();
  settle_limits();
  settle_priority();
  settle_folder();
}
