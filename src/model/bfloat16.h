// Matrix products of numbers of 16 bits (bfloat16: a float without its last 16 bits, rounded to
// nearest, ties to even), summed up in 32. Half the numbers fit in a register and one instruction
// takes two products a lane: up to twice what 32 bits allow, at some .2 % of each product
// (docs/decisions/0016).
#pragma once
#include "model/dense.h"

namespace attune {

// Whether this processor has the instructions (AVX512-BF16: Zen 4, Cooper Lake and later).
bool has_bfloat16();
// multiply() (dense.h) of a and b rounded. Not without has_bfloat16(). Safe on several threads,
// each with a c of its own; a thread keeps room for the largest a and b it had.
void multiply_bfloat16(const Product& of, const float* a, const float* b, float* c);

}  // namespace attune
