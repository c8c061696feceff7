"""The visitors of the tutorial's shop: 400 people, each fond of one sport, who click what they like.

audience.py items                       puts 40 products on sale
audience.py visit DAY VISITS            plays the visits of one day; prints what came of them
audience.py visit DAY VISITS --traits   the same, by people whose sport is known from a form

The server is at localhost:8090, its admin key is "admin". The clock of the workspace is that of the
events, so a day passes as fast as the server answers.
"""
import datetime
import http.client
import json
import random
import sys

SPORTS = ["running", "yoga", "climbing", "cycling"]
BEGIN = datetime.datetime(2026, 3, 2, tzinfo=datetime.timezone.utc)
server = http.client.HTTPConnection("localhost", 8090)


def call(method, path, body):
    server.request(method, path, json.dumps(body), {"X-API-Key": "admin"})
    answer = server.getresponse()
    text = answer.read()
    if answer.status != 200:
        sys.exit(f"{method} {path}: {text.decode()}")
    return json.loads(text)


def put_items():
    items = [{"id": f"{sport}-{n}", "category": sport, "price": 10 + 7 * n % 60}
             for sport in SPORTS for n in range(10)]
    print(call("POST", "/api/v1/items", items))


def likes(person, item):
    """The chance of a click: people like their sport, and the first products of each best."""
    sport, number = item.rsplit("-", 1)
    fondness = 0.25 if sport == SPORTS[person % 4] else 0.02
    return fondness * (1 - int(number) / 15)


def visit(day, visits, with_traits):
    chance = random.Random(day)
    shown = clicks = 0
    for n in range(visits):
        now = BEGIN + datetime.timedelta(days=day, seconds=86400 * n / visits)
        person = chance.randrange(400)
        user = f"visitor-{person}"
        events = [{"type": "page", "userId": user, "timestamp": now.isoformat()}]
        if with_traits:
            events.insert(0, {"type": "identify", "userId": user, "timestamp": now.isoformat(),
                              "traits": {"sport": SPORTS[person % 4]}})
        call("POST", "/v1/batch", {"batch": events})
        decision = call("POST", "/api/v1/decide", {"person": user, "placement": "home", "n": 3})
        for item in decision["items"]:
            shown += 1
            if chance.random() < likes(person, item["item_id"]):
                clicks += 1
                call("POST", "/v1/track", {
                    "userId": user, "event": "Product Clicked", "timestamp": now.isoformat(),
                    "properties": {"product_id": item["item_id"],
                                   "decision_id": decision["decision_id"]}})
    print(f"day {day}: {visits} visits, {shown} products shown, {clicks} clicks: "
          f"{100 * clicks / shown:.1f} %")


if sys.argv[1] == "items":
    put_items()
else:
    visit(int(sys.argv[2]), int(sys.argv[3]), "--traits" in sys.argv)
