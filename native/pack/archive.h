/* A tar archive on stdout: ustar headers, pax records for what they cannot hold. */
#ifndef TSC_PACK_ARCHIVE_H
#define TSC_PACK_ARCHIVE_H

#include <sys/stat.h>

#include "common.h"

/* Ends the program with a line on stderr: what failed at `path`, with errno's words. */
_Noreturn void die(const char *path, const char *what);
/* Bytes of the archive; what is left in the buffer goes out with archive_end. */
void out(const void *data, size_t length);
/* Zeros after data of this size, up to a whole block. */
void pad(unsigned long long size);
/* Adds a record "LENGTH key=value\n", where the length counts its own digits. */
void pax_add(struct tsc_text *pax, const char *key, const char *value, size_t length);
/* The headers of an entry, with the records in `pax` and those that its name, link and numbers need. */
void entry(char type, const char *name, const char *link, const struct stat *st, unsigned long long size, struct tsc_text *pax);

/* The two empty blocks at the end; all is written then. */
void archive_end(void);

/* xattrs.c */
/* For qsort: names by bytes. */
int compare_names(const void *a, const void *b);
/* Whether an open file has the attribute; with `wanted`, as this one byte. */
bool has_xattr(int fd, const char *name, char wanted);
/* Adds a record for each attribute, in the order of names; overlay's own and labels are left out. */
void add_xattrs(int fd, const char *path, struct tsc_text *pax);

#endif
