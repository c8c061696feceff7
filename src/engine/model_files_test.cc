#include "engine/model_files.h"

#include "engine/test_workspace.h"

namespace attune {
namespace {

TEST(ModelFiles, KeepsTheNewest) {
  const TempFolder folder;
  EXPECT_TRUE(model_versions(folder.path("models")).empty());
  for (std::uint64_t version = 5; version < 25; ++version) {
    ASSERT_TRUE(store_model(folder.path("models"), version, "bytes").ok());
  }
  const auto versions = model_versions(folder.path("models"));
  EXPECT_EQ(versions.size(), kModelsKept);
  EXPECT_EQ(versions.front(), 15u);
  EXPECT_EQ(versions.back(), 24u);
}

}  // namespace
}  // namespace attune
