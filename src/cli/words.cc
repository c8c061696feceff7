#include "cli/words.h"

#include <cstdint>
#include <cstdlib>

namespace attune {
namespace {

constexpr Words kEnglish = {
    .playing = "Attune plays {} impressions of simulated people (seed {}) at {}",
    .about =
        "A visit shows 5 items: 80 % of the people see what the model chose (learned), "
        "10 % the most popular items, 10 % random ones. The oracle knows every taste: "
        "the best there could be. The model learns from clicks alone. Bots are not in "
        "the rates.",
    .first = "First decision after {:.1f} s",
    .shown = "shown",
    .per_second = "{}/s",
    .events = "{} events/s",
    .day = "day {:.1f}",
    .auc = "AUC {:.3f}",
    .share = "share",
    .people = "people",
    .click_rate = "click rate",
    .over_time = "over time",
    .oracle = "oracle",
    .learned = "learned",
    .popularity = "popularity",
    .random = "random",
    .last_quarter = "Last quarter of the run:",
    .gap =
        "The learned share closes {:.0f} % of the gap between popularity and the oracle "
        "(95 % interval {:.0f} to {:.0f} %).",
    .one_decision = "One decision, explained:",
    .person = "for",
    .item = "item",
    .category = "category",
    .chance = "chance of a click",
    .propensity = "propensity",
    .source = "source",
    .ranks = "rank: model > boosts > rules > shown",
    .ranks_by_dials = "rank: model > boosts, freshness > rules > diversity > shown",
    .rules_did = "What the rules did:",
    .why = "Why {} is first: its parts add up to {:+.3f} log-odds, a chance of {:.1f} %",
    .smaller = "{} smaller parts",
    .change = "What would change it:",
    .kept = "The workspace is kept: attune explain --workspace {} {}",
    .playing_data = "Attune plays {}: {} real steps of {} people among {} items, at {}",
    .about_data =
        "The data tell what each person took, and in which order; not when, and not "
        "what they were shown. So the times are made up, and people take turns by "
        "chance. A hit: the item a person takes next is one of the ten the server "
        "would have shown. Nobody saw them. The model learns from real steps only, "
        "some of them set beside four random items.",
    .steps = "steps",
    .chosen_by = "chosen by",
    .asked = "asked",
    .hit_rate = "hit rate@10",
    .interval = "hit rate, 95 %",
    .times = "The learned slates hit {:.1f} times as often as the popular ones.",
    .chance_of_five = "chance, one of five",
    .by_chance = "by chance {:.2f} %",
    .no_oracle =
        "There is no oracle here: nobody knows the best that could be reached. Compare the rates "
        "with each other, not with published ones, which ask only about everybody's last step.",
    .took_next = "{}, who had {} items and then took {}",
};

constexpr Words kChinese = {
    .playing = "Attune 正在播放 {} 次模拟展示（种子 {}），地址 {}",
    .about =
        "每次访问展示 5 个内容：80 % 的人看到模型的选择（学习策略），10 % 看到最热门的内容，10 % "
        "看到随机内容。“理论最优”知道每个"
        "人的口味，是能达到的最好结果。模型只从点击中学习。机器人不计入点击率。",
    .first = "{:.1f} 秒后做出第一个决策",
    .shown = "展示",
    .per_second = "{} 次/秒",
    .events = "{} 事件/秒",
    .day = "第 {:.1f} 天",
    .auc = "AUC {:.3f}",
    .share = "分组",
    .people = "人群",
    .click_rate = "点击率",
    .over_time = "随时间变化",
    .oracle = "理论最优",
    .learned = "学习策略",
    .popularity = "热门策略",
    .random = "随机策略",
    .last_quarter = "最后四分之一：",
    .gap = "学习策略弥补了热门策略与理论最优之间差距的 {:.0f} %（95 % 区间 {:.0f} 至 {:.0f} %）。",
    .one_decision = "解释一个决策：",
    .person = "用户",
    .item = "内容",
    .category = "类别",
    .chance = "点击概率",
    .propensity = "展示概率",
    .source = "来源",
    .ranks = "名次：模型 > 加权 > 规则 > 展示",
    .ranks_by_dials = "名次：模型 > 加权、新鲜度 > 规则 > 多样性 > 展示",
    .rules_did = "规则的作用：",
    .why = "{} 为何排第一：各部分之和为对数几率 {:+.3f}，即概率 {:.1f} %",
    .smaller = "其余 {} 个较小部分",
    .change = "怎样会改变结果：",
    .kept = "工作区已保留：attune explain --workspace {} {}",
    .playing_data = "Attune 正在播放 {}：{} 个真实行为，{} 位用户，{} 个内容，地址 {}",
    .about_data =
        "数据只记录每位用户依次选了什么，没有时间，也没有当时展示过什么。因此时间是虚构的，用户的先"
        "后次序是随机的。命中：用户接下来真正选择的内容在服"
        "务器会展示的十个之中。没有人看到过这些推荐。模型只从真实行为中学习，其中一部分与四个随机内"
        "容放在一起对比。",
    .steps = "行为",
    .chosen_by = "策略",
    .asked = "次数",
    .hit_rate = "命中率@10",
    .interval = "命中率 95 % 区间",
    .times = "学习策略的命中率是热门策略的 {:.1f} 倍。",
    .chance_of_five = "五选一的概率",
    .by_chance = "理论值 {:.2f} %",
    .no_oracle =
        "这里没有理论最优值：没有人知道最好能达到多少。请只在这些命中率之间比较，不要与论文数字比较"
        "：论文只预测最后一个行为。",
    .took_next = "{}，已有 {} 个内容，随后选择了 {}",
};

bool is_wide(std::uint32_t c) {
  return (c >= 0x1100 && c <= 0x115f) || (c >= 0x2e80 && c <= 0xa4cf) ||
         (c >= 0xac00 && c <= 0xd7a3) || (c >= 0xf900 && c <= 0xfaff) ||
         (c >= 0xfe30 && c <= 0xfe6f) || (c >= 0xff00 && c <= 0xff60);
}

std::uint32_t take(std::string_view& text) {
  const auto first = static_cast<unsigned char>(text[0]);
  const std::size_t size = first < 0x80 ? 1 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
  std::uint32_t c = size == 1 ? first : first & (0x7fU >> size);
  for (std::size_t i = 1; i < size && i < text.size(); ++i) {
    c = c << 6 | (static_cast<unsigned char>(text[i]) & 0x3fU);
  }
  text.remove_prefix(std::min(size, text.size()));
  return c;
}

}  // namespace

const Words& english() { return kEnglish; }
const Words& chinese() { return kChinese; }

const Words& words_of_environment() {
  for (const char* name : {"LC_ALL", "LC_MESSAGES", "LANG"}) {
    const char* value = std::getenv(name);
    if (value && *value) return std::string_view(value).starts_with("zh") ? kChinese : kEnglish;
  }
  return kEnglish;
}

std::string thousands(std::uint64_t number) {
  std::string text = std::to_string(number);
  for (std::size_t at = text.size(); at > 3; at -= 3) text.insert(at - 3, ",");
  return text;
}

std::size_t columns(std::string_view text) {
  std::size_t sum = 0;
  while (!text.empty()) sum += is_wide(take(text)) ? 2 : 1;
  return sum;
}

std::string left(std::string_view text, std::size_t width) {
  const std::size_t has = columns(text);
  return std::string(text) + std::string(width > has ? width - has : 0, ' ');
}

std::string right(std::string_view text, std::size_t width) {
  const std::size_t has = columns(text);
  return std::string(width > has ? width - has : 0, ' ') + std::string(text);
}

}  // namespace attune
