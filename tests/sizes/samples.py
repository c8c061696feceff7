#!/usr/bin/env python3
"""Prints Segment messages, one JSON object a line: samples.py WORLD COUNT [SEED].

World `train` is what the dictionary of the journal is trained on: the events and properties of
Segment's e-commerce, video, email and mobile specifications and of social apps, with many clients.
World `other` speaks of other things in other words; it is the honest measure of the size of an event.
World `browser` is one page library in a shop nobody trained on: every event has two UUIDs, ip, user agent, page,
locale, library, time zone and a product.
"""
import json, random, sys, uuid

COMMON_EVENTS = ["Product Viewed", "Product Clicked", "Product Added", "Product Removed", "Order Completed",
  "Products Searched", "Product List Viewed", "Cart Viewed", "Checkout Started", "Promotion Viewed",
  "Promotion Clicked", "Coupon Applied", "Product Shared", "Product Added to Wishlist", "Signed Up",
  "Application Opened", "Email Opened", "Video Playback Started", "Video Playback Completed",
  "Item Shown", "Item Clicked", "Item Viewed", "Item Hidden", "Post Viewed", "Post Liked", "Post Commented",
  "Post Shared", "Post Hidden", "Post Reported", "User Followed", "Order Refunded", "Checkout Step Completed"]
TRAIN = {
  "events": COMMON_EVENTS,
  "categories": ["Clothing", "Shoes", "Games", "Electronics", "Books", "Home & Garden", "Beauty", "Toys", "Sports",
    "Food", "Travel", "Music", "news", "art", "health"],
  "brands": ["Acme", "Nordic", "Hasbro", "Umbra", "Lumen", "Kestrel", "Polar"],
  "names": ["Cotton T-Shirt", "Running Shoes", "Monopoly: 3rd Edition", "Wireless Headphones", "Desk Lamp",
    "Rain Jacket", "Coffee Beans 1 kg", "Yoga Mat", "City Backpack", "Garden Chair"],
  "queries": ["blue hotpants", "wireless headphones", "gift for mother", "winter jacket men", "vegan recipes",
    "cheap flights to rome", "sofa bed", "shoes size 42"],
  "networks": ["instagram", "facebook", "mastodon", "bluesky", "tiktok", "youtube", "linkedin", "x"],
  "hosts": ["www.example.com", "shop.example.org", "blog.example.net"],
  "pages": ["/", "/products/", "/cart", "/search", "/blog/", "/account", "/checkout", "/category/shoes"],
  "titles": ["Home", "Cart", "Search results", "Checkout", "Your account", "Blog", "New arrivals"],
  "cities": ["San Francisco", "London", "Berlin", "Paris", "Madrid", "Tokyo", "Toronto"],
  "countries": ["US", "GB", "DE", "FR", "ES", "JP", "CA", "IN", "BR"],
  "locales": ["en-US", "en-GB", "de-DE", "fr-FR", "es-ES", "ja-JP", "pt-BR", "it-IT", "nl-NL", "zh-CN"],
  "zones": ["Europe/Berlin", "Europe/London", "America/New_York", "America/Los_Angeles", "Asia/Tokyo"],
  "campaigns": ["spring_sale", "newsletter", "black_friday", "launch", "retargeting", "summer"],
  "sources": ["google", "newsletter", "facebook", "instagram", "bing", "affiliate"],
  "currencies": ["USD", "EUR", "GBP", "JPY", "CHF"],
  "plans": ["free", "premium", "enterprise", "basic", "trial"],
  "lists": ["home", "search results", "recommended", "new arrivals", "feed", "related"],
  "people": ["Anna", "John", "Maria", "Peter", "Yuki", "Lena"],
}
OTHER = {
  "events": COMMON_EVENTS[:5] + ["Item Shown", "Item Clicked", "Post Liked", "Recipe Cooked", "Level Finished",
    "Table Booked", "Course Started", "Badge Earned", "Playlist Saved"],
  "categories": ["bikes", "pottery", "Sci-Fi", "Werkzeug", "ocean life", "Lego", "trains", "jazz", "climbing"],
  "brands": ["Zephyrus", "Ortlieb", "Miele", "Tonkin", "Quandary"],
  "names": ["Gravel tyre 700x40", "Raku glaze set", "Dune (hardback)", "Akkuschrauber 18 V", "Coral reef poster",
    "Tuning fork 440 Hz", "Bouldering chalk"],
  "queries": ["how to fix a puncture", "glaze cone 6", "books like dune", "kayak second hand", "concert tickets lyon"],
  "networks": ["photos", "peertube", "lemmy", "pixelfed", "threads"],
  "hosts": ["velo.test", "atelier.test", "lesen.test"],
  "pages": ["/werkstatt/", "/a/4711", "/workshops", "/lists/42", "/p/lampe-oslo", "/lesson/7"],
  "titles": ["Werkstatt", "Kurse im Herbst", "Lesson seven", "Oslo lamp", "What we read"],
  "cities": ["Lyon", "Graz", "Porto", "Leeds", "Turku", "Kobe"],
  "countries": ["AT", "PT", "FI", "PL", "KR", "MX"],
  "locales": ["fi-FI", "pl-PL", "de-AT", "ko-KR", "sv-SE", "en-GB", "en-US"],
  "zones": ["Europe/Helsinki", "Europe/Vienna", "Asia/Seoul", "America/Mexico_City"],
  "campaigns": ["herbst26", "reading-week", "two-for-one", "members"],
  "sources": ["duckduckgo", "podcast", "flyer", "mastodon"],
  "currencies": ["EUR", "PLN", "KRW", "USD"],
  "plans": ["member", "guest", "patron"],
  "lists": ["for you", "workshop picks", "next up", "home feed"],
  "people": ["Aino", "Jakub", "Minji", "Rosa"],
}


