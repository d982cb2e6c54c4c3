/* A fuzz target: one input, again and again in one process. A finding is a crash, a sanitizer's report, BROKEN() or a hang. */
#ifndef TSC_FUZZ_H
#define TSC_FUZZ_H

#include <stddef.h>
#include <stdint.h>

/* Gives `data` to the code under test; the bytes end where the sanitizer's guard begins. */
void fuzz_one(const uint8_t *data, size_t size);
/* Makes sums right again that every change breaks, in place, so that most inputs get behind the first check. */
void fuzz_mend(uint8_t *data, size_t size);
/* Words of the format, worth putting in; ends with NULL. */
extern const char *const fuzz_words[];
/* What the code under test promises does not hold; says where, and dies. */
#define BROKEN() fuzz_broken(__FILE__, __LINE__)
_Noreturn void fuzz_broken(const char *file, int line);

#endif
