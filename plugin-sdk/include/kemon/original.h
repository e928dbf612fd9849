/* SPDX-License-Identifier: Apache-2.0
 *
 * kemon/original.h: the messages of the 2018 Kemon, as its kernel control sent them to a client: sizes, offsets and
 * numbers are those of macOS on x86-64. `kemon-host run --serve-original SOCKET` sends them on a Unix socket of type
 * SOCK_SEQPACKET: one recv gets one message, and what stands behind a struct belongs to its message. Nothing is sent in
 * the other direction. A client skips types that it does not know.
 *
 * Texts are cut at the end of their field and always end with a NUL. Byte order is the machine's.
 */
#ifndef KEMON_ORIGINAL_H
#define KEMON_ORIGINAL_H

#include "base.h"

KEMON_C_BEGIN

/* kemon_original_header.type */
#define KEMON_ORIGINAL_FILEOP_OPEN 0x00
#define KEMON_ORIGINAL_FILEOP_CREATE 0x01
#define KEMON_ORIGINAL_FILEOP_CLOSE 0x02
#define KEMON_ORIGINAL_FILEOP_RENAME 0x03
#define KEMON_ORIGINAL_FILEOP_EXCHANGE 0x04
#define KEMON_ORIGINAL_FILEOP_LINK 0x05
#define KEMON_ORIGINAL_FILEOP_EXEC 0x06
#define KEMON_ORIGINAL_FILEOP_DELETE 0x07
#define KEMON_ORIGINAL_FILEOP_WILL_RENAME 0x08
#define KEMON_ORIGINAL_FILEOP_WRITE_OR_APPEND 0x09
#define KEMON_ORIGINAL_DEVICE_OPEN 0x20
#define KEMON_ORIGINAL_NETWORK_TCP_IPV4_DETACH 0x40
#define KEMON_ORIGINAL_NETWORK_UDP_IPV4_DETACH 0x41
#define KEMON_ORIGINAL_NETWORK_UDP_DNS_QUERY 0x42
#define KEMON_ORIGINAL_MONITORING_DYNAMIC_LIBRARY 0x60
#define KEMON_ORIGINAL_MONITORING_KEXT_PRE_CALLBACK 0x61
#define KEMON_ORIGINAL_MONITORING_KEXT_POST_CALLBACK 0x62
/* Not the original's, which lost without a word: messages before this one were lost for this client. */
#define KEMON_ORIGINAL_EVENTS_LOST 0x7F

#define KEMON_ORIGINAL_PATH 1024
#define KEMON_ORIGINAL_ADDRESS 256

/* A struct timeval of macOS. */
typedef struct kemon_original_time {
  int64_t seconds;
  int32_t microseconds;
  int32_t padding;
} kemon_original_time;

/* Every message begins with it: who acted, and when. */
typedef struct kemon_original_header {
  int32_t type;
  int32_t pid, ppid, uid, gid;
  int32_t padding;
  kemon_original_time event_time;
  char proc_name_pid[KEMON_ORIGINAL_PATH]; /* "NULL (ZOMBIE STATE)" when the process has ended */
  char proc_name_ppid[KEMON_ORIGINAL_PATH];
} kemon_original_header;

/* 0x00-0x09, 0x20. Behind an exec stand command_line_length bytes: arguments joined by spaces, and a NUL. */
typedef struct kemon_original_file {
  kemon_original_header header;
  char path[KEMON_ORIGINAL_PATH]; /* of rename, exchange and link: the first file */
  union {
    char second[KEMON_ORIGINAL_PATH]; /* rename: the new name; exchange: the other file; link: the link */
    uint32_t modified;                /* close */
    uint64_t command_line_length;     /* exec */
  } body;
} kemon_original_file;

/* 0x40. Behind it stand first_in_bytes bytes, then first_out_bytes bytes. */
typedef struct kemon_original_tcp {
  kemon_original_header header;
  kemon_original_time start_time, stop_time;
  char source_address[KEMON_ORIGINAL_ADDRESS], destination_address[KEMON_ORIGINAL_ADDRESS];
  uint8_t source_ether[6], destination_ether[6]; /* zeros when unknown */
  uint16_t source_port, destination_port;        /* host byte order */
  uint32_t in_bytes, in_packets, out_bytes, out_packets;
  uint32_t first_in_bytes, first_out_bytes;
} kemon_original_tcp;

/* 0x41; the original never sent it. */
typedef struct kemon_original_udp {
  kemon_original_header header;
  kemon_original_time start_time, stop_time;
  char source_address[KEMON_ORIGINAL_ADDRESS], destination_address[KEMON_ORIGINAL_ADDRESS];
  uint8_t source_ether[6], destination_ether[6];
  uint16_t source_port, destination_port;
} kemon_original_udp;

/* 0x42. Behind it stand dns_question_length bytes: the name, labels joined by dots, without a NUL. */
typedef struct kemon_original_dns {
  kemon_original_header header;
  char source_address[KEMON_ORIGINAL_ADDRESS], destination_address[KEMON_ORIGINAL_ADDRESS];
  uint16_t source_port, destination_port;
  uint32_t padding;
  uint64_t dns_question_length;
} kemon_original_dns;

/* 0x60 */
typedef struct kemon_original_library {
  kemon_original_header header;
  char library_path[KEMON_ORIGINAL_PATH];
} kemon_original_library;

/* 0x61, 0x62 */
typedef struct kemon_original_kext {
  kemon_original_header header;
  uint32_t return_value; /* before the start: 0 */
  uint32_t padding;
  uint64_t module_base, module_size;
  char module_name[KEMON_ORIGINAL_PATH];
  char module_path[KEMON_ORIGINAL_PATH]; /* after the start: empty */
  char module_version[KEMON_ORIGINAL_PATH];
} kemon_original_kext;

/* 0x7F */
typedef struct kemon_original_lost {
  kemon_original_header header;
  uint64_t count;
} kemon_original_lost;

KEMON_C_END
#endif
