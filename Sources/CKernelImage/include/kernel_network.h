/* SPDX-License-Identifier: Apache-2.0
 * Sockets and socket filters of the kernel model: the functions that are hooked, and what a filter gets to see.
 *
 * Functions have the names, the arguments and the order of steps of XNU 4570; what is behind them is the model's own.
 * What a protocol does comes in through kernel_pr_usrreqs, as in the kernel: the effect of a call happens inside the
 * function that is hooked. Numbers of errors, events and address families are Darwin's. Sockets never block. */
#ifndef KERNEL_NETWORK_H
#define KERNEL_NETWORK_H

#include "kernel_image.h"

#define KERNEL_AF_INET 2
#define KERNEL_AF_INET6 30
#define KERNEL_SOCK_STREAM 1
#define KERNEL_SOCK_DGRAM 2
#define KERNEL_IPPROTO_TCP 6
#define KERNEL_IPPROTO_UDP 17

#define KERNEL_EJUSTRETURN (-2)
#define KERNEL_ENOENT 2
#define KERNEL_EEXIST 17
#define KERNEL_EINVAL 22
#define KERNEL_EPIPE 32
#define KERNEL_EWOULDBLOCK 35
#define KERNEL_EDESTADDRREQ 39
#define KERNEL_ENOPROTOOPT 42
#define KERNEL_EPROTONOSUPPORT 43
#define KERNEL_ENOTSUP 45
#define KERNEL_ENOBUFS 55
#define KERNEL_EISCONN 56
#define KERNEL_ENOTCONN 57
#define KERNEL_EOPNOTSUPP 102

typedef struct kernel_socket kernel_socket;
/* The network of one model: its filters, its protocols. */
typedef struct kernel_network kernel_network;

/* A socket address as Darwin lays it out: sockaddr_in or sockaddr_in6, big endian where it is on the wire. */
typedef struct kernel_sockaddr {
  uint8_t sa_len; /* 16 or 28; 0 = no address */
  uint8_t sa_family;
  uint16_t port;
  uint32_t word; /* the IPv4 address; the flow of IPv6 */
  uint8_t address6[16];
  uint32_t scope;
} kernel_sockaddr;

/* A packet in one piece. Who has the pointer owns it, and gives it back with m_freem. */
typedef struct kernel_mbuf {
  uint8_t *data; /* the payload */
  uint32_t len;
  uint32_t header_len; /* bytes of link, network and transport header in front of data; 0 = none are known */
  uint64_t address;    /* where the model says that data lies */
  kernel_network *net; /* whose packet it is */
} kernel_mbuf;

typedef struct kernel_sockopt {
  int32_t level, name, value;
} kernel_sockopt;

/* Events of sf_notify: XNU's sflt_event_t. */
enum {
  sock_evt_connecting = 1,
  sock_evt_connected = 2,
  sock_evt_disconnecting = 3,
  sock_evt_disconnected = 4,
  sock_evt_flush_read = 5,
  sock_evt_shutdown = 6,
  sock_evt_cantrecvmore = 7,
  sock_evt_cantsendmore = 8,
  sock_evt_closing = 9,
  sock_evt_bound = 10
};

#define SFLT_GLOBAL 0x01            /* attached to every new socket of its protocol */
#define SFLT_PROG 0x02              /* attached by sflt_attach only */
#define SFLT_EXTENDED 0x04          /* the filter has sf_accept; without it the field is not read */
#define SFLT_EXTENDED_REGISTRY 0x08 /* attached to the sockets that are there already, too */

#define sock_data_filt_flag_oob 1
#define sock_data_filt_flag_record 2

/* A socket filter. Callbacks that return a number stop the chain, newest filter first, with anything but 0:
 * EJUSTRETURN says that the filter has done the rest itself, any other number is the caller's error. They are called
 * without a lock, on any thread. */
