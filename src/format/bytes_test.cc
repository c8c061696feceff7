#include "format/bytes.h"

#include <gtest/gtest.h>
#include <zlib.h>
#include <zstd.h>

#include <cstdio>
#include <filesystem>
#include <fstream>

#include "base/rng.h"

namespace attune {
namespace {

std::string some_text(std::size_t bytes) {
  std::string text;
  Rng rng(1);
  while (text.size() < bytes) text += "row," + std::to_string(rng.below(1000)) + "\n";
  return text;
}

std::string gzip(const std::string& text) {
  z_stream stream{};
  CHECK(deflateInit2(&stream, 6, Z_DEFLATED, 16 + MAX_WBITS, 8, Z_DEFAULT_STRATEGY) == Z_OK);
  std::string out(deflateBound(&stream, text.size()) + 64, '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
  stream.avail_in = static_cast<uInt>(text.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  CHECK(deflate(&stream, Z_FINISH) == Z_STREAM_END);
  out.resize(out.size() - stream.avail_out);
  deflateEnd(&stream);
  return out;
}

std::string zstd(const std::string& text) {
  std::string out(ZSTD_compressBound(text.size()), '\0');
  ZSTD_CCtx* context = ZSTD_createCCtx();
  ZSTD_CCtx_setParameter(context, ZSTD_c_checksumFlag, 1);
  out.resize(ZSTD_compress2(context, out.data(), out.size(), text.data(), text.size()));
  ZSTD_freeCCtx(context);
  return out;
}

struct Unpacked {
  std::string text;
  std::string error;  // "" = the end was reached
};

Unpacked read_all(ByteSource& source, std::size_t step) {
  Unpacked all;
  std::string block(step, '\0');
  while (true) {
    const auto got = source.read(block);
    if (!got.ok()) {
      all.error = got.error().message;
      EXPECT_EQ(source.read(block).ok(), false) << "an error stays";
      return all;
    }
    if (*got == 0) return all;
    all.text.append(block, 0, *got);
  }
}

Unpacked unpack(const std::string& bytes, std::size_t step = 1000) {
  const auto source = ByteSource::of_memory(bytes, "f");
  if (!source.ok()) return {"", source.error().message};
  return read_all(**source, step);
}

TEST(Bytes, ArePlainUnlessTheyBeginAsPackedOnesDo) {
  for (const std::string text : {"", "a", "a,b\n", "\x1f\x8b", "\x28\xb5\x2f"}) {
    const Unpacked got = unpack(text);
    EXPECT_EQ(got.text, text);
    EXPECT_EQ(got.error, "");
  }
}

TEST(Bytes, GzipAndZstdAreUnpackedWhateverTheStep) {
  const std::string text = some_text(300'000);
  for (const std::string& packed : {gzip(text), zstd(text)}) {
    for (const std::size_t step : {1UL, 7UL, 4096UL, 1UL << 20}) {
      const Unpacked got = unpack(packed, step);
      EXPECT_TRUE(got.text == text) << step;
      EXPECT_EQ(got.error, "");
    }
  }
}

TEST(Bytes, PartsPackedOneByOneAreOneText) {
  const std::string a = some_text(5000), b = some_text(70'000);
  EXPECT_EQ(unpack(gzip(a) + gzip("") + gzip(b)).text, a + b);
  EXPECT_EQ(unpack(zstd(a) + zstd("") + zstd(b)).text, a + b);
  EXPECT_EQ(unpack(zstd("") + zstd("")).error, "");
  EXPECT_EQ(unpack(gzip(a) + std::string(512, '\0')).text, a);
  EXPECT_EQ(unpack(gzip(a) + std::string(512, '\0')).error, "");
  const std::string note("\x50\x2a\x4d\x18\x03\0\0\0abc", 11);  // a frame to skip
  EXPECT_EQ(unpack(note + zstd(a)).text, a);
}

TEST(Bytes, ACutOffFileGivesWhatItHasThenSaysWhere) {
  const std::string text = some_text(300'000);
  for (const std::string& packed : {gzip(text), zstd(text)}) {
    for (const std::size_t keep : {packed.size() - 1, packed.size() / 2, 12UL}) {
      const Unpacked got = unpack(packed.substr(0, keep));
      EXPECT_TRUE(text.starts_with(got.text));
      EXPECT_NE(got.error.find("is cut off at byte " + std::to_string(keep)), std::string::npos)
          << got.error;
    }
    EXPECT_GT(unpack(packed.substr(0, packed.size() - 10)).text.size(), text.size() / 2);
  }
}

TEST(Bytes, EveryFlippedByteIsSeenOrHarmless) {
  const std::string text = some_text(2000);
  for (const std::string& packed : {gzip(text), zstd(text)}) {
    for (std::size_t at = 4; at < packed.size(); ++at) {
      std::string damaged = packed;
      damaged[at] = static_cast<char>(damaged[at] ^ 0x20);
      const Unpacked got = unpack(damaged);
      EXPECT_TRUE(!got.error.empty() || got.text == text) << at;
    }
  }
  const Unpacked tail = unpack(gzip(text) + "tail");
  EXPECT_EQ(tail.text, text);
  EXPECT_NE(tail.error.find("f: gzip is damaged (incorrect header check) at byte"),
            std::string::npos)
      << tail.error;
}

TEST(Bytes, AWindowOfMoreThan128MegabytesIsRefused) {
  // A frame header: no content size, no single segment, window 2^28.
  const std::string header("\x28\xb5\x2f\xfd\x00\x90", 6);
  const Unpacked got = unpack(header + std::string(8, '\0'));
  EXPECT_NE(got.error.find("too much memory"), std::string::npos) << got.error;
}

TEST(Bytes, ProgressCountsBytesAsTheyLieOnDisk) {
  const std::string packed = gzip(some_text(600'000));
  const auto source = ByteSource::of_memory(packed, "f");
  ASSERT_TRUE(source.ok());
  std::string block(1000, '\0');
  ASSERT_TRUE((*source)->read(block).ok());
  EXPECT_EQ((*source)->size(), packed.size());
  EXPECT_GT((*source)->taken(), 0U);
  EXPECT_LT((*source)->taken(), packed.size() / 10);
  EXPECT_EQ(read_all(**source, 1 << 16).error, "");
  EXPECT_EQ((*source)->taken(), packed.size());
}

TEST(Bytes, AFileIsReadAndAMissingOneNamed) {
  const std::string path = testing::TempDir() + "attune_bytes_test";
  std::ofstream(path, std::ios::binary) << zstd("a,b\n");
  const auto source = ByteSource::open(path);
  ASSERT_TRUE(source.ok());
  EXPECT_EQ(read_all(**source, 10).text, "a,b\n");
  EXPECT_EQ((*source)->name(), path);
  std::filesystem::remove(path);
  const auto missing = ByteSource::open(path);
  ASSERT_FALSE(missing.ok());
  EXPECT_EQ(missing.error().code, Code::kNotFound);
  EXPECT_EQ(missing.error().message, "cannot read " + path + ": No such file or directory");
  EXPECT_EQ(ByteSource::open(testing::TempDir()).error().code, Code::kNotFound);
}

}  // namespace
}  // namespace attune
