// How fast files are read: rows per CPU second of CSV, JSONL, Criteo TSV and Vowpal Wabbit text,
// from memory. Each result is checked: every row must come out, with the sum of its numbers.
//   read_bench [ROWS]
#include <fmt/format.h>

#include <charconv>
#include <cstdlib>
#include <ctime>

#include "base/rng.h"
#include "format/example_reader.h"
#include "format/table.h"

namespace attune {
namespace {

struct Text {
  std::string bytes;
  std::uint64_t sum = 0;  // of the third column, or of the labels
};

double cpu_seconds() {
  timespec now{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
}

Text make_csv(std::size_t rows, bool is_quoted) {
  Text text{"person,item,n,verb,time,value\n"};
  Rng rng(1);
  const std::string_view quote = is_quoted ? "\"" : "";
  for (std::size_t i = 0; i < rows; ++i) {
    const std::uint64_t n = rng.below(1000);
    text.sum += n;
    text.bytes +=
        fmt::format("u{},{}i{}{},{},view,2026-01-02T03:04:05Z,{:.2f}\n", rng.below(100'000), quote,
                    rng.below(10'000), quote, n, rng.uniform());
  }
  return text;
}

Text make_jsonl(std::size_t rows) {
  Text text;
  Rng rng(1);
  for (std::size_t i = 0; i < rows; ++i) {
    const std::uint64_t n = rng.below(1000);
    text.sum += n;
    text.bytes += fmt::format(
        R"({{"person":"u{}","item":"i{}","n":{},"verb":"view","time":"2026-01-02T03:04:05Z","value":{:.2f}}})"
        "\n",
        rng.below(100'000), rng.below(10'000), n, rng.uniform());
  }
  return text;
}

Text make_criteo(std::size_t rows) {
  Text text;
  Rng rng(1);
  for (std::size_t i = 0; i < rows; ++i) {
    const std::uint64_t label = rng.below(2);
    text.sum += label;
    text.bytes += std::to_string(label);
    for (std::size_t c = 0; c < 39; ++c) {
      text.bytes += '\t';
      if (rng.chance(0.1)) continue;
      text.bytes += c < 13 ? std::to_string(rng.below(1ULL << rng.below(14)))
                           : fmt::format("{:08x}", rng.below(1ULL << 32));
    }
    text.bytes += '\n';
  }
  return text;
}

Text make_vw(std::size_t rows) {
  Text text;
  Rng rng(1);
  for (std::size_t i = 0; i < rows; ++i) {
    const std::uint64_t label = rng.below(2);
    text.sum += label;
    text.bytes += label == 1 ? "1" : "-1";
    for (std::size_t c = 0; c < 13; ++c) {
      text.bytes += fmt::format(" |I{} {}", c + 1, rng.below(1ULL << rng.below(14)));
    }
    for (std::size_t c = 0; c < 26; ++c) {
      text.bytes += fmt::format(" |C{} {:08x}", c + 1, rng.below(1ULL << 32));
    }
    text.bytes += '\n';
  }
  return text;
}

struct Read {
  std::size_t rows = 0;
  std::uint64_t sum = 0;
};

Read read_table(std::unique_ptr<ByteSource> bytes) {
  auto reader = TableReader::open(std::move(bytes), {});
  CHECK(reader.ok());
  Read read;
  while ((*reader)->next().value() == TableReader::Next::kRow) {
    const std::string_view cell = (*reader)->cells()[2];
    std::uint64_t n = 0;
    std::from_chars(cell.data(), cell.data() + cell.size(), n);
    read.sum += n;
    ++read.rows;
  }
  return read;
}

Read read_examples(std::unique_ptr<ByteSource> bytes, ExampleFormat format) {
  auto reader = ExampleReader::open(std::move(bytes), format);
  CHECK(reader.ok());
  Read read;
  Examples block;
  while ((*reader)->next(256, block).value()) {
    for (std::size_t r = 0; r < block.size(); ++r) {
      CHECK(block.row(r).size() == 39);
      read.sum += block.labels[r] == 1.0F;
      ++read.rows;
    }
  }
  return read;
}

template <class ReadAll>
bool measure(std::string_view name, const Text& text, std::size_t rows, ReadAll read_all) {
  double best = 1e9;
  for (int round = 0; round < 3; ++round) {
    auto bytes = ByteSource::of_memory(text.bytes, "bench");
    CHECK(bytes.ok());
    const double begin = cpu_seconds();
    const Read read = read_all(std::move(*bytes));
    best = std::min(best, cpu_seconds() - begin);
    if (read.rows == rows && read.sum == text.sum) continue;
    fmt::print("{}: WRONG: {} rows of {}, sum {} for {}\n", name, read.rows, rows, read.sum,
               text.sum);
    return false;
  }
  fmt::print("| {} | {:.2f} M | {:.0f} |\n", name, static_cast<double>(rows) / best / 1e6,
             static_cast<double>(text.bytes.size()) / best / 1e6);
  return true;
}

bool run(std::size_t rows) {
  fmt::print("| read, {} rows | rows per CPU second | MB per CPU second |\n|---|---|---|\n", rows);
  bool is_right = measure("CSV, 6 columns", make_csv(rows, false), rows, read_table);
  is_right &= measure("CSV, 6 columns, one quoted", make_csv(rows, true), rows, read_table);
  is_right &= measure("JSONL, 6 fields", make_jsonl(rows), rows, read_table);
  is_right &= measure("Criteo TSV", make_criteo(rows), rows, [](auto bytes) {
    return read_examples(std::move(bytes), ExampleFormat::kCriteo);
  });
  is_right &= measure("Vowpal Wabbit, 39 namespaces", make_vw(rows), rows, [](auto bytes) {
    return read_examples(std::move(bytes), ExampleFormat::kVw);
  });
  return is_right;
}

}  // namespace
}  // namespace attune

int main(int count, char** words) {
  const long long rows = count > 1 ? std::atoll(words[1]) : 500'000;
  if (rows < 1 || rows > 10'000'000) {
    fmt::print(stderr, "read_bench [ROWS], from 1 to 10000000\n");
    return 2;
  }
  return attune::run(static_cast<std::size_t>(rows)) ? 0 : 1;
}
