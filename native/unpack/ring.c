#include "ring.h"

#include <stdio.h>
#include <stdlib.h>

#include "unpack.h"

void ring_start(struct ring *ring) {
  for (int i = 0; i < SLOTS; i++) {
    ring->data[i] = malloc(SLOT_SIZE);
    if (ring->data[i] == NULL) fail("ENOMEM", "", "out of memory");
  }
}

uint8_t *ring_reserve(struct ring *ring) {
  pthread_mutex_lock(&ring->lock);
  for (;;) {
    uint64_t slowest = ring->taken[0];
    if (ring->consumers == 2 && ring->taken[1] < slowest) slowest = ring->taken[1];
    if (ring->produced - slowest < SLOTS) break;
    pthread_cond_wait(&ring->moved, &ring->lock);
  }
  uint8_t *slot = ring->data[ring->produced % SLOTS];
  pthread_mutex_unlock(&ring->lock);
  return slot;
}

void ring_publish(struct ring *ring, size_t length) {
  pthread_mutex_lock(&ring->lock);
  ring->length[ring->produced % SLOTS] = length;
  ring->produced++;
  pthread_cond_broadcast(&ring->moved);
  pthread_mutex_unlock(&ring->lock);
}

void ring_end(struct ring *ring, const char *code, const char *message) {
  pthread_mutex_lock(&ring->lock);
  ring->finished = true;
  snprintf(ring->code, sizeof ring->code, "%s", code);
  snprintf(ring->message, sizeof ring->message, "%s", message);
  pthread_cond_broadcast(&ring->moved);
  pthread_mutex_unlock(&ring->lock);
}

size_t ring_take(struct ring *ring, int consumer, const uint8_t **data) {
  size_t length = 0;
  pthread_mutex_lock(&ring->lock);
  while (ring->taken[consumer] == ring->produced && !ring->finished) pthread_cond_wait(&ring->moved, &ring->lock);
  if (ring->taken[consumer] != ring->produced) {
    *data = ring->data[ring->taken[consumer] % SLOTS];
    length = ring->length[ring->taken[consumer] % SLOTS];
  }
  pthread_mutex_unlock(&ring->lock);
  return length;
}

void ring_release(struct ring *ring, int consumer) {
  pthread_mutex_lock(&ring->lock);
  ring->taken[consumer]++;
  pthread_cond_broadcast(&ring->moved);
  pthread_mutex_unlock(&ring->lock);
}
