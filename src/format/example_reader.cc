#include "format/example_reader.h"

#include <algorithm>
#include <array>

#include "format/example_readers.h"

namespace attune {
namespace {

struct Kind {
  ExampleFormat format;
  std::string_view name;
  std::unique_ptr<ExampleReader> (*open)(TextWindow window, ExampleOptions options);
};
constexpr std::array<Kind, 4> kKinds = {{
    {ExampleFormat::kCriteo, "criteo", open_criteo},
    {ExampleFormat::kVw, "vw", open_vw},
    {ExampleFormat::kLibsvm, "libsvm", open_libsvm},
    {ExampleFormat::kLibffm, "libffm", open_libffm},
}};

}  // namespace

std::optional<ExampleFormat> example_format(std::string_view name) {
  const auto* found = std::ranges::find(kKinds, name, &Kind::name);
  if (found == kKinds.end()) return std::nullopt;
  return found->format;
}

Result<std::unique_ptr<ExampleReader>> ExampleReader::open(const std::string& path,
                                                           ExampleFormat format,
                                                           ExampleOptions options) {
  TRY(auto bytes, ByteSource::open(path));
  return open(std::move(bytes), format, std::move(options));
}

Result<std::unique_ptr<ExampleReader>> ExampleReader::open(std::unique_ptr<ByteSource> bytes,
                                                           ExampleFormat format,
                                                           ExampleOptions options) {
  TRY(TextWindow window, TextWindow::open(std::move(bytes), Encoding::kUtf8));
  const auto* kind = std::ranges::find(kKinds, format, &Kind::format);
  return kind->open(std::move(window), std::move(options));
}

}  // namespace attune