typedef struct kernel_sflt_filter {
  uint32_t sf_handle; /* unique, not 0 */
  int32_t sf_flags;
  const char *sf_name;
  void (*sf_unregistered)(uint32_t handle); /* the last call ever; may be NULL as all but attach and detach */
  int32_t (*sf_attach)(void **cookie, kernel_socket *so);
  void (*sf_detach)(void *cookie, kernel_socket *so);
  void (*sf_notify)(void *cookie, kernel_socket *so, int32_t event, void *param);
  int32_t (*sf_getpeername)(void *cookie, kernel_socket *so, kernel_sockaddr *sa);
  int32_t (*sf_getsockname)(void *cookie, kernel_socket *so, kernel_sockaddr *sa);
  int32_t (*sf_data_in)(void *cookie, kernel_socket *so, const kernel_sockaddr *from, kernel_mbuf **data,
                        kernel_mbuf **control, uint32_t flags);
  int32_t (*sf_data_out)(void *cookie, kernel_socket *so, const kernel_sockaddr *to, kernel_mbuf **data,
                         kernel_mbuf **control, uint32_t flags);
  int32_t (*sf_connect_in)(void *cookie, kernel_socket *so, const kernel_sockaddr *from);
  int32_t (*sf_connect_out)(void *cookie, kernel_socket *so, const kernel_sockaddr *to);
  int32_t (*sf_bind)(void *cookie, kernel_socket *so, const kernel_sockaddr *to);
  int32_t (*sf_setoption)(void *cookie, kernel_socket *so, kernel_sockopt *opt);
  int32_t (*sf_getoption)(void *cookie, kernel_socket *so, kernel_sockopt *opt);
  int32_t (*sf_listen)(void *cookie, kernel_socket *so);
  int32_t (*sf_ioctl)(void *cookie, kernel_socket *so, uint64_t request, const char *argp);
  int32_t (*sf_accept)(void *cookie, kernel_socket *so_listen, kernel_socket *so, const kernel_sockaddr *local,
                       const kernel_sockaddr *remote);
} kernel_sflt_filter;

/* What TCP and UDP do. Each returns an error number or 0; pru_send takes the packet in any case. None is called with a
 * lock held. `pcb` is the socket's own, `context` the network's. */
typedef struct kernel_pr_usrreqs {
  /* Sets the pcb. `head` is the listening socket that the connection has arrived at, NULL for a call of socket(). */
  int32_t (*pru_attach)(void *context, kernel_socket *so, kernel_socket *head);
  int32_t (*pru_bind)(void *pcb, kernel_socket *so, const kernel_sockaddr *nam);
  int32_t (*pru_listen)(void *pcb, kernel_socket *so, int32_t backlog);
  int32_t (*pru_connect)(void *pcb, kernel_socket *so, const kernel_sockaddr *nam);
  int32_t (*pru_send)(void *pcb, kernel_socket *so, kernel_mbuf *m, const kernel_sockaddr *addr);
  int32_t (*pru_shutdown)(void *pcb, kernel_socket *so);
  int32_t (*pru_disconnect)(void *pcb, kernel_socket *so);
  void (*pru_detach)(void *pcb, kernel_socket *so);
  void (*pru_sockaddr)(void *pcb, kernel_socket *so, kernel_sockaddr *nam);
  void (*pru_peeraddr)(void *pcb, kernel_socket *so, kernel_sockaddr *nam);
  int32_t (*pru_control)(void *pcb, kernel_socket *so, uint64_t request, const char *argp);
  void (*free)(void *pcb); /* nobody knows the socket any more */
} kernel_pr_usrreqs;

/* Rule "sflt": what the answers of a chain of filters, newest first, come to. The first that is not 0 stands, and the
 * filters behind it are not asked. */
static inline int32_t kernel_sflt_join(int32_t so_far, int32_t answer) { return so_far != 0 ? so_far : answer; }

/* --- the network of a model --- */

/* Makes a network whose sockets all have these protocols. NULL without memory. */
kernel_network *kernel_network_create(const kernel_pr_usrreqs *usrreqs, void *context);
/* Gives it up; it goes when its last socket has gone. */
void kernel_network_release(kernel_network *net);
/* Lets filters and packets find no memory, as at a bad time. */
void kernel_network_exhaust(kernel_network *net, bool exhausted);
/* Makes it the network of the calling thread, in whose name sockets are made and filters registered, and returns the
 * one before. */
kernel_network *kernel_network_enter(kernel_network *net);
/* Inside sf_attach: the handle of the filter that is being attached, which the callback is not told otherwise. */
uint32_t kernel_sflt_attaching(void);
/* How many filters and how many sockets it has. */
size_t kernel_network_filters(kernel_network *net);
size_t kernel_network_sockets(kernel_network *net);
/* How many packets and sockets are in memory, and the model that holds it: 1 when all have gone. */
size_t kernel_network_references(kernel_network *net);

