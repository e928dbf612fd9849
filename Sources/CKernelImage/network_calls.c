/* SPDX-License-Identifier: Apache-2.0
 * The socket layer: what a call checks, whom it asks, and in which order. */
#include "kernel_image_function.h"
#include "network.h"
#include <stdlib.h>

/* What a filter's answer means to a caller whose call it stands in for. */
static int32_t outcome(int32_t answer) { return answer == KERNEL_EJUSTRETURN ? 0 : answer; }

KERNEL_FUNCTION(int32_t, socreate, (int32_t dom, kernel_socket **aso, int32_t type, int32_t proto)) {
  kernel_network *net = kernel_network_current;
  int32_t usual = type == KERNEL_SOCK_STREAM ? KERNEL_IPPROTO_TCP : KERNEL_IPPROTO_UDP;
  if (net == NULL || (dom != KERNEL_AF_INET && dom != KERNEL_AF_INET6) ||
      (type != KERNEL_SOCK_STREAM && type != KERNEL_SOCK_DGRAM) || (proto != 0 && proto != usual))
    return KERNEL_EPROTONOSUPPORT;
  return kernel_socket_make(net, NULL, aso, dom, type, usual);
}

KERNEL_FUNCTION_PATCHABLE(int32_t, sobindlock, (kernel_socket *so, kernel_sockaddr *nam, int32_t dolock)) {
  (void)dolock;
  if (kernel_socket_state(so) & CLOSED)
    return KERNEL_EINVAL;
  int32_t answer = sflt_bind(so, nam);
  return answer != 0 ? outcome(answer) : so->net->usrreqs.pru_bind(so->pcb, so, nam);
}

KERNEL_FUNCTION(int32_t, solisten, (kernel_socket *so, int32_t backlog)) {
  if (so->type != KERNEL_SOCK_STREAM)
    return KERNEL_EOPNOTSUPP;
  if (kernel_socket_state(so) & (CONNECTED | CONNECTING | DISCONNECTING | CLOSED))
    return KERNEL_EINVAL;
  int32_t answer = sflt_listen(so);
  if (answer != 0)
    return outcome(answer);
  int32_t error = so->net->usrreqs.pru_listen(so->pcb, so, backlog);
  if (error == 0)
    kernel_socket_change(so, 0, LISTENING);
  return error;
}

KERNEL_FUNCTION_PATCHABLE(int32_t, soconnectlock, (kernel_socket *so, kernel_sockaddr *nam, int32_t dolock)) {
  (void)dolock;
  uint32_t state = kernel_socket_state(so);
  if (state & LISTENING)
    return KERNEL_EOPNOTSUPP;
  if (state & CLOSED)
    return KERNEL_EINVAL;
  if (state & (CONNECTED | CONNECTING)) {
    /* A datagram socket may be connected anew. */
    int32_t error = so->type == KERNEL_SOCK_STREAM ? KERNEL_EISCONN : so->net->usrreqs.pru_disconnect(so->pcb, so);
    if (error != 0)
      return error;
    kernel_socket_change(so, CONNECTED | CONNECTING, 0);
  }
  int32_t answer = sflt_connectout(so, nam);
  return answer != 0 ? outcome(answer) : so->net->usrreqs.pru_connect(so->pcb, so, nam);
}

KERNEL_FUNCTION(int32_t, sosend, (kernel_socket *so, kernel_sockaddr *addr, kernel_mbuf *top, kernel_mbuf *control,
                                  int32_t flags)) {
  uint32_t state = kernel_socket_state(so);
  bool is_connected = (state & CONNECTED) != 0;
  int32_t error = 0;
  if (state & (CANTSENDMORE | CLOSED))
    error = KERNEL_EPIPE;
  else if (!is_connected && addr == NULL)
    error = so->type == KERNEL_SOCK_STREAM ? KERNEL_ENOTCONN : KERNEL_EDESTADDRREQ;
  else if (is_connected && addr != NULL)
    error = KERNEL_EISCONN;
  if (error == 0) {
    error = sflt_data_out(so, addr, &top, &control, (flags & 1) != 0 ? sock_data_filt_flag_oob : 0);
    /* The filter has the packet now. */
    if (error == KERNEL_EJUSTRETURN)
      return 0;
  }
  if (error != 0) {
    m_freem(top);
    m_freem(control);
    return error;
  }
  m_freem(control);
  return so->net->usrreqs.pru_send(so->pcb, so, top, addr);
}

