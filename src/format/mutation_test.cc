// A hundred damaged files: reading comes to an end, in bounded memory, and no good row outside the
// damage is lost.
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <sys/resource.h>

#include <algorithm>

#include "base/rng.h"
#include "format/example_reader.h"
#include "format/table.h"

namespace attune {
namespace {

constexpr std::size_t kRecords = 300;

struct Record {
  std::string text;  // with its line end
  std::string id;    // its first cell
};

std::vector<Record> csv_records() {
  std::vector<Record> records;
  for (std::size_t i = 0; i < kRecords; ++i) {
    const std::string id = fmt::format("id{:04}", i);
    const std::string name = i % 7 == 3    ? "\"two\nlines, " + id + "\""
                             : i % 7 == 5  ? "\"say \"\"hi\"\", " + id + "\""
                             : i % 11 == 4 ? "\"\xe5\x8c\x97\xe4\xba\xac\""
                                           : "plain";
    records.push_back({fmt::format("{},{},{}\n", id, name, i), id});
  }
  return records;
}

std::vector<Record> jsonl_records() {
  std::vector<Record> records;
  for (std::size_t i = 0; i < kRecords; ++i) {
    const std::string id = fmt::format("id{:04}", i);
    const std::string_view name = i % 7 == 3 ? "say \\\"hi\\\"" : "\xe5\x8c\x97\xe4\xba\xac";
    records.push_back(
        {fmt::format("{{\"id\":\"{}\",\"name\":\"{}\",\"n\":[{}, null]}}\n", id, name, i), id});
  }
  return records;
}

// One damage of a record. Its line end may go: then the next record is damaged too.
std::string damaged(std::string text, int kind, Rng& rng) {
  const std::size_t at = rng.below(text.size());
  switch (kind) {
    case 0:
      return text.insert(at, "\"");
    case 1:
      return text.erase(at, 1);
    case 2:
      return text.insert(at, std::string(1 + rng.below(3), '\0'));
    case 3:
      return text.insert(at, "\xb1\xb1\xbe\xa9");  // GBK
    case 4:
      return text.insert(at, std::string("\xff\xfe"
                                         "a\0,\0\n\0b\0",
                                         10));  // UTF-16
    case 5:
      text[at] = static_cast<char>(rng.next());
      return text;
    case 6:
      return text.insert(at, std::string(1 << (10 + rng.below(11)), ','));
    case 7:
      return text.insert(at, std::string(2 << 20, 'x'));
    case 8:
      return text.insert(at, std::string(1 << (6 + rng.below(14)), '['));
    default:
      return text.substr(0, at);  // and the rest of the file is cut off, by the caller
  }
}
constexpr int kKinds = 10;

std::vector<std::string> ids_of(const std::string& text, const TableOptions& options) {
  auto bytes = ByteSource::of_memory(text, "f");
  const auto reader = TableReader::open(std::move(*bytes), options);
  std::vector<std::string> ids;
  if (!reader.ok()) return ids;
  while (true) {
    const auto next = (*reader)->next();
    if (!next.ok()) ADD_FAILURE() << next.error().message;
    if (!next.ok() || *next == TableReader::Next::kEnd) return ids;
    if (*next == TableReader::Next::kRow) ids.emplace_back((*reader)->cells()[0]);
  }
}

// Whether all wanted ids are there in their order, with others between maybe.
void expect_all(const std::vector<std::string>& wanted, const std::vector<std::string>& found) {
  auto at = found.begin();
  for (const std::string& id : wanted) {
    at = std::find(at, found.end(), id);
    ASSERT_NE(at, found.end()) << id << " is lost";
    ++at;
  }
}

void damage_and_read(const std::string& header, std::vector<Record> records,
                     const TableOptions& options) {
  Rng rng(7);
  for (int round = 0; round < 50; ++round) {
    SCOPED_TRACE(round);
    const std::size_t hit = rng.below(kRecords - 2);
    const int kind = round % kKinds;
    const std::string changed = damaged(records[hit].text, kind, rng);
    const bool is_joined = !changed.ends_with('\n');
    std::string text = header;
    std::vector<std::string> wanted;
    for (std::size_t i = 0; i < kRecords; ++i) {
      text += i == hit ? changed : records[i].text;
      if (i != hit && !(i == hit + 1 && is_joined)) wanted.push_back(records[i].id);
      if (i == hit && kind == kKinds - 1) break;
    }
    expect_all(wanted, ids_of(text, options));
    (void)ids_of(text, {});  // all guessed: it comes to an end
  }
}

TEST(Mutation, FiftyDamagedCsvFilesLoseNoOtherRow) {
  damage_and_read("id,name,n\n", csv_records(),
                  {.format = TableFormat::kDelimited,
                   .delimiter = ',',
                   .encoding = Encoding::kUtf8,
                   .has_header = true});
}

TEST(Mutation, FiftyDamagedJsonlFilesLoseNoOtherRow) {
  damage_and_read("", jsonl_records(),
                  {.format = TableFormat::kJsonl, .encoding = Encoding::kUtf8});
}

// A row, a line of so many bytes made on the fly, a row.
class LongLine final : public ByteSource {
 public:
  LongLine(std::string before, std::uint64_t bytes, std::string after)
      : before_(std::move(before)), after_(std::move(after)), bytes_(bytes) {}
  Result<std::size_t> read(std::span<char> out) override {
    const std::size_t count = std::min<std::size_t>(out.size(), size() - taken_);
    for (std::size_t i = 0; i < count; ++i) out[i] = at(taken_ + i);
    taken_ += count;
    return count;
  }
  std::uint64_t taken() const override { return taken_; }
  std::uint64_t size() const override { return before_.size() + bytes_ + after_.size(); }
  const std::string& name() const override { return before_; }

 private:
  char at(std::uint64_t place) const {
    if (place < before_.size()) return before_[place];
    place -= before_.size();
    return place < bytes_ ? 'x' : after_[place - bytes_];
  }
  const std::string before_, after_;
  const std::uint64_t bytes_;
  std::uint64_t taken_ = 0;
};

long peak_kb() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return usage.ru_maxrss;
}

TEST(Mutation, ALineOf64MegabytesIsPassedOverInLittleMemory) {
  for (const char* quote : {"", "\""}) {
    const long before = peak_kb();
    const auto reader = TableReader::open(
        std::make_unique<LongLine>(std::string("a,b\n1,2\n") + quote, 64 << 20, "\n3,4\n"),
        {.delimiter = ',', .has_header = true});
    ASSERT_TRUE(reader.ok());
    EXPECT_EQ((*reader)->next().value(), TableReader::Next::kRow);
    EXPECT_EQ((*reader)->next().value(), TableReader::Next::kBad);
    EXPECT_EQ((*reader)->bad().line, 3U);
    EXPECT_EQ((*reader)->next().value(), TableReader::Next::kRow);
    EXPECT_EQ((*reader)->cells()[0], "3");
    EXPECT_EQ((*reader)->line(), 4U);
    EXPECT_LT(peak_kb() - before, 8 << 10);
  }
}

}  // namespace
}  // namespace attune
