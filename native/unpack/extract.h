/* The parts of the extractor: names, folders, attributes, and what the layer itself made. */
#ifndef TSC_UNPACK_EXTRACT_H
#define TSC_UNPACK_EXTRACT_H

#include <limits.h>
#include <sys/stat.h>

#include "unpack.h"

#define WHITEOUT ".wh."
#define WHITEOUT_META ".wh..wh."
#define WHITEOUT_OPAQUE ".wh..wh..opq"

/* ---- names.c ---- */

/*
 * Lexically cleaned path without leading slash, `.` and `..` (as Go's path.Clean, which the field uses); leaving
 * the root is an error. Empty for the root itself.
 */
void name_clean(const char *given, char out[PATH_MAX], const char *what);
bool name_starts_with(const char *text, const char *prefix);
/* Folders named like whiteouts could be mistaken for them later. True when the entry is to be ignored (aufs's own files). */
bool name_has_whiteout_folder(const char *path, const char *given);

/* ---- made.c: what this layer itself made (only needed when whiteouts are applied on the spot) ---- */

void made_begin(bool is_needed);
bool made_has(void *context, ino_t inode);
void made_note(int folder, const char *name);
void made_end(void);

/* ---- folders.c ---- */

void folders_begin(enum whiteouts whiteouts);
/* Opens a path as a folder inside the root with these flags, through no link. */
int folder_open_plain(const char *path, int flags);
/* The folder of `path` (kept open for the next entry) and the last name; -1 with errno. */
int folder_of(const char *path, const char **name, bool create);
/* Closes the folder that is kept open. */
void folder_forget(void);
/* Hides what layers below have in the folder. */
void folder_set_opaque(int fd, const char *path);
bool folder_is_whiteout(const struct stat *st);
/* Removes what stands at a name, but what the layer itself made when `keeps_made`. */
void folder_remove(int folder, const char *name, const char *path, bool keeps_made);

/* ---- attributes.c ---- */

/* `squash`: owners stay ours. */
void attributes_begin(bool squash);
/* Owner first (it clears setuid bits and capabilities), then mode, attributes, time. */
void attributes_set(int fd, const struct entry *entry, bool with_time);
void attributes_set_at(int folder, const char *name, const struct entry *entry, bool with_mode);

#endif
