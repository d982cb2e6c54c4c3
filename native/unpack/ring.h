/* Fixed buffers between one thread that fills them and those that take them: a slow taker holds the filler, memory stays bounded. */
#ifndef TSC_UNPACK_RING_H
#define TSC_UNPACK_RING_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SLOTS 8
#define SLOT_SIZE (512 * 1024)

struct ring {
  pthread_mutex_t lock;
  pthread_cond_t moved;
  uint8_t *data[SLOTS];
  size_t length[SLOTS];
  uint64_t produced, taken[2];
  int consumers;
  bool finished;
  /* Why the producer stopped early; empty after a clean end. */
  char code[16], message[160];
};

void ring_start(struct ring *ring);
/* A free buffer to fill, and its handing over. */
uint8_t *ring_reserve(struct ring *ring);
void ring_publish(struct ring *ring, size_t length);
/* Nothing more comes; with a code, why. */
void ring_end(struct ring *ring, const char *code, const char *message);
/* Waits for a buffer; 0 at the end. It is the consumer's until it is released. */
size_t ring_take(struct ring *ring, int consumer, const uint8_t **data);
void ring_release(struct ring *ring, int consumer);

#endif
