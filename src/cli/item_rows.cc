#include "cli/item_rows.h"

#include <fmt/format.h>
#include <simdjson.h>

#include <algorithm>
#include <charconv>

#include "base/json.h"
#include "base/nearest.h"
#include "catalog/control.h"

namespace attune {
namespace {

constexpr std::size_t kMaxLineBytes = 1 << 20;

enum class Column { kText, kTags, kPrice, kFlag };

Column column_of(std::string_view name) {
  if (name == "tags") return Column::kTags;
  if (name == "price") return Column::kPrice;
  return name == "is_hidden" ? Column::kFlag : Column::kText;
}

std::string_view trim(std::string_view text) {
  while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
  while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
  return text;
}

void write_tags(std::string_view cell, JsonWriter& json) {
  json.begin_array();
  while (!cell.empty()) {
    const auto bar = cell.find('|');
    const std::string_view tag = trim(cell.substr(0, bar));
    if (!tag.empty()) json.value(tag);
    cell = bar == std::string_view::npos ? std::string_view() : cell.substr(bar + 1);
  }
  json.end_array();
}

Status write_cell(const std::string& name, std::string_view cell, JsonWriter& json) {
  json.key(name);
  switch (column_of(name)) {
    case Column::kTags:
      write_tags(cell, json);
      return ok_status();
    case Column::kPrice: {
      const std::string_view text = trim(cell);
      double price = 0;
      const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), price);
      if (error != std::errc() || end != text.data() + text.size()) {
        return Error{Code::kInvalid,
                     fmt::format("price is \"{}\", must be a number such as 19.99", cell), name};
      }
      json.value(price);
      return ok_status();
    }
    case Column::kFlag:
      if (cell != "true" && cell != "false") {
        return Error{Code::kInvalid, fmt::format("{} is \"{}\", must be true or false", name, cell),
                     name};
      }
      json.value(cell == "true");
      return ok_status();
    case Column::kText:
      json.value(cell);
  }
  return ok_status();
}

Status check_header(const std::vector<std::string>& names) {
  for (auto name = names.begin(); name != names.end(); ++name) {
    const auto column = name - names.begin() + 1;
    if (name->empty()) {
      return Error{Code::kInvalid, fmt::format("line 1: column {} has no name", column), "",
                   "the first line names the columns: id,category,tags,price,created,title"};
    }
    if (std::find(names.begin(), name, *name) != name) {
      return Error{Code::kInvalid, fmt::format("line 1: two columns are named {}", *name), "",
                   "rename or remove one"};
    }
  }
  if (std::find(names.begin(), names.end(), "id") != names.end()) return ok_status();
  std::string found = names.front();
  for (std::size_t i = 1; i < names.size(); ++i) found += ", " + names[i];
  return Error{Code::kInvalid, "line 1: no column is named id; there is: " + found, "",
               "the first line names the columns: id,category,tags,price,created,title"};
}

class CsvRows final : public ItemRows {
 public:
  CsvRows(std::istream& in, Time now) : ItemRows(now), reader_(in) {}
  Status read_header() {
    TRY(const bool is_there, reader_.next(names_));
    if (!is_there) return Error{Code::kInvalid, "the file is empty", "", "it needs a header line"};
    return check_header(names_);
  }
  std::uint64_t bytes() const override { return reader_.bytes(); }

 protected:
  std::uint64_t line() const override { return reader_.line(); }
  Result<bool> read(std::string& json) override {
    auto more = reader_.next(cells_);
    if (!more.ok()) return named(std::move(more).error());
    if (!*more) return false;
    if (cells_.size() != names_.size()) {
      return Error{Code::kInvalid,
                   fmt::format("{} fields, but the header names {}", cells_.size(), names_.size())};
    }
    JsonWriter writer(json);
    writer.begin_object();
    for (std::size_t i = 0; i < names_.size(); ++i) {
      if (!cells_[i].empty()) TRY_OK(write_cell(names_[i], cells_[i], writer));
    }
    writer.end_object();
    return true;
  }

