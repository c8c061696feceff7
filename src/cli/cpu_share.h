// CpuShare: work that leaves most of the machine to others: the lowest priority, and at most so
// much of one core on the average. One thread.
#pragma once

namespace attune {

class CpuShare {
 public:
  // share: of one core, in (0, 1]; 1 = as it comes, with the priority it has.
  explicit CpuShare(double share);
  // Called now and then by the work: sleeps as long as it is ahead of its share.
  void keep() const;

 private:
  const double share_;
  const double begin_s_, begin_cpu_s_;
};

}  // namespace attune
