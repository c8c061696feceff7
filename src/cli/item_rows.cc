#include "cli/item_rows.h"

#include <fmt/format.h>
#include <simdjson.h>

#include <algorithm>

#include "base/json.h"
#include "catalog/control.h"
#include "catalog/item_vector.h"
#include "format/guess_dialect.h"
#include "format/item_cell.h"
#include "format/table_readers.h"
#include "format/text_lines.h"

namespace attune {
namespace {

constexpr std::string_view kWantedHeader =
    "the first line names the columns: id,category,tags,price,created,title";

Status check_header(const TableShape& shape, std::uint64_t line) {
  const auto& names = shape.columns;
  if (names.empty())
    return Error{Code::kInvalid, "the file is empty", "", "it needs a header line"};
  const auto refuse = [&](std::string what, std::string_view hint) {
    return Error{Code::kInvalid, fmt::format("line {}: {}", line, what), "", std::string(hint)};
  };
  if (!shape.unnamed.empty()) {
    return refuse(fmt::format("column {} has no name", shape.unnamed[0] + 1), kWantedHeader);
  }
  for (auto name = names.begin(); name != names.end(); ++name) {
    if (std::find(names.begin(), name, *name) == name) continue;
    return refuse(fmt::format("two columns are named {}", *name), "rename or remove one");
  }
  if (std::find(names.begin(), names.end(), "id") != names.end()) return ok_status();
  return refuse(fmt::format("no column is named id; there is: {}", fmt::join(names, ", ")),
                kWantedHeader);
}

class CsvRows final : public ItemRows {
 public:
  CsvRows(std::unique_ptr<TableReader> table, Time now) : ItemRows(now), table_(std::move(table)) {}
  const ByteSource& bytes() const override { return table_->bytes(); }
  std::string note() const override {
    const TableShape& shape = table_->shape();
    if (shape.encoding == Encoding::kUtf8 && shape.delimiter == ',') return "";
    if (shape.delimiter == kNoDelimiter) return "";
    return fmt::format("read as {}, parted by {}", encoding_name(shape.encoding),
                       shape.delimiter == '\t' ? "tabs" : fmt::format("\"{}\"", shape.delimiter));
  }

 protected:
  std::uint64_t line() const override { return table_->line(); }
  Result<Next> read(std::string& json, BadRow& bad) override {
    TRY(const Next what, table_->next());
    if (what == Next::kBad) bad = table_->bad();
    if (what != Next::kRow) return what;
    JsonWriter writer(json);
    writer.begin_object();
    for (std::size_t i = 0; i < table_->cells().size(); ++i) {
      const std::string_view cell = table_->cells()[i];
      const std::string& name = table_->shape().columns[i];
      if (cell.empty()) continue;
      const Status written = write_item_cell(name, cell, TableFormat::kDelimited, writer);
      if (written.ok()) continue;
      bad = {line(), name, written.error().message};
      return Next::kBad;
    }
    writer.end_object();
    return Next::kRow;
  }

 private:
  const std::unique_ptr<TableReader> table_;
};

class JsonlRows final : public ItemRows {
 public:
  JsonlRows(TextWindow window, Time now)
      : ItemRows(now), lines_(std::move(window), TableReader::kMaxRowBytes) {}
  const ByteSource& bytes() const override { return lines_.window().bytes(); }
  std::string note() const override {
    const Encoding encoding = lines_.window().encoding();
    return encoding == Encoding::kUtf8 ? "" : fmt::format("read as {}", encoding_name(encoding));
  }

 protected:
  std::uint64_t line() const override { return lines_.line(); }
  Result<Next> read(std::string& json, BadRow& bad) override {
    while (true) {
      TRY(const auto what, lines_.next());
      if (what == TextLines::Next::kEnd) return Next::kEnd;
      if (what == TextLines::Next::kTooLong) {
        bad = {line(), "", "a line longer than 1 MB"};
        return Next::kBad;
      }
      if (lines_.text().find_first_not_of(" \t\r") != std::string_view::npos) break;
    }
    bad = {line(), "", minify(json)};
    return bad.reason.empty() ? Next::kRow : Next::kBad;
  }

 private:
  std::string minify(std::string& json) {
    simdjson::dom::object object;
    const auto error = parser_.parse(std::string(lines_.text())).get(object);
    if (error == simdjson::INCORRECT_TYPE) {
      return "not a JSON object; a line is one item, such as {\"id\":\"a\"}";
    }
    if (error) return fmt::format("not JSON: {}", simdjson::error_message(error));
    json = simdjson::minify(object);
    return "";
  }
  TextLines lines_;
  simdjson::dom::parser parser_;
};

}  // namespace

Result<std::unique_ptr<ItemRows>> ItemRows::open(std::unique_ptr<ByteSource> bytes,
                                                 TableOptions options, Time now) {
  TRY(TextWindow window, TextWindow::open(std::move(bytes), options.encoding));
  if (!options.format) {
    TRY(options.format, guess_format(window.view()));
  }
  if (options.format == TableFormat::kJsonl) {
    return std::unique_ptr<ItemRows>(std::make_unique<JsonlRows>(std::move(window), now));
  }
  options.has_header = true;
  TRY(auto table, open_delimited(std::move(window), options));
  TRY_OK(check_header(table->shape(), table->line()));
  return std::unique_ptr<ItemRows>(std::make_unique<CsvRows>(std::move(table), now));
}

Result<ItemRow> ItemRows::check(const std::string& json) {
  auto control = parse_control(R"({"op":"put_item","item":)" + json + "}", now_);
  if (!control.ok()) {
    Error error = std::move(control).error();
    if (error.field.starts_with("item.")) error.field.erase(0, 5);
    return error;
  }
  const Item& item = std::get<Item>(*control);
  if (has_vector(item.attributes) && vector_of(item.attributes).empty()) {
    return Error{Code::kInvalid,
                 fmt::format("vector must be a list of 1 to {} numbers", kMostVector), "vector"};
  }
  const auto [first, is_new] = lines_.try_emplace(item.id, line());
  if (!is_new) {
    return Error{Code::kInvalid,
                 fmt::format("id \"{}\" stands on line {} already", item.id, first->second), "id"};
  }
  return ItemRow{item.id, item.attributes, {vector().begin(), vector().end()}};
}

Result<std::optional<ItemRows::Row>> ItemRows::next() {
  std::string json;
  Row row;
  TRY(const Next what, read(json, row.bad));
  if (what == Next::kEnd) return std::optional<Row>();
  if (what == Next::kBad) return std::optional<Row>(std::move(row));
  auto checked = check(json);
  if (checked.ok()) {
    row.good = std::move(checked).value();
  } else {
    row.bad = {line(), checked.error().field, checked.error().message};
  }
  return std::optional<Row>(std::move(row));
}

std::optional<TableFormat> item_format_of(std::string_view file_name) {
  for (const std::string_view end : {".gz", ".zst"}) {
    if (file_name.ends_with(end)) file_name.remove_suffix(end.size());
  }
  for (const std::string_view end : {".csv", ".tsv"}) {
    if (file_name.ends_with(end)) return TableFormat::kDelimited;
  }
  for (const std::string_view end : {".jsonl", ".ndjson", ".json"}) {
    if (file_name.ends_with(end)) return TableFormat::kJsonl;
  }
  return std::nullopt;
}

}  // namespace attune
