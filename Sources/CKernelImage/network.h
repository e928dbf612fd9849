/* SPDX-License-Identifier: Apache-2.0
 * What the files of the network share. */
#ifndef KERNEL_NETWORK_PRIVATE_H
#define KERNEL_NETWORK_PRIVATE_H

#include "kernel_network.h"
#include <pthread.h>
#include <stdatomic.h>

/* Bits of kernel_socket.state. */
enum {
  LISTENING = 1,
  CONNECTING = 2,
  CONNECTED = 4,
  DISCONNECTING = 8,
  DISCONNECTED = 16,
  CANTRCVMORE = 32,
  CANTSENDMORE = 64,
  CLOSED = 128
};

/* Bytes that wait in a socket at most; what comes then is dropped, or held back by a stream. */
#define RECEIVE_SPACE (256 * 1024)

struct packet {
  struct packet *next;
  kernel_mbuf *m;
  kernel_sockaddr from;
};

struct option {
  struct option *next;
  kernel_sockopt value;
};

/* A filter's place on a socket. It stays in the socket's list until its last call has returned, so that who is in a
 * call can go on from it. `busy` and `detaching` are under the socket's lock, `next_of_filter` under the network's. */
struct attachment {
  struct attachment *next; /* on the socket, newest first */
  struct attachment *next_of_filter;
  struct attachment *next_victim;
  struct filter *filter;
  kernel_socket *so;
  void *cookie;
  uint32_t busy;
  bool detaching;
};

struct filter {
  struct filter *next; /* in the order of registration */
  kernel_sflt_filter calls;
  char *name;
  int32_t domain, type, protocol;
  _Atomic uint32_t references; /* the registry's and one for each attachment */
  bool unregistered;           /* under the network's lock */
  struct attachment *attachments;
};

/* Locks: the network's before a socket's. Neither is held while a filter or a protocol is called. */
struct kernel_network {
  pthread_mutex_t lock;
  kernel_pr_usrreqs usrreqs;
  void *context;
  _Atomic uint32_t references; /* the model's and one for each socket and packet */
  _Atomic bool exhausted;
  struct filter *filters;
  kernel_socket *sockets;
  size_t socket_count;
};

struct kernel_socket {
  pthread_mutex_t lock;
  kernel_network *net;
  kernel_socket *next, **link; /* of the network, under its lock */
  void *pcb;
  int32_t domain, type, protocol;
  _Atomic uint32_t references; /* the owner's and one for each attachment */
  uint32_t state;
  struct attachment *filters;
  struct packet *received, **received_end;
  size_t received_count, received_bytes;
  struct option *options;
};

/* The network of the calling thread. */
extern _Thread_local kernel_network *kernel_network_current __attribute__((visibility("hidden")));

/* Leaves a call of an attachment; not 0 when that was the last one, and the attachment is to be finished. The socket is
 * locked. */
static inline int sflt_leave_locked(struct attachment *entry) {
  entry->busy -= 1;
  return entry->busy == 0 && entry->detaching;
}

/* Ends an attachment for good: nobody is inside a call of it. The socket is not locked. */
void sflt_finish(struct attachment *entry);

/* Attaches what is registered for the socket's protocol, in the order of registration. */
void sflt_initsock(kernel_socket *so);
/* Takes every filter off. */
void sflt_termsock(kernel_socket *so);

/* A new socket with its filters; `head` as for pru_attach. */
int32_t kernel_socket_make(kernel_network *net, kernel_socket *head, kernel_socket **aso, int32_t dom, int32_t type,
                           int32_t proto);
/* Takes it out of the network's list. */
void kernel_socket_remove(kernel_socket *so);
uint32_t kernel_socket_state(kernel_socket *so);
/* Changes bits of the state; false when it was so before. */
bool kernel_socket_change(kernel_socket *so, uint32_t clear, uint32_t set);

int32_t sflt_getsockname(kernel_socket *so, kernel_sockaddr *sa);
int32_t sflt_getpeername(kernel_socket *so, kernel_sockaddr *sa);
int32_t sflt_connectin(kernel_socket *head, const kernel_sockaddr *from);
int32_t sflt_connectout(kernel_socket *so, const kernel_sockaddr *nam);
int32_t sflt_bind(kernel_socket *so, const kernel_sockaddr *nam);
int32_t sflt_setsockopt(kernel_socket *so, kernel_sockopt *sopt);
int32_t sflt_getsockopt(kernel_socket *so, kernel_sockopt *sopt);
int32_t sflt_listen(kernel_socket *so);
int32_t sflt_ioctl(kernel_socket *so, uint64_t request, const char *argp);
int32_t sflt_accept(kernel_socket *head, kernel_socket *so, const kernel_sockaddr *local,
                    const kernel_sockaddr *remote);
#endif
