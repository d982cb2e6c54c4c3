/*
 * Answers of the routing netlink, right and wrong: read one by one out of memory of exactly their size, and as whole conversations
 * through a socket. The first byte chooses.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../addon/netlink.h"
#include "fuzz.h"

const char *const fuzz_words[] = {"\x10", "\x14", "\x18", "\x1c", "\x20", "\x24", "eth0", "bridge", "veth", NULL};

void fuzz_mend(uint8_t *data, size_t size) {
  (void)data;
  (void)size;
}

static bool take(const struct nlmsghdr *header, void *data) {
  struct link_state link;
  struct link_address address;
  (*(int *)data)++;
  if (netlink_read_link(header, &link) && (memchr(link.name, '\0', sizeof link.name) == NULL || memchr(link.kind, '\0', sizeof link.kind) == NULL))
    BROKEN();
  if (netlink_read_address(header, &address) && memchr(address.text, '\0', sizeof address.text) == NULL) BROKEN();
  return true;
}

static void alone(const uint8_t *data, size_t size) {
  struct nlmsghdr *header = malloc(size);
  int seen = 0;
  if (header == NULL) BROKEN();
  memcpy(header, data, size);
  /* the caller's promise: a header that is there, with a length that fits */
  if (size >= sizeof *header) {
    header->nlmsg_len = (uint32_t)size;
    take(header, &seen);
  }
  free(header);
}

/* Pieces of the input as the answers to one dump; the first message of each belongs to our request. */
static void conversation(const uint8_t *data, size_t size) {
  int pair[2], seen = 0;
  if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair) < 0) BROKEN();
  for (int pieces = 0; size > 2 && pieces < 8; pieces++) {
    size_t length = (size_t)data[0] + 256u * (data[1] & 15u);
    data += 2, size -= 2;
    if (length > size) length = size;
    uint8_t *packet = malloc(length == 0 ? 1 : length);
    if (packet == NULL) BROKEN();
    memcpy(packet, data, length);
    uint32_t sequence = 1;
    if (length >= sizeof(struct nlmsghdr)) memcpy(packet + offsetof(struct nlmsghdr, nlmsg_seq), &sequence, sizeof sequence);
    (void)!send(pair[1], packet, length, MSG_NOSIGNAL);
    free(packet);
    data += length, size -= length;
  }
  shutdown(pair[1], SHUT_WR);
  struct netlink netlink = {.fd = pair[0], .sequence = 0};
  struct netlink_message message;
  netlink_begin(&message, RTM_GETLINK, NLM_F_DUMP, sizeof(struct ifinfomsg));
  netlink_dump(&netlink, &message, take, &seen);
  if (seen > 8 * 4096) BROKEN();
  netlink_close(&netlink);
  close(pair[1]);
}

static void prefix(const uint8_t *data, size_t size) {
  struct prefix parsed;
  char *text = malloc(size + 1);
  if (text == NULL) BROKEN();
  memcpy(text, data, size);
  text[size] = '\0';
  if (prefix_parse(text, &parsed) && (parsed.bits > parsed.bytes * 8 || (parsed.bytes != 4 && parsed.bytes != 16))) BROKEN();
  free(text);
}

void fuzz_one(const uint8_t *data, size_t size) {
  if (size < 2) return;
  if (data[0] % 3 == 0) alone(data + 1, size - 1);
  else if (data[0] % 3 == 1) conversation(data + 1, size - 1);
  else prefix(data + 1, size - 1);
}
