#include "catalog/registry.h"

#include <gtest/gtest.h>

#include "catalog/catalog.h"

namespace attune {
namespace {

const Time kNow = time_from_us(1'700'000'000'000'000);
const std::string kOne = "m_" + std::string(26, '1'), kTwo = "m_" + std::string(26, '2');

std::string registered(const std::string& id, const std::string& name = "ranker") {
  return R"({"op":"register_model","model":{"name":")" + name + R"(","id":")" + id +
         R"(","kind":"fm","input":"workspace","bytes":1000,"about":{"log_loss":0.3}}})";
}
std::string promoted(int version) {
  return R"({"op":"promote_model","name":"ranker","version":)" + std::to_string(version) +
         R"(,"reason":"better"})";
}
const char* const kBack = R"({"op":"roll_back_model","name":"ranker"})";

std::uint32_t promoted_of(const Catalog& catalog) {
  const ModelVersion* const version = catalog.models().find("ranker")->promoted();
  return version == nullptr ? 0 : version->number;
}

Catalog with_two() {
  Catalog catalog;
  EXPECT_TRUE(catalog.apply(registered(kOne), kNow).ok());
  EXPECT_TRUE(catalog.apply(registered(kTwo), kNow).ok());
  return catalog;
}

TEST(Registry, NumbersVersionsAndPromotesNoneByItself) {
  const Catalog catalog = with_two();
  const RegisteredModel& model = *catalog.models().find("ranker");
  ASSERT_EQ(model.versions.size(), 2u);
  EXPECT_EQ(model.versions[1].number, 2u);
  EXPECT_EQ(model.versions[1].id, kTwo);
  EXPECT_EQ(model.versions[1].about, R"({"log_loss":0.3})");
  EXPECT_EQ(model.promoted(), nullptr);
}

TEST(Registry, PromotesAndRollsBackStepByStep) {
  Catalog catalog = with_two();
  ASSERT_TRUE(catalog.apply(promoted(1), kNow).ok());
  ASSERT_TRUE(catalog.apply(promoted(2), kNow).ok());
  EXPECT_EQ(promoted_of(catalog), 2u);
  ASSERT_TRUE(catalog.apply(kBack, kNow).ok());
  EXPECT_EQ(promoted_of(catalog), 1u);
  ASSERT_TRUE(catalog.apply(kBack, kNow).ok());
  EXPECT_EQ(promoted_of(catalog), 0u);
  const Status again = catalog.apply(kBack, kNow);
  ASSERT_FALSE(again.ok());
  EXPECT_EQ(again.error().code, Code::kConflict);
  EXPECT_EQ(again.error().message, "no version of model \"ranker\" is promoted");
}

TEST(Registry, SaysEachStep) {
  Catalog catalog = with_two();
  ASSERT_TRUE(catalog.apply(promoted(2), kNow).ok());
  ASSERT_TRUE(catalog.apply(kBack, kNow).ok());
  const auto& steps = catalog.models().find("ranker")->steps;
  ASSERT_EQ(steps.size(), 4u);
  EXPECT_EQ(steps[2].what, ModelStep::What::kPromote);
  EXPECT_EQ(steps[2].reason, "better");
  EXPECT_EQ(steps[3].what, ModelStep::What::kRollBack);
  EXPECT_EQ(steps[3].version, 0u);
}

TEST(Registry, RemovesOnlyWhatCannotBeServedAgain) {
  Catalog catalog = with_two();
  ASSERT_TRUE(catalog.apply(promoted(1), kNow).ok());
  ASSERT_TRUE(catalog.apply(promoted(2), kNow).ok());
  const std::string gone = R"({"op":"remove_model","name":"ranker","version":1})";
  EXPECT_EQ(catalog.apply(gone, kNow).error().code, Code::kConflict);
  ASSERT_TRUE(catalog.apply(kBack, kNow).ok());
  ASSERT_TRUE(catalog.apply(kBack, kNow).ok());
  ASSERT_TRUE(catalog.apply(gone, kNow).ok());
  EXPECT_EQ(catalog.models().find("ranker")->versions.size(), 1u);
  ASSERT_TRUE(catalog.apply(registered(kOne), kNow).ok());
  EXPECT_EQ(catalog.models().find("ranker")->versions.back().number, 3u);  // 1 is not used again
}

TEST(Registry, ARollBackPassesByWhatWasRemoved) {
  Catalog catalog = with_two();
  const std::string three = "m_" + std::string(26, '3');
  ASSERT_TRUE(catalog.apply(registered(three), kNow).ok());
  for (const int version : {1, 2, 3}) ASSERT_TRUE(catalog.apply(promoted(version), kNow).ok());
  ASSERT_TRUE(catalog.apply(R"({"op":"remove_model","name":"ranker","version":1})", kNow).ok());
  ASSERT_TRUE(catalog.apply(kBack, kNow).ok());
  EXPECT_EQ(promoted_of(catalog), 2u);
  ASSERT_TRUE(catalog.apply(kBack, kNow).ok());
  EXPECT_EQ(promoted_of(catalog), 0u);
}

