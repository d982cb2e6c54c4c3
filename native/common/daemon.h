/* The first lines of a program that stays in the background, one per folder. */
#ifndef TSC_DAEMON_H
#define TSC_DAEMON_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* Milliseconds of CLOCK_BOOTTIME: goes on while the machine sleeps and never jumps. */
int64_t tsc_now_ms(void);

/*
 * Enters the folder and lets go of the caller's mask, streams and descriptors. False after a line on stderr that begins with `program`.
 */
bool tsc_daemon_enter(const char *program, const char *folder, mode_t mask);

/* A session of its own, forked once more: no controlling terminal can ever be had. Only the last child returns; signals of a terminal leave it alone. */
void tsc_daemon_detach(void);

/*
 * The lock of the current folder, with the record by which the engine and the launcher know this process again. Its descriptor; -1 when
 * another one holds it after `attempts` tries of 10 ms.
 */
int tsc_daemon_lock(int attempts);

#endif
