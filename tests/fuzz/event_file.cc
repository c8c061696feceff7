#include "format/event_formats.h"
#include "fuzz.h"

namespace attune {
namespace {

class Nowhere final : public EventSink {
 public:
  Status event(const Event& event) override {
    CHECK(!event.user_id.empty() || !event.anonymous_id.empty());
    return ok_status();
  }
  Status decision(std::string_view person, const Decision& decision) override {
    CHECK(!person.empty() && !decision.shown.empty());
    return ok_status();
  }
  Status item(std::string) override { return ok_status(); }
};

}  // namespace

// The first byte chooses the format; one more is a mapping file.
void fuzz_one(std::string_view input) {
  if (input.empty()) return;
  const auto formats = event_formats();
  const std::size_t chosen = static_cast<unsigned char>(input[0]) % (formats.size() + 1);
  input.remove_prefix(1);
  if (chosen == formats.size()) {
    (void)parse_mapping(std::string(input), "fuzz");
    return;
  }
  const std::string path = fuzz_folder() + "/file";
  write_file(path, input);
  EventFileOptions options;
  options.digest = "0123456789abcdef0123456789abcdef";
  options.now = options.began = time_from_us(1'767'225'600'000'000);
  options.mapping.keep = {"all"};
  const auto reader = formats[chosen].open({path}, options);
  if (!reader.ok()) return;
  Nowhere sink;
  while (true) {
    const auto what = (*reader)->next(sink);
    if (!what.ok() || *what == EventReader::Next::kEnd) return;
  }
}

}  // namespace attune
