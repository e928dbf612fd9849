/* SPDX-License-Identifier: Apache-2.0
 * kpi_socketfilter: who is registered, and who is attached to which socket. */
#include "kernel_image_function.h"
#include "network.h"
#include <stdlib.h>
#include <string.h>

_Thread_local kernel_network *kernel_network_current;

static _Thread_local uint32_t attaching;

uint32_t kernel_sflt_attaching(void) { return attaching; }

kernel_network *kernel_network_enter(kernel_network *net) {
  kernel_network *before = kernel_network_current;
  kernel_network_current = net;
  return before;
}

/* --- registry --- */

static struct filter *find(kernel_network *net, uint32_t handle) {
  struct filter *filter = net->filters;
  while (filter != NULL && filter->calls.sf_handle != handle)
    filter = filter->next;
  return filter;
}

static void release_filter(struct filter *filter) {
  if (atomic_fetch_sub_explicit(&filter->references, 1, memory_order_acq_rel) != 1)
    return;
  if (filter->calls.sf_unregistered != NULL)
    filter->calls.sf_unregistered(filter->calls.sf_handle);
  free(filter->name);
  free(filter);
}

void sflt_finish(struct attachment *entry) {
  kernel_socket *so = entry->so;
  struct filter *filter = entry->filter;
  pthread_mutex_lock(&so->lock);
  struct attachment **link = &so->filters;
  while (*link != entry)
    link = &(*link)->next;
  *link = entry->next;
  pthread_mutex_unlock(&so->lock);
  filter->calls.sf_detach(entry->cookie, so);
  pthread_mutex_lock(&so->net->lock);
  link = &filter->attachments;
  while (*link != entry)
    link = &(*link)->next_of_filter;
  *link = entry->next_of_filter;
  pthread_mutex_unlock(&so->net->lock);
  free(entry);
  release_filter(filter);
  kernel_socket_release(so);
}

/* Begins the end of an attachment; 0 when that has been done before. The socket is locked. The caller is inside, so
 * that it does not go before it leaves. */
static int doom_locked(struct attachment *entry) {
  if (entry->detaching)
    return 0;
  entry->detaching = true;
  entry->busy += 1;
  return 1;
}

static void leave(struct attachment *entry) {
  pthread_mutex_t *lock = &entry->so->lock;
  pthread_mutex_lock(lock);
  int is_over = sflt_leave_locked(entry);
  pthread_mutex_unlock(lock);
  if (is_over)
    sflt_finish(entry);
}

/* Attaches a filter, of which the caller has a reference. */
static int32_t attach(kernel_socket *so, struct filter *filter) {
  struct attachment *entry =
      atomic_load_explicit(&so->net->exhausted, memory_order_relaxed) ? NULL : calloc(1, sizeof *entry);
  if (entry == NULL)
    return KERNEL_ENOBUFS;
  entry->filter = filter;
  entry->so = so;
  uint32_t outer = attaching;
  attaching = filter->calls.sf_handle;
  int32_t error = filter->calls.sf_attach(&entry->cookie, so);
  attaching = outer;
  if (error != 0) {
    free(entry);
    return error;
  }
  atomic_fetch_add_explicit(&filter->references, 1, memory_order_relaxed);
  atomic_fetch_add_explicit(&so->references, 1, memory_order_relaxed);
  pthread_mutex_lock(&so->net->lock);
  entry->next_of_filter = filter->attachments;
  filter->attachments = entry;
  pthread_mutex_lock(&so->lock);
  entry->next = so->filters;
  so->filters = entry;
  /* Unregistered or closed while sf_attach ran: nobody else will take it off. */
  int is_late = filter->unregistered || (so->state & CLOSED) != 0;
  if (is_late)
    doom_locked(entry);
  pthread_mutex_unlock(&so->lock);
  pthread_mutex_unlock(&so->net->lock);
  if (is_late)
    leave(entry);
  return 0;
}

/* Takes references of the filters that a body wants, in the order of registration; returns how many. */
static size_t wanted(kernel_socket *so, struct filter **list, size_t room) {
  size_t count = 0;
  pthread_mutex_lock(&so->net->lock);
  for (struct filter *filter = so->net->filters; filter != NULL; filter = filter->next) {
    if ((filter->calls.sf_flags & SFLT_GLOBAL) == 0 || filter->domain != so->domain || filter->type != so->type ||
        filter->protocol != so->protocol)
      continue;
    if (count < room) {
      atomic_fetch_add_explicit(&filter->references, 1, memory_order_relaxed);
      list[count] = filter;
    }
    count += 1;
  }
  pthread_mutex_unlock(&so->net->lock);
  return count;
}