KERNEL_FUNCTION_PATCHABLE(int32_t, sbappendaddr, (kernel_socket *so, const kernel_sockaddr *from, kernel_mbuf *m)) {
  if (m == NULL)
    return 0;
  kernel_mbuf *control = NULL;
  int32_t answer = sflt_data_in(so, from, &m, &control, 0);
  if (answer != 0) {
    if (answer != KERNEL_EJUSTRETURN)
      m_freem(m);
    return 0;
  }
  struct packet *packet = malloc(sizeof *packet);
  if (packet == NULL) {
    m_freem(m);
    return 0;
  }
  packet->next = NULL;
  packet->m = m;
  packet->from = from != NULL ? *from : (kernel_sockaddr){0};
  pthread_mutex_lock(&so->lock);
  bool is_open = (so->state & (CANTRCVMORE | CLOSED)) == 0 && so->received_bytes < RECEIVE_SPACE;
  if (is_open) {
    *so->received_end = packet;
    so->received_end = &packet->next;
    so->received_count += 1;
    so->received_bytes += m->len;
  }
  pthread_mutex_unlock(&so->lock);
  if (!is_open) {
    m_freem(m);
    free(packet);
  }
  return is_open;
}

KERNEL_FUNCTION(int32_t, soreceive, (kernel_socket *so, kernel_sockaddr *psa, kernel_mbuf **mp0)) {
  *mp0 = NULL;
  pthread_mutex_lock(&so->lock);
  struct packet *packet = so->received;
  uint32_t state = so->state;
  if (packet != NULL) {
    so->received = packet->next;
    if (packet->next == NULL)
      so->received_end = &so->received;
    so->received_count -= 1;
    so->received_bytes -= packet->m->len;
  }
  pthread_mutex_unlock(&so->lock);
  if (packet != NULL) {
    *mp0 = packet->m;
    if (psa != NULL)
      *psa = packet->from;
    free(packet);
    return 0;
  }
  if (state & CANTRCVMORE)
    return 0;
  if (so->type == KERNEL_SOCK_STREAM && (state & CONNECTED) == 0)
    return KERNEL_ENOTCONN;
  return KERNEL_EWOULDBLOCK;
}

/* Throws away what has not been read. */
static void sorflush(kernel_socket *so) {
  pthread_mutex_lock(&so->lock);
  struct packet *packet = so->received;
  so->received = NULL;
  so->received_end = &so->received;
  so->received_count = 0;
  so->received_bytes = 0;
  pthread_mutex_unlock(&so->lock);
  while (packet != NULL) {
    struct packet *next = packet->next;
    m_freem(packet->m);
    free(packet);
    packet = next;
  }
}

KERNEL_FUNCTION_PATCHABLE(int32_t, soshutdownlock, (kernel_socket *so, int32_t how)) {
  if (how < 0 || how > 2)
    return KERNEL_EINVAL;
  if ((kernel_socket_state(so) & CONNECTED) == 0)
    return KERNEL_ENOTCONN;
  sflt_notify(so, sock_evt_shutdown, &how);
  if (how != 1) {
    sflt_notify(so, sock_evt_flush_read, NULL);
    socantrcvmore(so);
    sorflush(so);
  }
  if (how == 0)
    return 0;
  socantsendmore(so);
  return so->net->usrreqs.pru_shutdown(so->pcb, so);
}

KERNEL_FUNCTION(int32_t, soclose, (kernel_socket *so)) {
  if (!kernel_socket_change(so, 0, CLOSED))
    return KERNEL_EINVAL;
  sflt_notify(so, sock_evt_closing, NULL);
  int32_t error = 0;
  if (kernel_socket_state(so) & (CONNECTED | CONNECTING)) {
    bool is_stream = so->type == KERNEL_SOCK_STREAM;
    if (is_stream)
      soisdisconnecting(so);
    error = so->net->usrreqs.pru_disconnect(so->pcb, so);
    if (is_stream)
      soisdisconnected(so);
  }
  so->net->usrreqs.pru_detach(so->pcb, so);
  kernel_socket_remove(so);
  sflt_termsock(so);
  kernel_socket_release(so);
  return error;
}