 private:
  // The reader's column numbers by name; its messages begin with the line, which is told apart.
  Error named(Error error) const {
    std::size_t number = 0;
    std::from_chars(error.field.data(), error.field.data() + error.field.size(), number);
    if (number >= 1 && number <= names_.size()) error.field = names_[number - 1];
    const std::string line = fmt::format("line {}: ", reader_.line());
    if (error.message.starts_with(line)) error.message.erase(0, line.size());
    return error;
  }
  CsvReader reader_;
  std::vector<std::string> names_, cells_;
};

class JsonlRows final : public ItemRows {
 public:
  JsonlRows(std::istream& in, Time now) : ItemRows(now), in_(in) {}
  std::uint64_t bytes() const override { return bytes_; }

 protected:
  std::uint64_t line() const override { return line_; }
  Result<bool> read(std::string& json) override {
    while (std::getline(in_, text_)) {
      ++line_;
      bytes_ += text_.size() + 1;
      if (line_ == 1 && text_.starts_with("\xef\xbb\xbf")) text_.erase(0, 3);
      if (text_.find_first_not_of(" \t\r") == std::string::npos) continue;
      if (text_.size() > kMaxLineBytes) return Error{Code::kInvalid, "a line longer than 1 MB"};
      TRY_OK(minify(json));
      return true;
    }
    return false;
  }

 private:
  Status minify(std::string& json) {
    simdjson::dom::object object;
    const auto error = parser_.parse(text_).get(object);
    if (error == simdjson::INCORRECT_TYPE) {
      return Error{Code::kInvalid, "not a JSON object; a line is one item, such as {\"id\":\"a\"}"};
    }
    if (error) {
      return Error{Code::kInvalid, fmt::format("not JSON: {}", simdjson::error_message(error))};
    }
    json = simdjson::minify(object);
    return ok_status();
  }
  std::istream& in_;
  simdjson::dom::parser parser_;
  std::string text_;
  std::uint64_t line_ = 0, bytes_ = 0;
};

}  // namespace

Result<std::unique_ptr<ItemRows>> ItemRows::open(std::istream& in, RowFormat format, Time now) {
  if (format == RowFormat::kJsonl) {
    return std::unique_ptr<ItemRows>(std::make_unique<JsonlRows>(in, now));
  }
  auto rows = std::make_unique<CsvRows>(in, now);
  TRY_OK(rows->read_header());
  return std::unique_ptr<ItemRows>(std::move(rows));
}

Result<ItemRow> ItemRows::check(const std::string& json) {
  auto control = parse_control(R"({"op":"put_item","item":)" + json + "}", now_);
  if (!control.ok()) {
    Error error = std::move(control).error();
    if (error.field.starts_with("item.")) error.field.erase(0, 5);
    return error;
  }
  const Item& item = std::get<Item>(*control);
  const auto [first, is_new] = lines_.try_emplace(item.id, line());
  if (!is_new) {
    return Error{Code::kInvalid,
                 fmt::format("id \"{}\" stands on line {} already", item.id, first->second), "id"};
  }
  return ItemRow{line(), item.id, item.attributes};
}

std::optional<ItemRows::Row> ItemRows::next() {
  std::string json;
  const auto more = read(json);
  if (more.ok() && !*more) return std::nullopt;
  Row row;
  auto checked = more.ok() ? check(json) : Result<ItemRow>(more.error());
  if (checked.ok()) {
    row.good = std::move(checked).value();
  } else {
    row.bad = {line(), checked.error().field, checked.error().message};
  }
  return row;
}

std::optional<RowFormat> format_of(std::string_view file_name) {
  if (file_name.ends_with(".csv")) return RowFormat::kCsv;
  for (const std::string_view end : {".jsonl", ".ndjson", ".json"}) {
    if (file_name.ends_with(end)) return RowFormat::kJsonl;
  }
  return std::nullopt;
}

}  // namespace attune
