/* SPDX-License-Identifier: Apache-2.0
 * Networks, packets and sockets: how they are made, what state they are in, and when they go. */
#include "network.h"
#include <stdlib.h>

/* --- networks --- */

kernel_network *kernel_network_create(const kernel_pr_usrreqs *usrreqs, void *context) {
  kernel_network *net = calloc(1, sizeof *net);
  if (net == NULL)
    return NULL;
  pthread_mutex_init(&net->lock, NULL);
  net->usrreqs = *usrreqs;
  net->context = context;
  atomic_store_explicit(&net->references, 1, memory_order_relaxed);
  return net;
}

void kernel_network_release(kernel_network *net) {
  if (atomic_fetch_sub_explicit(&net->references, 1, memory_order_acq_rel) != 1)
    return;
  pthread_mutex_destroy(&net->lock);
  free(net);
}

void kernel_network_exhaust(kernel_network *net, bool exhausted) {
  atomic_store_explicit(&net->exhausted, exhausted, memory_order_relaxed);
}

size_t kernel_network_filters(kernel_network *net) {
  size_t count = 0;
  pthread_mutex_lock(&net->lock);
  for (struct filter *filter = net->filters; filter != NULL; filter = filter->next)
    count += 1;
  pthread_mutex_unlock(&net->lock);
  return count;
}

size_t kernel_network_sockets(kernel_network *net) {
  pthread_mutex_lock(&net->lock);
  size_t count = net->socket_count;
  pthread_mutex_unlock(&net->lock);
  return count;
}

size_t kernel_network_references(kernel_network *net) {
  return atomic_load_explicit(&net->references, memory_order_relaxed);
}

/* --- packets --- */

kernel_mbuf *m_gethdr(uint32_t header_len, uint32_t len) {
  kernel_network *net = kernel_network_current;
  if (net != NULL && atomic_load_explicit(&net->exhausted, memory_order_relaxed))
    return NULL;
  kernel_mbuf *m = malloc(sizeof *m + (size_t)header_len + len);
  if (m == NULL)
    return NULL;
  m->data = (uint8_t *)(m + 1) + header_len;
  m->len = len;
  m->header_len = header_len;
  m->address = 0;
  m->net = net;
  if (net != NULL)
    atomic_fetch_add_explicit(&net->references, 1, memory_order_relaxed);
  return m;
}

void m_freem(kernel_mbuf *m) {
  if (m == NULL)
    return;
  kernel_network *net = m->net;
  free(m);
  if (net != NULL)
    kernel_network_release(net);
}

/* --- sockets: making, freeing --- */

void kernel_socket_retain(kernel_socket *so) {
  atomic_fetch_add_explicit(&so->references, 1, memory_order_relaxed);
}

void kernel_socket_release(kernel_socket *so) {
  if (atomic_fetch_sub_explicit(&so->references, 1, memory_order_acq_rel) != 1)
    return;
  while (so->received != NULL) {
    struct packet *packet = so->received;
    so->received = packet->next;
    m_freem(packet->m);
    free(packet);
  }
  while (so->options != NULL) {
    struct option *option = so->options;
    so->options = option->next;
    free(option);
  }
  if (so->pcb != NULL)
    so->net->usrreqs.free(so->pcb);
  pthread_mutex_destroy(&so->lock);
  kernel_network_release(so->net);
  free(so);
}

static void add_to_network(kernel_socket *so) {
  kernel_network *net = so->net;
  pthread_mutex_lock(&net->lock);
  so->next = net->sockets;
  so->link = &net->sockets;
  if (so->next != NULL)
    so->next->link = &so->next;
  net->sockets = so;
  net->socket_count += 1;
  pthread_mutex_unlock(&net->lock);
}

void kernel_socket_remove(kernel_socket *so) {
  kernel_network *net = so->net;
  pthread_mutex_lock(&net->lock);
  if (so->link != NULL) {
    *so->link = so->next;
    if (so->next != NULL)
      so->next->link = so->link;
    so->link = NULL;
    net->socket_count -= 1;
  }
  pthread_mutex_unlock(&net->lock);
}

