#include "format/encoding.h"

#include <gtest/gtest.h>

#include "format/table.h"

namespace attune {
namespace {

const std::string kGbkTable = "id,\xc3\xfb\xb3\xc6\n1,\xb1\xb1\xbe\xa9\n2,\xc9\xcf\xba\xa3\n";
const std::vector<std::string> kNames = {"id", "\xe5\x90\x8d\xe7\xa7\xb0"};
const std::string kBeijing = "\xe5\x8c\x97\xe4\xba\xac";

std::string wide(std::string_view ascii, bool is_big) {
  std::string out;
  for (const char c : ascii) out += is_big ? std::string{'\0', c} : std::string{c, '\0'};
  return out;
}

std::string decoded(std::string_view bytes, Encoding from, std::size_t step) {
  Decoder decoder = std::move(Decoder::open(from)).value();
  std::string out;
  for (std::size_t at = 0; at < bytes.size(); at += step) {
    decoder.decode(bytes.substr(at, step), out);
  }
  decoder.finish(out);
  return out;
}

std::unique_ptr<TableReader> open_text(const std::string& text, const TableOptions& options = {}) {
  auto bytes = ByteSource::of_memory(text, "f");
  auto reader = TableReader::open(std::move(*bytes), options);
  CHECK(reader.ok());
  return std::move(*reader);
}

TEST(Encoding, DecodesWhateverTheStep) {
  for (const std::size_t step : {1UL, 2UL, 3UL, 100UL}) {
    EXPECT_EQ(decoded("\xb1\xb1\xbe\xa9", Encoding::kGbk, step), kBeijing);
    EXPECT_EQ(decoded(wide("a,b", false), Encoding::kUtf16Le, step), "a,b");
    EXPECT_EQ(decoded(std::string("\xd8\x3d\xde\x00", 4), Encoding::kUtf16Be, step),
              "\xf0\x9f\x98\x80");
    EXPECT_EQ(decoded("caf\xe9", Encoding::kLatin1, step), "caf\xc3\xa9");
  }
}

TEST(Encoding, WhatStandsForNothingIsMarked) {
  EXPECT_EQ(decoded("a\xff\nb", Encoding::kGbk, 100), "a\xff\nb");
  EXPECT_EQ(decoded("a\x81\nb", Encoding::kGbk, 100), "a\xff\nb");
  EXPECT_EQ(decoded("a\xb1", Encoding::kGbk, 100), "a\xff");
  EXPECT_EQ(decoded(std::string("\x00\xdc\x41\x00", 4), Encoding::kUtf16Le, 100),
            "\xff"
            "A");
  EXPECT_EQ(decoded(std::string("A\0B", 3), Encoding::kUtf16Le, 1), "A\xff");
}

TEST(Encoding, IsGuessed) {
  EXPECT_EQ(guess_encoding(""), Encoding::kUtf8);
  EXPECT_EQ(guess_encoding("a,b\n"), Encoding::kUtf8);
  EXPECT_EQ(guess_encoding("\xef\xbb\xbf"
                           "a"),
            Encoding::kUtf8);
  EXPECT_EQ(guess_encoding(kBeijing + "\n"), Encoding::kUtf8);
  EXPECT_EQ(guess_encoding(kGbkTable), Encoding::kGbk);
  EXPECT_EQ(guess_encoding(wide("id,name\n1,x\n", false)), Encoding::kUtf16Le);
  EXPECT_EQ(guess_encoding(wide("id,name\n1,x\n", true)), Encoding::kUtf16Be);
  EXPECT_EQ(guess_encoding("\xff\xfe"
                           "a"),
            Encoding::kUtf16Le);
  EXPECT_EQ(guess_encoding("caf\xe9,1\n\xe9t\xe9,2\n"), Encoding::kUtf8) << "never Latin-1";
  EXPECT_EQ(guess_encoding(std::string("a\0b\nok,1\n", 9)), Encoding::kUtf8);
  EXPECT_EQ(guess_encoding(kBeijing + "\n" + kBeijing + "\n\xb1\xb1\n"), Encoding::kUtf8)
      << "most lines decide";
}

TEST(Encoding, NamesAreReadBack) {
  for (const auto each : {Encoding::kUtf8, Encoding::kUtf16Le, Encoding::kUtf16Be, Encoding::kGbk,
                          Encoding::kLatin1}) {
    EXPECT_EQ(encoding_named(encoding_name(each)), each);
  }
  EXPECT_EQ(encoding_named("ebcdic"), std::nullopt);
}

TEST(Encoding, ATableInGbkOrUtf16IsReadAsUtf8) {
  const auto gbk = open_text(kGbkTable);
  EXPECT_EQ(gbk->shape().columns, kNames);
  ASSERT_EQ(gbk->next().value(), TableReader::Next::kRow);
  EXPECT_EQ(gbk->cells()[1], kBeijing);
  const auto big = open_text("\xfe\xff" + wide("id,n\n1,\"a\n,b\"\n2,x", true));
  EXPECT_EQ(big->shape().columns, (std::vector<std::string>{"id", "n"}));
  ASSERT_EQ(big->next().value(), TableReader::Next::kRow);
  EXPECT_EQ(big->cells()[1], "a\n,b");
  ASSERT_EQ(big->next().value(), TableReader::Next::kRow);
  EXPECT_EQ(big->cells()[1], "x");
  EXPECT_EQ(big->next().value(), TableReader::Next::kEnd);
}

TEST(Encoding, AWrongByteCostsItsRowAndNoOther) {
  const auto reader = open_text(kGbkTable + "3,\xff\n4,\xb1\xb1\xbe\xa9\n");
  for (int i = 0; i < 2; ++i) ASSERT_EQ(reader->next().value(), TableReader::Next::kRow);
  ASSERT_EQ(reader->next().value(), TableReader::Next::kBad);
  EXPECT_EQ(reader->bad().line, 4U);
  EXPECT_EQ(reader->bad().column, kNames[1]);
  EXPECT_EQ(reader->bad().reason, "not gbk");
  ASSERT_EQ(reader->next().value(), TableReader::Next::kRow);
  EXPECT_EQ(reader->cells()[1], kBeijing);
}

TEST(Encoding, Latin1IsReadWhenTold) {
  const auto reader =
      open_text("id,n\n1,caf\xe9\n", {.encoding = Encoding::kLatin1, .has_header = true});
  ASSERT_EQ(reader->next().value(), TableReader::Next::kRow);
  EXPECT_EQ(reader->cells()[1], "caf\xc3\xa9");
}

TEST(Encoding, ALongTextIsDecodedBlockByBlock) {
  std::string text = "id,n\n";
  for (int i = 0; i < 100'000; ++i) text += std::to_string(i) + ",\xb1\xb1\xbe\xa9\n";
  const auto reader = open_text(text, {.encoding = Encoding::kGbk, .has_header = true});
  for (int i = 0; i < 100'000; ++i) {
    ASSERT_EQ(reader->next().value(), TableReader::Next::kRow) << i;
    ASSERT_EQ(reader->cells()[0], std::to_string(i));
    ASSERT_EQ(reader->cells()[1], kBeijing);
  }
  EXPECT_EQ(reader->next().value(), TableReader::Next::kEnd);
}

}  // namespace
}  // namespace attune
