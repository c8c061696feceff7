#include "catalog/key.h"

#include <gtest/gtest.h>

#include "catalog/catalog.h"

namespace attune {
namespace {

const Time kNow = time_from_us(1'700'000'000'000'000);

std::string put_key(const std::string& id, const std::string& scopes = R"(["write","read"])") {
  return R"({"op":"put_key","key":{"id":")" + id + R"(","name":"shop","hash":")" +
         std::string(64, 'a') + R"(","salt":")" + std::string(32, 'b') + R"(","scopes":)" + scopes +
         "}}";
}

TEST(Key, IsStoredRevokedAndSurvivesEncoding) {
  Catalog catalog;
  ASSERT_TRUE(catalog.apply(put_key("k_1"), kNow).ok());
  ASSERT_TRUE(catalog.apply(put_key("k_2"), kNow).ok());
  ASSERT_TRUE(catalog.apply(R"({"op":"revoke_key","id":"k_2"})", kNow).ok());
  std::string bytes;
  catalog.encode(bytes);
  const auto decoded = Catalog::decode(bytes);
  ASSERT_TRUE(decoded.ok()) << decoded.error().message;
  EXPECT_EQ(decoded->keys(), catalog.keys());
  EXPECT_FALSE(decoded->keys().at("k_1").is_revoked);
  EXPECT_TRUE(decoded->keys().at("k_2").is_revoked);
  EXPECT_EQ(key_json(decoded->keys().at("k_1")),
            R"({"id":"k_1","name":"shop","scopes":["write","read"],)"
            R"("created":"2023-11-14T22:13:20.000Z","is_revoked":false})");
}

TEST(Key, IsNeverReplaced) {
  Catalog catalog;
  ASSERT_TRUE(catalog.apply(put_key("k_1"), kNow).ok());
  const Status again = catalog.apply(put_key("k_1", R"(["admin"])"), kNow);
  ASSERT_FALSE(again.ok());
  EXPECT_EQ(again.error().code, Code::kConflict);
  EXPECT_EQ(catalog.keys().at("k_1").scopes, bit(Scope::kWrite) | bit(Scope::kRead));
}

TEST(Key, BadRecordsAreRefusedByField) {
  Catalog catalog;
  const auto refused = [&](const std::string& json) { return catalog.apply(json, kNow).error(); };
  EXPECT_EQ(refused(put_key("k", R"(["wirte"])")).message,
            R"(unknown scope "wirte", nearest known is "write")");
  EXPECT_EQ(refused(put_key("k", "[]")).field, "key.scopes");
  EXPECT_EQ(refused(R"({"op":"put_key","key":{"id":"k","hash":"xyz","salt":""}})").field,
            "key.hash");
  EXPECT_EQ(refused(R"({"op":"revoke_key","id":"k"})").code, Code::kNotFound);
  EXPECT_TRUE(catalog.keys().empty());
}

TEST(Catalog, OlderFormatsAreReadAndANewerOneNamed) {
  const auto old = Catalog::decode(std::string("\x01\x00\x00", 3));
  ASSERT_TRUE(old.ok());
  EXPECT_TRUE(old->keys().empty());
  const auto without_models = Catalog::decode(std::string("\x02\x00\x00\x00\x00", 5));
  ASSERT_TRUE(without_models.ok());
  EXPECT_TRUE(without_models->models().models().empty());
  const auto newer = Catalog::decode(std::string("\x7f\x00\x00\x00", 4));
  ASSERT_FALSE(newer.ok());
  EXPECT_EQ(newer.error().message, "the catalog has format 127, this program reads up to 7");
}

}  // namespace
}  // namespace attune