void sflt_initsock(kernel_socket *so) {
  struct filter *few[8], **list = few;
  size_t room = 8, count;
  while ((count = wanted(so, list, room)) > room) {
    for (size_t index = 0; index < room; index++)
      release_filter(list[index]);
    if (list != few)
      free(list);
    room = count + 8;
    list = calloc(room, sizeof *list);
    if (list == NULL)
      return;
  }
  for (size_t index = 0; index < count; index++) {
    attach(so, list[index]);
    release_filter(list[index]);
  }
  if (list != few)
    free(list);
}

void sflt_termsock(kernel_socket *so) {
  struct attachment *victims = NULL, **end = &victims;
  pthread_mutex_lock(&so->lock);
  for (struct attachment *entry = so->filters; entry != NULL; entry = entry->next) {
    if (!doom_locked(entry))
      continue;
    *end = entry;
    end = &entry->next_victim;
  }
  pthread_mutex_unlock(&so->lock);
  while (victims != NULL) {
    struct attachment *entry = victims;
    victims = entry->next_victim;
    leave(entry);
  }
}

/* What the socket is just now, for a filter that comes late; 0 for nothing to tell. */
static int32_t state_event(kernel_socket *so) {
  static const struct {
    uint32_t bit;
    int32_t event;
  } rows[] = {{DISCONNECTED, sock_evt_disconnected}, {DISCONNECTING, sock_evt_disconnecting},
              {CANTSENDMORE, sock_evt_cantsendmore}, {CANTRCVMORE, sock_evt_cantrecvmore},
              {CONNECTED, sock_evt_connected},       {CONNECTING, sock_evt_connecting}};
  pthread_mutex_lock(&so->lock);
  uint32_t state = so->state;
  pthread_mutex_unlock(&so->lock);
  for (size_t index = 0; index < sizeof rows / sizeof rows[0]; index++)
    if (state & rows[index].bit)
      return rows[index].event;
  return 0;
}

/* Tells one filter of a socket one event. */
static void notify_one(kernel_socket *so, struct filter *filter, int32_t event) {
  pthread_mutex_lock(&so->lock);
  struct attachment *entry = so->filters;
  while (entry != NULL && (entry->filter != filter || entry->detaching))
    entry = entry->next;
  if (entry != NULL)
    entry->busy += 1;
  pthread_mutex_unlock(&so->lock);
  if (entry == NULL)
    return;
  if (filter->calls.sf_notify != NULL)
    filter->calls.sf_notify(entry->cookie, so, event, NULL);
  leave(entry);
}

/* Attaches a new filter to the sockets that are there. */
static void attach_to_existing(kernel_network *net, struct filter *filter) {
  pthread_mutex_lock(&net->lock);
  kernel_socket **list = calloc(net->socket_count + 1, sizeof *list);
  size_t count = 0;
  for (kernel_socket *so = net->sockets; list != NULL && so != NULL; so = so->next) {
    if (so->domain != filter->domain || so->type != filter->type || so->protocol != filter->protocol)
      continue;
    atomic_fetch_add_explicit(&so->references, 1, memory_order_relaxed);
    list[count++] = so;
  }
  pthread_mutex_unlock(&net->lock);
  for (size_t index = 0; index < count; index++) {
    if (attach(list[index], filter) == 0) {
      int32_t event = state_event(list[index]);
      if (event != 0)
        notify_one(list[index], filter, event);
    }
    kernel_socket_release(list[index]);
  }
  free(list);
}

static struct filter *make_filter(kernel_network *net, const kernel_sflt_filter *calls) {
  if (atomic_load_explicit(&net->exhausted, memory_order_relaxed))
    return NULL;
  size_t size = strlen(calls->sf_name) + 1;
  struct filter *filter = calloc(1, sizeof *filter);
  char *name = malloc(size);
  if (filter == NULL || name == NULL) {
    free(filter);
    free(name);
    return NULL;
  }
  memcpy(name, calls->sf_name, size);
  filter->calls = *calls;
  filter->name = name;
  filter->calls.sf_name = name;
  if ((calls->sf_flags & SFLT_EXTENDED) == 0)
    filter->calls.sf_accept = NULL;
  return filter;
}

