/* Addresses of both families. Pure. */
#include <arpa/inet.h>
#include <string.h>

#include "portd.h"

bool address_parse(union address *address, const char *text, unsigned port) {
  memset(address, 0, sizeof *address);
  if (port > 65535) return false;
  if (inet_pton(AF_INET, text, &address->four.sin_addr) == 1) {
    address->four.sin_family = AF_INET;
    address->four.sin_port = htons((uint16_t)port);
    return true;
  }
  if (inet_pton(AF_INET6, text, &address->six.sin6_addr) != 1) return false;
  address->six.sin6_family = AF_INET6;
  address->six.sin6_port = htons((uint16_t)port);
  return true;
}

socklen_t address_length(const union address *address) {
  return address->any.sa_family == AF_INET ? sizeof address->four : sizeof address->six;
}

unsigned address_port(const union address *address) {
  return ntohs(address->any.sa_family == AF_INET ? address->four.sin_port : address->six.sin6_port);
}

bool address_equal(const union address *a, const union address *b) {
  if (a->any.sa_family != b->any.sa_family || address_port(a) != address_port(b)) return false;
  if (a->any.sa_family == AF_INET) return a->four.sin_addr.s_addr == b->four.sin_addr.s_addr;
  return memcmp(&a->six.sin6_addr, &b->six.sin6_addr, sizeof a->six.sin6_addr) == 0 && a->six.sin6_scope_id == b->six.sin6_scope_id;
}

bool address_is_loopback(const union address *address) {
  if (address->any.sa_family == AF_INET) return ntohl(address->four.sin_addr.s_addr) >> 24 == 127;
  return IN6_IS_ADDR_LOOPBACK(&address->six.sin6_addr);
}
