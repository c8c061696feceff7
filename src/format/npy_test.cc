#include "format/npy.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <limits>

#include "base/rng.h"

namespace attune {
namespace {

std::string file_of(const std::string& dict, const std::string& numbers, int version = 1) {
  std::string out = "\x93NUMPY";
  out += {static_cast<char>(version), '\0'};
  std::string header = dict;
  while ((header.size() + 11) % 64 != 0) header += ' ';
  header += '\n';
  out += {static_cast<char>(header.size() & 0xff), static_cast<char>(header.size() >> 8)};
  if (version > 1) out += {'\0', '\0'};
  return out + header + numbers;
}

std::string dict_of(const std::string& type, const std::string& shape) {
  return "{'descr': '" + type + "', 'fortran_order': False, 'shape': " + shape + ", }";
}

template <class T>
std::string bytes_of(std::initializer_list<T> numbers) {
  std::string out(numbers.size() * sizeof(T), '\0');
  std::memcpy(out.data(), std::data(numbers), out.size());
  return out;
}

using Rows = std::vector<std::vector<float>>;

// All rows, or what is wrong.
Rows rows_of(const std::string& file, std::string* wrong = nullptr) {
  auto bytes = ByteSource::of_memory(file, "f");
  CHECK(bytes.ok());
  auto reader = NpyReader::open(std::move(*bytes));
  Rows rows;
  while (reader.ok()) {
    const auto row = reader->next();
    if (!row.ok()) {
      if (wrong != nullptr) *wrong = row.error().message;
      return rows;
    }
    if (row->empty()) return rows;
    rows.emplace_back(row->begin(), row->end());
  }
  if (wrong != nullptr) *wrong = reader.error().message;
  return rows;
}

std::string fault_of(const std::string& file) {
  std::string wrong;
  rows_of(file, &wrong);
  return wrong;
}

TEST(Npy, FloatsOfEachWidthAndVersionAreRead) {
  const Rows wanted = {{1, -0.5F}, {0, 2}};
  for (const int version : {1, 2, 3}) {
    EXPECT_EQ(rows_of(file_of(dict_of("<f4", "(2, 2)"), bytes_of({1.F, -0.5F, 0.F, 2.F}), version)),
              wanted);
  }
  EXPECT_EQ(rows_of(file_of(dict_of("<f8", "(2, 2)"), bytes_of({1., -0.5, 0., 2.}))), wanted);
  EXPECT_EQ(rows_of(file_of(dict_of("<f2", "(2, 2)"),
                            bytes_of<std::uint16_t>({0x3c00, 0xb800, 0, 0x4000}))),
            wanted);
}

TEST(Npy, HalvesAreExact) {
  const Rows rows = rows_of(
      file_of(dict_of("<f2", "(1,7)"),
              bytes_of<std::uint16_t>({0x7bff, 0x0400, 0x03ff, 0x8001, 0x7c00, 0xfc00, 0x7e00})));
  ASSERT_EQ(rows.size(), 1u);
  EXPECT_EQ(rows[0][0], 65504);
  EXPECT_EQ(rows[0][1], 0x1p-14F);
  EXPECT_EQ(rows[0][2], 1023 * 0x1p-24F);
  EXPECT_EQ(rows[0][3], -0x1p-24F);
  EXPECT_EQ(rows[0][4], std::numeric_limits<float>::infinity());
  EXPECT_EQ(rows[0][5], -std::numeric_limits<float>::infinity());
  EXPECT_TRUE(std::isnan(rows[0][6]));
}

TEST(Npy, ADoubleBeyondFloatIsInfinite) {
  EXPECT_EQ(rows_of(file_of(dict_of("<f8", "(1, 2)"), bytes_of({1e300, 1e-300})))[0],
            (std::vector{std::numeric_limits<float>::infinity(), 0.F}));
}

TEST(Npy, WhatIsNotReadIsSaidWithAHint) {
  const std::string two = bytes_of({1.F, 2.F});
  EXPECT_EQ(fault_of("id,x\n1,2\n"), "f: it is not a .npy file");
  EXPECT_EQ(fault_of(file_of(dict_of("<f4", "(1, 2)"), two, 4)),
            "f: it is of version 4 of the .npy format, must be 1 to 3");
  EXPECT_EQ(fault_of(file_of(dict_of(">f4", "(1, 2)"), two)),
            "f: its numbers are of type \">f4\", must be <f2, <f4 or <f8 (float16, float32 or "
            "float64, little endian)");
  EXPECT_EQ(fault_of(file_of(dict_of("<f4", "(2,)"), two)),
            "f: its shape is (2), must be rows and columns");
  EXPECT_EQ(fault_of(file_of("{'descr': '<f4', 'fortran_order': True, 'shape': (2, 2)}", two)),
            "f: its numbers lie column by column (Fortran order)");
  EXPECT_EQ(fault_of(file_of(dict_of("<f4", "(1, 99999999)"), two)),
            "f: its shape is (1, 99999999), must be at most 4294967296 rows of 1 to 65536 numbers");
  EXPECT_EQ(fault_of(file_of("{'descr': [('x', '<f4')], 'shape': (1, 2)}", two)),
            "f: its header is not that of an array of numbers");
}

TEST(Npy, AFileCutOffOrTooLongIsCorrupt) {
  const std::string file = file_of(dict_of("<f4", "(2, 1)"), bytes_of({1.F, 2.F}));
  EXPECT_EQ(fault_of(file.substr(0, file.size() - 1)),
            "f: it ends in row 2 of the 2 of its header");
  EXPECT_EQ(fault_of(file + "x"), "f: it goes on after the 2 rows of its header");
  EXPECT_EQ(fault_of(file.substr(0, 50)), "f: it is cut off within its header");
}

TEST(Npy, NoPrefixAndNoFlippedByteBreaksIt) {
  const std::string file = file_of(dict_of("<f4", "(2, 2)"), bytes_of({1.F, 2.F, 3.F, 4.F}));
  for (std::size_t n = 0; n < file.size(); ++n) EXPECT_NE(fault_of(file.substr(0, n)), "") << n;
  Rng rng(1);
  for (int round = 0; round < 5000; ++round) {
    std::string broken = file;
    broken[rng.below(broken.size())] = static_cast<char>(rng.below(256));
    for (const auto& row : rows_of(broken)) EXPECT_GE(row.size(), 1u);
  }
}

}  // namespace
}  // namespace attune
