/* SPDX-License-Identifier: Apache-2.0 */
#include "hex_dump.h"

namespace {

constexpr std::size_t row_size = 16;
constexpr char digits[] = "0123456789abcdef";
constexpr char border[] =
    "+---------------------+--------------------------------------------------+-------------------+\n";

void append_address(std::string &out, std::uint64_t address) {
  out += "|  0x";
  for (int shift = 60; shift >= 0; shift -= 4)
    out += digits[(address >> shift) & 15];
  out += " | ";
}

void append_row(std::string &out, std::string_view row, std::uint64_t address) {
  append_address(out, address);
  for (std::size_t i = 0; i < row_size; i++) {
    if (i < row.size()) {
      auto byte = static_cast<unsigned char>(row[i]);
      out += digits[byte >> 4];
      out += digits[byte & 15];
    } else {
      out += "  ";
    }
    out += i == 7 ? "  " : " ";
  }
  out += "| ";
  for (std::size_t i = 0; i < row_size; i++) {
    char cell = i < row.size() ? row[i] : ' ';
    out += cell >= 0x20 && cell <= 0x7E ? cell : '.';
  }
  out += "  |\n";
}

} // namespace

void append_hex_dump(std::string &out, std::string_view bytes, std::uint64_t base) {
  if (bytes.empty())
    return;
  out.append(37, ' ').append("-*> MEMORY DUMP <*-").append(38, ' ') += '\n';
  out += border;
  out += "|       ADDRESS       |  0  1  2  3  4  5  6  7   8  9  A  B  C  D  E  F | 0123456789ABCDEF  |\n"
         "| --------------------+--------------------------------------------------+------------------ |\n";
  for (std::size_t offset = 0; offset < bytes.size(); offset += row_size)
    append_row(out, bytes.substr(offset, row_size), base + offset);
  out += border;
}
