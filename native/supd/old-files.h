/* The rotated files of a log: NAME.1, NAME.2.gz … beside it. */
#ifndef TSC_SUPD_OLD_FILES_H
#define TSC_SUPD_OLD_FILES_H

#include "supd.h"

struct old_file {
  unsigned long long number;
  long long size;
  bool packed;
};

void old_file_name(const struct watch *watch, const struct old_file *old, char *name, size_t size);
/* The rotated files, oldest first, malloc'd; NULL for none or no memory. */
struct old_file *old_files_list(const struct watch *watch, int *count);
/* Whether somebody reads the file, or an older one. */
bool old_file_is_read(const struct watch *watch, const char *name);
/* Empties the file: an empty one keeps the number of the last, by which a reader knows what comes next. */
void old_file_leave_empty(const struct watch *watch, const char *name);
/* Removes what a compression left that was killed. */
void old_files_tidy(const struct watch *watch);

#endif
