/* Removing trees by descriptor: never through a link, never into a mount, to any depth. */
#ifndef TSC_REMOVE_H
#define TSC_REMOVE_H

#include <stdbool.h>
#include <sys/types.h>

struct tsc_removal {
  /* Entries it answers true for stay (folders are still looked into); NULL removes everything. */
  bool (*keep)(void *context, ino_t inode);
  void *context;
  /* Set on failure. */
  const char *failed_call;
  char failed_name[256];
  /* Private. */
  int top;
  unsigned moved;
};

/* Empties an open folder and closes it; -1 with errno. */
int tsc_empty_folder(struct tsc_removal *removal, int fd);
/* Removes one entry of a folder; missing is no error. */
int tsc_remove_at(struct tsc_removal *removal, int folder, const char *name);

#endif