TEST(Registry, RefusesWhatCannotBe) {
  struct Case {
    std::string change, message;
  };
  const Case cases[] = {
      {registered(kOne), kOne + " is version 1 of model \"ranker\" already"},
      {registered("m_short"), "id must be the id of a model file, m_ and 26 letters and digits"},
      {registered(kOne, "My model"), "name must be 1-64 of a-z, 0-9, - and _, a letter first"},
      {promoted(9), "model \"ranker\" has no version 9"},
      {promoted(0), "version is 0, must be in [1, 1000000000]"},
      {R"({"op":"promote_model","name":"rankr","version":1})",
       "no model \"rankr\" is registered, did you mean \"ranker\"?"},
      {R"({"op":"promote_model","name":"ranker"})", "version is missing"},
      {R"({"op":"put_placement","placement":{"name":"home","retriever":"My model"}})",
       "retriever must be 1-64 of a-z, 0-9, - and _, a letter first"},
      {R"({"op":"put_placement","placement":{"name":"home","retriever":"rankr"}})",
       "no model \"rankr\" is registered, did you mean \"ranker\"?"},
      {R"({"op":"put_placement","placement":{"name":"home","model":"rankr"}})",
       "no model \"rankr\" is registered, did you mean \"ranker\"?"},
  };
  for (const Case& one : cases) {
    Catalog catalog = with_two();
    const Status status = catalog.apply(one.change, kNow);
    ASSERT_FALSE(status.ok()) << one.change;
    EXPECT_EQ(status.error().message, one.message);
  }
  Catalog catalog = with_two();
  ASSERT_TRUE(catalog.apply(promoted(1), kNow).ok());
  EXPECT_EQ(catalog.apply(promoted(1), kNow).error().message,
            "version 1 of model \"ranker\" is promoted already");
}

std::string challenged(int version, double share) {
  return R"({"op":"challenge_model","name":"ranker","version":)" + std::to_string(version) +
         R"(,"share":)" + std::to_string(share) + "}";
}
std::string taught(int version, bool is_learning = true) {
  return R"({"op":"teach_model","name":"ranker","version":)" + std::to_string(version) +
         R"(,"is_learning":)" + (is_learning ? "true}" : "false}");
}
const char* const kRetired = R"({"op":"retire_challenger","name":"ranker","reason":"no better"})";

TEST(Registry, AChallengerIsAShadowThenACanaryThenPromoted) {
  Catalog catalog = with_two();
  ASSERT_TRUE(catalog.apply(promoted(1), kNow).ok());
  ASSERT_TRUE(catalog.apply(challenged(2, 0), kNow).ok());
  const RegisteredModel& model = *catalog.models().find("ranker");
  EXPECT_EQ(model.steps.back().what, ModelStep::What::kShadow);
  EXPECT_TRUE(model.is_held(2));
  const Time later = kNow + seconds(60);
  ASSERT_TRUE(catalog.apply(challenged(2, 0.05), later).ok());
  EXPECT_EQ(model.steps.back().what, ModelStep::What::kCanary);
  EXPECT_EQ(model.challenger->since, later);  // nobody saw it before
  ASSERT_TRUE(catalog.apply(challenged(2, 0.2), later + seconds(60)).ok());
  EXPECT_EQ(model.challenger->since, later);  // it goes on, for more persons
  EXPECT_EQ(catalog.apply(challenged(2, 0.2), later).error().code, Code::kConflict);
  EXPECT_EQ(catalog.apply(challenged(1, 0.2), later).error().code, Code::kConflict);
  EXPECT_EQ(catalog.apply(challenged(2, 0.6), later).error().code, Code::kInvalid);
  ASSERT_TRUE(catalog.apply(promoted(2), later).ok());
  EXPECT_FALSE(model.challenger);
  EXPECT_EQ(catalog.apply(kRetired, later).error().message, "model \"ranker\" has no challenger");
}

TEST(Registry, VersionsLearnUntilTheyAreStopped) {
  Catalog catalog = with_two();
  ASSERT_TRUE(catalog.apply(taught(2), kNow).ok());
  ASSERT_TRUE(catalog.apply(taught(1), kNow).ok());
  const RegisteredModel& model = *catalog.models().find("ranker");
  EXPECT_EQ(model.learning, (std::vector<std::uint32_t>{1, 2}));
  EXPECT_EQ(catalog.apply(taught(1), kNow).error().code, Code::kConflict);
  ASSERT_TRUE(catalog.apply(taught(1, false), kNow).ok());
  EXPECT_FALSE(model.is_learning(1));
  EXPECT_EQ(catalog.apply(taught(1, false), kNow).error().code, Code::kConflict);
  EXPECT_EQ(model.steps.back().what, ModelStep::What::kStopLearning);
  ASSERT_TRUE(catalog.apply(R"({"op":"remove_model","name":"ranker","version":2})", kNow).ok());
  EXPECT_TRUE(model.learning.empty());
}

