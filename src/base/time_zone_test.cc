#include "base/time_zone.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <ctime>
#include <fstream>

namespace attune {
namespace {

using std::chrono::days;
using std::chrono::hours;
using std::chrono::minutes;

TimeZone zone(const char* name) { return TimeZone::find(name).value(); }
Time at(const char* text) { return parse_iso8601(text).value(); }
LocalTime wall(const char* text) { return LocalTime(at(text).time_since_epoch()); }
std::string shown(const TimeZone& zone, const char* utc) {
  return format_iso8601(Time(zone.local(at(utc)).time_since_epoch())).substr(0, 16);
}

TEST(TimeZone, IsUtcUnlessNamed) {
  const TimeZone utc;
  EXPECT_EQ(utc.name(), "UTC");
  EXPECT_EQ(shown(utc, "2026-07-01T12:30:00Z"), "2026-07-01T12:30");
  EXPECT_EQ(utc.utc(wall("2026-07-01T12:30:00Z")), at("2026-07-01T12:30:00Z"));
}

TEST(TimeZone, ChangesWithTheClocksOfThePlace) {
  const TimeZone berlin = zone("Europe/Berlin");
  EXPECT_EQ(shown(berlin, "2026-03-29T00:59:59Z"), "2026-03-29T01:59");
  EXPECT_EQ(shown(berlin, "2026-03-29T01:00:00Z"), "2026-03-29T03:00");
  EXPECT_EQ(shown(berlin, "2026-10-25T00:59:00Z"), "2026-10-25T02:59");
  EXPECT_EQ(shown(berlin, "2026-10-25T01:00:00Z"), "2026-10-25T02:00");
  const TimeZone new_york = zone("America/New_York");
  EXPECT_EQ(shown(new_york, "2024-03-10T06:59:00Z"), "2024-03-10T01:59");
  EXPECT_EQ(shown(new_york, "2024-03-10T07:00:00Z"), "2024-03-10T03:00");
}

// Files list changes up to 2037 at most.
TEST(TimeZone, GoesOnByItsRule) {
  EXPECT_EQ(zone("America/New_York").offset(at("2040-07-01T00:00:00Z")), hours(-4));
  EXPECT_EQ(zone("America/New_York").offset(at("2040-01-01T00:00:00Z")), hours(-5));
  EXPECT_EQ(zone("Australia/Sydney").offset(at("2050-01-01T00:00:00Z")), hours(11));
  EXPECT_EQ(zone("Australia/Sydney").offset(at("2050-07-01T00:00:00Z")), hours(10));
  EXPECT_EQ(zone("Europe/Dublin").offset(at("2045-07-01T00:00:00Z")), hours(1));
}

TEST(TimeZone, KnowsOddOffsets) {
  EXPECT_EQ(zone("Asia/Kolkata").offset(at("2026-01-01T00:00:00Z")), minutes(330));
  EXPECT_EQ(zone("Asia/Kathmandu").offset(at("2026-01-01T00:00:00Z")), minutes(345));
  EXPECT_EQ(zone("Pacific/Chatham").offset(at("2026-01-01T00:00:00Z")), minutes(13 * 60 + 45));
  EXPECT_EQ(zone("Australia/Lord_Howe").offset(at("2026-01-01T00:00:00Z")), hours(11));
  EXPECT_EQ(zone("Australia/Lord_Howe").offset(at("2026-07-01T00:00:00Z")), minutes(630));
  EXPECT_EQ(zone("Asia/Shanghai").offset(at("1988-07-01T00:00:00Z")), hours(9));
  EXPECT_EQ(zone("Asia/Shanghai").offset(at("2026-07-01T00:00:00Z")), hours(8));
}

TEST(TimeZone, TakesTheEarlierOfTwoAndSkipsForward) {
  const TimeZone berlin = zone("Europe/Berlin");
  EXPECT_EQ(berlin.utc(wall("2026-10-25T02:30:00Z")), at("2026-10-25T00:30:00Z"));
  EXPECT_EQ(berlin.utc(wall("2026-03-29T02:30:00Z")), at("2026-03-29T01:30:00Z"));
  EXPECT_EQ(berlin.utc(wall("2026-03-29T03:00:00Z")), at("2026-03-29T01:00:00Z"));
}

TEST(TimeZone, ADayHasTheHoursOfItsPlace) {
  const TimeZone berlin = zone("Europe/Berlin");
  const Time short_day = at("2026-03-29T12:00:00Z"), long_day = at("2026-10-25T12:00:00Z");
  EXPECT_EQ(berlin.next_day_begin(short_day) - berlin.day_begin(short_day), hours(23));
  EXPECT_EQ(berlin.next_day_begin(long_day) - berlin.day_begin(long_day), hours(25));
  // Clocks went from midnight to one o'clock: that day had no midnight.
  const TimeZone sao_paulo = zone("America/Sao_Paulo");
  EXPECT_EQ(sao_paulo.day_begin(at("2018-11-04T12:00:00Z")), at("2018-11-04T03:00:00Z"));
  // Samoa left 30 December 2011 out.
  const TimeZone apia = zone("Pacific/Apia");
  const Time last = at("2011-12-30T09:00:00Z");
  EXPECT_EQ(format_day(apia.local(last)), "2011-12-29");
  EXPECT_EQ(format_day(apia.local(apia.next_day_begin(last))), "2011-12-31");
}

TEST(TimeZone, ThereAndBackIsTheSame) {
  for (const char* name :
       {"Europe/Berlin", "Asia/Kathmandu", "America/St_Johns", "Africa/Casablanca",
        "Antarctica/Troll", "Pacific/Apia", "America/Nuuk"}) {
    const TimeZone place = zone(name);
    for (Time t = at("2009-01-01T00:00:00Z"); t < at("2044-01-01T00:00:00Z"); t += minutes(6011)) {
      const Time back = place.utc(place.local(t));
      // The second of two equal readings comes back as the first.
      ASSERT_TRUE(back == t || place.local(back) == place.local(t)) << name << format_iso8601(t);
    }
  }
}

TEST(TimeZone, SaysTheHourAndTheDayOfTheWeek) {
  const LocalTime t = zone("America/Los_Angeles").local(at("2026-11-30T03:10:00Z"));
  EXPECT_EQ(hour_of_day(t), 19);
  EXPECT_EQ(weekday_of(t), 7);  // a Sunday there, a Monday in UTC
  EXPECT_EQ(format_day(t), "2026-11-29");
  EXPECT_EQ(hour_of_day(LocalTime(Duration(-1))), 23);
}

TEST(TimeZone, SurvivesTimesBeyondAllCalendars) {
  for (const Time t : {Time::min(), Time::max()}) {
    const LocalTime there = zone("America/New_York").local(t);
    EXPECT_GE(hour_of_day(there), 0);
    (void)zone("America/New_York").utc(there);
  }
}

TEST(TimeZone, SaysWhichNameWasMeant) {
  const auto hint = [](std::string_view name) { return TimeZone::find(name).error().hint; };
  EXPECT_EQ(hint("Europe/Berlim"), "did you mean Europe/Berlin?");
  EXPECT_EQ(hint("europe/berlin"), "did you mean Europe/Berlin?");
  EXPECT_EQ(hint("Shanghai"), "did you mean Asia/Shanghai?");
  EXPECT_EQ(TimeZone::find("Europe/Berlim").error().message,
            "\"Europe/Berlim\" is not a time zone");
}

TEST(TimeZone, RefusesWhatIsNoName) {
  for (const char* name : {"", "/etc/passwd", "../../../etc/passwd", "Europe", "tzdata.zi",
                           "right/Europe/Berlin", "zone.tab", "Europe/"}) {
    EXPECT_EQ(TimeZone::find(name).error().code, Code::kInvalid) << name;
  }
  EXPECT_EQ(TimeZone::find("Asia/Tokyo", "/nowhere").error().code, Code::kUnavailable);
  EXPECT_TRUE(TimeZone::find("UTC", "/nowhere").ok());
}

// The C library reads the same files by code of its own.
TEST(TimeZone, AgreesWithTheCLibraryInEveryZone) {
  std::size_t zones = 0;
  for (std::ifstream in(std::string(kZoneFolder) + "/tzdata.zi"); in;) {
    std::string word, target, name;
    in >> word;
    if (word == "L") in >> target;  // a link: another name of a zone
    if (word == "L" || word == "Z") {
      in >> name;
      const auto found = TimeZone::find(name);
      ASSERT_TRUE(found.ok()) << name << found.error().message;
      ASSERT_EQ(::setenv("TZ", name.c_str(), 1), 0);
      ::tzset();
      for (Time t = at("1950-01-01T00:00:00Z"); t < at("2060-01-01T00:00:00Z"); t += hours(997)) {
        const std::time_t s = to_us(t) / 1'000'000;
        std::tm there{};
        ::localtime_r(&s, &there);
        ASSERT_EQ(found->offset(t).count(), there.tm_gmtoff) << name << format_iso8601(t);
      }
      ++zones;
    }
    std::getline(in, word);
  }
  ::unsetenv("TZ");
  ::tzset();
  EXPECT_GT(zones, 500u);
}

TEST(TimeZone, AFileCutShortIsRefused) {
  std::ifstream in(std::string(kZoneFolder) + "/Europe/Berlin", std::ios::binary);
  const std::string whole{std::istreambuf_iterator<char>(in), {}};
  ASSERT_TRUE(TimeZone::parse("x", whole).ok());
  for (std::size_t size = 0; size < whole.size(); ++size) {
    EXPECT_EQ(TimeZone::parse("x", whole.substr(0, size)).ok(), false) << size;
  }
}

TEST(ZoneRule, ReadsWhatPosixWrites) {
  const auto rule = parse_zone_rule("<-02>2<-01>,M3.5.0/-1,M10.5.0/0").value();
  EXPECT_EQ(rule.standard_s, -7200);
  EXPECT_EQ(rule.summer_s, -3600);
  EXPECT_EQ(rule.begin.time_s, -3600);
  EXPECT_FALSE(parse_zone_rule("CST-8")->has_summer);
  // Summer all year: from the first hour to an hour after the last.
  const auto always = parse_zone_rule("XXX3EDT4,0/0,J365/23").value();
  for (const char* t : {"2040-01-01T04:00:00Z", "2040-06-01T00:00:00Z", "2040-12-31T23:59:00Z"}) {
    const auto s = std::chrono::floor<std::chrono::seconds>(at(t)).time_since_epoch().count();
    EXPECT_EQ(offset_by(always, s), -4 * 3600) << t;
  }
}

TEST(ZoneRule, CountsDaysAsWritten) {
  const auto julian = parse_zone_rule("AAA0BBB,J60/0,J300/0").value();
  const auto zero = parse_zone_rule("AAA0BBB,59/0,300/0").value();
  const auto s = [](const char* t) {
    return std::chrono::floor<std::chrono::seconds>(at(t)).time_since_epoch().count();
  };
  EXPECT_EQ(offset_by(julian, s("2044-02-29T12:00:00Z")), 0);  // J60 is 1 March, leap year or not
  EXPECT_EQ(offset_by(julian, s("2044-03-01T00:00:00Z")), 3600);
  EXPECT_EQ(offset_by(zero, s("2044-02-29T12:00:00Z")), 3600);
}

TEST(ZoneRule, RefusesWhatIsNone) {
  for (const char* text :
       {"", "AB", "CET", "CET-1CEST", "CET-1CEST,", "CET-1CEST,M3.5.0", "CET-1CEST,M13.5.0,M10.5.0",
        "CET-1CEST,M3.6.0,M10.5.0", "<CET-1", "CET-1CEST,M3.5.0,M10.5.0,", "CET-999",
        "CET-1CEST,J0,J1", "CET-1CEST,,"}) {
    EXPECT_FALSE(parse_zone_rule(text)) << text;
  }
}

}  // namespace
}  // namespace attune
