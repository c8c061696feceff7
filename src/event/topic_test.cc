#include "event/topic.h"

#include <gtest/gtest.h>

namespace attune {
namespace {

TEST(Topic, OneWordIsOneTopicWhereverItStands) {
  const auto topics = topics_of("Sport", {"sport-fans", "news"});
  ASSERT_EQ(topics.size(), 3u);
  EXPECT_EQ(topics[0].id, topic_of("sport"));
  EXPECT_EQ(topics[0].weight, 1);
  EXPECT_EQ(topics[1].id, topic_of("FANS"));
  EXPECT_EQ(topics[1].weight, kTagWeight);
  EXPECT_EQ(topic_words("Sport", {"sport-fans", "news"}),
            (std::vector<std::string>{"sport", "fans", "news"}));
}

TEST(Topic, WordsOfACategoryShareItsWeight) {
  const auto topics = topics_of("running shoes men kids", {});
  ASSERT_EQ(topics.size(), 4u);
  for (const Topic& topic : topics) EXPECT_FLOAT_EQ(topic.weight, 0.5F);
}

TEST(Topic, ChineseTextIsAWordAndTopicsAreBounded) {
  EXPECT_EQ(topics_of("运动", {}).size(), 1u);
  EXPECT_TRUE(topics_of("", {"", "--"}).empty());
  EXPECT_EQ(topics_of("a b c d e f g h i j k l m n o p", {"q"}).size(), kTopicCount);
}

}  // namespace
}  // namespace attune