def tag(r, alphabet, n):
  return "".join(r.choice(alphabet) for _ in range(n))


def some_id(r, prefix=""):
  kind = r.randrange(6)
  if kind == 0: return str(uuid.UUID(int=r.getrandbits(128), version=4))
  if kind == 1: return prefix + str(r.randrange(10 ** r.randrange(3, 9)))
  if kind == 2: return tag(r, "0123456789abcdef", 24)
  if kind == 3: return prefix + "-" + str(r.randrange(100000))
  if kind == 4: return prefix + tag(r, "ABCDEFGHJKLMNPQRSTUVWXYZ0123456789", 8)
  return prefix + "_" + tag(r, "abcdefghijklmnopqrstuvwxyz0123456789", 10)


def message_id(r, ms):
  kind = r.randrange(6)
  if kind == 0: return f"node-next-{ms}-{uuid.UUID(int=r.getrandbits(128), version=4)}"
  if kind == 1: return f"ajs-next-{ms}-{uuid.UUID(int=r.getrandbits(128), version=4)}"
  if kind == 2: return tag(r, "0123456789abcdef", r.choice([16, 20, 24, 32]))
  if kind == 3: return "m-" + str(r.randrange(10 ** 9))
  return str(uuid.UUID(int=r.getrandbits(128), version=4))


def price(r):
  return r.choice([r.randrange(1, 500), round(r.uniform(1, 300), 2), r.randrange(1, 200) + .99, r.randrange(5, 90) + .5])


def user_agent(r):
  v = f"{r.randrange(90, 140)}.0.{r.choice([0, r.randrange(7000)])}.{r.choice([0, r.randrange(200)])}"
  return r.choice([
    "Mozilla/5.0",
    f"Mozilla/5.0 (Linux; Android {r.randrange(9, 16)}; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/{v} Mobile Safari/537.36",
    f"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/{v} Safari/537.36",
    f"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/{r.randrange(14, 19)}.{r.randrange(6)} Safari/605.1.15",
    f"Mozilla/5.0 (iPhone; CPU iPhone OS {r.randrange(14, 19)}_{r.randrange(7)} like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/{r.randrange(14, 19)}.{r.randrange(6)} Mobile/15E148 Safari/604.1",
    f"Mozilla/5.0 (X11; Linux x86_64; rv:{r.randrange(90, 140)}.0) Gecko/20100101 Firefox/{r.randrange(90, 140)}.0"])


