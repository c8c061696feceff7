// obd: the Open Bandit Dataset. A row is one item shown at one place of the page, with the
// probability its policy had of showing it there, to a person nobody named: a decision of an
// anonymous person, seen at once, and, where click is 1, a click on it. item_context.csv becomes
// items.
#include <charconv>

#include "base/json.h"
#include "format/event_formats.h"
#include "format/event_row.h"
#include "format/row_time.h"

namespace attune {
namespace {

constexpr std::string_view kNeeded[] = {"timestamp", "item_id", "position", "click",
                                        "propensity_score"};
enum Column : std::size_t { kTime, kItem, kPosition, kClick, kPropensity, kColumns };

bool ends_with_item_context(std::string_view path) {
  const auto slash = path.rfind('/');
  const std::string_view name = slash == std::string_view::npos ? path : path.substr(slash + 1);
  return name.starts_with("item_context");
}

// "random", "bts": the folder a policy's file lies in; else "".
std::string policy_of(const std::string& path) {
  for (const std::string_view name : {"random", "bts"}) {
    if (path.find("/" + std::string(name) + "/") != std::string::npos ||
        path.starts_with(std::string(name) + "/")) {
      return std::string(name);
    }
  }
  return {};
}

class Obd final : public NotedReader {
 public:
  Obd(std::vector<std::string> files, const EventFileOptions& options)
      : files_(std::move(files)), options_(options) {
    notes_ = {
        "each row is a decision of an anonymous person, with the propensity of the file, an "
        "impression and, where click is 1, a click; its placement is position-1 and so on",
        "user features become traits; the affinities to items are left out",
        "rows under random/ are decisions of the policy random, others of the policy learned"};
    event_.type = "track";
    event_.verb = Verb::kClick;
  }
  Status open() { return open_file(); }

  Result<Next> next(EventSink& sink) override {
    while (true) {
      TRY(const auto what, table_->next());
      if (what == TableReader::Next::kRow) break;
      if (what == TableReader::Next::kBad) {
        ++row_;
        return bad_row(table_->bad().line, table_->bad().column, table_->bad().reason, "");
      }
      if (++file_ == files_.size()) {
        --file_;
        return Next::kEnd;
      }
      TRY_OK(open_file());
    }
    ++row_;
    return is_items_ ? item(sink) : impression(sink);
  }
  std::uint64_t rows_without_person() const override { return impressions_; }
  const ByteSource& bytes() const override { return table_->bytes(); }

 private:
  Status open_file() {
    TRY(table_, TableReader::open(files_[file_], options_.table));
    is_items_ = ends_with_item_context(files_[file_]);
    policy_ = policy_of(files_[file_]);
    const auto& columns = table_->shape().columns;
    for (std::size_t i = 0; i < kColumns; ++i) {
      places_[i] = columns.size();
      for (std::size_t k = 0; k < columns.size(); ++k) {
        if (columns[k] == kNeeded[i]) places_[i] = k;
      }
      if (places_[i] == columns.size() && (!is_items_ || i == kItem)) {
        return Error{Code::kInvalid, files_[file_] + ": no column " + std::string(kNeeded[i]), "",
                     "a log of the Open Bandit Dataset has timestamp, item_id, position, click and "
                     "propensity_score"};
      }
    }
    return ok_status();
  }
  std::string_view cell(Column column) const { return table_->cells()[places_[column]]; }
  Next wrong(Column column, std::string_view reason) {
    return bad_row(table_->line(), kNeeded[column], reason, cell(column));
  }

  Result<Next> item(EventSink& sink) {
    if (const auto bad = wrong_id(cell(kItem)); !bad.empty()) return wrong(kItem, bad);
    std::string json;
    JsonWriter writer(json);
    writer.begin_object().field("id", cell(kItem));
    for (std::size_t i = 0; i < table_->cells().size(); ++i) {
      const std::string& name = table_->shape().columns[i];
      if (i == places_[kItem] || !name.starts_with("item_feature")) continue;
      writer.field(name, table_->cells()[i]);
    }
    writer.end_object();
    TRY_OK(sink.item(std::move(json)));
    return Next::kRow;
  }

  Result<Next> impression(EventSink& sink) {
    const auto time = parse_row_time(cell(kTime), TimeFormat::kAuto);
    if (!time) return wrong(kTime, "is no time");
    if (const auto bad = wrong_time(*time, options_.now); !bad.empty()) return wrong(kTime, bad);
    if (const auto bad = wrong_id(cell(kItem)); !bad.empty()) return wrong(kItem, bad);
    const std::string_view position = cell(kPosition), click = cell(kClick);
    if (position.size() != 1 || position[0] < '1' || position[0] > '9') {
      return wrong(kPosition, "must be a number from 1 to 9");
    }
    if (click != "0" && click != "1") return wrong(kClick, "must be 0 or 1");
    double propensity = 0;
    const std::string_view text = cell(kPropensity);
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), propensity);
    if (error != std::errc() || end != text.data() + text.size() || !(propensity > 0) ||
        propensity > 1) {
      return wrong(kPropensity, "must be a number in (0, 1]");
    }
    ++impressions_;
    anonymous_row_id(options_.digest, row_, event_.anonymous_id);
    TRY_OK(traits(*time, sink));
    const Decision made = decision_of(*time, propensity);
    TRY_OK(sink.decision(event_.anonymous_id, made));
    if (click == "0") return Next::kRow;
    event_.item_id = cell(kItem);
    event_.decision_id = made.id;
    event_.time = *time;
    TRY_OK(sink.event(event_));
    return Next::kRow;
  }

  // user_feature_0 and so on.
  Status traits(Time time, EventSink& sink) {
    identify_.traits.clear();
    JsonWriter json(identify_.traits);
    json.begin_object();
    bool has_any = false;
    for (std::size_t i = 0; i < table_->cells().size(); ++i) {
      const std::string& name = table_->shape().columns[i];
      if (!name.starts_with("user_feature")) continue;
      json.field(name, table_->cells()[i]);
      has_any = true;
    }
    json.end_object();
    if (!has_any) return ok_status();
    identify_.type = "identify";
    identify_.verb = Verb::kIdentify;
    identify_.anonymous_id = event_.anonymous_id;
    identify_.time = time;
    return sink.event(identify_);
  }

  Decision decision_of(Time time, double propensity) const {
    Decision out;
    out.id = row_decision_id(options_.digest, row_, time);
    out.time = time;
    out.placement = "position-" + std::string(cell(kPosition));
    out.policy = policy_ == "random" ? Policy::kRandom : Policy::kLearned;
    out.reason = "logged elsewhere" + (policy_.empty() ? "" : ": " + policy_);
    ShownItem& shown = out.shown.emplace_back();
    shown.item_id = cell(kItem);
    shown.source = "log";
    shown.propensity = propensity;
    return out;
  }

  const std::vector<std::string> files_;
  const EventFileOptions options_;
  std::size_t file_ = 0;
  std::unique_ptr<TableReader> table_;
  bool is_items_ = false;
  std::string policy_;
  std::size_t places_[kColumns] = {};
  Event event_, identify_;
  std::uint64_t row_ = 0, impressions_ = 0;
};

}  // namespace

Result<std::unique_ptr<EventReader>> open_obd(const std::vector<std::string>& files,
                                              const EventFileOptions& options) {
  auto reader = std::make_unique<Obd>(files, options);
  TRY_OK(reader->open());
  return std::unique_ptr<EventReader>(std::move(reader));
}

}  // namespace attune
