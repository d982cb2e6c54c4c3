/* Paths inside a container's root: every lookup is openat2(2) with RESOLVE_IN_ROOT, so links never lead out. */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "addon.h"

#define IN_ROOT (RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS)

struct create_options {
  bool folders;
  int64_t uid, gid, mode;
};

/* Absolute host path of an open descriptor. */
static int path_of(int fd, char out[PATH_MAX]) {
  char name[40];
  snprintf(name, sizeof name, "/proc/self/fd/%d", fd);
  ssize_t n = readlink(name, out, PATH_MAX - 1);
  if (n < 0) return -1;
  out[n] = '\0';
  return 0;
}

/* The folder that holds the last component of `path` (which must end in a plain name); copies that name. */
static int open_parent(int root, const char *path, char name[NAME_MAX + 1]) {
  const char *slash = strrchr(path, '/');
  const char *last = slash == NULL ? path : slash + 1;
  if (*last == '\0' || strcmp(last, ".") == 0 || strcmp(last, "..") == 0 || strlen(last) > NAME_MAX) {
    errno = EINVAL;
    return -1;
  }
  strcpy(name, last);
  char parent[PATH_MAX];
  snprintf(parent, sizeof parent, "%.*s", slash == NULL ? 0 : (int)(slash - path), path);
  return tsc_openat2(root, *parent == '\0' ? "/" : parent, O_PATH | O_CLOEXEC | O_DIRECTORY, 0, IN_ROOT);
}

/*
 * Opens `path` (O_PATH) inside root and makes missing folders on the way. A dangling link means the folder it
 * names inside the root, as for a process that lives there.
 */
static int open_creating(int root, const char *given, const struct create_options *options) {
  char path[PATH_MAX];
  if ((size_t)snprintf(path, sizeof path, "%s", given) >= sizeof path) {
    errno = ENAMETOOLONG;
    return -1;
  }
  for (int links = 0; links < 40; links++) {
    int fd = tsc_openat2(root, path, O_PATH | O_CLOEXEC, 0, IN_ROOT);
    if (fd >= 0 || errno != ENOENT || !options->folders) return fd;
    bool restart = false;
    for (char *at = path; *at != '\0' && !restart;) {
      while (*at == '/') at++;
      char *next = strchr(at, '/');
      if (next == NULL) next = at + strlen(at);
      char kept = *next;
      *next = '\0';
      int here = tsc_openat2(root, path, O_PATH | O_CLOEXEC, 0, IN_ROOT);
      if (here >= 0) {
        close(here);
      } else if (errno == ENOENT) {
        char name[NAME_MAX + 1], target[PATH_MAX], longer[2 * PATH_MAX];
        int parent = open_parent(root, path, name);
        if (parent < 0) return -1;
        int made = mkdirat(parent, name, (mode_t)options->mode);
        if (made == 0) {
          int folder = tsc_openat2(parent, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0,
                                   RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS);
          bool ok = folder >= 0 && fchown(folder, (uid_t)options->uid, (gid_t)options->gid) == 0 &&
                    fchmod(folder, (mode_t)options->mode) == 0;
          int saved = errno;
          if (folder >= 0) close(folder);
          close(parent);
          if (!ok) {
            errno = saved;
            return -1;
          }
        } else {
          int saved = errno;
          ssize_t n = saved == EEXIST ? readlinkat(parent, name, target, sizeof target - 1) : -1;
          close(parent);
          if (n < 0) {
            /* EEXIST without a link: somebody made it meanwhile; look again. */
            if (saved != EEXIST) {
              errno = saved;
              return -1;
            }
            restart = true;
          } else {
            target[n] = '\0';
            *next = kept;
            int head = (int)(at - path);
            int length = target[0] == '/' ? snprintf(longer, sizeof longer, "%s%s", target, next)
                                          : snprintf(longer, sizeof longer, "%.*s%s%s", head, path, target, next);
            if (length < 0 || length >= PATH_MAX) {
              errno = ENAMETOOLONG;
              return -1;
            }
            memcpy(path, longer, (size_t)length + 1);
            restart = true;
            continue;
          }
        }
      } else {
        return -1;
      }
      *next = kept;
      at = next;
    }
  }
  errno = ELOOP;
  return -1;
}

static int open_root(napi_env env, const char *path) {
  int fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) throw_errno(env, errno, "open", path, NULL);
  return fd;
}

/* Where an open descriptor lies below an open folder, without a leading slash; ESTALE when it was moved out meanwhile. */
static int path_within(int root, int fd, char out[PATH_MAX]) {
  char top[PATH_MAX], host[PATH_MAX];
  if (path_of(root, top) < 0 || path_of(fd, host) < 0) return -1;
  size_t length = strcmp(top, "/") == 0 ? 0 : strlen(top);
  if (strncmp(host, top, length) != 0 || (host[length] != '/' && host[length] != '\0')) {
    errno = ESTALE;
    return -1;
  }
  strcpy(out, host[length] == '/' ? host + length + 1 : host + length);
  return 0;
}

