/* What the launcher's parts know together. See main.c for the order of events. */
#ifndef TSC_LAUNCHER_H
#define TSC_LAUNCHER_H

#include <limits.h>
#include <sys/stat.h>
#include <sys/types.h>

#include "common.h"

#define RUN_ROOT "TSC_RUN_ROOT"
#define USERNS "TSC_USER_NAMESPACE"
#define NOT_INSTALLED "is not installed"
#define MAX_RANGES 32

/* Set once by main, read by all. */
struct host {
  uid_t uid;
  gid_t gid;
  /* Folder of the native programs. */
  char native_dir[PATH_MAX - 64];
  char run_root[PATH_MAX - 64];
  /* The run root, opened before any namespace was joined. */
  int run_root_fd;
  /* tsc-pause, opened before any namespace was joined. */
  int pause_program;
};
extern struct host host;

/* words.c: the form of src/cli/render/errors.ts, one error, whoever found it. */
_Noreturn void die(const char *code, const char *message, const char *hint);
_Noreturn void die_errno(const char *code, const char *what, const char *name);
void warn(const char *message);

/* process-state.c: takes back everything that the calling shell handed down and no container, image or file of ours may depend on. */
void settle_process_state(int argc, char **argv);

/* run-root.c */
void choose_run_root(void);
/* The store root by the rules of src/engine/paths.ts; false when it does not fit. */
bool store_root(char out[PATH_MAX]);

/* node.c: Node's path and an open descriptor of it. */
int open_node(char path[PATH_MAX]);

/* ids.c */
struct range {
  unsigned long long start, length;
};
struct ranges {
  struct range list[MAX_RANGES];
  size_t count;
};
/* The user's name from /etc/passwd, else $USER: newuidmap checks for itself, a wrong name only finds nothing. */
void user_name(char *out, size_t size);
/* Ranges given to the user in /etc/subuid or /etc/subgid, by name or number, in file order. */
void sub_ranges(const char *file, const char *name, uid_t id, struct ranges *out);
/* Runs newuidmap or newgidmap; false with its words in `message`. */
bool run_idmap(const char *program, pid_t pid, uid_t own, const struct ranges *ranges, char *message, size_t size);
/* Maps the user's own id alone. */
bool map_single(pid_t pid);
/* Whether our user namespace maps more than one id; warns when /etc/subuid says otherwise since. */
bool is_full_mapping(void);

/* anchor.c: living processes that hold our namespaces. */
struct namespaces {
  int user, mnt;
};
/* The namespaces of the pause process that RUNROOT/pause.pid records. */
bool open_pause(struct namespaces *out);
/* Those of another process that we recorded there: the supervisor, a container's conmon. */
bool open_survivor(struct namespaces *out);
/* Refuses (TSC_NAMESPACE_LOST) when containers run whose namespaces nobody of ours holds. */
void refuse_if_containers_live(void);

/* namespaces.c */
/* Makes namespaces with a pause process in them and exits; runs in a child, so that the pause process belongs to nobody. */
_Noreturn void make_namespaces(void);
/* Puts a new pause process into namespaces that lost theirs and exits. */
_Noreturn void pin_again(const struct namespaces *found);

/* join.c: enters the user's namespaces, which are found or made, and becomes root there. `same` are files that must be the same inside. */
struct seen_file {
  const char *path;
  struct stat st;
};
void join_rootless(const struct seen_file *same, size_t count);
bool enter(const struct namespaces *found);

#endif
