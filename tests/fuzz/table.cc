#include "format/table.h"

#include <simdjson.h>

#include "fuzz.h"

namespace attune {
namespace {

TableOptions options_of(unsigned char choice) {
  TableOptions options;
  if ((choice & 1) != 0) options.has_header = (choice & 2) != 0;
  if ((choice & 4) != 0) options.format = TableFormat::kDelimited;
  if ((choice & 4) != 0 && (choice & 8) != 0) options.delimiter = ',';
  if ((choice & 12) == 8) options.format = TableFormat::kJsonl;
  if ((choice & 16) != 0) options.encoding = static_cast<Encoding>(choice >> 5 & 3);
  return options;
}

void check_row(const TableReader& reader, TableReader::Next next) {
  if (next == TableReader::Next::kBad) {
    CHECK(!reader.bad().reason.empty() && reader.bad().line > 0);
    return;
  }
  CHECK(reader.cells().size() == reader.shape().columns.size());
  for (const std::string_view cell : reader.cells()) {
    CHECK(simdjson::validate_utf8(cell.data(), cell.size()));
    CHECK(cell.find('\0') == std::string_view::npos);
  }
}

}  // namespace

// The first byte: options; the rest: a file. Rows move forward line by line.
void fuzz_one(std::string_view input) {
  if (input.empty() || input.substr(1).starts_with("\x1f\x8b") ||
      input.substr(1).starts_with("\x28\xb5")) {
    return;
  }
  auto bytes = ByteSource::of_memory(std::string(input.substr(1)), "f");
  CHECK(bytes.ok());
  const auto reader =
      TableReader::open(std::move(*bytes), options_of(static_cast<unsigned char>(input[0])));
  if (!reader.ok()) return;
  CHECK((*reader)->shape().columns.size() == (*reader)->shape().types.size());
  std::uint64_t last = 0;
  while (true) {
    const auto next = (*reader)->next();
    if (!next.ok() || *next == TableReader::Next::kEnd) return;
    CHECK((*reader)->line() > last);
    last = (*reader)->line();
    check_row(**reader, *next);
  }
}

}  // namespace attune