/* openInRoot(root, path, createFolders, uid, gid, mode) → { descriptor, within } */
static napi_value js_open(napi_env env, napi_callback_info info) {
  napi_value args[MAX_ARGS], result = NULL;
  if (!get_args(env, info, 6, args)) return NULL;
  struct create_options options = {.folders = get_bool(env, args[2])};
  if (!get_int(env, args[3], &options.uid) || !get_int(env, args[4], &options.gid) ||
      !get_int(env, args[5], &options.mode))
    return NULL;
  char *root_path = get_string(env, args[0]), *path = NULL;
  if (root_path != NULL) path = get_string(env, args[1]);
  int root = path == NULL ? -1 : open_root(env, root_path);
  if (root >= 0) {
    char within[PATH_MAX];
    int fd = -1;
    /* What was moved out between opening and naming it is looked for again. */
    for (int attempt = 0; attempt < 64; attempt++) {
      fd = open_creating(root, *path == '\0' ? "/" : path, &options);
      if (fd < 0 || path_within(root, fd, within) == 0) break;
      int saved = errno;
      close(fd);
      fd = -1;
      errno = saved;
      if (saved != ESTALE) break;
    }
    if (fd < 0) {
      throw_errno(env, errno, "openat2", path, NULL);
    } else {
      napi_create_object(env, &result);
      napi_set_named_property(env, result, "descriptor", from_int(env, fd));
      napi_set_named_property(env, result, "within", from_string(env, within));
    }
    close(root);
  }
  free(root_path);
  free(path);
  return result;
}

/* hasLink(root, path): whether a lookup of the path meets a symbolic link, at its end too; what is missing is none. */
static napi_value js_has_link(napi_env env, napi_callback_info info) {
  napi_value args[MAX_ARGS], result = NULL;
  if (!get_args(env, info, 2, args)) return NULL;
  char *root_path = get_string(env, args[0]), *path = NULL;
  if (root_path != NULL) path = get_string(env, args[1]);
  int root = path == NULL ? -1 : open_root(env, root_path);
  if (root >= 0) {
    int fd = tsc_openat2(root, path, O_PATH | O_CLOEXEC, 0, IN_ROOT | RESOLVE_NO_SYMLINKS);
    if (fd >= 0 || errno == ENOENT || errno == ENOTDIR || errno == ELOOP) result = from_bool(env, fd < 0 && errno == ELOOP);
    else throw_errno(env, errno, "openat2", path, NULL);
    if (fd >= 0) close(fd);
    close(root);
  }
  free(root_path);
  free(path);
  return result;
}

/* createMountPoint(root, path, isFile) */
static napi_value js_create_mount_point(napi_env env, napi_callback_info info) {
  napi_value args[MAX_ARGS];
  if (!get_args(env, info, 3, args)) return NULL;
  bool is_file = get_bool(env, args[2]);
  char *root_path = get_string(env, args[0]), *path = NULL;
  if (root_path != NULL) path = get_string(env, args[1]);
  int root = path == NULL ? -1 : open_root(env, root_path);
  if (root >= 0) {
    struct create_options options = {.folders = true, .mode = 0755};
    int fd;
    if (!is_file) {
      fd = open_creating(root, path, &options);
    } else {
      fd = tsc_openat2(root, path, O_PATH | O_CLOEXEC, 0, IN_ROOT);
      if (fd < 0 && errno == ENOENT) {
        char parent_path[PATH_MAX];
        const char *slash = strrchr(path, '/');
        snprintf(parent_path, sizeof parent_path, "/%.*s", slash == NULL ? 0 : (int)(slash - path), path);
        int parent = open_creating(root, parent_path, &options);
        if (parent >= 0) {
          close(parent);
          /* RESOLVE_IN_ROOT follows a dangling last link inside the root and makes its target. */
          fd = tsc_openat2(root, path, O_WRONLY | O_CREAT | O_CLOEXEC | O_NONBLOCK | O_NOCTTY, 0755, IN_ROOT);
        }
      }
    }
    if (fd < 0) throw_errno(env, errno, "openat2", path, NULL);
    else close(fd);
    close(root);
  }
  free(root_path);
  free(path);
  return undefined(env);
}

/* readFileInRoot(root, path, maxBytes) → Buffer, or undefined when missing */
static napi_value js_read_file(napi_env env, napi_callback_info info) {
  napi_value args[MAX_ARGS], result = NULL;
  int64_t limit;
  if (!get_args(env, info, 3, args) || !get_int(env, args[2], &limit)) return NULL;
  char *root_path = get_string(env, args[0]), *path = NULL;
  if (root_path != NULL) path = get_string(env, args[1]);
  int root = path == NULL ? -1 : open_root(env, root_path);
  if (root >= 0) {
    struct stat st;
    char name[40];
    /* Looked at before it is opened for real: opening a device or FIFO may block or act. */
    int seen = tsc_openat2(root, path, O_PATH | O_CLOEXEC, 0, IN_ROOT);
    if (seen < 0) {
      if (errno == ENOENT || errno == ENOTDIR) result = undefined(env);
      else throw_errno(env, errno, "openat2", path, NULL);
    } else if (fstat(seen, &st) < 0 || !S_ISREG(st.st_mode)) {
      throw_errno(env, EINVAL, "open", path, "not a regular file");
    } else {
      snprintf(name, sizeof name, "/proc/self/fd/%d", seen);
      int fd = open(name, O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
      size_t length = 0;
      char *data = fd < 0 ? NULL : tsc_read_fd(fd, limit < 0 ? 0 : (size_t)limit, &length);
      void *copy;
      if (data == NULL) throw_errno(env, errno, "read", path, NULL);
      else napi_create_buffer_copy(env, length, data, &copy, &result);
      free(data);
      if (fd >= 0) close(fd);
    }
    if (seen >= 0) close(seen);
    close(root);
  }
  free(root_path);
  free(path);
  return result;
}

void init_rootfs(napi_env env, napi_value exports) {
  define(env, exports, "openInRoot", js_open);
  define(env, exports, "hasLink", js_has_link);
  define(env, exports, "createMountPoint", js_create_mount_point);
  define(env, exports, "readFileInRoot", js_read_file);
}