/* --- options, ioctl, names --- */

static struct option *find_option(kernel_socket *so, const kernel_sockopt *sopt) {
  struct option *option = so->options;
  while (option != NULL && (option->value.level != sopt->level || option->value.name != sopt->name))
    option = option->next;
  return option;
}

KERNEL_FUNCTION_PATCHABLE(int32_t, sosetoptlock, (kernel_socket *so, kernel_sockopt *sopt, int32_t dolock)) {
  (void)dolock;
  int32_t answer = sflt_setsockopt(so, sopt);
  if (answer != 0)
    return outcome(answer);
  struct option *fresh = calloc(1, sizeof *fresh);
  if (fresh == NULL)
    return KERNEL_ENOBUFS;
  pthread_mutex_lock(&so->lock);
  struct option *option = find_option(so, sopt);
  if (option == NULL) {
    fresh->next = so->options;
    so->options = option = fresh;
    fresh = NULL;
  }
  option->value = *sopt;
  pthread_mutex_unlock(&so->lock);
  free(fresh);
  return 0;
}

KERNEL_FUNCTION(int32_t, sogetoptlock, (kernel_socket *so, kernel_sockopt *sopt, int32_t dolock)) {
  (void)dolock;
  int32_t answer = sflt_getsockopt(so, sopt);
  if (answer != 0)
    return outcome(answer);
  pthread_mutex_lock(&so->lock);
  struct option *option = find_option(so, sopt);
  if (option != NULL)
    sopt->value = option->value.value;
  pthread_mutex_unlock(&so->lock);
  return option != NULL ? 0 : KERNEL_ENOPROTOOPT;
}

KERNEL_FUNCTION_PATCHABLE(int32_t, soioctl, (kernel_socket *so, uint64_t request, const char *argp)) {
  int32_t answer = sflt_ioctl(so, request, argp);
  return answer != 0 ? outcome(answer) : so->net->usrreqs.pru_control(so->pcb, so, request, argp);
}

KERNEL_FUNCTION(int32_t, sogetaddr_locked, (kernel_socket *so, kernel_sockaddr *psa, int32_t peer)) {
  if (peer && (kernel_socket_state(so) & CONNECTED) == 0)
    return KERNEL_ENOTCONN;
  if (peer)
    so->net->usrreqs.pru_peeraddr(so->pcb, so, psa);
  else
    so->net->usrreqs.pru_sockaddr(so->pcb, so, psa);
  return outcome(peer ? sflt_getpeername(so, psa) : sflt_getsockname(so, psa));
}

/* --- connections that arrive --- */

KERNEL_FUNCTION_PATCHABLE(kernel_socket *, sonewconn, (kernel_socket *head, const kernel_sockaddr *from)) {
  if ((kernel_socket_state(head) & (LISTENING | CLOSED)) != LISTENING || sflt_connectin(head, from) != 0)
    return NULL;
  kernel_socket *so = NULL;
  return kernel_socket_make(head->net, head, &so, head->domain, head->type, head->protocol) == 0 ? so : NULL;
}

KERNEL_FUNCTION(int32_t, soacceptfilter, (kernel_socket *so, kernel_socket *head)) {
  kernel_sockaddr local = {0}, remote = {0};
  so->net->usrreqs.pru_sockaddr(so->pcb, so, &local);
  so->net->usrreqs.pru_peeraddr(so->pcb, so, &remote);
  int32_t answer = sflt_accept(head, so, &local, &remote);
  if (answer == 0)
    return 0;
  if (answer != KERNEL_EJUSTRETURN) {
    soclose(so);
    return answer;
  }
  /* Accepted, but defunct. */
  soisdisconnecting(so);
  so->net->usrreqs.pru_disconnect(so->pcb, so);
  soisdisconnected(so);
  sorflush(so);
  return 0;
}
