#include "learn/loaded_table.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/hash_stream.h"
#include "base/nearest.h"

namespace attune {
namespace {

constexpr std::size_t kProgressRows = 10'000;
constexpr std::size_t kColumnsNamed = 12;  // in a message

double share_of(const ByteSource& bytes) {
  if (bytes.size() == 0) return -1;
  return static_cast<double>(bytes.taken()) / static_cast<double>(bytes.size());
}

Error too_large(const std::string& path) {
  return {Code::kInvalid,
          fmt::format("{}: its cells take more than {} MB of memory", path,
                      LoadedTable::kMostBytes >> 20),
          "file",
          "train on a sample, or write it as Vowpal Wabbit text or libsvm (--format vw), "
          "which is read as a stream"};
}

}  // namespace

Result<LoadedTable> LoadedTable::read(TableReader& reader, const std::string& path,
                                      const std::function<void(double)>& on_progress) {
  LoadedTable table;
  table.shape_ = reader.shape();
  while (true) {
    TRY(const TableReader::Next next, reader.next());
    if (next == TableReader::Next::kEnd) break;
    if (next == TableReader::Next::kBad) {
      ++table.bad_rows_;
      if (table.first_bad_.size() < kBadRowsKept) table.first_bad_.push_back(reader.bad());
      continue;
    }
    for (const std::string_view cell : reader.cells()) {
      table.text_.append(cell);
      table.ends_.push_back(static_cast<std::uint32_t>(table.text_.size()));
    }
    table.lines_.push_back(reader.line());
    if (table.text_.size() + table.ends_.size() * sizeof(std::uint32_t) > kMostBytes) {
      return too_large(path);
    }
    if (on_progress && table.rows() % kProgressRows == 0) on_progress(share_of(reader.bytes()));
  }
  if (table.rows() > 0) return table;
  if (table.bad_rows_ == 0) {
    return Error{Code::kInvalid, path + ": no rows, only the names of columns", "file", ""};
  }
  const BadRow& bad = table.first_bad_.front();
  return Error{Code::kInvalid,
               fmt::format("{}: none of {} rows can be read; line {}: {}", path, table.bad_rows_,
                           bad.line, bad.reason),
               "file", ""};
}

std::string_view LoadedTable::cell(std::size_t row, std::size_t column) const {
  const std::size_t at = row * columns().size() + column;
  const std::uint32_t begin = at == 0 ? 0 : ends_[at - 1];
  return std::string_view(text_).substr(begin, ends_[at] - begin);
}

void LoadedTable::cells(std::size_t row, std::vector<std::string_view>& out) const {
  out.resize(columns().size());
  for (std::size_t i = 0; i < out.size(); ++i) out[i] = cell(row, i);
}

std::optional<std::size_t> LoadedTable::column(std::string_view name) const {
  const auto at = std::find(columns().begin(), columns().end(), name);
  if (at == columns().end()) return std::nullopt;
  return static_cast<std::size_t>(at - columns().begin());
}

Result<std::size_t> LoadedTable::need_column(std::string_view name,
                                             const std::string& option) const {
  if (const auto at = column(name)) return *at;
  const std::string near = nearest(name, columns());
  if (!near.empty()) {
    return Error{Code::kInvalid,
                 fmt::format("--{} {}: no such column, did you mean {}?", option, name, near),
                 option, ""};
  }
  std::vector<std::string> first = columns();
  first.resize(std::min(first.size(), kColumnsNamed));
  return Error{Code::kInvalid, fmt::format("--{} {}: no such column", option, name), option,
               fmt::format("the columns are {}{}", fmt::join(first, ", "),
                           first.size() < columns().size() ? ", ..." : "")};
}

std::uint64_t LoadedTable::content_hash() const {
  HashStream hash;
  const auto add = [&](std::string_view bytes) {
    const std::uint64_t size = bytes.size();
    hash.add({reinterpret_cast<const char*>(&size), sizeof size});
    hash.add(bytes);
  };
  for (const std::string& column : shape_.columns) add(column);
  add(text_);
  add({reinterpret_cast<const char*>(ends_.data()), ends_.size() * sizeof ends_[0]});
  return hash.hash64();
}

}  // namespace attune
