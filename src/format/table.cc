#include "format/table.h"

#include <fmt/format.h>

#include "format/guess_dialect.h"
#include "format/table_readers.h"

namespace attune {
namespace {

Status check_options(const TableOptions& options) {
  if (!options.delimiter) return ok_status();
  const char c = *options.delimiter;
  if (c != '"' && c != '\n' && c != '\r' && static_cast<unsigned char>(c) < 0x80) {
    return ok_status();
  }
  return Error{Code::kInvalid,
               "the delimiter must be one ASCII character, no quote and no line end", "delimiter",
               "a comma, a tab, ; or | are usual"};
}

}  // namespace

Result<std::unique_ptr<TableReader>> TableReader::open(const std::string& path,
                                                       const TableOptions& options) {
  TRY(auto bytes, ByteSource::open(path));
  return open(std::move(bytes), options);
}

Result<std::unique_ptr<TableReader>> TableReader::open(std::unique_ptr<ByteSource> bytes,
                                                       const TableOptions& options) {
  TRY_OK(check_options(options));
  TRY(TextWindow window, TextWindow::open(std::move(bytes), options.encoding));
  auto format = options.format ? Result<TableFormat>(*options.format) : guess_format(window.view());
  if (!format.ok()) {
    Error error = std::move(format).error();
    error.message = fmt::format("{}: {}", window.bytes().name(), error.message);
    return error;
  }
  return *format == TableFormat::kJsonl ? open_jsonl(std::move(window), options)
                                        : open_delimited(std::move(window), options);
}

}  // namespace attune