TEST(Registry, NoMoreThanFourLearnAtOnce) {
  Catalog catalog;
  for (char i = '1'; i <= '5'; ++i) {
    ASSERT_TRUE(catalog.apply(registered("m_" + std::string(26, i)), kNow).ok());
  }
  for (int i = 1; i <= 4; ++i) ASSERT_TRUE(catalog.apply(taught(i), kNow).ok());
  EXPECT_EQ(catalog.apply(taught(5), kNow).error().message, "4 versions learn already");
}

// Of a catalog of before challengers could be promoted by themselves, the flag is not there.
TEST(Registry, AChallengerMayBePromotedByItself) {
  Catalog catalog = with_two();
  const auto told = [](double share) {
    return challenge_json({.name = "ranker", .version = 2, .share = share, .promotes = true});
  };
  EXPECT_EQ(catalog.apply(told(0), kNow).error().field, "promote_when_better");
  ASSERT_TRUE(catalog.apply(told(0.25), kNow).ok());
  EXPECT_EQ(catalog.apply(told(0.25), kNow).error().code, Code::kConflict);
  std::string bytes;
  catalog.encode(bytes);
  const auto back = Catalog::decode(bytes);
  ASSERT_TRUE(back.ok());
  EXPECT_TRUE(back->models().find("ranker")->challenger->promotes);
  ASSERT_TRUE(catalog.apply(challenged(2, 0.25), kNow).ok());  // no longer
  EXPECT_FALSE(catalog.models().find("ranker")->challenger->promotes);
  std::string old;
  catalog.encode(old);
  std::size_t flag = 0;
  while (bytes[flag] == old[flag]) ++flag;
  old[0] = 6;
  old.erase(flag, 1);
  const auto before = Catalog::decode(old);
  ASSERT_TRUE(before.ok()) << before.error().message;
  EXPECT_EQ(before->models().find("ranker")->challenger->share, 0.25);
  EXPECT_FALSE(before->models().find("ranker")->challenger->promotes);
}

TEST(Registry, ChallengersAndLearnersAreEncoded) {
  Catalog catalog = with_two();
  ASSERT_TRUE(catalog.apply(challenged(2, 0.25), kNow).ok());
  ASSERT_TRUE(catalog.apply(taught(2), kNow).ok());
  std::string bytes, again;
  catalog.encode(bytes);
  const auto back = Catalog::decode(bytes);
  ASSERT_TRUE(back.ok());
  back->encode(again);
  EXPECT_EQ(bytes, again);
  const RegisteredModel& model = *back->models().find("ranker");
  EXPECT_EQ(model.challenger->share, 0.25);
  EXPECT_EQ(model.challenger->since, kNow);
  EXPECT_TRUE(model.is_learning(2));
  EXPECT_NE(model_json(model).find(R"("challenger":{"version":2,"share":0.25,)"),
            std::string::npos);
}

TEST(Registry, KeepsABoundedNumberOfSteps) {
  Catalog catalog = with_two();
  for (int i = 0; i < 300; ++i) {
    ASSERT_TRUE(catalog.apply(promoted(1 + i % 2), kNow).ok());
  }
  const RegisteredModel& model = *catalog.models().find("ranker");
  EXPECT_EQ(model.steps.size(), ModelRegistry::kStepsKept);
  EXPECT_EQ(model.promotions.size(), ModelRegistry::kStepsKept);
  EXPECT_EQ(model.promoted()->number, 2u);
}

TEST(Registry, SurvivesEncoding) {
  Catalog catalog = with_two();
  ASSERT_TRUE(catalog.apply(promoted(2), kNow).ok());
  ASSERT_TRUE(
      catalog
          .apply(
              R"({"op":"put_placement","placement":{"name":"home","model":"ranker","retriever":"ranker"}})",
              kNow)
          .ok());
  std::string bytes, again;
  catalog.encode(bytes);
  const auto decoded = Catalog::decode(bytes);
  ASSERT_TRUE(decoded.ok());
  decoded->encode(again);
  EXPECT_EQ(again, bytes);
  EXPECT_EQ(promoted_of(*decoded), 2u);
  EXPECT_EQ(decoded->placement("home").model, "ranker");
  EXPECT_EQ(decoded->placement("home").retriever, "ranker");
  EXPECT_EQ(model_json(*decoded->models().find("ranker")),
            model_json(*catalog.models().find("ranker")));
}

}  // namespace
}  // namespace attune
