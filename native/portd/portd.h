/* The forwarder of published ports: what its parts share. One thread, one epoll set; nothing ever blocks. Protocol: ../portd.md. */
#ifndef TSC_PORTD_H
#define TSC_PORTD_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include "common.h"
#include "daemon.h"

#define OWNER_MAX 64

union address {
  struct sockaddr any;
  struct sockaddr_in four;
  struct sockaddr_in6 six;
};

/* Begins everything that epoll may tell about: its `handle` is called with the events. */
struct source {
  void (*handle)(struct source *source, uint32_t events);
};

struct connection;
struct flow;

/* A published port: what to listen on and where it leads. Without a descriptor it could not be opened. */
struct port {
  struct source source; /* first: epoll names it */
  struct port *next;
  bool udp, wanted;
  union address listen, target;
  char owner[OWNER_MAX + 1]; /* whose it is: connections of another owner end with the change */
  int fd, error;
  bool ready; /* TCP: there may be more to accept */
  struct port *next_ready;
  struct connection *connections;
  struct flow *newest, *oldest; /* UDP: by their last datagram */
  int flows;
};

/* loop.c */
/* Takes the folder's lock, writes a byte to `ready` once callers may come, and serves until the last port is gone. The exit code. */
int portd_loop(int ready);
/* Registers a descriptor; false when the kernel has no room. */
bool portd_watch(int fd, struct source *source, uint32_t events);
/* Waits for other events of a registered descriptor from now on. */
void portd_watch_again(int fd, struct source *source, uint32_t events);
/* Descriptors that ports, connections and flows may still take, beyond what is kept back for the rest. */
int portd_room(void);
/* Whether a connection that stands may take a pipe: what callers need stays free whatever flows. */
bool portd_room_for_pipe(void);
/* Counts descriptors opened (positive) or closed (negative) by ports, connections and flows. */
void portd_count(int descriptors);

/* outside.c */
/* From now on sockets are made in this namespace, wherever this thread goes. */
bool outside_begin(void);
/* A socket where ports are published: in the namespace this process began in. */
int outside_socket(int family, int type);
/* Leaves this thread no capabilities but these bits. */
bool outside_drop(uint32_t kept);

/* address.c */
bool address_parse(union address *address, const char *text, unsigned port);
socklen_t address_length(const union address *address);
bool address_equal(const union address *a, const union address *b);
unsigned address_port(const union address *address);
bool address_is_loopback(const union address *address);

/* origin.c: the client's address as the source of what goes on. */
/* Prepares the namespace for answers to foreign addresses, as far as the kernel can. */
void origin_begin(void);
/* Which families the caller has made packet filter rules for; kept only where both are there. */
void origin_keep(bool four, bool six);
bool origin_can(int family);
/* Gives a new socket towards `target` the client's address where that is possible, else leaves it to the kernel. With `port`, the client's port too. */
bool origin_bind(int fd, const union address *client, const union address *target, bool port);

/* ports.c: the set of published ports. */
extern struct port *ports;
/* Makes the open ports equal to `wanted` (a list that is taken over); what could not be opened keeps its `error`. */
void ports_apply(struct port *wanted);
void ports_free(struct port *list);

/* pipe.c */
#define PIPE_BYTES (512 << 10)
struct pipe {
  struct pipe *next;
  int in, out; /* read and write end */
};
/* NULL without room for one. */
struct pipe *pipe_take(void);
/* Bytes of a broken connection go with their pipe. */
void pipe_give(struct pipe *pipe, bool empty);

/* connect.c */
/* A TCP socket on its way to the container; -1. With the client's address and port, else its address, else ours. */
int connect_to(const union address *client, const union address *target);
void connect_options(int fd);

/* tcp.c */
void tcp_open(struct port *port);
/* Takes over what waits on listeners, as far as there is room; true when more could be taken at once. */
bool tcp_accept(void);
/* Moves bytes of every connection that can; true when some are left for the next round. */
bool tcp_run(void);
/* Ends the connections of a port whose container is gone: what it has sent still goes out, for a moment. */
void tcp_end(struct port *port);
/* Once a second or so: connections without a port whose time is over, and those that wait for a descriptor. */
void tcp_tick(int64_t now);
int tcp_count(void);
/* Something is due at the next tick. */
bool tcp_waits(void);

/* flows.c */
union pktinfo {
  struct in_pktinfo four;
  struct in6_pktinfo six;
};
struct flow {
  struct source source; /* first: epoll names it */
  struct port *port;
  struct flow *chain, *next_kept, *newer, *older;
  union address client, target;
  union pktinfo asked; /* the address that the client knows us by */
  bool is_kept;        /* the container sees the client's address and port */
  int fd;
  int64_t last_ms;
};
void flows_begin(void);
/* NULL when there is none. */
struct flow *flows_find(const struct port *port, const union address *client, const union pktinfo *asked);
bool flows_asked_same(const struct flow *flow, const union pktinfo *asked);
/* Whether a flow from this client to this container has the client's port. */
bool flows_has_kept(const union address *client, const union address *target);
void flows_add(struct flow *flow);
void flows_drop(struct flow *flow);
/* A datagram came by. */
void flows_touch(struct flow *flow);

/* udp.c */
void udp_open(struct port *port);
void udp_end(struct port *port);
/* Ends flows that nothing came by for long. */
void udp_tick(int64_t now);
/* Frees what was closed while events still named it. */
void udp_sweep(void);
int udp_count(void);

/* control.c */
/* Listens on `control` in the current folder. */
bool control_begin(void);
/* Carries out what callers have asked for; not while events are handed out, as ports and connections end by it. */
void control_apply(void);
/* Drops callers that take too long; true while there are any. */
bool control_tick(int64_t now);

#endif
