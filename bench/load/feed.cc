#include "load/feed.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <cstring>

#include "base/hash.h"
#include "base/rng.h"
#include "base/time.h"

namespace attune::load {
namespace {

constexpr std::string_view kMessage = "MMMMMMMMMMMMMMMMMMMM";   // run (8) and event (12), hex
constexpr std::string_view kPerson = "UUUUUUUUU";               // as person_id
constexpr std::string_view kItem = "IIIIIII";                   // as item_id
constexpr std::string_view kTime = "TTTTTTTTTTTTTTTTTTTTTTTT";  // as time_text
constexpr std::size_t kZipfDraws = 1 << 20;
constexpr std::uint64_t kPermute = 2'654'435'761;  // prime, so persons come in scattered order

struct Kind {
  std::string_view name;
  int per_hundred;
  std::string_view properties;
};
constexpr std::array<Kind, 11> kKinds = {{
    {"Item Shown", 42, R"("position":3,"list":"home feed")"},
    {"Product Viewed", 20, R"("category":"sport","price":24.90,"currency":"EUR")"},
    {"Item Clicked", 15, R"("position":3,"list":"home feed")"},
    {"Post Liked", 6, R"("network":"photos","post_type":"video")"},
    {"Product Added", 4, R"("quantity":1,"price":24.90,"currency":"EUR")"},
    {"Post Commented", 3, R"("network":"photos","length":48)"},
    {"Post Shared", 2, R"("network":"photos","via":"message")"},
    {"Products Searched", 2, R"("query":"running shoes for the rain")"},
    {"Order Completed", 2, R"("order_id":"o-51834","revenue":49.80,"currency":"EUR")"},
    {"Post Hidden", 1, R"("network":"photos","why":"not interested")"},
    {"identify", 3, ""},
}};
constexpr std::array<std::string_view, 4> kContexts = {
    R"("locale":"en-GB","page":{"path":"/home","referrer":"https://search.example/"})",
    R"("locale":"de-DE","device":{"type":"ios","model":"phone 13"},"network":{"wifi":true})",
    R"("locale":"zh-CN","app":{"name":"shop","version":"4.2.1"},"os":{"name":"android"})",
    R"("locale":"fr-FR","page":{"path":"/sale","title":"Sale"},"campaign":{"name":"spring"})",
};
constexpr std::array<std::string_view, 4> kTraits = {
    R"("age":"25-34","gender":"female","place":"north","plan":"free","interest":"sport")",
    R"("age":"18-24","gender":"male","place":"south","plan":"free","interest":"music")",
    R"("age":"35-49","gender":"female","place":"city","plan":"paid","interest":"travel")",
    R"("age":"50-64","gender":"other","place":"coast","plan":"free","interest":"food")",
};

std::string event_text(const Kind& kind, std::size_t variant) {
  const std::string head = fmt::format(
      R"("messageId":"{}","userId":"{}","timestamp":"{}","context":{{"ip":"203.0.113.{}",{},)"
      R"("userAgent":"Mozilla/5.0","library":{{"name":"analytics.js","version":"2.11.1"}}}})",
      kMessage, kPerson, kTime, 10 + variant, kContexts[variant]);
  if (kind.name == "identify") {
    return fmt::format(R"({{"type":"identify",{},"traits":{{{}}}}})", head, kTraits[variant]);
  }
  return fmt::format(R"({{"type":"track","event":"{}",{},"properties":{{"item_id":"{}",{}}}}})",
                     kind.name, head, kItem, kind.properties);
}

std::vector<std::size_t> places_of(std::string_view text, std::string_view mark) {
  std::vector<std::size_t> places;
  for (auto at = text.find(mark); at != std::string_view::npos; at = text.find(mark, at + 1)) {
    places.push_back(at);
  }
  return places;
}

// `to` filled from the right with digits in the base; its first characters stay.
void put_number(char* to, std::size_t digits, std::uint64_t number, std::uint64_t base) {
  for (std::size_t i = digits; i-- > 0; number /= base) to[i] = "0123456789abcdef"[number % base];
}

std::vector<std::uint32_t> zipf_draws(std::uint64_t items, std::uint64_t seed) {
  std::vector<double> up_to(items);
  double sum = 0;
  for (std::uint64_t i = 0; i < items; ++i) up_to[i] = sum += 1 / static_cast<double>(i + 1);
  std::vector<std::uint32_t> draws(kZipfDraws);
  Rng rng(mix64(seed, 2));
  for (std::uint32_t& draw : draws) {
    const auto found = std::upper_bound(up_to.begin(), up_to.end(), rng.uniform() * sum);
    draw = static_cast<std::uint32_t>(
        std::min<std::ptrdiff_t>(found - up_to.begin(), static_cast<std::ptrdiff_t>(items) - 1));
  }
  return draws;
}

}  // namespace

Feed::Feed(const FeedOptions& options) : options_(options) {
  for (const Kind& kind : kKinds) {
    for (int i = 0; i < kind.per_hundred; ++i) {
      add_form(event_text(kind, static_cast<std::size_t>(i) % kContexts.size()));
    }
  }
  zipf_ = zipf_draws(options.items, options.seed);
}

void Feed::add_form(std::string_view text) {
  forms_.push_back({.text = std::string(text),
                    .message = places_of(text, kMessage),
                    .person = places_of(text, kPerson),
                    .item = places_of(text, kItem),
                    .time = places_of(text, kTime)});
}

const Feed::Form& Feed::form_of(std::uint64_t event) const {
  return forms_[mix64(options_.seed, event) % forms_.size()];
}

std::uint64_t Feed::person_of(std::uint64_t event) const {
  if (event < options_.persons) return event * kPermute % options_.persons;
  return mix64(mix64(options_.seed, 3), event) % options_.persons;
}

std::uint64_t Feed::item_of(std::uint64_t event) const {
  return zipf_[mix64(mix64(options_.seed, 4), event) % zipf_.size()];
}

double Feed::mean_event_bytes() const {
  double sum = 0;
  for (const Form& form : forms_) sum += static_cast<double>(form.text.size());
  return sum / static_cast<double>(forms_.size());
}

void Feed::append_batch(std::uint64_t first, std::uint64_t size, std::string_view time,
                        std::string& out) const {
  out += R"({"batch":[)";
  for (std::uint64_t event = first; event < first + size; ++event) {
    if (event != first) out += ',';
    const Form& form = form_of(event);
    const std::size_t begin = out.size();
    out += form.text;
    char* const text = out.data() + begin;
    for (const auto at : form.message) {
      put_number(text + at, 8, options_.run, 16);
      put_number(text + at + 8, kMessage.size() - 8, event, 16);
    }
    for (const auto at : form.person) {
      text[at] = 'u';
      put_number(text + at + 1, kPerson.size() - 1, person_of(event), 10);
    }
    for (const auto at : form.item) {
      text[at] = 'i';
      put_number(text + at + 1, kItem.size() - 1, item_of(event), 10);
    }
    for (const auto at : form.time) std::memcpy(text + at, time.data(), kTime.size());
  }
  out += "]}";
}

std::string person_id(std::uint64_t person) { return fmt::format("u{:08}", person); }
std::string item_id(std::uint64_t item) { return fmt::format("i{:06}", item); }

std::string items_json(std::uint64_t first, std::uint64_t size) {
  constexpr std::array<std::string_view, 8> kCategories = {"sport", "music", "travel", "food",
                                                           "style", "games", "garden", "art"};
  std::string out = "[";
  for (std::uint64_t item = first; item < first + size; ++item) {
    if (out.size() > 1) out += ',';
    const std::uint64_t draw = mix64(5, item);
    out += fmt::format(R"({{"id":"{}","category":"{}","tags":["t{}","t{}"],"price":{}.{:02},)"
                       R"("created":"2026-01-{:02}T00:00:00.000Z"}})",
                       item_id(item), kCategories[draw % kCategories.size()], draw / 8 % 200,
                       draw / 1600 % 200, 1 + draw / 320'000 % 99, draw / 32'000'000 % 100,
                       1 + draw / 3'200'000'000 % 28);
  }
  return out + "]";
}

std::string time_text() {
  return format_iso8601(std::chrono::time_point_cast<Duration>(std::chrono::system_clock::now()));
}

}  // namespace attune::load
