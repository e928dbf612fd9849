/* SPDX-License-Identifier: Apache-2.0 */
#include "version.h"

#include <string.h>

static const char *const stages[] = {"d", "a", "b", "fc", "f", "rc"};
static const int stage_ranks[] = {0, 1, 2, 3, 3, 3};
#define RELEASE 4

static bool is_digit(char c) { return c >= '0' && c <= '9'; }

/* Digits at *at; a number too large for 64 bits becomes the largest one. */
static bool parse_number(const char **at, uint64_t *out) {
  if (!is_digit(**at))
    return false;
  uint64_t value = 0;
  for (; is_digit(**at); ++*at) {
    uint64_t digit = (uint64_t)(**at - '0');
    value = value > (UINT64_MAX - digit) / 10 ? UINT64_MAX : value * 10 + digit;
  }
  *out = value;
  return true;
}

static bool parse_stage(const char **at, version *out) {
  for (size_t i = 0; i < sizeof stages / sizeof *stages; i++) {
    size_t length = strlen(stages[i]);
    if (strncmp(*at, stages[i], length) == 0) {
      *at += length;
      out->stage = stage_ranks[i];
      return **at == 0 || parse_number(at, &out->stage_number);
    }
  }
  return false;
}

bool version_parse(const char *text, version *out) {
  *out = (version){.stage = RELEASE};
  for (size_t part = 0;; part++) {
    uint64_t number;
    if (!parse_number(&text, &number))
      return false;
    if (part < VERSION_PARTS)
      out->part[part] = number;
    if (*text != '.')
      break;
    text++;
  }
  return *text == 0 || (parse_stage(&text, out) && *text == 0);
}

static int compare(uint64_t a, uint64_t b) { return (a > b) - (a < b); }

int version_compare(const version *a, const version *b) {
  for (size_t part = 0; part < VERSION_PARTS; part++) {
    int order = compare(a->part[part], b->part[part]);
    if (order != 0)
      return order;
  }
  return a->stage != b->stage ? a->stage - b->stage : compare(a->stage_number, b->stage_number);
}
