/* Mounts: mount(2), mount_setattr(2) for what a bind cannot carry, binds of what is open, umount2(2). */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "addon.h"

static napi_value js_mount(napi_env env, napi_callback_info info) {
  napi_value args[MAX_ARGS];
  if (!get_args(env, info, 5, args)) return NULL;
  int64_t flags;
  char *source = get_string(env, args[0]), *target = NULL, *type = NULL, *data = NULL;
  if (source != NULL) target = get_string(env, args[1]);
  if (target != NULL) type = get_string(env, args[2]);
  if (type != NULL && get_int(env, args[3], &flags)) data = get_string(env, args[4]);
  if (data != NULL && mount(source, target, type, (unsigned long)flags, *data == '\0' ? NULL : data) < 0)
    throw_errno(env, errno, "mount", target, NULL);
  free(source);
  free(target);
  free(type);
  free(data);
  return undefined(env);
}

/* mountSetAttributes(path, set, recursive): adds MOUNT_ATTR_* bits without touching locked ones. */
static napi_value js_mount_set(napi_env env, napi_callback_info info) {
  napi_value args[MAX_ARGS];
  if (!get_args(env, info, 4, args)) return NULL;
  int64_t set, clear;
  char *path = get_string(env, args[0]);
  if (path == NULL) return NULL;
  if (get_int(env, args[1], &set) && get_int(env, args[2], &clear)) {
    struct mount_attr attr = {.attr_set = (uint64_t)set, .attr_clr = (uint64_t)clear};
    unsigned flags = AT_SYMLINK_NOFOLLOW | (get_bool(env, args[3]) ? AT_RECURSIVE : 0);
    if (syscall(SYS_mount_setattr, AT_FDCWD, path, flags, &attr, sizeof attr) < 0)
      throw_errno(env, errno, "mount_setattr", path, NULL);
  }
  free(path);
  return undefined(env);
}

/*
 * bindOpened(descriptor, target): mounts what is open, with the mounts below it, over `target`. No path of the source is looked up,
 * and the copy is private before it is seen anywhere: taking it away again can never take mounts of the original along.
 */
static napi_value js_bind_opened(napi_env env, napi_callback_info info) {
  napi_value args[MAX_ARGS];
  int64_t fd;
  if (!get_args(env, info, 2, args) || !get_int(env, args[0], &fd)) return NULL;
  char *target = get_string(env, args[1]);
  if (target == NULL) return NULL;
  struct mount_attr attr = {.propagation = MS_PRIVATE};
  const char *call = "open_tree";
  int tree = open_tree((int)fd, "", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_EMPTY_PATH | AT_RECURSIVE);
  bool done = tree >= 0;
  if (done) {
    call = "mount_setattr";
    done = syscall(SYS_mount_setattr, tree, "", AT_EMPTY_PATH | AT_RECURSIVE, &attr, sizeof attr) == 0;
  }
  if (done) {
    call = "move_mount";
    done = move_mount(tree, "", AT_FDCWD, target, MOVE_MOUNT_F_EMPTY_PATH) == 0;
  }
  if (!done) throw_errno(env, errno, call, target, NULL);
  if (tree >= 0) close(tree);
  free(target);
  return undefined(env);
}

/* unmount(path, detach): true when something was unmounted. */
static napi_value js_unmount(napi_env env, napi_callback_info info) {
  napi_value args[MAX_ARGS];
  if (!get_args(env, info, 2, args)) return NULL;
  char *path = get_string(env, args[0]);
  if (path == NULL) return NULL;
  bool done = umount2(path, UMOUNT_NOFOLLOW | (get_bool(env, args[1]) ? MNT_DETACH : 0)) == 0;
  if (!done && errno != EINVAL && errno != ENOENT && errno != ENOTDIR) throw_errno(env, errno, "umount2", path, NULL);
  free(path);
  return from_bool(env, done);
}

static napi_value js_is_mount_point(napi_env env, napi_callback_info info) {
  napi_value args[MAX_ARGS];
  if (!get_args(env, info, 1, args)) return NULL;
  char *path = get_string(env, args[0]);
  if (path == NULL) return NULL;
  struct statx st;
  bool is_root = false;
  if (statx(AT_FDCWD, path, AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT, 0, &st) == 0)
    is_root = (st.stx_attributes & STATX_ATTR_MOUNT_ROOT) != 0;
  else if (errno != ENOENT && errno != ENOTDIR)
    throw_errno(env, errno, "statx", path, NULL);
  free(path);
  return from_bool(env, is_root);
}

void init_mount(napi_env env, napi_value exports) {
  define(env, exports, "mount", js_mount);
  define(env, exports, "mountSetAttributes", js_mount_set);
  define(env, exports, "bindOpened", js_bind_opened);
  define(env, exports, "unmount", js_unmount);
  define(env, exports, "isMountPoint", js_is_mount_point);
}
