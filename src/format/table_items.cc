// CSV and JSONL whose rows are items.
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/json.h"
#include "format/event_formats.h"
#include "format/event_row.h"
#include "format/item_cell.h"

namespace attune {
namespace {

constexpr std::array<std::string_view, 9> kIds = {
    "id", "item_id", "itemid", "product_id", "sku", "asin", "movie_id", "movieId", "article_id"};

class TableItems final : public NotedReader {
 public:
  explicit TableItems(std::unique_ptr<TableReader> table) : table_(std::move(table)) {}

  Status open(const ColumnMapping& mapping) {
    const auto& columns = table_->shape().columns;
    const auto told = mapping.columns.find("item");
    const auto find = [&](std::string_view name) {
      return static_cast<std::size_t>(std::find(columns.begin(), columns.end(), name) -
                                      columns.begin());
    };
    id_ = columns.size();
    if (told != mapping.columns.end()) id_ = find(told->second);
    for (std::size_t i = 0; told == mapping.columns.end() && i < kIds.size(); ++i) {
      if (id_ == columns.size()) id_ = find(kIds[i]);
    }
    if (id_ == columns.size()) {
      return Error{
          Code::kInvalid,
          fmt::format("no column names the item: the columns are {}", fmt::join(columns, ", ")),
          "map", "--map item=COLUMN"};
    }
    if (told == mapping.columns.end() && columns[id_] != "id") {
      notes_.push_back("guessed: item=" + columns[id_]);
    }
    return ok_status();
  }

  Result<Next> next(EventSink& sink) override {
    TRY(const auto what, table_->next());
    if (what == TableReader::Next::kEnd) return Next::kEnd;
    if (what == TableReader::Next::kBad) {
      return bad_row(table_->bad().line, table_->bad().column, table_->bad().reason, "");
    }
    std::string json;
    JsonWriter writer(json);
    writer.begin_object().field("id", table_->cells()[id_]);
    for (std::size_t i = 0; i < table_->cells().size(); ++i) {
      const std::string_view cell = table_->cells()[i];
      const std::string& name = table_->shape().columns[i];
      if (i == id_ || cell.empty() || name == "id") continue;
      const Status written = write_item_cell(name, cell, table_->shape().format, writer);
      if (!written.ok()) return bad_row(table_->line(), name, written.error().message, cell);
    }
    writer.end_object();
    TRY_OK(sink.item(std::move(json)));
    return Next::kRow;
  }
  const ByteSource& bytes() const override { return table_->bytes(); }

 private:
  std::unique_ptr<TableReader> table_;
  std::size_t id_ = 0;
};

}  // namespace

Result<std::unique_ptr<EventReader>> open_table_items(const std::vector<std::string>& files,
                                                      const EventFileOptions& options) {
  TRY(auto table, TableReader::open(files.front(), options.table));
  auto reader = std::make_unique<TableItems>(std::move(table));
  TRY_OK(reader->open(options.mapping));
  return std::unique_ptr<EventReader>(std::move(reader));
}

}  // namespace attune