def context(r, w):
  c = {}
  def maybe(p, key, make):
    if r.random() < p: c[key] = make()
  maybe(.7, "ip", lambda: ".".join(str(r.randrange(256)) for _ in range(4)))
  maybe(.7, "locale", lambda: r.choice(w["locales"]))
  kind = r.randrange(3)
  if kind == 0:
    path = r.choice(w["pages"]); host = r.choice(w["hosts"])
    page = {"path": path, "referrer": r.choice(["", "https://www.google.com/", "https://" + r.choice(w["hosts"]) + "/"]),
            "search": r.choice(["", "?utm_source=" + r.choice(w["sources"])]), "title": r.choice(w["titles"]), "url": f"https://{host}{path}"}
    keys = r.sample(sorted(page), r.randrange(1, 6))
    c["page"] = {k: page[k] for k in page if k in keys}
    maybe(.4, "screen", lambda: {"width": r.choice([1920, 1440, 390, 412]), "height": r.choice([1080, 900, 844, 915]), "density": r.choice([1, 2, 3])})
  elif kind == 1:
    maybe(.8, "app", lambda: {"name": r.choice(w["brands"]), "version": f"{r.randrange(9)}.{r.randrange(20)}.{r.randrange(9)}", "build": str(r.randrange(900))})
    maybe(.8, "device", lambda: r.choice([
      {"type": r.choice(["ios", "android", "mobile", "desktop", "tablet"])},
      {"type": r.choice(["ios", "android"]), "model": r.choice(["iPhone14,5", "Pixel 8", "SM-S911B", "iPad13,4"])},
      {"id": str(uuid.UUID(int=r.getrandbits(128))), "manufacturer": r.choice(["Apple", "Google", "samsung"]), "model": "phone", "type": r.choice(["ios", "android"])}]))
    maybe(.6, "os", lambda: r.choice([{"name": r.choice(["iOS", "Android", "android", "ios"])}, {"name": r.choice(["iOS", "Android"]), "version": str(r.randrange(9, 18))}]))
    maybe(.4, "network", lambda: r.choice([{"wifi": r.random() < .5}, {"bluetooth": False, "carrier": "T-Mobile", "cellular": True, "wifi": False}]))
  maybe(.15, "campaign", lambda: {"name": r.choice(w["campaigns"]), "source": r.choice(w["sources"]), "medium": r.choice(["cpc", "email", "social"])})
  maybe(.1, "campaign", lambda: {"name": r.choice(w["campaigns"])})
  maybe(.15, "timezone", lambda: r.choice(w["zones"]))
  maybe(.1, "location", lambda: {"city": r.choice(w["cities"]), "country": r.choice(w["countries"])})
  maybe(.03, "consent", lambda: {"categoryPreferences": {"analytics": True, "advertising": r.random() < .5, "personalization": True}})
  maybe(.7, "userAgent", lambda: user_agent(r))
  maybe(.8, "library", lambda: r.choice([{"name": "analytics.js", "version": f"2.{r.randrange(12)}.{r.randrange(5)}"},
    {"name": r.choice(["@segment/analytics-node", "analytics-python", "analytics-ios", "analytics-android", "analytics-next", "rudder-sdk-node"]), "version": f"{r.randrange(1, 5)}.{r.randrange(12)}.{r.randrange(9)}"}]))
  items = list(c.items())
  if r.random() < .5: r.shuffle(items)
  return dict(items)


def properties(r, w, event):
  p = {}
  def maybe(chance, key, make):
    if r.random() < chance: p[key] = make()
  p[r.choice(["item_id", "product_id"])] = some_id(r, r.choice(["p", "i", "sku", "post"]))
  maybe(.35, "position", lambda: r.randrange(1, 30))
  maybe(.15, "list", lambda: r.choice(w["lists"]))
  if event.startswith(("Product", "Order", "Cart", "Check", "Coupon", "Table")):
    maybe(.5, "category", lambda: r.choice(w["categories"]))
    maybe(.3, "name", lambda: r.choice(w["names"]))
    maybe(.2, "brand", lambda: r.choice(w["brands"]))
    maybe(.2, "sku", lambda: some_id(r, "s"))
    maybe(.15, "variant", lambda: r.choice(["Black", "Blue", "red", "M", "XL"]))
    maybe(.6, "price", lambda: price(r))
    maybe(.4, "quantity", lambda: r.randrange(1, 5))
    maybe(.1, "coupon", lambda: r.choice(["SUMMER", "WELCOME10"]))
    maybe(.7, "currency", lambda: r.choice(w["currencies"]))
    maybe(.1, "url", lambda: "https://" + r.choice(w["hosts"]) + r.choice(w["pages"]))
  if event.startswith("Order"):
    maybe(.9, "order_id", lambda: some_id(r, "o"))
    maybe(.8, "revenue", lambda: price(r)); maybe(.3, "total", lambda: price(r))
    maybe(.3, "tax", lambda: round(r.uniform(0, 20), 2)); maybe(.3, "shipping", lambda: round(r.uniform(0, 9), 2))
    maybe(.2, "products", lambda: [{"product_id": some_id(r, "p"), "price": price(r), "quantity": 1} for _ in range(r.randrange(1, 3))])
  if "Search" in event: p["query"] = r.choice(w["queries"])
  if event.startswith(("Post", "User", "Badge", "Playlist")):
    maybe(.7, "network", lambda: r.choice(w["networks"])); maybe(.3, "post_type", lambda: r.choice(["image", "video", "text", "story", "reel"]))
    maybe(.2, "length", lambda: r.randrange(300)); maybe(.2, "via", lambda: r.choice(["message", "link", "email"]))
    maybe(.2, "author_id", lambda: some_id(r, "u")); maybe(.1, "text", lambda: r.choice(w["queries"]))
  maybe(.06, "decision_id", lambda: "d_" + tag(r, "abcdefghijklmnopqrstuvwxyz234567", 26))
  maybe(.1, "session_id", lambda: some_id(r, "s"))
  return p


