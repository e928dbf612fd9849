// SPDX-License-Identifier: Apache-2.0
// What the peers carry: events of a fixed size, or records of any size in a cell.
#pragma once
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <new>

#include "bus_peers.h"

namespace bus {

/// An event whose size is known to the compiler; word 0 is its number.
template <std::size_t Bytes>
struct Fixed {
  static constexpr bool is_mixed = false;
  std::uint64_t words[Bytes / 8];

  std::uint64_t number() const { return words[0]; }
  void set_number(std::uint64_t number) { words[0] = number; }
  /// A word of every cache line.
  std::uint64_t touch() const {
    std::uint64_t sum = 0;
    for (std::size_t i = Bytes >= 64 ? 7 : Bytes / 8 - 1; i < Bytes / 8; i += 8) sum += words[i];
    return sum;
  }
};

/// A record of any size: copied as far as it is filled; a large one is a block that the reader frees.
struct Variable {
  static constexpr bool is_mixed = true;
  std::uint64_t size = 0;
  std::uint64_t *block = nullptr;
  std::uint64_t words[BUS_CELL_BYTES / 8];

  Variable() = default;
  Variable(const Variable &other) { copy(other); }
  Variable &operator=(const Variable &other) {
    copy(other);
    return *this;
  }

  std::uint64_t number() const { return block ? block[0] : words[0]; }
  void set_number(std::uint64_t number) { words[0] = number; }
  std::uint64_t touch() const {
    const std::uint64_t *from = block ? block : words;
    std::uint64_t sum = 0;
    for (std::size_t i = 7; i < size / 8; i += 8) sum += from[i];
    return sum;
  }

 private:
  void copy(const Variable &other) {
    size = other.size;
    block = other.block;
    if (!block) std::memcpy(words, other.words, size);
  }
};

/// A block for a record that is larger than a cell.
inline std::uint64_t *make_block(const std::uint64_t *from, std::size_t size) {
  auto *block = static_cast<std::uint64_t *>(std::malloc(size));
  if (!block) std::abort();
  std::memcpy(block, from, size);
  return block;
}

}  // namespace bus