static bool is_known_protocol(int32_t type, int32_t protocol) {
  return (type == KERNEL_SOCK_STREAM && protocol == KERNEL_IPPROTO_TCP) ||
         (type == KERNEL_SOCK_DGRAM && protocol == KERNEL_IPPROTO_UDP);
}

KERNEL_FUNCTION(int32_t, sflt_register, (const kernel_sflt_filter *calls, int32_t domain, int32_t type,
                                         int32_t protocol)) {
  kernel_network *net = kernel_network_current;
  if (domain != KERNEL_AF_INET && domain != KERNEL_AF_INET6)
    return KERNEL_ENOTSUP;
  if (net == NULL || !is_known_protocol(type, protocol))
    return KERNEL_ENOENT;
  if (calls->sf_attach == NULL || calls->sf_detach == NULL || calls->sf_handle == 0 || calls->sf_name == NULL)
    return KERNEL_EINVAL;
  struct filter *filter = make_filter(net, calls);
  if (filter == NULL)
    return KERNEL_ENOBUFS;
  filter->domain = domain;
  filter->type = type;
  filter->protocol = protocol;
  /* The registry's, and that of this call. */
  atomic_store_explicit(&filter->references, 2, memory_order_relaxed);
  pthread_mutex_lock(&net->lock);
  bool is_new = find(net, calls->sf_handle) == NULL;
  if (is_new) {
    struct filter **end = &net->filters;
    while (*end != NULL)
      end = &(*end)->next;
    *end = filter;
  }
  pthread_mutex_unlock(&net->lock);
  if (!is_new) {
    free(filter->name);
    free(filter);
    return KERNEL_EEXIST;
  }
  if ((calls->sf_flags & SFLT_EXTENDED_REGISTRY) != 0)
    attach_to_existing(net, filter);
  release_filter(filter);
  return 0;
}

KERNEL_FUNCTION_PATCHABLE(int32_t, sflt_unregister, (uint32_t handle)) {
  kernel_network *net = kernel_network_current;
  if (net == NULL)
    return KERNEL_ENOENT;
  struct attachment *victims = NULL;
  pthread_mutex_lock(&net->lock);
  struct filter *filter = find(net, handle);
  if (filter == NULL) {
    pthread_mutex_unlock(&net->lock);
    return KERNEL_ENOENT;
  }
  struct filter **link = &net->filters;
  while (*link != filter)
    link = &(*link)->next;
  *link = filter->next;
  filter->unregistered = true;
  for (struct attachment *entry = filter->attachments; entry != NULL; entry = entry->next_of_filter) {
    pthread_mutex_lock(&entry->so->lock);
    if (doom_locked(entry)) {
      entry->next_victim = victims;
      victims = entry;
    }
    pthread_mutex_unlock(&entry->so->lock);
  }
  pthread_mutex_unlock(&net->lock);
  while (victims != NULL) {
    struct attachment *entry = victims;
    victims = entry->next_victim;
    leave(entry);
  }
  release_filter(filter);
  return 0;
}

KERNEL_FUNCTION(int32_t, sflt_attach, (kernel_socket *so, uint32_t handle)) {
  pthread_mutex_lock(&so->net->lock);
  struct filter *filter = find(so->net, handle);
  if (filter != NULL)
    atomic_fetch_add_explicit(&filter->references, 1, memory_order_relaxed);
  pthread_mutex_unlock(&so->net->lock);
  if (filter == NULL)
    return KERNEL_ENOENT;
  int32_t error = attach(so, filter);
  release_filter(filter);
  return error;
}

KERNEL_FUNCTION_PATCHABLE(int32_t, sflt_detach, (kernel_socket *so, uint32_t handle)) {
  pthread_mutex_lock(&so->lock);
  struct attachment *entry = so->filters;
  while (entry != NULL && (entry->filter->calls.sf_handle != handle || !doom_locked(entry)))
    entry = entry->next;
  pthread_mutex_unlock(&so->lock);
  if (entry == NULL)
    return KERNEL_ENOENT;
  leave(entry);
  return 0;
}
