// Screen: the demo's progress on stderr. On a terminal a block of lines is drawn again in place, a
// few times a second; elsewhere one plain line a tenth of the run. One thread.
#pragma once
#include <chrono>
#include <string>
#include <vector>

namespace attune {

class Screen {
 public:
  Screen();  // looks at stderr, TERM and NO_COLOR
  bool is_live() const { return is_live_; }
  // Live and a drawing is due.
  bool is_due() const;
  // A line that stays.
  void say(const std::string& line);
  // Replaces the lines drawn last. Only live.
  void draw(const std::vector<std::string>& lines);
  // Takes what was drawn last away. Only live.
  void erase();
  // What was drawn last stays; further lines come below it.
  void keep() { drawn_ = 0; }
  // The text in a colour of the terminal (0-7), or as it is under NO_COLOR.
  std::string colour(int number, const std::string& text) const;
  std::string strong(const std::string& text) const;

 private:
  bool is_live_ = false;
  bool is_coloured_ = false;
  std::size_t drawn_ = 0;
  std::chrono::steady_clock::time_point next_{};
};

}  // namespace attune
