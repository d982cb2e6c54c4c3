/* tsc-pause: holds namespaces and nothing else. Ends on SIGTERM only. */
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

int main(void) {
  static const int ignored[] = {SIGALRM, SIGHUP,  SIGINT,    SIGPIPE, SIGQUIT, SIGPOLL,
                                SIGPROF, SIGVTALRM, SIGXCPU, SIGXFSZ, SIGUSR1, SIGUSR2};
  for (unsigned i = 0; i < sizeof ignored / sizeof ignored[0]; i++) signal(ignored[i], SIG_IGN);
  prctl(PR_SET_NAME, "tsc-pause");
  /* It starts nobody, but may be given children; they are reaped. */
  sigset_t wait_for;
  sigemptyset(&wait_for);
  sigaddset(&wait_for, SIGCHLD);
  sigaddset(&wait_for, SIGTERM);
  sigprocmask(SIG_BLOCK, &wait_for, NULL);
  for (;;) {
    int got = sigwaitinfo(&wait_for, NULL);
    if (got == SIGTERM) return 0;
    while (waitpid(-1, NULL, WNOHANG) > 0) continue;
  }
}
