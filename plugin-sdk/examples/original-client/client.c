/* SPDX-License-Identifier: Apache-2.0
 * A client of the 2018 Kemon's messages: prints a line for each until the server ends.
 *
 *   cc -I ../../include client.c -o client && ./client SOCKET
 */
#include <errno.h>
#include <kemon/original.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

/* A message is taken whole: a struct and what stands behind it. */
static union {
  kemon_original_header header;
  kemon_original_file file;
  kemon_original_tcp tcp;
  kemon_original_udp udp;
  kemon_original_dns dns;
  kemon_original_library library;
  kemon_original_kext kext;
  kemon_original_lost lost;
  char bytes[256 * 1024];
} message;

/* What stands behind the struct, if there is so much. */
static const char *behind(size_t structure, size_t received, uint64_t length) {
  return structure <= received && length <= received - structure ? message.bytes + structure : "";
}

static void print_file(size_t received) {
  const kemon_original_file *file = &message.file;
  printf(" path=%s", file->path);
  switch (file->header.type) {
  case KEMON_ORIGINAL_FILEOP_CLOSE:
    printf(" modified=%u", file->body.modified);
    break;
  case KEMON_ORIGINAL_FILEOP_RENAME:
  case KEMON_ORIGINAL_FILEOP_WILL_RENAME:
  case KEMON_ORIGINAL_FILEOP_EXCHANGE:
  case KEMON_ORIGINAL_FILEOP_LINK:
    printf(" second=%s", file->body.second);
    break;
  case KEMON_ORIGINAL_FILEOP_EXEC:
    if (file->body.command_line_length > 0)
      printf(" command line=%s", behind(sizeof *file, received, file->body.command_line_length));
    break;
  default:
    break;
  }
}

static void print_body(size_t received) {
  switch (message.header.type) {
  case KEMON_ORIGINAL_NETWORK_TCP_IPV4_DETACH:
    printf(" %s:%u<->%s:%u in=%u/%u out=%u/%u first=%u+%u", message.tcp.source_address,
           (unsigned)message.tcp.source_port, message.tcp.destination_address,
           (unsigned)message.tcp.destination_port, message.tcp.in_packets, message.tcp.in_bytes,
           message.tcp.out_packets, message.tcp.out_bytes, message.tcp.first_in_bytes, message.tcp.first_out_bytes);
    break;
  case KEMON_ORIGINAL_NETWORK_UDP_IPV4_DETACH:
    printf(" %s:%u<->%s:%u", message.udp.source_address, (unsigned)message.udp.source_port,
           message.udp.destination_address, (unsigned)message.udp.destination_port);
    break;
  case KEMON_ORIGINAL_NETWORK_UDP_DNS_QUERY:
    printf(" %s:%u-->%s:%u query=%.*s", message.dns.source_address, (unsigned)message.dns.source_port,
           message.dns.destination_address, (unsigned)message.dns.destination_port,
           (int)message.dns.dns_question_length,
           behind(sizeof message.dns, received, message.dns.dns_question_length));
    break;
  case KEMON_ORIGINAL_MONITORING_DYNAMIC_LIBRARY:
    printf(" library=%s", message.library.library_path);
    break;
  case KEMON_ORIGINAL_MONITORING_KEXT_PRE_CALLBACK:
  case KEMON_ORIGINAL_MONITORING_KEXT_POST_CALLBACK:
    printf(" status=%u name=%s path=%s version=%s base=0x%llx size=0x%llx", message.kext.return_value,
           message.kext.module_name, message.kext.module_path, message.kext.module_version,
           (unsigned long long)message.kext.module_base, (unsigned long long)message.kext.module_size);
    break;
  case KEMON_ORIGINAL_EVENTS_LOST:
    printf(" lost=%llu", (unsigned long long)message.lost.count);
    break;
  default:
    print_file(received);
  }
}

int main(int argc, char **argv) {
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  if (argc != 2 || strlen(argv[1]) >= sizeof address.sun_path) {
    fprintf(stderr, "usage: %s SOCKET\n", argv[0]);
    return 64;
  }
  memcpy(address.sun_path, argv[1], strlen(argv[1]));
  int server = socket(AF_UNIX, SOCK_SEQPACKET, 0);
  if (server < 0 || connect(server, (struct sockaddr *)&address, sizeof address) != 0) {
    fprintf(stderr, "%s: %s\n", argv[1], strerror(errno));
    return 1;
  }
  for (;;) {
    ssize_t received = recv(server, message.bytes, sizeof message, 0);
    if (received < 0 && errno == EINTR)
      continue;
    if (received < (ssize_t)sizeof message.header)
      break;
    printf("type=0x%02x bytes=%zd uid=%d process(pid %d)=%s parent(ppid %d)=%s", (unsigned)message.header.type,
           received, (int)message.header.uid, (int)message.header.pid, message.header.proc_name_pid,
           (int)message.header.ppid, message.header.proc_name_ppid);
    print_body((size_t)received);
    putchar('\n');
  }
  close(server);
  return 0;
}
