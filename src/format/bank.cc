// uci-bank-marketing: a row is one client, unnamed: an anonymous person with traits, who was
// offered a term deposit (an impression) and subscribed (a purchase) or did not. `duration` is
// known only after the call: it is kept with the impression, never as a trait.
#include <algorithm>
#include <charconv>
#include <cmath>

#include "base/json.h"
#include "format/event_formats.h"
#include "format/event_row.h"

namespace attune {
namespace {

constexpr std::string_view kItem = "term-deposit";
constexpr Duration kStep = std::chrono::milliseconds(100);

class Bank final : public NotedReader {
 public:
  Bank(std::unique_ptr<TableReader> table, const EventFileOptions& options)
      : table_(std::move(table)), options_(options) {}

  Status open() {
    const auto& columns = table_->shape().columns;
    const auto place = [&](std::string_view name) {
      return static_cast<std::size_t>(std::find(columns.begin(), columns.end(), name) -
                                      columns.begin());
    };
    outcome_ = place("y");
    duration_ = place("duration");
    if (outcome_ == columns.size() || place("job") == columns.size()) {
      return Error{Code::kInvalid, table_->bytes().name() + ": no columns job and y", "",
                   "name bank-full.csv or bank-additional-full.csv"};
    }
    notes_ = {
        "each row is an anonymous person with traits, an impression of item term-deposit and, "
        "where y is yes, a purchase",
        "duration is known only after the call: kept with the impression, not as a trait",
        "the rows have no times: a tenth of a second apart, from a day before the import"};
    event_.type = "track";
    event_.item_id = kItem;
    identify_.type = "identify";
    identify_.verb = Verb::kIdentify;
    return ok_status();
  }

  Result<Next> next(EventSink& sink) override {
    TRY(const auto what, table_->next());
    if (what == TableReader::Next::kEnd) return Next::kEnd;
    if (row_ == 0) {
      TRY_OK(sink.item(R"({"id":"term-deposit","category":"deposit","title":"Term deposit"})"));
    }
    ++row_;
    if (what == TableReader::Next::kBad) {
      return bad_row(table_->bad().line, table_->bad().column, table_->bad().reason, "");
    }
    const std::string_view outcome = table_->cells()[outcome_];
    if (outcome != "yes" && outcome != "no") {
      return bad_row(table_->line(), "y", "must be yes or no", outcome);
    }
    anonymous_row_id(options_.digest, row_, event_.anonymous_id);
    event_.time = synthetic_time(options_.began, row_, kStep);
    identify_.anonymous_id = event_.anonymous_id;
    identify_.time = event_.time;
    write_traits();
    TRY_OK(sink.event(identify_));
    event_.verb = Verb::kImpression;
    event_.properties.clear();
    if (duration_ < table_->cells().size()) {
      JsonWriter json(event_.properties);
      json.begin_object().key("duration");
      write_value(duration_, json);
      json.end_object();
    }
    TRY_OK(sink.event(event_));
    if (outcome == "no") return Next::kRow;
    event_.verb = Verb::kPurchase;
    event_.properties.clear();
    TRY_OK(sink.event(event_));
    return Next::kRow;
  }
  std::uint64_t rows_without_person() const override { return row_; }
  const ByteSource& bytes() const override { return table_->bytes(); }

 private:
  void write_value(std::size_t column, JsonWriter& json) const {
    const std::string_view text = table_->cells()[column];
    double number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error == std::errc() && end == text.data() + text.size() && std::isfinite(number)) {
      json.value(number);
    } else {
      json.value(text);
    }
  }
  void write_traits() {
    identify_.traits.clear();
    JsonWriter json(identify_.traits);
    json.begin_object();
    for (std::size_t i = 0; i < table_->cells().size(); ++i) {
      if (i == outcome_ || i == duration_ || table_->cells()[i].empty()) continue;
      json.key(table_->shape().columns[i]);
      write_value(i, json);
    }
    json.end_object();
  }

  std::unique_ptr<TableReader> table_;
  const EventFileOptions options_;
  Event event_, identify_;
  std::size_t outcome_ = 0, duration_ = 0;
  std::uint64_t row_ = 0;
};

}  // namespace

Result<std::unique_ptr<EventReader>> open_bank(const std::vector<std::string>& files,
                                               const EventFileOptions& options) {
  TRY(auto table, TableReader::open(files.front(), options.table));
  auto reader = std::make_unique<Bank>(std::move(table), options);
  TRY_OK(reader->open());
  return std::unique_ptr<EventReader>(std::move(reader));
}

}  // namespace attune
