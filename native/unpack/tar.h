/* The parts of the tar reader: fields of headers, pax records, sparse maps. */
#ifndef TSC_UNPACK_TAR_H
#define TSC_UNPACK_TAR_H

#include "unpack.h"

#define BLOCK 512

/* ---- field.c ---- */

/* Octal text, or base 256 when the first bit is set. `what` names it in errors. */
int64_t field_number(const uint8_t *field, size_t size, const char *what);
/* The value, which must not be negative. */
uint64_t field_size(int64_t value, const char *what);
/* From the ustar name and prefix of a header; to be freed. */
char *field_path(const uint8_t *block);
bool field_checksum_ok(const uint8_t *block);

/* ---- pax.c ---- */

/* Overrides of one entry, pointing into the held extension text. */
struct pax {
  const char *path, *sparse_name, *link;
  bool has_size, has_mtime, has_uid, has_gid;
  uint64_t size;
  int64_t uid, gid;
  struct timespec mtime;
  int sparse_major, sparse_minor;
  bool has_real_size;
  uint64_t real_size;
  const char *sparse_map;
};

/* Forgets the attributes of the entry before. */
void pax_begin(void);
/* Reads the records of an extension header, which is changed and must last as long as the overrides. */
void pax_parse(struct pax *pax, char *text, size_t total);
struct xattr *pax_xattrs(size_t *count);

/* ---- sparse.c: the parts of a sparse file that hold data ---- */

#define MAX_SEGMENTS 100000

/* Forgets the parts of the entry before. */
void sparse_begin(void);
void sparse_add(uint64_t offset, uint64_t length);
size_t sparse_count(void);
/* pax 0.1: "offset,length,…" in one record. */
void sparse_from_text(const char *text);
/* pax 1.0: decimal lines at the start of the data, padded to whole blocks. */
void sparse_from_data(struct entry *entry);
/* Old GNU: four parts in the header, 21 in each following block. */
void sparse_from_header(const uint8_t *header);
/* Gives the entry its parts, which must fit its file and its data. */
void sparse_settle(struct entry *entry);

#endif
