/* SPDX-License-Identifier: Apache-2.0 */
#include "socket_probe.h"
#include <pthread.h>
#include <stddef.h>

#define OWNED 64

static struct probe {
  socket_probe_call call;
  void *context;
  kernel_mbuf *owned[OWNED];
  int32_t owned_count;
} probes[SOCKET_PROBES];
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static int32_t tell(void *cookie, int32_t callback, kernel_socket *so, int32_t event) {
  struct probe *probe = cookie;
  return probe->call(probe->context, callback, so, event);
}

static int32_t tell_data(void *cookie, int32_t callback, kernel_socket *so, kernel_mbuf **data) {
  struct probe *probe = cookie;
  int32_t answer = tell(cookie, callback, so, 0);
  if (answer != KERNEL_EJUSTRETURN)
    return answer;
  pthread_mutex_lock(&lock);
  if (probe->owned_count < OWNED)
    probe->owned[probe->owned_count++] = *data;
  pthread_mutex_unlock(&lock);
  return answer;
}

static void detach(void *cookie, kernel_socket *so) { tell(cookie, PROBE_DETACH, so, 0); }

static void notify(void *cookie, kernel_socket *so, int32_t event, void *param) {
  (void)param;
  tell(cookie, PROBE_NOTIFY, so, event);
}

static int32_t getpeername_(void *cookie, kernel_socket *so, kernel_sockaddr *sa) {
  (void)sa;
  return tell(cookie, PROBE_GETPEERNAME, so, 0);
}

static int32_t getsockname_(void *cookie, kernel_socket *so, kernel_sockaddr *sa) {
  (void)sa;
  return tell(cookie, PROBE_GETSOCKNAME, so, 0);
}

static int32_t data_in(void *cookie, kernel_socket *so, const kernel_sockaddr *from, kernel_mbuf **data,
                       kernel_mbuf **control, uint32_t flags) {
  (void)from, (void)control, (void)flags;
  return tell_data(cookie, PROBE_DATA_IN, so, data);
}

static int32_t data_out(void *cookie, kernel_socket *so, const kernel_sockaddr *to, kernel_mbuf **data,
                        kernel_mbuf **control, uint32_t flags) {
  (void)to, (void)control, (void)flags;
  return tell_data(cookie, PROBE_DATA_OUT, so, data);
}

static int32_t connect_in(void *cookie, kernel_socket *so, const kernel_sockaddr *from) {
  (void)from;
  return tell(cookie, PROBE_CONNECT_IN, so, 0);
}

static int32_t connect_out(void *cookie, kernel_socket *so, const kernel_sockaddr *to) {
  (void)to;
  return tell(cookie, PROBE_CONNECT_OUT, so, 0);
}

static int32_t bind_(void *cookie, kernel_socket *so, const kernel_sockaddr *to) {
  (void)to;
  return tell(cookie, PROBE_BIND, so, 0);
}

static int32_t setoption(void *cookie, kernel_socket *so, kernel_sockopt *opt) {
  (void)opt;
  return tell(cookie, PROBE_SETOPTION, so, 0);
}

static int32_t getoption(void *cookie, kernel_socket *so, kernel_sockopt *opt) {
  (void)opt;
  return tell(cookie, PROBE_GETOPTION, so, 0);
}

static int32_t listen_(void *cookie, kernel_socket *so) { return tell(cookie, PROBE_LISTEN, so, 0); }

static int32_t ioctl_(void *cookie, kernel_socket *so, uint64_t request, const char *argp) {
  (void)request, (void)argp;
  return tell(cookie, PROBE_IOCTL, so, 0);
}

static int32_t accept_(void *cookie, kernel_socket *so_listen, kernel_socket *so, const kernel_sockaddr *local,
                       const kernel_sockaddr *remote) {
  (void)so_listen, (void)local, (void)remote;
  return tell(cookie, PROBE_ACCEPT, so, 0);
}

/* These two know their probe by the function alone. */
#define PROBE(n)                                                                                                       \
  static int32_t attach_##n(void **cookie, kernel_socket *so) {                                                        \
    *cookie = &probes[n];                                                                                              \
    return tell(&probes[n], PROBE_ATTACH, so, 0);                                                                      \
  }                                                                                                                    \
  static void unregistered_##n(uint32_t handle) {                                                                      \
    (void)handle;                                                                                                      \
    tell(&probes[n], PROBE_UNREGISTERED, NULL, 0);                                                                     \
  }
#define EIGHT(M, t) M(t##0) M(t##1) M(t##2) M(t##3) M(t##4) M(t##5) M(t##6) M(t##7)
#define TABLE(M) EIGHT(M, ) EIGHT(M, 1) EIGHT(M, 2) M(8) M(9) M(18) M(19) M(28) M(29) M(30) M(31)
TABLE(PROBE)

#define ROW(n) [n] = {attach_##n, unregistered_##n},
static const struct {
  int32_t (*attach)(void **cookie, kernel_socket *so);
  void (*unregistered)(uint32_t handle);
} own[SOCKET_PROBES] = {TABLE(ROW)};

int32_t socket_probe_take(socket_probe_call call, void *context) {
  int32_t taken = -1;
  pthread_mutex_lock(&lock);
  for (int32_t index = 0; index < SOCKET_PROBES && taken < 0; index++) {
    if (probes[index].call != NULL)
      continue;
    probes[index] = (struct probe){.call = call, .context = context};
    taken = index;
  }
  pthread_mutex_unlock(&lock);
  return taken;
}

int32_t socket_probe_register(int32_t probe, uint32_t handle, int32_t flags, int32_t domain, int32_t type) {
  kernel_sflt_filter filter = {
      .sf_handle = handle,
      .sf_flags = flags,
      .sf_name = "org.example.probe",
      .sf_unregistered = own[probe].unregistered,
      .sf_attach = own[probe].attach,
      .sf_detach = detach,
      .sf_notify = notify,
      .sf_getpeername = getpeername_,
      .sf_getsockname = getsockname_,
      .sf_data_in = data_in,
      .sf_data_out = data_out,
      .sf_connect_in = connect_in,
      .sf_connect_out = connect_out,
      .sf_bind = bind_,
      .sf_setoption = setoption,
      .sf_getoption = getoption,
      .sf_listen = listen_,
      .sf_ioctl = ioctl_,
      .sf_accept = accept_,
  };
  return sflt_register(&filter, domain, type, type == KERNEL_SOCK_STREAM ? KERNEL_IPPROTO_TCP : KERNEL_IPPROTO_UDP);
}

int32_t socket_probe_free_owned(int32_t probe) {
  pthread_mutex_lock(&lock);
  int32_t count = probes[probe].owned_count;
  for (int32_t index = 0; index < count; index++)
    m_freem(probes[probe].owned[index]);
  probes[probe].owned_count = 0;
  pthread_mutex_unlock(&lock);
  return count;
}

void socket_probe_give(int32_t probe) {
  socket_probe_free_owned(probe);
  pthread_mutex_lock(&lock);
  probes[probe].call = NULL;
  pthread_mutex_unlock(&lock);
}
