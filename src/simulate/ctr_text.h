// CTR data v1 as text for learners: Criteo's TSV, Vowpal Wabbit, libffm; and the truth beside.
#pragma once
#include <cstdint>
#include <string>

#include "simulate/ctr_world.h"

namespace attune {

// Each appends one line.
// "1<tab>5<tab>...<tab>68fd1e64...": label, 13 integers, 26 categories of 8 hex digits; empty = not
// known.
void append_criteo(const CtrRow& row, std::string& out);
// "-1 |A 5 |B 12 ... |a 68fd1e64 ...": integers as steps (ctr_step) in the namespaces A to M,
// categories in a to z; what is not known is left out.
void append_vw(const CtrRow& row, std::string& out);
// "0 0:312:1 ...": field:index:value, the index a hash of field and token below 2^20.
void append_libffm(const CtrRow& row, std::string& out);
// The chance of a click with 6 digits behind the point.
void append_truth(const CtrRow& row, std::string& out);

// Exact below 8, then steps of a quarter in the logarithm: 8 + floor(4 ln(x / 8)).
std::int32_t ctr_step(std::int32_t x);

// SHA-256 in hex of the first 10,000 rows, each in all four forms.
std::string ctr_digest(std::uint64_t seed);

}  // namespace attune
