// Feed: Segment-shaped events of about 400 bytes. Texts are made once; message id, person, item and
// time are patched in as a batch is written, so that writing costs little more than a copy. Event j
// is a function of (options, j) but for its time. Const calls only once built.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace attune::load {

struct FeedOptions {
  std::uint64_t persons = 20'000;  // each has at least one event; the rest are drawn uniformly
  std::uint64_t items = 1'000;     // drawn by Zipf's law, exponent 1
  std::uint64_t batch = 100;       // events per request
  std::uint64_t seed = 1;
  std::uint64_t run = 0;  // part of the message ids: two runs share none
};

class Feed {
 public:
  explicit Feed(const FeedOptions& options);

  // {"batch":[...]} of events [first, first + size). `time` is ISO-8601 with milliseconds and Z.
  void append_batch(std::uint64_t first, std::uint64_t size, std::string_view time,
                    std::string& out) const;
  std::uint64_t person_of(std::uint64_t event) const;
  std::uint64_t item_of(std::uint64_t event) const;
  double mean_event_bytes() const;

 private:
  struct Form {  // the text of one kind of event, with places to patch
    std::string text;
    std::vector<std::size_t> message, person, item, time;
  };
  const Form& form_of(std::uint64_t event) const;
  void add_form(std::string_view text);

  FeedOptions options_;
  std::vector<Form> forms_;          // with repeats, by how common they are
  std::vector<std::uint32_t> zipf_;  // items, drawn once
};

std::string person_id(std::uint64_t person);  // "u00000001"
std::string item_id(std::uint64_t item);      // "i000001"
// [{"id":"i000000","category":...},...] of items [first, first + size).
std::string items_json(std::uint64_t first, std::uint64_t size);
std::string time_text();  // the wall clock's, ISO-8601

}  // namespace attune::load
