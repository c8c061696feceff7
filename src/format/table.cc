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

Result<std::optional<char>> parse_delimiter(std::string_view text) {
  if (text.empty()) return std::optional<char>();
  if (text == "tab" || text == "\\t") return std::optional('\t');
  if (text.size() == 1) return std::optional(text[0]);
  return Error{Code::kInvalid, fmt::format("--delimiter {}: must be one character, or tab", text),
               "delimiter"};
}

Result<std::optional<Encoding>> parse_encoding(std::string_view text) {
  if (text.empty()) return std::optional<Encoding>();
  const auto encoding = encoding_named(text);
  if (encoding) return encoding;
  return Error{Code::kInvalid, fmt::format("unknown encoding {}", text), "encoding",
               "utf-8, utf-16le, utf-16be, gbk or latin-1"};
}

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
