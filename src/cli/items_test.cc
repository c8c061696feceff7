#include "cli/items.h"

#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

#include "api/app.h"
#include "api/http_server.h"
#include "catalog/item_vector.h"
#include "cli/client.h"
#include "cli/item_merge.h"
#include "cli/item_store.h"
#include "cli/vector_rows.h"
#include "engine/test_workspace.h"

namespace attune {
namespace {

struct Folder : TempFolder {
  std::string file(const std::string& name, const std::string& text) const {
    std::ofstream(path(name), std::ios::binary) << text;
    return path(name);
  }
};

constexpr auto kCsv = TableFormat::kDelimited;
constexpr auto kJsonl = TableFormat::kJsonl;

// Of every row: the item's JSON, or "! line, column: reason"; at last "= note" when there is one.
std::vector<std::string> rows_of(const std::string& text, const TableOptions& options = {}) {
  auto bytes = ByteSource::of_memory(text, "f");
  if (!bytes.ok()) return {"! " + bytes.error().message};
  const auto rows = ItemRows::open(std::move(*bytes), options, Time{});
  if (!rows.ok()) return {"! " + rows.error().message};
  std::vector<std::string> out;
  while (true) {
    const auto row = (*rows)->next();
    if (!row.ok()) {
      out.push_back("! " + row.error().message);
      break;
    }
    if (!*row) break;
    const auto& bad = (*row)->bad;
    out.push_back((*row)->good
                      ? (*row)->good->json
                      : "! " + std::to_string(bad.line) + ", " + bad.column + ": " + bad.reason);
  }
  if (!(*rows)->note().empty()) out.push_back("= " + (*rows)->note());
  return out;
}

using Rows = std::vector<std::string>;

TEST(ItemRows, ColumnsBecomeFieldsAndAttributes) {
  EXPECT_EQ(rows_of("\xef\xbb\xbfid,category,tags,price,created,is_hidden,title\r\n"
                    "a1,shoes,red | new|,39.90,2026-01-02,true,\"Big, \"\"red\"\"\"\r\n"),
            (Rows{R"({"id":"a1","category":"shoes","tags":["red","new"],"price":39.9,)"
                  R"("created":"2026-01-02","is_hidden":true,"title":"Big, \"red\""})"}));
}

TEST(ItemRows, AnEmptyCellIsNoField) {
  EXPECT_EQ(rows_of("id,category,price\na,,\n"), (Rows{R"({"id":"a"})"}));
}

TEST(ItemRows, NumbersInOtherColumnsStayText) {
  EXPECT_EQ(rows_of("id,sku\n007,0042\n"), (Rows{R"({"id":"007","sku":"0042"})"}));
}

TEST(ItemRows, ABadCellNamesItsLineColumnAndReason) {
  EXPECT_EQ(
      rows_of("id,price,created,is_hidden\na,\"1,5\",,\nb,-1,,\nc,,soon,\nd,,,yes\ne\n,2,,\n"),
      (Rows{"! 2, price: price is \"1,5\", must be a number such as 19.99",
            "! 3, price: price is -1, must be in [0, 1000000000000]",
            "! 4, created: created must be an ISO-8601 time such as 2026-11-02T10:11:12Z",
            "! 5, is_hidden: is_hidden is \"yes\", must be true or false",
            "! 6, : 1 fields, but the header names 4", "! 7, id: id is missing"}));
}

TEST(ItemRows, ARowAfterOneOverTwoLinesHasItsOwnLine) {
  EXPECT_EQ(rows_of("id,title\na,\"two\nlines\"\nb,x\"y\n"),
            (Rows{R"({"id":"a","title":"two\nlines"})",
                  "! 4, title: a quote inside a field that is not quoted"}));
}

TEST(ItemRows, AnIdOfAnEarlierRowIsRefused) {
  EXPECT_EQ(rows_of("id\na\nb\na\n")[2], "! 4, id: id \"a\" stands on line 2 already");
}

TEST(ItemRows, AHeaderWithoutIdIsRefused) {
  EXPECT_EQ(rows_of("ID,x\na,b\n")[0], "! line 1: no column is named id; there is: ID, x");
  EXPECT_EQ(rows_of("id,x,x\n")[0], "! line 1: two columns are named x");
  EXPECT_EQ(rows_of("id,,x\n")[0], "! line 1: column 2 has no name");
  EXPECT_EQ(rows_of("")[0], "! the file is empty");
}

TEST(ItemRows, JsonLinesAreItemsOfTheApi) {
  EXPECT_EQ(rows_of("{\"id\": \"a\", \"price\": 2, \"size\": {\"w\": 1}}\n\n[1]\n{\"id\":5}\n{x\n"
                    "{\"id\":\"b\",\"tags\":\"t\"}\n",
                    {.format = kJsonl})
                .size(),
            5u);
  EXPECT_EQ(rows_of("{\"id\": \"a\", \"size\": {\"w\": 1}}", {.format = kJsonl})[0],
            R"({"id":"a","size":{"w":1}})");
  EXPECT_EQ(rows_of("\n{\"id\":5}\n", {.format = kJsonl})[0], "! 2, id: id must be a string");
  EXPECT_EQ(rows_of("[1]\n", {.format = kJsonl})[0],
            "! 1, : not a JSON object; a line is one item, such as {\"id\":\"a\"}");
}

TEST(ItemRows, TheTextSaysTheFormatWhereTheNameDoesNot) {
  EXPECT_EQ(rows_of("{\"id\":\"a\"}\n"), (Rows{R"({"id":"a"})"}));
  EXPECT_EQ(rows_of("id\na\n"), (Rows{R"({"id":"a"})"}));
  EXPECT_EQ(rows_of("[{\"id\":\"a\"}]"), (Rows{"! the file is a JSON array, not JSON lines"}));
}

TEST(ItemRows, DelimiterAndEncodingAreGuessedAndSaid) {
  const std::string gbk = "id;\xc3\xfb\xb3\xc6\na;\xc3\xfb\xb3\xc6\n";  // "name", in Chinese
  EXPECT_EQ(rows_of(gbk), (Rows{"{\"id\":\"a\",\"\u540d\u79f0\":\"\u540d\u79f0\"}",
                                "= read as gbk, parted by \";\""}));
  std::string utf16 = "\xff\xfe";
  for (const char c : std::string("id\tprice\nq\t2\n")) utf16 += {c, '\0'};
  EXPECT_EQ(rows_of(utf16),
            (Rows{R"({"id":"q","price":2})", "= read as utf-16le, parted by tabs"}));
  EXPECT_EQ(rows_of("id|x\na|1;2\n", {.delimiter = ';'})[0],
            "! line 1: no column is named id; there is: id|x");
}

TEST(ItemRows, AVectorIsAListOfNumbers) {
  EXPECT_EQ(rows_of("id,vector\na,\"[1, -0.5]\"\nb,1 2|3\nc,x\nd,[]\n"),
            (Rows{R"({"id":"a","vector":[1,-0.5]})", R"({"id":"b","vector":[1,2,3]})",
                  "! 4, vector: vector is \"x\", must be numbers such as [0.12,-3.4]",
                  "! 5, vector: vector must be a list of 1 to 4096 numbers"}));
  EXPECT_EQ(rows_of("{\"id\":\"a\",\"vector\":\"1,2\"}\n")[0],
            "! 1, vector: vector must be a list of 1 to 4096 numbers");
}

// A .npy file of float32.
std::string npy_of(std::size_t rows, std::size_t columns, const std::vector<float>& numbers) {
  std::string header = "{'descr': '<f4', 'fortran_order': False, 'shape': (" +
                       std::to_string(rows) + ", " + std::to_string(columns) + "), }";
  header.resize(117, ' ');
  std::string out = std::string("\x93NUMPY\x01\0\x76\0", 10) + header + '\n';
  out.append(reinterpret_cast<const char*>(numbers.data()), numbers.size() * sizeof(float));
  return out;
}

// As rows_of(), but of each good row "id: numbers".
Rows vectors_of(const std::string& npy, const std::string& ids) {
  auto vectors = ByteSource::of_memory(npy, "v.npy");
  auto names = ByteSource::of_memory(ids, "ids");
  const auto rows = open_vector_rows(std::move(*vectors), std::move(*names), Time{});
  if (!rows.ok()) return {"! " + rows.error().message};
  Rows out;
  while (true) {
    const auto row = (*rows)->next();
    if (!row.ok()) out.push_back("! " + row.error().message);
    if (!row.ok() || !*row) return out;
    const auto& [good, bad] = **row;
    if (!good) {
      out.push_back("! " + std::to_string(bad.line) + ", " + bad.column + ": " + bad.reason);
      continue;
    }
    out.push_back(good->id + ":");
    for (const float number : good->vector) out.back() += " " + std::to_string(number);
  }
}

TEST(VectorRows, ARowIsTheVectorOfTheIdOnItsLine) {
  const std::string npy = npy_of(3, 2, {1, 2, 3, 4, 5, -6});
  EXPECT_EQ(vectors_of(npy, "a\r\nb\n\nc d"),
            (Rows{"a: 1.000000 2.000000", "b: 3.000000 4.000000", "c d: 5.000000 -6.000000"}));
  EXPECT_EQ(vectors_of(npy, "a\nb\n").back(), "! v.npy has 3 rows, but ids has fewer ids");
  EXPECT_EQ(vectors_of(npy, "a\nb\nc\nd\n").back(), "! v.npy has 3 rows, but ids has more ids");
  EXPECT_EQ(vectors_of(npy, "a\nb\na\n").back(), "! 3, id: id \"a\" stands on line 1 already");
  EXPECT_EQ(vectors_of(npy_of(2, 2, {1, 2, 3, std::nanf("")}), "a\nb\n").back(),
            "! 2, vector: number 2 is nan, must be finite");
  EXPECT_EQ(vectors_of(npy_of(1, 5000, {}), "a\n").back(),
            "! v.npy: its rows have 5000 numbers, a vector has at most 4096");
}

TEST(MergedItem, AVectorFileSetsTheVectorAlone) {
  const ItemRow row{.id = "a", .json = R"({"id":"a"})", .vector = {0.1F, -2, 1e-10F}};
  EXPECT_EQ(merged_item(row, ""), R"({"id":"a","vector":[0.1,-2,1e-10]})");
  EXPECT_EQ(merged_item(row, R"({"id":"a","vector":[9],"title":"t"})"),
            R"({"id":"a","title":"t","vector":[0.1,-2,1e-10]})");
  const std::string once = merged_item(row, "");
  EXPECT_EQ(merged_item(row, once), once);
  EXPECT_EQ(vector_of(once), row.vector);
}

TEST(MergedItem, ARowWithoutAVectorKeepsTheStoredOne) {
  const std::string known = R"({"id":"a","title":"t","vector":[0.5,1]})";
  const ItemRow row{.id = "a", .json = R"({"id":"a","title":"u"})", .vector = {}};
  EXPECT_EQ(merged_item(row, known), R"({"id":"a","title":"u","vector":[0.5,1]})");
  const ItemRow own{.id = "a", .json = R"({"id":"a","vector":[2]})", .vector = {}};
  EXPECT_EQ(merged_item(own, known), own.json);
  EXPECT_EQ(merged_item(row, R"({"id":"a"})"), row.json);
}

TEST(ItemRows, TheFilesNameSaysTheFormat) {
  EXPECT_EQ(item_format_of("a/b.csv"), kCsv);
  EXPECT_EQ(item_format_of("a/b.tsv.gz"), kCsv);
  EXPECT_EQ(item_format_of("b.jsonl.zst"), kJsonl);
  EXPECT_EQ(item_format_of("b.txt"), std::nullopt);
}

TEST(ServerAddress, IsHttpHostAndPort) {
  const auto address = parse_server("http://localhost:8090/");
  ASSERT_TRUE(address.ok());
  EXPECT_EQ(address->host, "localhost");
  EXPECT_EQ(address->port, 8090);
  EXPECT_FALSE(address->is_https);
  EXPECT_TRUE(parse_server("https://shop.example:443")->is_https);
  for (const char* wrong :
       {"ftp://a:1", "localhost:1", "http://a:1/x", "http://a", "http://a:0", "http://a:x"}) {
    EXPECT_FALSE(parse_server(wrong).ok()) << wrong;
  }
}

void make_workspace(const std::string& path) { ASSERT_TRUE(open_engine(path)->close().ok()); }

constexpr char kShop[] = "id,category,price\na,x,1\nb,y,2\nc,y,3\n";

TEST(ImportItems, TheSameFileAgainChangesNothing) {
  const Folder folder;
  make_workspace(folder.path("shop"));
  ImportOptions options{.file = folder.file("i.csv", kShop), .workspace = folder.path("shop")};
  ImportReport once, again, other;
  ASSERT_TRUE(import_items(options, once).ok());
  EXPECT_EQ(once.created, 3u);
  ASSERT_TRUE(import_items(options, again).ok());
  EXPECT_EQ(again.unchanged, 3u);
  EXPECT_EQ(again.created + again.changed, 0u);
  options.file = folder.file("j.csv", "id,category,price\na,x,1\nb,y,2.5\nd,y,3\n");
  ASSERT_TRUE(import_items(options, other).ok());
  EXPECT_EQ(other.created, 1u);
  EXPECT_EQ(other.changed, 1u);
  EXPECT_EQ(other.unchanged, 1u);
}

TEST(ImportItems, VectorsJoinTheItemsThatAreThere) {
  const Folder folder;
  make_workspace(folder.path("shop"));
  ImportOptions shop{.file = folder.file("i.csv", kShop), .workspace = folder.path("shop")};
  ImportOptions vectors{.file = folder.file("v.npy", npy_of(2, 2, {1, 0.25F, 3, 4})),
                        .ids = folder.file("ids", "b\nnew\n"),
                        .workspace = folder.path("shop")};
  ImportReport first, set, again, kept;
  ASSERT_TRUE(import_items(shop, first).ok());
  ASSERT_TRUE(import_items(vectors, set).ok());
  EXPECT_EQ(set.changed, 1u);
  EXPECT_EQ(set.created, 1u);
  ASSERT_TRUE(import_items(vectors, again).ok());
  EXPECT_EQ(again.unchanged, 2u);
  ASSERT_TRUE(import_items(shop, kept).ok());
  EXPECT_EQ(kept.unchanged, 3u);
  const auto engine = open_engine(folder.path("shop"));
  const Item* item = engine->catalog()->find("b");
  ASSERT_NE(item, nullptr);
  EXPECT_EQ(item->attributes, R"({"id":"b","category":"y","price":2,"vector":[1,0.25]})");
  EXPECT_EQ(item->vector, (std::vector<float>{1, 0.25F}));
}

TEST(ImportItems, ABadRowStopsItUnlessBadRowsAreSkipped) {
  const Folder folder;
  make_workspace(folder.path("shop"));
  ImportOptions options{.file = folder.file("i.csv", "id,price\na,1\nb,x\n"),
                        .workspace = folder.path("shop")};
  ImportReport refused, skipped;
  const Status status = import_items(options, refused);
  ASSERT_FALSE(status.ok());
  EXPECT_NE(status.error().message.find("1 of 2 rows are bad: nothing is imported"),
            std::string::npos);
  EXPECT_EQ(refused.created, 0u);
  options.is_skipping_bad = true;
  ASSERT_TRUE(import_items(options, skipped).ok());
  EXPECT_EQ(skipped.created, 1u);
  EXPECT_EQ(skipped.bad, 1u);
}

TEST(ImportItems, OnlyTheFirstTwentyBadRowsAreKept) {
  std::string text = "id,price\n";
  for (int i = 0; i < 50; ++i) text += "a" + std::to_string(i) + ",x\n";
  const Folder folder;
  ImportReport report;
  EXPECT_FALSE(import_items({.file = folder.file("i.csv", text), .is_dry_run = true}, report).ok());
  EXPECT_EQ(report.bad, 50u);
  ASSERT_EQ(report.first_bad.size(), 20u);
  EXPECT_EQ(report.first_bad[19].line, 21u);
}

TEST(ImportItems, ADryRunNeedsNoPlaceAndStoresNothing) {
  const Folder folder;
  make_workspace(folder.path("shop"));
  const ImportOptions options{
      .file = folder.file("i.csv", kShop), .workspace = folder.path("shop"), .is_dry_run = true};
  ImportReport dry, real;
  ASSERT_TRUE(import_items(options, dry).ok());
  EXPECT_EQ(dry.rows, 3u);
  ImportOptions wet = options;
  wet.is_dry_run = false;
  ASSERT_TRUE(import_items(wet, real).ok());
  EXPECT_EQ(real.created, 3u);
}

TEST(ImportItems, AWrongPlaceIsSaid) {
  const Folder folder;
  ImportReport report;
  const std::string file = folder.file("i.csv", kShop);
  const auto message = [&](const ImportOptions& options) {
    const Status status = import_items(options, report);
    return status.ok() ? "" : status.error().message;
  };
  EXPECT_EQ(message({.file = file}), "where to import to is not named");
  EXPECT_EQ(message({.file = file, .workspace = folder.path("none")}),
            "no workspace at " + folder.path("none"));
  EXPECT_EQ(message({.file = file, .workspace = "a", .server = "b"}),
            "--workspace and --server are both given");
  EXPECT_EQ(message({.file = file, .server = "http://127.0.0.1:1"}), "--server needs a key");
  EXPECT_EQ(message({.file = folder.path("no.csv"), .is_dry_run = true}),
            "cannot read " + folder.path("no.csv") + ": No such file or directory");
}

TEST(ImportItems, GoesThroughARunningServer) {
  const Folder folder;
  const auto engine = open_engine(folder.path("shop"));
  ApiKeys keys(*engine);
  const auto made = keys.create("import", bit(Scope::kAdmin));
  ASSERT_TRUE(made.ok());
  App app(*engine, keys);
  const auto server = HttpServer::start({}, [&app](HttpRequest&& request, Respond respond) {
    app.handle(std::move(request), std::move(respond));
  });
  ASSERT_TRUE(server.ok());
  std::string text = "id,category,title\n\"a b?\xc3\xa9\",x,t\n";             // an id to escape
  for (int i = 0; i < 1200; ++i) text += "i" + std::to_string(i) + ",x,t\n";  // over two batches
  ImportOptions import{.file = folder.file("i.csv", text),
                       .server = "http://127.0.0.1:" + std::to_string((*server)->port()),
                       .key = made->key};
  ImportReport once, again, refused;
  ASSERT_TRUE(import_items(import, once).ok());
  EXPECT_EQ(once.created, 1201u);
  ASSERT_TRUE(import_items(import, again).ok());
  EXPECT_EQ(again.unchanged, 1201u);
  EXPECT_EQ(engine->catalog()->items().size(), 1201u);
  import.key = "wrong";
  const Status status = import_items(import, refused);
  ASSERT_FALSE(status.ok());
  EXPECT_NE(status.error().message.find("the server answered 401"), std::string::npos);
}

}  // namespace
}  // namespace attune
