// What a table looks like, from its first rows. No state: safe to share.
#pragma once
#include <string_view>

#include "format/split_row.h"
#include "format/table.h"

namespace attune {

// The first rows that guesses look at.
inline constexpr std::size_t kSampleRows = 1000;

// kJsonl when the first character is {. kInvalid for what is neither table nor JSONL: a JSON array,
// line ends of carriage returns alone.
Result<TableFormat> guess_format(std::string_view sample);

// Delimiter, quotes, header, names and types; what `told` says is kept. A delimiter is one of tab
// ; | , under which the first row has two cells and most rows have the same number (tried in this
// order); if none, it is kNoDelimiter and the table has one column. There is a header when the
// first row is text, in every column another one, and differs from the rows below in type, length
// or digits. sample: text from the beginning of the file; is_last: and that is all of it.
TableShape guess_table(std::string_view sample, bool is_last, const TableOptions& told);

}  // namespace attune
