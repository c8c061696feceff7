// Interest: what a person's answers say of one topic beyond what the model expected of them. A
// normal belief about the log odds, updated by every item shown (not answered so far) and every
// answer (Kalman form of Bayesian logistic regression, one variance per topic), returning to the
// prior with a half-life. Held in 12 bytes; what is stored is what is held. Pure; one thread.
#pragma once
#include <cstdint>
#include <span>

#include "base/time.h"
#include "event/topic.h"

namespace attune {

// Before any answer: people differ by about 0.7 in the log odds of one topic.
inline constexpr float kInterestVariance = 0.5F;
inline constexpr float kInterestHalfLifeH = 30 * 24;

struct Interest {
  std::uint32_t topic = 0;
  std::uint32_t as_of_h = 0;          // whole hours since 1970
  std::int16_t mean_q = 0;            // mean in 1/4096
  std::uint16_t variance_q = 0xffff;  // variance in 1/65535 of the prior's

  float mean() const { return static_cast<float>(mean_q) / 4096; }
  float variance() const { return static_cast<float>(variance_q) * (kInterestVariance / 65535); }
  void set(float mean, float variance);
  // The belief of an hour not before as_of_h: nearer to the prior.
  Interest at(std::uint32_t hour) const;
};

// How one shown item, answered or not, moves the beliefs about its topics; total = sum of
// weight^2 * variance over all of them.
void add_shown(Interest& interest, float weight, float p, float total);
void add_answer(Interest& interest, float weight);
// As if the answers behind both had come to one.
Interest merge(const Interest& a, const Interest& b);

constexpr std::uint32_t whole_hours(std::uint32_t seconds) { return seconds / 3600; }

}  // namespace attune
