// gowalla-ngcf: "user item item ..." a line, as NGCF and LightGCN split it (train.txt, test.txt).
// Order within a line has no meaning there; it is kept as times all the same.
#include "format/event_formats.h"
#include "format/event_row.h"
#include "format/text_lines.h"

namespace attune {
namespace {

constexpr std::size_t kMostLineBytes = 8u << 20;
constexpr Duration kStep = std::chrono::seconds(1);

class Gowalla final : public NotedReader {
 public:
  Gowalla(TextWindow window, const EventFileOptions& options)
      : lines_(std::move(window), kMostLineBytes), options_(options) {
    event_.type = "track";
    event_.verb = options.mapping.verb.value_or(Verb::kClick);
    notes_.push_back("each item of a line is a " + std::string(verb_name(event_.verb)) +
                     " of its user, a second after the one before: the file has no times");
  }

  Result<Next> next(EventSink& sink) override {
    TRY(const auto what, lines_.next());
    if (what == TextLines::Next::kEnd) return Next::kEnd;
    if (what == TextLines::Next::kTooLong) {
      return bad_row(lines_.line(), "", "is longer than 8 MB", "");
    }
    std::string_view left = lines_.text();
    const std::string_view user = word(left);
    if (user.empty()) return bad_row(lines_.line(), "", "is empty", "");
    if (const auto bad = first_wrong(user, left); !bad.empty()) {
      return bad_row(lines_.line(), "", bad, lines_.text());
    }
    event_.user_id = user;
    for (std::uint64_t n = 0; !left.empty(); ++n) {
      const std::string_view item = word(left);
      if (item.empty()) break;
      event_.item_id = item;
      event_.time = synthetic_time(options_.began, n, kStep);
      TRY_OK(sink.event(event_));
    }
    return Next::kRow;
  }
  const ByteSource& bytes() const override { return lines_.window().bytes(); }

 private:
  static std::string_view word(std::string_view& left) {
    const auto begin = std::min(left.find_first_not_of(" \t"), left.size());
    left.remove_prefix(begin);
    const auto end = std::min(left.find_first_of(" \t"), left.size());
    const std::string_view out = left.substr(0, end);
    left.remove_prefix(end);
    return out;
  }
  // Before anything of the row is given: all of it is good or none.
  static std::string_view first_wrong(std::string_view user, std::string_view left) {
    if (const auto bad = wrong_id(user); !bad.empty()) return bad;
    while (true) {
      const std::string_view item = word(left);
      if (item.empty()) return {};
      if (const auto bad = wrong_id(item); !bad.empty()) return bad;
    }
  }

  TextLines lines_;
  const EventFileOptions options_;
  Event event_;
};

}  // namespace

Result<std::unique_ptr<EventReader>> open_gowalla(const std::vector<std::string>& files,
                                                  const EventFileOptions& options) {
  TRY(auto source, ByteSource::open(files.front()));
  TRY(auto window, TextWindow::open(std::move(source), Encoding::kUtf8));
  return std::unique_ptr<EventReader>(std::make_unique<Gowalla>(std::move(window), options));
}

}  // namespace attune
