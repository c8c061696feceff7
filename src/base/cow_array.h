// CowArray: an array in chunks whose copies share every chunk that neither has written since. A
// copy costs a pointer per chunk; the first write to a shared chunk copies that chunk alone. One
// writer per copy; a copy may be read by other threads while another one is written. Copying counts
// as a write of the source, unless the source is itself a copy never written.
#pragma once
#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <memory>
#include <utility>
#include <vector>

namespace attune {

template <class T, std::size_t kChunk>
class CowArray {
  static_assert(std::has_single_bit(kChunk));
  using Chunk = std::array<T, kChunk>;

 public:
  CowArray() = default;
  explicit CowArray(std::size_t size) { resize(size); }
  CowArray(const CowArray& other) : chunks_(other.chunks_), size_(other.size_) { other.disown(); }
  CowArray(CowArray&& other) noexcept { swap(other); }
  CowArray& operator=(CowArray other) noexcept {
    swap(other);
    return *this;
  }
  ~CowArray() = default;

  std::size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }
  const T& operator[](std::size_t i) const { return (*chunks_[i / kChunk])[i % kChunk]; }
  T& change(std::size_t i) { return own(i / kChunk)[i % kChunk]; }
  // New elements are T(); those cut off may keep their memory until their chunk goes.
  void resize(std::size_t size) {
    const std::size_t wanted = (size + kChunk - 1) / kChunk;
    for (std::size_t i = size; i < std::min(size_, wanted * kChunk); ++i) change(i) = T();
    chunks_.resize(std::min(chunks_.size(), wanted));
    owned_.resize(std::min(owned_.size(), wanted));
    while (chunks_.size() < wanted) {
      owned_.resize(chunks_.size());
      chunks_.push_back(std::make_shared<Chunk>());
      owned_.push_back(true);
    }
    size_ = size;
  }
  void push_back(T value) {
    resize(size_ + 1);
    change(size_ - 1) = std::move(value);
  }
  void pop_back() { resize(size_ - 1); }

  // visit(begin, end) of each chunk that the other does not share, below both sizes.
  template <class Visit>
  void each_chunk_beside(const CowArray& other, const Visit& visit) const {
    const std::size_t both = std::min(size_, other.size_);
    for (std::size_t begin = 0; begin < both; begin += kChunk) {
      if (chunks_[begin / kChunk] == other.chunks_[begin / kChunk]) continue;
      visit(begin, std::min(both, begin + kChunk));
    }
  }
  // visit(i) for each place below both sizes whose values differ.
  template <class Visit>
  void each_difference(const CowArray& other, const Visit& visit) const {
    each_chunk_beside(other, [&](std::size_t begin, std::size_t end) {
      for (std::size_t i = begin; i < end; ++i) {
        if ((*this)[i] != other[i]) visit(i);
      }
    });
  }

  std::size_t memory_bytes() const { return chunks_.size() * kChunkBytes; }
  // Of the chunks that the other one does not hold as well.
  std::size_t bytes_beside(const CowArray& other) const {
    std::size_t bytes = chunks_.size() * sizeof(chunks_[0]);
    for (std::size_t i = 0; i < chunks_.size(); ++i) {
      const bool is_shared = i < other.chunks_.size() && chunks_[i] == other.chunks_[i];
      bytes += is_shared ? 0 : kChunkBytes - sizeof(chunks_[0]);
    }
    return bytes;
  }

  class Iterator {
   public:
    Iterator(const CowArray& array, std::size_t at) : array_(&array), at_(at) {}
    const T& operator*() const { return (*array_)[at_]; }
    Iterator& operator++() {
      ++at_;
      return *this;
    }
    bool operator==(const Iterator&) const = default;

   private:
    const CowArray* array_;
    std::size_t at_;
  };
  Iterator begin() const { return {*this, 0}; }
  Iterator end() const { return {*this, size_}; }

 private:
  // With its control block, what the allocator rounds to, and its place in chunks_.
  static constexpr std::size_t kChunkBytes = (sizeof(Chunk) + 16 + 8 + 15) / 16 * 16 + 16;

  void swap(CowArray& other) noexcept {
    chunks_.swap(other.chunks_);
    owned_.swap(other.owned_);
    std::swap(size_, other.size_);
  }
  void disown() const {
    if (!owned_.empty()) owned_.clear();
  }
  Chunk& own(std::size_t chunk) {
    if (chunk >= owned_.size()) owned_.resize(chunks_.size());
    if (!owned_[chunk]) {
      chunks_[chunk] = std::make_shared<Chunk>(*chunks_[chunk]);
      owned_[chunk] = true;
    }
    return *chunks_[chunk];
  }

  std::vector<std::shared_ptr<Chunk>> chunks_;
  mutable std::vector<bool> owned_;  // chunks no copy shares; those beyond its end are shared
  std::size_t size_ = 0;
};

}  // namespace attune
