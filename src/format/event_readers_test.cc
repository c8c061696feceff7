// Files as events: the mapping of columns, times, and the named formats.
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "format/column_mapping.h"
#include "format/event_formats.h"
#include "format/row_time.h"

namespace attune {
namespace {

namespace fs = std::filesystem;
constexpr std::int64_t kNowUs = 1'767'225'600'000'000;  // 2026-01-01

class Collected final : public EventSink {
 public:
  Status event(const Event& event) override {
    events.push_back(event);
    return ok_status();
  }
  Status decision(std::string_view person, const Decision& decision) override {
    persons.emplace_back(person);
    decisions.push_back(decision);
    return ok_status();
  }
  Status item(std::string json) override {
    items.push_back(std::move(json));
    return ok_status();
  }
  std::vector<Event> events;
  std::vector<Decision> decisions;
  std::vector<std::string> persons, items;
  std::vector<BadRow> bad;
  std::vector<std::string> bad_texts, notes;
};

class Files : public testing::Test {
 protected:
  Files() {
    folder_ = fs::temp_directory_path() / "attune-format-XXXXXX";
    CHECK(::mkdtemp(folder_.data()) != nullptr);
  }
  ~Files() override { fs::remove_all(folder_); }

  std::string put(const std::string& name, std::string_view text) {
    const std::string path = folder_ + "/" + name;
    fs::create_directories(fs::path(path).parent_path());
    std::ofstream(path, std::ios::binary) << text;
    return path;
  }
  Result<Collected> read(const std::string& format, const std::string& path,
                         const std::string& map = "") {
    Collected out;
    EventFileOptions options;
    options.digest = "0123456789abcdef0123456789abcdef";
    options.now = options.began = time_from_us(kNowUs);
    TRY_OK(add_columns(map, options.mapping));
    TRY(const EventFormat* const known, event_format(format));
    TRY(const auto files, known->files(path));
    TRY(const auto reader, known->open(files, options));
    while (true) {
      TRY(const auto what, reader->next(out));
      if (what == EventReader::Next::kEnd) break;
      if (what != EventReader::Next::kBad) continue;
      out.bad.push_back(reader->bad());
      out.bad_texts.emplace_back(reader->bad_text());
    }
    out.notes = reader->notes();
    return out;
  }
  std::string folder_;
};

std::string time_of(std::string_view text, TimeFormat format = TimeFormat::kAuto) {
  const auto time = parse_row_time(text, format);
  return time ? format_iso8601(*time) : "none";
}

TEST(RowTime, ReadsWhatFilesWrite) {
  const std::string day = "2025-11-02T00:00:00.000Z", noon = "2025-11-02T12:30:15.250Z";
  EXPECT_EQ(time_of("2025-11-02"), day);
  EXPECT_EQ(time_of("2025/11/02"), day);
  EXPECT_EQ(time_of("2025-11-02T12:30:15.25Z"), noon);
  EXPECT_EQ(time_of("2025-11-02 12:30:15.250000"), noon);
  EXPECT_EQ(time_of("2025-11-02 12:30:15.250000+00:00"), noon);
  EXPECT_EQ(time_of("2025-11-02T20:30:15.25+0800"), noon);
  EXPECT_EQ(time_of("1762041600"), day);
  EXPECT_EQ(time_of("1762041600000"), day);
  EXPECT_EQ(time_of("1762041600000000"), day);
  EXPECT_EQ(time_of("1762041600", TimeFormat::kMilliseconds), "1970-01-21T09:27:21.600Z");
  for (const char* bad : {"", " ", "2025", "20x5-11-02", "2025-13-02", "2025-02-30",
                          "2025-11-02T25:00", "2025-11-02T12:61:00Z", "2025-11-02T12:30:15+9",
                          "tomorrow", "1e300", "nan", "2025-11-02-12", "--------------"}) {
    if (std::string_view(bad) == "2025") continue;  // a number: seconds
    EXPECT_EQ(time_of(bad), "none") << bad;
  }
  EXPECT_EQ(time_of("2025-11-02T00:00", TimeFormat::kDate), "none");
}

TEST_F(Files, CsvIsMappedByNameAndSaysSo) {
  const auto path = put("a.csv",
                        "user_id,item_id,action,ts,amount,colour\n"
                        "u1,i1,bought,1760000000,12.50,red\n"
                        ",i2,pv,1760000001,,blue\n"
                        "u2,i3,teleport,1760000002,3,\n");
  const auto read = this->read("csv", path);
  ASSERT_TRUE(read.ok()) << read.error().message;
  ASSERT_EQ(read->events.size(), 3u);
  const Event& first = read->events[0];
  EXPECT_EQ(first.user_id, "u1");
  EXPECT_EQ(first.item_id, "i1");
  EXPECT_EQ(first.verb, Verb::kPurchase);
  EXPECT_EQ(first.name, "bought");
  EXPECT_EQ(first.value, 12.5);
  EXPECT_EQ(to_us(first.time), 1'760'000'000'000'000);
  EXPECT_EQ(read->events[1].anonymous_id, "row:0123456789abcdef:2");  // a row without a person
  EXPECT_EQ(read->events[1].verb, Verb::kView);
  EXPECT_EQ(read->events[2].verb, Verb::kOther);
  EXPECT_EQ(read->events[2].name, "teleport");
  const std::string notes = read->notes[1] + read->notes[2];
  EXPECT_NE(notes.find("guessed: person=user_id, item=item_id, verb=action, time=ts, value=amount"),
            std::string::npos)
      << notes;
  EXPECT_NE(notes.find("left out: colour"), std::string::npos) << notes;
}

TEST_F(Files, BadRowsSayLineColumnAndReason) {
  const auto path = put("a.csv",
                        "user_id,item_id,action,ts,amount\n"
                        "u1,i1,click,1760000000,1\n"
                        "u1,,click,1760000000,1\n"
                        "u1,i1,click,yesterday,1\n"
                        "u1,i1,click,1760000000,many\n"
                        "u1,i1,click,2099-01-01,1\n"
                        "u1,i1,,1760000000,1\n"
                        "u1,i2,click,1760000001,2\n");
  const auto read = this->read("csv", path);
  ASSERT_TRUE(read.ok()) << read.error().message;
  EXPECT_EQ(read->events.size(), 2u);
  ASSERT_EQ(read->bad.size(), 5u);
  const std::pair<std::uint64_t, std::string> expected[] = {
      {3, "item_id"}, {4, "ts"}, {5, "amount"}, {6, "ts"}, {7, "action"}};
  for (std::size_t i = 0; i < read->bad.size(); ++i) {
    EXPECT_EQ(read->bad[i].line, expected[i].first);
    EXPECT_EQ(read->bad[i].column, expected[i].second);
    EXPECT_FALSE(read->bad[i].reason.empty());
  }
  EXPECT_EQ(read->bad_texts[0], "u1,,click,1760000000,1");
}

TEST_F(Files, WithoutTimesTheOrderIsKept) {
  const auto path = put("a.csv", "user_id,item_id\nu1,i1\nu1,i2\nu1,i3\n");
  const auto read = this->read("csv", path);
  ASSERT_TRUE(read.ok()) << read.error().message;
  ASSERT_EQ(read->events.size(), 3u);
  EXPECT_LT(read->events[0].time, read->events[1].time);
  EXPECT_LT(read->events[2].time, time_from_us(kNowUs));
  EXPECT_EQ(read->events[0].verb, Verb::kClick);
}

TEST_F(Files, JsonlIsATableToo) {
  const auto path =
      put("a.jsonl",
          "{\"user_id\":\"u1\",\"item_id\":\"i1\",\"ts\":1760000000,\"action\":\"like\"}\n"
          "not json\n"
          "{\"user_id\":\"u2\",\"item_id\":\"i1\",\"ts\":1760000000,\"action\":\"like\"}\n");
  const auto read = this->read("jsonl", path);
  ASSERT_TRUE(read.ok()) << read.error().message;
  EXPECT_EQ(read->events.size(), 2u);
  EXPECT_EQ(read->events[1].verb, Verb::kLike);
  EXPECT_EQ(read->bad.size(), 1u);
}

TEST_F(Files, MappingsNameWhatIsWrong) {
  const auto path = put("a.csv", "who,what\nu1,i1\n");
  const std::pair<std::string, std::string> cases[] = {
      {"persn=who", "unknown role persn, did you mean person?"},
      {"person=wo", "no column is named wo, did you mean who?"},
      {"person", "is not ROLE=COLUMN"},
      {"person=who,person=what", "person is named twice"},
  };
  for (const auto& [map, message] : cases) {
    const auto read = this->read("csv", path, map);
    ASSERT_FALSE(read.ok()) << map;
    EXPECT_NE(read.error().message.find(message), std::string::npos) << read.error().message;
  }
  EXPECT_FALSE(this->read("csv", path).ok());  // nothing to guess by
  EXPECT_TRUE(this->read("csv", path, "person=who,item=what").ok());
}

TEST(ColumnMapping, FileSaysTheSameAsFlags) {
  const auto read = parse_mapping(
      "verb = \"purchase\"\ntime = \"s\"\ntraits = [\"city\"]\nkeep = [\"all\"]\n"
      "[columns]\nperson = \"who\"\n[verbs]\nbought = \"purchase\"\n",
      "shop.toml");
  ASSERT_TRUE(read.ok()) << read.error().message;
  EXPECT_EQ(mapping_json(*read),
            R"({"person":"who","every_row":"purchase","verbs":{"bought":"purchase"},"time_as":"s",)"
            R"("traits":["city"],"keep":["all"]})");
  for (const char* bad : {"verb = 3", "colums = 1", "[columns]\nperon = \"a\"",
                          "[verbs]\na = \"fly\"", "verb = ", "time = \"noon\"", "keep = [1]"}) {
    const auto refused = parse_mapping(bad, "shop.toml");
    ASSERT_FALSE(refused.ok()) << bad;
    EXPECT_NE(refused.error().message.find("shop.toml"), std::string::npos) << bad;
  }
}

TEST_F(Files, GowallaLinesAreClicks) {
  put("train.txt", "0 10 11\n1 12\n\n2\n");
  put("test.txt", "0 99\n");
  const auto read = this->read("gowalla-ngcf", folder_);
  ASSERT_TRUE(read.ok()) << read.error().message;
  ASSERT_EQ(read->events.size(), 3u);
  EXPECT_EQ(read->events[1].user_id, "0");
  EXPECT_EQ(read->events[1].item_id, "11");
  EXPECT_GT(read->events[1].time, read->events[0].time);
  EXPECT_EQ(read->bad.size(), 1u);
}

TEST_F(Files, S3recBringsItemsAndSequences) {
  const auto path = put("Beauty.txt", "1 7 8\n");
  put("Beauty_item2attributes.json", R"({"7": [1, 2], "8": [], "9": "none"})");
  const auto read = this->read("amazon-s3rec", path);
  ASSERT_TRUE(read.ok()) << read.error().message;
  ASSERT_EQ(read->items.size(), 2u);
  EXPECT_EQ(read->items[0], R"({"id":"7","tags":["a1","a2"]})");
  EXPECT_EQ(read->events.size(), 2u);
  EXPECT_EQ(read->bad.size(), 1u);
}

TEST_F(Files, BankKeepsDurationOutOfTraits) {
  const auto path = put("bank-full.csv",
                        "\"age\";\"job\";\"duration\";\"y\"\n58;\"management\";261;\"no\"\n"
                        "44;\"technician\";151;\"yes\"\n33;\"x\";1;\"perhaps\"\n");
  const auto read = this->read("uci-bank-marketing", path);
  ASSERT_TRUE(read.ok()) << read.error().message;
  ASSERT_EQ(read->events.size(), 5u);
  EXPECT_EQ(read->events[0].traits, R"({"age":58,"job":"management"})");
  EXPECT_EQ(read->events[1].verb, Verb::kImpression);
  EXPECT_EQ(read->events[1].properties, R"({"duration":261})");
  EXPECT_EQ(read->events[4].verb, Verb::kPurchase);
  EXPECT_EQ(read->bad.size(), 1u);
}

TEST_F(Files, ObdRowsAreDecisionsWithTheirPropensities) {
  put("random/item_context.csv", ",item_id,item_feature_0\n0,5,0.5\n");
  const std::string header = ",timestamp,item_id,position,click,propensity_score\n";
  put("random/men.csv", header + "0,2019-11-24 00:00:00.1+00:00,5,3,1,0.029411764705882353\n");
  put("bts/men.csv", header +
                         "0,2019-11-24 00:00:00.1+00:00,5,1,0,0.2\n1,x,5,1,0,0.2\n"
                         "2,2019-11-24 00:00:00.1+00:00,5,1,0,1.5\n");
  const auto read = this->read("obd", folder_);
  ASSERT_TRUE(read.ok()) << read.error().message;
  EXPECT_EQ(read->items.size(), 1u);
  ASSERT_EQ(read->decisions.size(), 2u);
  EXPECT_EQ(read->decisions[0].shown[0].propensity, 0.029411764705882353);
  EXPECT_EQ(read->decisions[0].policy, Policy::kRandom);
  EXPECT_EQ(read->decisions[0].placement, "position-3");
  EXPECT_EQ(read->decisions[1].policy, Policy::kLearned);
  EXPECT_NE(read->decisions[0].id, read->decisions[1].id);
  ASSERT_EQ(read->events.size(), 1u);
  EXPECT_EQ(read->events[0].decision_id, read->decisions[0].id);
  EXPECT_EQ(read->bad.size(), 2u);
}

TEST_F(Files, MovieLensInItsThreeForms) {
  const std::pair<std::string, std::string> cases[] = {
      {"ratings.csv", "userId,movieId,rating,timestamp\n1,31,2.5,1260759144\n1,32,4,1260759145\n"},
      {"u.data", "1\t31\t2\t881250949\n1\t32\t5\t881250950\n"},
      {"ratings.dat", "1::31::2::978300760\n1::32::5::978302109\n"}};
  for (const auto& [name, text] : cases) {
    const auto read = this->read("movielens", put(name, text));
    ASSERT_TRUE(read.ok()) << read.error().message;
    ASSERT_EQ(read->events.size(), 2u) << name;
    EXPECT_EQ(read->events[0].verb, Verb::kView);
    EXPECT_EQ(read->events[1].verb, Verb::kLike);
    EXPECT_EQ(read->events[1].item_id, "32");
    EXPECT_TRUE(read->bad.empty()) << name;
  }
}

TEST_F(Files, LabelledRowsAreAnonymous) {
  const std::pair<std::string, std::string> cases[] = {{"criteo", "1\t3\t\tabc\n0\t1\t2\tdef\n"},
                                                       {"vw", "1 |a b:2\n-1 |a c\n"},
                                                       {"libsvm", "+1 1:0.5\n0 2:1\n"},
                                                       {"libffm", "1 0:1:1\n0 0:2:1\n"}};
  for (const auto& [format, text] : cases) {
    const auto read = this->read(format, put("rows", text));
    ASSERT_TRUE(read.ok()) << read.error().message;
    ASSERT_EQ(read->events.size(), 2u) << format;
    EXPECT_EQ(read->events[0].verb, Verb::kClick) << format;
    EXPECT_EQ(read->events[1].verb, Verb::kImpression) << format;
    EXPECT_NE(read->events[0].anonymous_id, read->events[1].anonymous_id);
    EXPECT_FALSE(read->events[0].properties.empty());
  }
}

TEST_F(Files, DigestIsOfTheBytesInOrder) {
  const auto a = put("a", "one"), b = put("b", "two"), c = put("c", "one");
  EXPECT_EQ(digest_of({a}).value(), digest_of({c}).value());
  EXPECT_NE(digest_of({a}).value(), digest_of({b}).value());
  EXPECT_NE(digest_of({a, b}).value(), digest_of({b, a}).value());
  EXPECT_FALSE(digest_of({folder_ + "/none"}).ok());
}

}  // namespace
}  // namespace attune
