// amazon-s3rec: NAME.txt, "user item item ..." a line, oldest first, and
// NAME_item2attributes.json, {item: [attribute, ...]}, whose attributes become tags.
#include <fmt/format.h>
#include <simdjson.h>

#include "base/json.h"
#include "format/event_formats.h"
#include "format/event_row.h"

namespace attune {
namespace {

constexpr std::size_t kMostJsonBytes = 256u << 20;
constexpr std::size_t kMostTags = 8;

Result<std::string> read_all(const std::string& path) {
  TRY(const auto source, ByteSource::open(path));
  std::string out;
  for (std::size_t n = 1; n > 0;) {
    const std::size_t at = out.size();
    if (at > kMostJsonBytes) {
      return Error{Code::kInvalid, path + " is longer than 256 MB", "", "name the right file"};
    }
    out.resize(at + (1u << 20));
    TRY(n, source->read(std::span(out).subspan(at)));
    out.resize(at + n);
  }
  return out;
}

// Items first, then the sequences as gowalla.cc reads them: one user a line.
class S3rec final : public NotedReader {
 public:
  S3rec(std::unique_ptr<EventReader> sequences, std::string path)
      : sequences_(std::move(sequences)), path_(std::move(path)) {}

  Status open() {
    notes_ = sequences_->notes();
    TRY(text_, read_all(path_));
    simdjson::dom::object all;
    if (const auto error = parser_.parse(text_).get(all)) {
      return Error{
          Code::kInvalid,
          fmt::format("{}: not an object of items: {}", path_, simdjson::error_message(error)), "",
          "it is {\"item\": [attribute, ...]}"};
    }
    items_ = all.begin();
    end_ = all.end();
    notes_.push_back(fmt::format("{} items with their attributes as tags", all.size()));
    return ok_status();
  }

  Result<Next> next(EventSink& sink) override {
    if (!(items_ != end_)) {
      TRY(const Next what, sequences_->next(sink));
      if (what == Next::kBad) {
        bad_ = sequences_->bad();
        bad_text_ = sequences_->bad_text();
      }
      return what;
    }
    const std::string_view id = items_.key();
    const auto value = items_.value();
    ++items_;
    simdjson::dom::array attributes;
    if (const auto bad = wrong_id(id); !bad.empty()) return bad_row(1, "item", bad, id);
    if (value.get(attributes)) return bad_row(1, "item", "has no list of attributes", id);
    std::string json;
    JsonWriter writer(json);
    writer.begin_object().field("id", id).key("tags").begin_array();
    std::size_t count = 0;
    for (const auto one : attributes) {
      if (++count > kMostTags) break;
      std::string_view text;
      writer.value("a" + (one.get(text) ? std::string(simdjson::minify(one)) : std::string(text)));
    }
    writer.end_array().end_object();
    TRY_OK(sink.item(std::move(json)));
    return Next::kRow;
  }
  const ByteSource& bytes() const override { return sequences_->bytes(); }

 private:
  std::unique_ptr<EventReader> sequences_;
  const std::string path_;
  std::string text_;
  simdjson::dom::parser parser_;
  simdjson::dom::object::iterator items_, end_;
};

}  // namespace

Result<std::unique_ptr<EventReader>> open_s3rec(const std::vector<std::string>& files,
                                                const EventFileOptions& options) {
  TRY(auto sequences, open_gowalla(files, options));
  if (files.size() < 2) return sequences;
  auto reader = std::make_unique<S3rec>(std::move(sequences), files[1]);
  TRY_OK(reader->open());
  return std::unique_ptr<EventReader>(std::move(reader));
}

}  // namespace attune