def traits(r, w):
  t = {"email": r.choice(w["people"]).lower() + str(r.randrange(999)) + "@example.com", "name": r.choice(w["people"]),
       "age": r.choice([r.randrange(16, 80), "25-34", "18-24"]), "gender": r.choice(["female", "male", "other"]),
       "plan": r.choice(w["plans"]), "logins": r.randrange(90), "city": r.choice(w["cities"]), "country": r.choice(w["countries"]),
       "interest": r.choice(w["categories"]), "createdAt": f"202{r.randrange(4, 7)}-0{r.randrange(1, 10)}-1{r.randrange(10)}T08:00:00.000Z"}
  return {k: t[k] for k in t if r.random() < .45} or {"plan": r.choice(w["plans"])}


def message(r, w):
  ms = 1_793_000_000_000 + r.randrange(10 ** 9)
  stamp = f"2026-{r.randrange(1, 13):02}-{r.randrange(1, 28):02}T{r.randrange(24):02}:{r.randrange(60):02}:{r.randrange(60):02}.{r.randrange(1000):03}Z"
  m = {"messageId": message_id(r, ms), "userId": some_id(r, "u"), "timestamp": stamp, "context": context(r, w)}
  kind = r.random()
  if kind < .88:
    event = r.choice(w["events"])
    return {"type": "track", "event": event, **m, "properties": properties(r, w, event)}
  if kind < .94: return {"type": "identify", **m, "traits": traits(r, w)}
  path = r.choice(w["pages"])
  return {"type": r.choice(["page", "screen"]), "name": r.choice(w["titles"]), **m,
          "properties": {"path": path, "title": r.choice(w["titles"]), "url": "https://" + r.choice(w["hosts"]) + path}}


def browser_message(r, w):
  """What a page library sends, about 700 bytes: all of its context each time."""
  ms = 1_793_000_000_000 + r.randrange(10 ** 9)
  stamp = f"2026-{r.randrange(1, 13):02}-{r.randrange(1, 28):02}T{r.randrange(24):02}:{r.randrange(60):02}:{r.randrange(60):02}.{r.randrange(1000):03}Z"
  path, host, name = r.choice(w["pages"]), r.choice(w["hosts"]), r.choice(w["names"])
  agent = user_agent(r)
  return {"timestamp": stamp, "originalTimestamp": stamp, "sentAt": stamp, "type": "track",
    "event": r.choice(["Product Viewed", "Product Clicked", "Product Added"]),
    "messageId": f"ajs-next-{ms}-{uuid.UUID(int=r.getrandbits(128), version=4)}",
    "userId": f"u-{r.randrange(10 ** 6)}", "anonymousId": str(uuid.UUID(int=r.getrandbits(128), version=4)),
    "properties": {"product_id": f"sku-{r.randrange(100000)}", "name": name, "category": r.choice(w["categories"]),
      "price": price(r), "currency": r.choice(w["currencies"])},
    "context": {"ip": ".".join(str(r.randrange(256)) for _ in range(4)), "userAgent": agent, "locale": r.choice(w["locales"]),
      "library": {"name": "analytics.js", "version": f"npm:next-1.{r.randrange(50, 80)}.0"}, "timezone": r.choice(w["zones"]),
      "page": {"path": path, "referrer": r.choice(["", "https://www.google.com/"]), "search": "", "title": r.choice(w["titles"]),
        "url": f"https://{host}{path}"}}}


def main():
  world, count = sys.argv[1], int(sys.argv[2])
  r = random.Random(int(sys.argv[3]) if len(sys.argv) > 3 else 1)
  w = {"train": TRAIN, "other": OTHER, "browser": OTHER}[world]
  make = browser_message if world == "browser" else message
  for _ in range(count): print(json.dumps(make(r, w), separators=(",", ":"), ensure_ascii=False))


main()
