/* SPDX-License-Identifier: Apache-2.0
 * kpi_socketfilter: the walk along the chain of a socket's filters. */
#include "kernel_image_function.h"
#include "network.h"

/* Enters the first attachment from here on whose filter has the callback; NULL at the end. The socket is locked. */
#define ENTER(entry, member)                                                                                           \
  while ((entry) != NULL && ((entry)->detaching || (entry)->filter->calls.member == NULL))                             \
    (entry) = (entry)->next;                                                                                           \
  if ((entry) != NULL)                                                                                                 \
  (entry)->busy += 1

/* Makes one call for each attachment of a socket, newest first, until `answer` says to stop. The next one is entered
 * before the last one is left, so that attachments may come and go meanwhile; new ones are in front and not asked. */
#define WALK(so, member, call)                                                                                         \
  int32_t answer = 0;                                                                                                  \
  pthread_mutex_lock(&(so)->lock);                                                                                     \
  struct attachment *entry = (so)->filters;                                                                            \
  ENTER(entry, member);                                                                                                \
  while (entry != NULL) {                                                                                              \
    const kernel_sflt_filter *calls = &entry->filter->calls;                                                           \
    pthread_mutex_unlock(&(so)->lock);                                                                                 \
    call;                                                                                                              \
    pthread_mutex_lock(&(so)->lock);                                                                                   \
    struct attachment *next = answer == 0 ? entry->next : NULL;                                                        \
    ENTER(next, member);                                                                                               \
    if (sflt_leave_locked(entry)) {                                                                                    \
      pthread_mutex_unlock(&(so)->lock);                                                                               \
      sflt_finish(entry);                                                                                              \
      pthread_mutex_lock(&(so)->lock);                                                                                 \
    }                                                                                                                  \
    entry = next;                                                                                                      \
  }                                                                                                                    \
  pthread_mutex_unlock(&(so)->lock)

/* A walk under the rule "sflt". */
#define ASK(so, member, ...)                                                                                           \
  WALK(so, member, answer = kernel_sflt_join(answer, calls->member(entry->cookie, __VA_ARGS__)));                      \
  return answer

KERNEL_FUNCTION(void, sflt_notify, (kernel_socket *so, int32_t event, void *param)) {
  WALK(so, sf_notify, calls->sf_notify(entry->cookie, so, event, param));
  (void)answer;
}

KERNEL_FUNCTION_PATCHABLE(int32_t, sflt_data_in, (kernel_socket *so, const kernel_sockaddr *from, kernel_mbuf **data,
                                                  kernel_mbuf **control, uint32_t flags)) {
  ASK(so, sf_data_in, so, from, data, control, flags);
}

KERNEL_FUNCTION(int32_t, sflt_data_out, (kernel_socket *so, const kernel_sockaddr *to, kernel_mbuf **data,
                                         kernel_mbuf **control, uint32_t flags)) {
  ASK(so, sf_data_out, so, to, data, control, flags);
}

int32_t sflt_getsockname(kernel_socket *so, kernel_sockaddr *sa) { ASK(so, sf_getsockname, so, sa); }
int32_t sflt_getpeername(kernel_socket *so, kernel_sockaddr *sa) { ASK(so, sf_getpeername, so, sa); }
int32_t sflt_connectin(kernel_socket *head, const kernel_sockaddr *from) { ASK(head, sf_connect_in, head, from); }
int32_t sflt_connectout(kernel_socket *so, const kernel_sockaddr *nam) { ASK(so, sf_connect_out, so, nam); }
int32_t sflt_bind(kernel_socket *so, const kernel_sockaddr *nam) { ASK(so, sf_bind, so, nam); }
int32_t sflt_setsockopt(kernel_socket *so, kernel_sockopt *sopt) { ASK(so, sf_setoption, so, sopt); }
int32_t sflt_getsockopt(kernel_socket *so, kernel_sockopt *sopt) { ASK(so, sf_getoption, so, sopt); }
int32_t sflt_listen(kernel_socket *so) { ASK(so, sf_listen, so); }

int32_t sflt_ioctl(kernel_socket *so, uint64_t request, const char *argp) { ASK(so, sf_ioctl, so, request, argp); }

int32_t sflt_accept(kernel_socket *head, kernel_socket *so, const kernel_sockaddr *local,
                    const kernel_sockaddr *remote) {
  ASK(so, sf_accept, head, so, local, remote);
}
