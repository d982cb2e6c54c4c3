/* A process written down so that it is known again: by pid, start time, boot and the very file it runs. What a process says of
 * itself (name, command line, folder) never counts: any process can say the same. */
#ifndef TSC_PROCESS_RECORD_H
#define TSC_PROCESS_RECORD_H

#include "common.h"

/* One line of text: `PID START DEVICE:INODE BOOT`. START is field 22 of /proc/PID/stat, DEVICE:INODE is the file behind /proc/PID/exe. */
struct tsc_process_record {
  pid_t pid;
  unsigned long long start, device, inode;
  char boot[37];
};

/* The record of a living process; its file is 0:0 when we may not see it, which no later check passes. False when it is gone. */
bool tsc_record_of(pid_t pid, struct tsc_process_record *record);

/* Writes the line; -1 with errno. */
int tsc_record_write(int fd, const struct tsc_process_record *record);

/* Reads a record from a file of ours that nobody else can write; false when there is none. No link is followed. */
bool tsc_record_read(int folder, const char *name, struct tsc_process_record *record);

/* The folder /proc/PID of exactly that process, for as long as it lives; -1 when it is gone. Nothing is said about what it runs. */
int tsc_record_find(const struct tsc_process_record *record);

/* Like tsc_record_find, and only when the process lives in our pid namespace and runs the recorded file: then it is what was recorded. */
int tsc_record_open(const struct tsc_process_record *record);

#endif
