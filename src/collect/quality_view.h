// A quality report as JSON and as one picture. Pure.
#pragma once
#include <string>
#include <vector>

#include "collect/quality.h"

namespace attune {

std::string_view kind_of(const ColumnQuality& column);  // "number", "time", "text", "empty"
// Shares of the sample in so many bins of equal width between its 1 % and 99 % quantiles.
std::vector<double> histogram_of(const ColumnQuality& column, std::size_t bins);

// {"rows","bad_rows","columns":[...],"volume":{...},"findings":[...]}
std::string quality_json(const Quality& quality, const std::vector<QualityFinding>& findings);
// An SVG that follows the reader's light or dark scheme. title: of the data, cut at 80 bytes.
std::string quality_svg(const Quality& quality, const std::vector<QualityFinding>& findings,
                        const std::string& title);

}  // namespace attune
