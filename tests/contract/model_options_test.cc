// What options no model can have, and how that is said.
#include <gtest/gtest.h>

#include <cmath>
#include <string>
#include <vector>

#include "model/model.h"

namespace attune {
namespace {

TEST(ModelOptions, ThreadsAreRefusedWhereTheyCannotBe) {
  ModelOptions options{.kind = "ftrl"};
  const auto message = [&](std::size_t threads) {
    const auto model = make_model(options);
    return (*model)->use_threads({threads}).error().message;
  };
  EXPECT_EQ(message(2), "ftrl learns on one thread");
  options = {.kind = "fwfm", .inputs = 8, .collision_free = true};
  EXPECT_EQ(message(2), "fwfm with a collision-free table learns on one thread");
  options.collision_free = false;
  EXPECT_EQ(message(9), "threads is 9, must be in [1, 8]");
  EXPECT_EQ(message(0), "threads is 0, must be in [1, 8]");
}

TEST(ModelOptions, UnknownNamesAndValuesOutOfRangeAreRefused) {
  struct Bad {
    ModelOptions options;
    std::string message, hint = {};
  };
  const std::vector<Bad> table{
      {{.kind = "ftlr"}, "there is no kind of model called \"ftlr\"", "did you mean ftrl?"},
      {{.kind = "zebra"},
       "there is no kind of model called \"zebra\"",
       "there are ftrl, sgd, adagrad, adam, fm, fwfm, ffm, wide_deep, deepfm, dcnv2, finalmlp, "
       "din, gru, sasrec, linear, mlp, tree, forest, trees"},
      {{.bits = 29}, "bits is 29, must be in [8, 28]", ""},
      {{.kind = "mlp"}, "mlp: inputs is 0, must be the number of fields of a row", ""},
      {{.kind = "fm", .settings = {{"kk", 8}}}, "fm has no setting kk", "did you mean k?"},
      {{.kind = "fwfm"},
       "fwfm: inputs is 0, must be the number of fields of a row, at most 1024",
       ""},
      {{.kind = "fwfm", .inputs = 1025},
       "fwfm: inputs is 1025, must be the number of fields of a row, at most 1024",
       ""},
      {{.kind = "dcnv2", .bits = 8, .inputs = 1000, .settings = {{"hidden", 4096}}},
       "dcnv2: its layers have more than 16,777,216 weights",
       "fewer hidden units, or a smaller k"},
      {{.kind = "finalmlp", .bits = 8, .inputs = 1000, .settings = {{"hidden", 4096}}},
       "finalmlp: its layers have more than 16,777,216 weights",
       "fewer hidden units, or a smaller k"},
      {{.kind = "mlp", .bits = 8, .inputs = 1000, .settings = {{"k", 8}, {"hidden", 4096}}},
       "mlp: its layers have more than 16,777,216 weights",
       "fewer hidden units, or a smaller k"},
      {{.tasks = {{"a"}, {"b"}}},
       "kind ftrl learns one task and has no second loss",
       "those that can are fwfm, wide_deep, deepfm, dcnv2, finalmlp, din, gru, sasrec"},
      {{.kind = "ffm", .inputs = 3, .second_loss = {"pairs", 1}},
       "kind ffm learns one task and has no second loss",
       "those that can are fwfm, wide_deep, deepfm, dcnv2, finalmlp, din, gru, sasrec"},
      {{.kind = "fwfm", .inputs = 3, .tasks = {{"a"}, {"b"}, {"a"}}}, "task a is there twice", ""},
      {{.kind = "fwfm", .inputs = 3, .tasks = {{"a"}, {""}}},
       "a task needs a name of at most 256 bytes",
       ""},
      {{.kind = "fwfm", .inputs = 3, .tasks = {{"a", 0}, {"b"}}},
       "task a: its weight is 0, must be in (0, 1000]",
       "leave out a task that is not to count"},
      {{.kind = "fwfm", .inputs = 3, .tasks = {{"a", std::nan("")}}},
       "task a: its weight is nan, must be in (0, 1000]",
       "leave out a task that is not to count"},
      {{.kind = "fwfm", .inputs = 3, .second_loss = {"pears", 1}},
       "there is no second loss called \"pears\"",
       "there is pairs"},
      {{.kind = "fwfm", .inputs = 3, .second_loss = {"pairs", -1}},
       "the weight of the second loss is -1, must be in [0, 1000]",
       ""},
      {{.kind = "din", .inputs = 3},
       "kind din learns from sequences, and no feature of the rows is one",
       "a plan declares one: kind = \"sequence\" with as = the input its entries are of"},
      {{.kind = "ftrl", .inputs = 3, .sequences = {{0, 1, 0}}},
       "kind ftrl takes no sequences",
       "those that do are fwfm, ffm, wide_deep, deepfm, dcnv2, finalmlp, din, gru, sasrec"},
      {{.kind = "gru", .inputs = 3, .sequences = {{0, 3, 0}}},
       "a sequence of field 0 like field 3 of 3: both must be there, fields ascending, none like "
       "one",
       ""},
      {{.kind = "fwfm", .inputs = 3, .sequences = {{1, 2, 0}, {2, 0, 0}}},
       "a sequence of field 1 like field 2 of 3: both must be there, fields ascending, none like "
       "one",
       ""},
      {{.kind = "fwfm", .inputs = 3, .sequences = {{1, 2, 0}, {0, 2, 0}}},
       "a sequence of field 0 like field 2 of 3: both must be there, fields ascending, none like "
       "one",
       ""},
      {{.settings = {{"alfa", 8}}}, "ftrl has no setting alfa", "did you mean alpha?"},
      {{.settings = {{"alpha", -1}}},
       "alpha is -1, must be in [1e-06, 100]",
       "learning rate of each weight"},
      {{.settings = {{"alpha", std::nan("")}}},
       "alpha is nan, must be in [1e-06, 100]",
       "learning rate of each weight"},
      {{.kind = "mlp", .inputs = 3, .settings = {{"k", 0.5}}},
       "k is 0.5, must be a whole number",
       "numbers in a vector for each id, the inputs then; 0 = inputs are fields"},
      {{.kind = "finalmlp", .inputs = 3, .settings = {{"hidden2", 0.5}}},
       "hidden2 is 0.5, must be a whole number",
       "units of the second, 0 = there is none"},
      {{.kind = "trees", .settings = {{"depth", 2.5}}},
       "depth is 2.5, must be a whole number",
       "splits above a leaf; 0 = 6, or 24 where leaves are counted"},
      {{.settings = {{"alpha", 1}, {"alpha", 1}}}, "alpha is given twice", ""},
      {{.admit_after = 3},
       "admission, expiry and a memory limit need a collision-free table",
       "a hashed table is limited by bits"},
      {{.collision_free = true, .admit_after = 256}, "admit_after is 256, must be in [1, 255]", ""},
      {{.kind = "trees", .collision_free = true},
       "kind trees has no table of weights that could be collision-free",
       "leave it out"},
  };
  for (const Bad& bad : table) {
    const auto made = make_model(bad.options);
    ASSERT_FALSE(made.ok()) << bad.message;
    EXPECT_EQ(made.error().message, bad.message);
    EXPECT_EQ(made.error().hint, bad.hint);
  }
}

}  // namespace
}  // namespace attune