int32_t kernel_socket_make(kernel_network *net, kernel_socket *head, kernel_socket **aso, int32_t dom, int32_t type,
                           int32_t proto) {
  kernel_socket *so =
      atomic_load_explicit(&net->exhausted, memory_order_relaxed) ? NULL : calloc(1, sizeof *so);
  if (so == NULL)
    return KERNEL_ENOBUFS;
  pthread_mutex_init(&so->lock, NULL);
  so->net = net;
  so->domain = dom;
  so->type = type;
  so->protocol = proto;
  so->received_end = &so->received;
  atomic_store_explicit(&so->references, 1, memory_order_relaxed);
  atomic_fetch_add_explicit(&net->references, 1, memory_order_relaxed);
  int32_t error = net->usrreqs.pru_attach(net->context, so, head);
  if (error != 0) {
    kernel_socket_release(so);
    return error;
  }
  add_to_network(so);
  sflt_initsock(so);
  *aso = so;
  return 0;
}

/* --- state --- */

uint32_t kernel_socket_state(kernel_socket *so) {
  pthread_mutex_lock(&so->lock);
  uint32_t state = so->state;
  pthread_mutex_unlock(&so->lock);
  return state;
}

/* Changes state; false when it was so before. */
bool kernel_socket_change(kernel_socket *so, uint32_t clear, uint32_t set) {
  pthread_mutex_lock(&so->lock);
  uint32_t before = so->state;
  so->state = (before & ~clear) | set;
  bool changed = so->state != before;
  pthread_mutex_unlock(&so->lock);
  return changed;
}

void soisconnecting(kernel_socket *so) {
  if (kernel_socket_change(so, CONNECTED | DISCONNECTING | DISCONNECTED, CONNECTING))
    sflt_notify(so, sock_evt_connecting, NULL);
}

void soisconnected(kernel_socket *so) {
  if (kernel_socket_change(so, CONNECTING | DISCONNECTING | DISCONNECTED, CONNECTED))
    sflt_notify(so, sock_evt_connected, NULL);
}

void soisdisconnecting(kernel_socket *so) {
  if (kernel_socket_change(so, CONNECTING, DISCONNECTING | CANTRCVMORE | CANTSENDMORE))
    sflt_notify(so, sock_evt_disconnecting, NULL);
}

void soisdisconnected(kernel_socket *so) {
  if (kernel_socket_change(so, CONNECTING | CONNECTED | DISCONNECTING, DISCONNECTED | CANTRCVMORE | CANTSENDMORE))
    sflt_notify(so, sock_evt_disconnected, NULL);
}

void socantrcvmore(kernel_socket *so) {
  if (kernel_socket_change(so, 0, CANTRCVMORE))
    sflt_notify(so, sock_evt_cantrecvmore, NULL);
}

void socantsendmore(kernel_socket *so) {
  if (kernel_socket_change(so, 0, CANTSENDMORE))
    sflt_notify(so, sock_evt_cantsendmore, NULL);
}

/* --- questions --- */

void *kernel_socket_pcb(const kernel_socket *so) { return so->pcb; }
void kernel_socket_set_pcb(kernel_socket *so, void *pcb) { so->pcb = pcb; }
kernel_network *kernel_socket_network(const kernel_socket *so) { return so->net; }
int32_t kernel_socket_domain(const kernel_socket *so) { return so->domain; }
int32_t kernel_socket_type(const kernel_socket *so) { return so->type; }
bool kernel_socket_is_connected(kernel_socket *so) { return (kernel_socket_state(so) & CONNECTED) != 0; }
bool kernel_socket_is_listening(kernel_socket *so) { return (kernel_socket_state(so) & LISTENING) != 0; }

size_t kernel_socket_filters(kernel_socket *so) {
  size_t count = 0;
  pthread_mutex_lock(&so->lock);
  for (struct attachment *entry = so->filters; entry != NULL; entry = entry->next)
    count += !entry->detaching;
  pthread_mutex_unlock(&so->lock);
  return count;
}

size_t kernel_socket_waiting(kernel_socket *so) {
  pthread_mutex_lock(&so->lock);
  size_t count = so->received_count;
  pthread_mutex_unlock(&so->lock);
  return count;
}

bool kernel_socket_has_space(kernel_socket *so) {
  pthread_mutex_lock(&so->lock);
  bool has_space = so->received_bytes < RECEIVE_SPACE;
  pthread_mutex_unlock(&so->lock);
  return has_space;
}