/* --- kpi_socketfilter: hookable --- */
int32_t sflt_register(const kernel_sflt_filter *filter, int32_t domain, int32_t type, int32_t protocol);
int32_t sflt_unregister(uint32_t handle);
int32_t sflt_attach(kernel_socket *so, uint32_t handle);
int32_t sflt_detach(kernel_socket *so, uint32_t handle);
void sflt_notify(kernel_socket *so, int32_t event, void *param);
int32_t sflt_data_in(kernel_socket *so, const kernel_sockaddr *from, kernel_mbuf **data, kernel_mbuf **control,
                     uint32_t flags);
int32_t sflt_data_out(kernel_socket *so, const kernel_sockaddr *to, kernel_mbuf **data, kernel_mbuf **control,
                      uint32_t flags);

/* --- the socket layer: hookable --- */
int32_t socreate(int32_t dom, kernel_socket **aso, int32_t type, int32_t proto);
int32_t sobindlock(kernel_socket *so, kernel_sockaddr *nam, int32_t dolock);
int32_t solisten(kernel_socket *so, int32_t backlog);
int32_t soconnectlock(kernel_socket *so, kernel_sockaddr *nam, int32_t dolock);
/* Sends `top`, which it takes. */
int32_t sosend(kernel_socket *so, kernel_sockaddr *addr, kernel_mbuf *top, kernel_mbuf *control, int32_t flags);
/* Takes the next packet, or of a stream the next bytes as they came; *mp0 is NULL at the end of a stream. */
int32_t soreceive(kernel_socket *so, kernel_sockaddr *psa, kernel_mbuf **mp0);
int32_t soshutdownlock(kernel_socket *so, int32_t how); /* 0 = no more receiving, 1 = no more sending, 2 = both */
int32_t soclose(kernel_socket *so);                     /* gives up the caller's reference */
int32_t sosetoptlock(kernel_socket *so, kernel_sockopt *sopt, int32_t dolock);
int32_t sogetoptlock(kernel_socket *so, kernel_sockopt *sopt, int32_t dolock);
int32_t soioctl(kernel_socket *so, uint64_t request, const char *argp);
int32_t sogetaddr_locked(kernel_socket *so, kernel_sockaddr *psa, int32_t peer);
/* A connection has arrived for a listening socket: asks the filters, and makes its socket. NULL = dropped. */
kernel_socket *sonewconn(kernel_socket *head, const kernel_sockaddr *from);
/* Asks the filters about a socket that accept is about to hand out. Not 0: the socket is closed. */
int32_t soacceptfilter(kernel_socket *so, kernel_socket *head);
/* A packet has arrived, which it takes; 1 when it was queued. `from` may be NULL. */
int32_t sbappendaddr(kernel_socket *so, const kernel_sockaddr *from, kernel_mbuf *m);

/* --- what a protocol tells its socket --- */
void soisconnecting(kernel_socket *so);
void soisconnected(kernel_socket *so);
void soisdisconnecting(kernel_socket *so);
void soisdisconnected(kernel_socket *so);
void socantrcvmore(kernel_socket *so);
void socantsendmore(kernel_socket *so);

/* --- what filters and protocols ask --- */
/* Keeps a socket while it is used; what was taken is given back. Closing ends it, this only keeps its memory. */
void kernel_socket_retain(kernel_socket *so);
void kernel_socket_release(kernel_socket *so);
void *kernel_socket_pcb(const kernel_socket *so);
void kernel_socket_set_pcb(kernel_socket *so, void *pcb);
kernel_network *kernel_socket_network(const kernel_socket *so);
int32_t kernel_socket_domain(const kernel_socket *so);
int32_t kernel_socket_type(const kernel_socket *so);
bool kernel_socket_is_connected(kernel_socket *so);
bool kernel_socket_is_listening(kernel_socket *so);
/* How many filters are attached to it, and how many packets wait in it. */
size_t kernel_socket_filters(kernel_socket *so);
size_t kernel_socket_waiting(kernel_socket *so);
/* Whether it takes more. */
bool kernel_socket_has_space(kernel_socket *so);

/* A packet of the calling thread's network with room for so many bytes of headers and payload; NULL without memory. */
kernel_mbuf *m_gethdr(uint32_t header_len, uint32_t len);
void m_freem(kernel_mbuf *m);
#endif
