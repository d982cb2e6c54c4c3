/* The inodes that this layer made: whiteouts that are applied on the spot leave them. */
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "extract.h"

static uint64_t *made;
static size_t made_count, made_room;
static bool needed;

void made_begin(bool is_needed) { needed = is_needed; }
void made_end(void) { free(made); }

bool made_has(void *context, ino_t inode) {
  (void)context;
  if (made_room == 0) return false;
  for (size_t i = (size_t)(inode * 0x9e3779b97f4a7c15ULL) & (made_room - 1);; i = (i + 1) & (made_room - 1)) {
    if (made[i] == inode) return true;
    if (made[i] == 0) return false;
  }
}

static void made_add(ino_t inode) {
  if (!needed || made_has(NULL, inode)) return;
  if (2 * (made_count + 1) > made_room) {
    uint64_t *old = made;
    size_t old_room = made_room;
    made_room = old_room == 0 ? 1024 : 2 * old_room;
    made = calloc(made_room, sizeof *made);
    if (made == NULL) fail("ENOMEM", "", "out of memory");
    made_count = 0;
    for (size_t i = 0; i < old_room; i++)
      if (old[i] != 0) made_add(old[i]);
    free(old);
  }
  size_t i = (size_t)(inode * 0x9e3779b97f4a7c15ULL) & (made_room - 1);
  while (made[i] != 0) i = (i + 1) & (made_room - 1);
  made[i] = inode;
  made_count++;
}

void made_note(int folder, const char *name) {
  struct stat st;
  if (needed && fstatat(folder, name, &st, AT_SYMLINK_NOFOLLOW) == 0) made_add(st.st_ino);
}
