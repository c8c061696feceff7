"""Several targets in one model, as a user of attune train and predict meets them.
targets_test.py BINARY [TestClass]"""
import datetime
import json
import math
import os
import pathlib
import random
import sys
import unittest

import cli_test
from learn_test import Files

DATA = pathlib.Path(os.environ.get("ATTUNE_DATA", "../shared/data")).resolve()


class Targets(Files):
    def feed(self, name="feed.csv", rows=6000, seed=3):
        """Persons and items with a taste in common: clicks are frequent, purchases are rare and
        sometimes not known. One seed, the same rows."""
        rng = random.Random(seed)
        persons = [(rng.gauss(0, 1), rng.gauss(0, 1)) for _ in range(200)]
        items = [(rng.gauss(0, 1), rng.gauss(0, 1)) for _ in range(200)]
        rng = random.Random(hash((seed, rows)))
        lines = ["person,item,click,purchase,hide"]
        for _ in range(rows):
            p, i = rng.randrange(200), rng.randrange(200)
            match = 1.5 * (persons[p][0] * items[i][0] + persons[p][1] * items[i][1])
            happens = lambda logit: int(rng.random() < 1 / (1 + math.exp(-logit)))
            click, purchase, hide = happens(match - 1), happens(match - 4), happens(-match - 2)
            lines.append(f"p{p},i{i},{click},{'' if rng.random() < 0.1 else purchase},{hide}")
        return self.write(name, "\n".join(lines) + "\n")

    def test_one_model_learns_all_and_each_is_measured_beside_one_of_its_own(self):
        report = self.json_of("train", self.feed(rows=20000), "--target", "click", "--also",
                              "purchase,hide",
                              "--weight-of", "purchase=3", "--weight-of", "hide=0.5",
                              "--second-loss", "pairs=0.1", "--compare-alone", "--kind", "fwfm",
                              "--output", "m.attune")
        heads = {head["target"]: head for head in report["joint"]["heads"]}
        self.assertEqual(list(heads), ["click", "purchase", "hide"])
        self.assertEqual([head["weight"] for head in heads.values()], [1, 3, 0.5])
        for head in heads.values():
            self.assertGreater(head["auc"], 0.6)
            for measure in ("auc", "log_loss", "base_rate"):
                low, high = head[f"{measure}_interval"]
                self.assertTrue(low <= head[measure] <= high)
            low, high = head["alone"]["difference_interval"]
            self.assertTrue(low <= head["alone"]["difference"] <= high)
            self.assertAlmostEqual(head["log_loss"] - head["alone"]["log_loss"],
                                   head["alone"]["difference"], places=5)
        self.assertEqual(heads["click"]["auc"], report["auc"])
        self.assertEqual(heads["purchase"]["rows"] + heads["purchase"]["unlabelled_rows"],
                         report["test_rows"])
        self.assertGreater(heads["purchase"]["unlabelled_rows"], 50)
        loss = report["joint"]["loss"]
        parts = {part["name"]: part for part in loss["parts"]}
        self.assertEqual(list(parts), ["click", "purchase", "hide", "pairs"])
        for where in ("learned", "tested"):
            self.assertAlmostEqual(loss[where], sum(part["weight"] * part[where]
                                                    for part in parts.values()))
        for name, head in heads.items():
            self.assertAlmostEqual(parts[name]["tested"], head["log_loss"], places=5)
        uses = {line["column"]: line["use"] for line in report["plan"]}
        self.assertEqual([uses[name] for name in heads], ["target"] * 3)

    def test_a_rare_target_is_better_learned_beside_a_frequent_one(self):
        report = self.json_of("train", self.feed(rows=20000), "--target", "click", "--also",
                              "purchase", "--compare-alone", "--drop", "hide")
        self.assertEqual(report["kind"], "fwfm")
        alone = report["joint"]["heads"][1]["alone"]
        self.assertEqual(alone["verdict"], "better")
        self.assertLess(alone["difference_interval"][1], 0)
        done = self.run_attune("train", "feed.csv", "--target", "click", "--also", "purchase",
                               "--compare-alone", "--drop", "hide")
        self.assertIn("  alone", done.stdout)
        self.assertIn("of the sum", done.stdout)
        self.assertIn("rows without a label", done.stdout)

    def test_several_targets_are_learned_on_threads(self):
        run = ("train", self.feed(rows=20000), "--target", "click", "--also", "purchase,hide",
               "--kind", "fwfm", "--passes", "2", "--threads")
        one, two, again = [self.json_of(*run, threads, "--output", name)["joint"]
                           for threads, name in (("1", "a"), ("2", "b"), ("2", "c"))]
        self.assertEqual(two, again)
        self.assertEqual(*[(self.folder / name).read_bytes() for name in "bc"])
        for alone, several in zip(one["heads"], two["heads"]):
            self.assertAlmostEqual(alone["log_loss"], several["log_loss"], delta=0.01)
            self.assertEqual(alone["rows"], several["rows"])
        for alone, several in zip(one["loss"]["parts"], two["loss"]["parts"]):
            self.assertAlmostEqual(alone["learned"], several["learned"], delta=0.02)

    def test_predict_writes_the_first_target_or_all(self):
        self.feed(rows=1500)
        self.json_of("train", "feed.csv", "--target", "click", "--also", "purchase,hide", "--kind",
                     "deepfm", "--passes", "2", "--output", "m.attune")
        self.write("new.csv", "item,person\ni1,p1\ni2,p2,p3\ni3,p3\n")  # the second is no row
        first = self.run_attune("predict", "new.csv", "--model", "m.attune").stdout.splitlines()
        every = self.run_attune("predict", "new.csv", "--model", "m.attune",
                                "--all-targets").stdout.splitlines()
        self.assertEqual(every[0], "click,purchase,hide")
        self.assertEqual([line.split(",")[0] for line in every[1:]], first)
        self.assertEqual(every[2], "")
        for line in every[1::2]:
            self.assertTrue(all(0 < float(p) < 1 for p in line.split(",")))
        again = self.run_attune("predict", "new.csv", "--model", "m.attune", "--all-targets")
        self.assertEqual(again.stdout.splitlines(), every)

    def test_a_column_that_gives_a_further_target_away_is_told(self):
        lines = (self.folder / self.feed(rows=1500)).read_text().splitlines()
        paid = ["paid"] + [f"{9.5 if line.split(',')[3] == '1' else 0}" for line in lines[1:]]
        self.write("feed.csv", "\n".join(f"{a},{b}" for a, b in zip(lines, paid)) + "\n")
        report = self.json_of("train", "feed.csv", "--target", "click", "--also", "purchase,hide")
        told = [line for line in report["warnings"] if line.startswith("of purchase: paid ")]
        self.assertEqual(len(told), 1)
        self.assertIn("--drop paid", told[0])

    def test_every_head_has_a_calibration_of_its_own(self):
        feed = self.feed(rows=20000)
        train = ("train", feed, "--target", "click", "--also", "purchase,hide", "--kind", "fwfm",
                 "--passes", "20")  # too many: it is too sure
        plain = {head["target"]: head for head in self.json_of(*train)["joint"]["heads"]}
        for kind in ("platt", "isotonic"):
            report = self.json_of(*train, "--calibrate", kind, "--output", "m.attune")
            heads = {head["target"]: head for head in report["joint"]["heads"]}
            for name in ("click", "hide"):  # of rare purchases chance is most of the error
                self.assertLess(heads[name]["ece"], 0.6 * heads[name]["ece_before"])
            self.assertGreater(heads["purchase"]["ece"], 0)
            self.assertNotIn("ece", plain["click"])
            self.assertEqual(heads["click"]["ece"], report["calibrated_by"]["ece"])
        self.write("new.csv", "item,person\ni1,p1\ni2,p2\n")
        every = self.run_attune("predict", "new.csv", "--model", "m.attune",
                                "--all-targets").stdout.splitlines()
        first = self.run_attune("predict", "new.csv", "--model", "m.attune").stdout.splitlines()
        self.assertEqual([line.split(",")[0] for line in every[1:]], first)
        self.assertIn("calibration error", self.run_attune(*train, "--calibrate", "platt").stdout)

    def test_kind_and_settings_are_searched_for_by_the_joint_loss(self):
        train = ("train", self.feed(rows=3000), "--target", "click", "--also", "purchase,hide",
                 "--weight-of", "purchase=2", "--search", "2", "--budget-seconds", "20")
        report = self.json_of(*train, "--resume", "trials.log")
        choice = report["choice"]
        self.assertEqual(choice["loss"], "joint_log_loss")
        self.assertEqual({one["kind"] for one in choice["candidates"]},
                         {"fwfm", "deepfm", "finalmlp"})
        self.assertLess(choice["candidates"][0]["loss"], choice["baseline"])
        self.assertEqual(report["kind"], choice["candidates"][0]["kind"])
        self.assertEqual([head["weight"] for head in report["joint"]["heads"]], [1, 2, 1])
        base = [head["base_rate"] for head in report["joint"]["heads"]]
        entropy = lambda p: -p * math.log(p) - (1 - p) * math.log(1 - p)
        self.assertAlmostEqual(choice["baseline"],
                               entropy(base[0]) + 2 * entropy(base[1]) + entropy(base[2]), delta=0.2)
        self.assertEqual(self.json_of(*train, "--resume", "trials.log")["id"], report["id"])
        only = self.json_of(*train, "--kind", "fwfm")
        self.assertEqual({one["kind"] for one in only["choice"]["candidates"]}, {"fwfm"})
        self.assertIn("its joint log loss of", only["choice"]["reason"])
        self.fails(2, *train, "--kind", "ftrl", says="no kind that was named can be tried")
        self.fails(2, *train, "--resume", "trials.log", "--weight-of", "hide=3",
                   says="trials.log")

    def test_same_seed_same_model(self):
        self.feed(rows=1500)
        ids = [self.json_of("train", "feed.csv", "--target", "click", "--also", "purchase,hide",
                            "--kind", "dcnv2", "--passes", "2", "--seed", seed)["id"]
               for seed in ("4", "4", "5")]
        self.assertEqual(ids[0], ids[1])
        self.assertNotEqual(ids[0], ids[2])

    def test_what_does_not_fit_is_refused(self):
        self.feed(rows=1500)
        train = ("train", "feed.csv", "--target", "click")
        also = (*train, "--also", "purchase")
        self.fails(2, *train, "--also", "purchse", says="did you mean purchase?")
        self.fails(2, *train, "--also", "click", says="--also click: it is a target already")
        self.fails(2, *train, "--also", "purchase,purchase", says="it is a target already")
        self.fails(2, *train, "--also", "person", says="different texts")
        self.fails(2, *also, "--kind", "ftrl", says="those that can are fwfm, wide_deep, deepfm")
        self.fails(2, *also, "--weight-of", "hide=2", says="it is not among the targets")
        self.fails(2, *also, "--weight-of", "purchase=2", "--weight-of", "purchase=3",
                   says="it is given twice")
        self.fails(2, *also, "--weight-of", "purchase=0", says="must be in (0, 1000]")
        self.fails(2, *also, "--weight-of", "purchase", says="must be NAME=NUMBER")
        self.fails(2, *also, "--second-loss", "pears=1", says="there is pairs")
        self.fails(2, *also, "--preset", "mlp", says="not with --preset")
        self.fails(2, *train, "--compare-alone", says="need --also")
        self.write("plan.toml", '[[feature]]\nkind = "category"\nof = "column.purchase"\n')
        self.fails(2, *also, "--plan", "plan.toml", says="the plan makes a feature of purchase")
        self.criteo()
        self.fails(2, "train", "c.tsv", "--format", "criteo", "--kind", "fwfm", "--also", "x",
                   says="are for tables and workspaces")

    def test_published_rows_of_two_tasks(self):
        folder = DATA / "aliexpress-mtl-tiny"
        if not folder.is_dir():
            self.skipTest(f"no aliexpress-mtl-tiny in ATTUNE_DATA ({DATA})")
        lines = (folder / "train.csv").read_text().splitlines()
        column = lines[0].split(",").index("conversion")
        is_known = len({line.split(",")[column] for line in lines[1:]}) == 2
        arguments = ("train", str(folder / "train.csv"), "--target", "click", "--also", "conversion",
                     "--test", str(folder / "test.csv"), "--kind", "fwfm,deepfm")
        if not is_known:
            self.fails(2, *arguments, says="labels of conversion are")
            return
        report = self.json_of(*arguments)
        self.assertEqual([head["target"] for head in report["joint"]["heads"]],
                         ["click", "conversion"])
        self.assertEqual(report["joint"]["heads"][1]["rows"], 100)


class Verbs(Files):
    """Heads by verb, of a shop where everybody clicks, half of the persons buy later what they
    clicked on, and the others hide things."""

    def setUp(self):
        super().setUp()
        self.rng = random.Random(5)
        server, port = self.start("--clock", "event")
        self.post(port, "/api/v1/items", [{"id": f"i{n}", "category": f"c{n % 4}"}
                                          for n in range(40)])
        self.now = datetime.datetime(2026, 3, 2, tzinfo=datetime.timezone.utc)
        self.play(port, 1000)
        self.stop(server)

    def play(self, port, visits):
        for visit in range(visits):
            number = self.rng.randrange(40)
            self.visit(port, f"v{number}", number % 2 == 0, self.rng)
        self.now += datetime.timedelta(hours=2)  # all windows end
        self.events(port, {"type": "page", "userId": "v1"})
        self.now += datetime.timedelta(hours=2)
        self.events(port, {"type": "page", "userId": "v1"})

    def post(self, port, path, body):
        return json.loads(self.call(port, "POST", path, json.dumps(body)))

    def events(self, port, *events):
        batch = [{"timestamp": self.now.isoformat(), **event} for event in events]
        self.post(port, "/v1/batch", {"batch": batch})

    def visit(self, port, person, is_buyer, rng):
        self.now += datetime.timedelta(minutes=20)
        self.events(port, {"type": "identify", "userId": person,
                           "traits": {"plan": "gold" if is_buyer else "free"}})
        decision = self.post(port, "/api/v1/decide", {"person": person, "placement": "home", "n": 4})
        at_once, later = [], []
        for item in decision["items"]:
            event = lambda verb: {"type": "track", "userId": person, "event": verb, "properties": {
                "item_id": item["item_id"], "decision_id": decision["decision_id"]}}
            if rng.random() < 0.4:
                at_once.append(event("click"))
                if is_buyer and rng.random() < 0.9:
                    later.append(event("purchase"))
            elif not is_buyer and rng.random() < 0.6:
                at_once.append(event("hide"))
        for events in (at_once, later):
            if events:
                self.events(port, *events)
            self.now += datetime.timedelta(minutes=5)

    def train(self, *more):
        return self.json_of("train", "--workspace", "shop", "--output", "m.attune", *more)

    def test_one_model_of_verbs_is_trained_predicts_and_is_noted(self):
        report = self.train("--target", "click", "--also", "purchase,hide", "--weight-of",
                            "purchase=3", "--second-loss", "pairs=0.1")
        self.assertEqual(report["kind"], "fwfm")
        self.assertEqual(report["target"], "click")
        heads = {head["target"]: head for head in report["joint"]["heads"]}
        self.assertEqual(list(heads), ["click", "purchase", "hide"])
        self.assertEqual([part["weight"] for part in report["joint"]["loss"]["parts"]],
                         [1, 3, 1, 0.1])
        self.assertEqual(heads["click"]["auc"], report["auc"])
        for name in ("purchase", "hide"):
            self.assertGreater(heads[name]["auc_interval"][0], 0.6)
            self.assertLess(heads[name]["log_loss_interval"][1], heads[name]["log_loss_baseline"])
        self.assertLess(heads["purchase"]["base_rate"], heads["click"]["base_rate"])
        self.assertNotIn("rivals", report)
        every = self.run_attune("predict", "--workspace", "shop", "--model", "m.attune",
                                "--all-targets").stdout.splitlines()
        first = self.run_attune("predict", "--workspace", "shop", "--model",
                                "m.attune").stdout.splitlines()
        self.assertEqual(every[0], "click,purchase,hide")
        self.assertEqual(len(first), report["rows"])
        self.assertEqual([line.split(",")[0] for line in every[1:]], first)
        evaluated = self.json_of("eval", "--workspace", "shop", "--model", "m.attune", "--all")
        self.assertEqual(evaluated["rows"], report["rows"])
        done = self.run_attune("train", "--workspace", "shop", "--target", "click", "--also",
                               "purchase", "--compare-alone")
        for said in ("target click", "of the sum", "  alone", "fwfm, 1 pass over"):
            self.assertIn(said, done.stdout)
        runs = self.json_of("runs", "list", "--workspace", "shop")["runs"]
        metrics = {run["id"]: run["metrics"] for run in runs}[report["run"]]
        self.assertEqual(metrics["auc"], heads["click"]["auc"])
        self.assertEqual(metrics["auc/purchase"], heads["purchase"]["auc"])
        self.assertEqual(metrics["log_loss/hide"], heads["hide"]["log_loss"])

    def test_one_verb_alone_is_a_model_too(self):
        report = self.train("--target", "purchase", "--kind", "deepfm", "--register", "buyers")
        self.assertNotIn("joint", report)
        self.assertEqual(report["target"], "purchase")
        shown = self.json_of("registry", "show", "buyers", "--workspace", "shop")
        self.assertEqual(shown["versions"][0]["id"], report["id"])
        engaged = ("train", "--workspace", "shop", "--kind", "ftrl")
        self.fails(2, *engaged, "--against", "buyers@1", says="it predicts purchase, not whether")
        self.fails(2, "registry", "learn", "buyers@1", "--workspace", "shop",
                   says="predicts purchase: the stream tells whether")
        self.fails(2, "registry", "shadow", "buyers@1", "--workspace", "shop",
                   says="predicts purchase: the stream tells whether")
        canary = ("registry", "canary", "buyers@1", "--workspace", "shop", "--share", "0.1")
        self.assertEqual(self.run_attune(*canary).returncode, 0)
        compared = self.json_of("registry", "compare", "buyers", "--workspace", "shop")
        self.assertEqual((compared["predicts"], compared["outcomes"]), ("purchase", []))
        self.assertIn("it predicts purchase, which is known when a window has ended",
                      self.run_attune("registry", "compare", "buyers", "--workspace", "shop").stdout)

    def test_models_of_the_same_first_target_are_compared(self):
        buys = ("--target", "purchase", "--also", "click", "--split", "0.3", "--register", "ranker")
        self.train(*buys)
        self.run_attune("registry", "promote", "ranker@1", "--workspace", "shop")
        known = self.train(*buys, "--set", "k=4", "--against", "ranker", "--promote")
        self.assertEqual([r["name"] for r in known["rivals"]], ["ranker"])
        self.assertEqual(known["rivals"][0]["rows"], 0)  # it has learned from all of them
        self.assertFalse(known["can_be_promoted"])
        self.assertIn("nothing was compared with it", known["not_promoted_because"])
        server, port = self.start("--clock", "event")
        self.play(port, 300)
        self.stop(server)
        report = self.train(*buys, "--set", "k=6", "--against", "ranker@1", "--promote")
        rival = report["rivals"][0]
        self.assertEqual(rival["rows"], 1200)  # four items of each visit since
        self.assertGreater(report["test_rows"], 1200)
        low, high = rival["difference_interval"]
        self.assertLess(low, rival["difference"])
        self.assertLess(rival["difference"], high)
        self.assertAlmostEqual(rival["difference"], report["log_loss"] - rival["log_loss"], delta=0.05)
        promoted = self.json_of("registry", "show", "ranker", "--workspace", "shop")["promoted"]
        self.assertEqual(promoted, 3 if report["can_be_promoted"] else 1)
        self.fails(2, "train", "--workspace", "shop", "--target", "click", "--against", "ranker",
                   says="it predicts purchase, not click")

    def test_a_schedule_learns_the_verbs_of_what_ranks_again(self):
        self.train("--target", "purchase", "--also", "click", "--weight-of", "purchase=3",
                   "--second-loss", "pairs=0.1", "--set", "k=4", "--register", "ranker")
        self.run_attune("registry", "promote", "ranker@1", "--workspace", "shop")
        server, _ = self.start("--set=training.every_s=86400", "--log-file", "log.txt")
        log = self.folder / "log.txt"
        self.wait_for(lambda: " retrained " in log.read_text()
                      or "retraining_failed" in log.read_text())
        self.stop(server)
        self.assertNotIn("retraining_failed", log.read_text())
        self.assertIn("only 800 shown items were tested on", log.read_text())
        first, second = self.json_of("registry", "show", "ranker", "--workspace", "shop")["versions"]
        self.assertEqual((first["kind"], second["kind"]), ("fwfm", "fwfm"))
        self.assertEqual(second["about"]["by"], "schedule")
        runs = self.json_of("runs", "list", "--workspace", "shop")["runs"]
        by_hand, by_schedule = (set(run["metrics"]) for run in runs)
        self.assertIn("auc/click", by_hand)
        self.assertLessEqual(by_hand, by_schedule)

    def test_every_head_has_a_calibration_of_its_own(self):
        heads_of = lambda report: {head["target"]: head for head in report["joint"]["heads"]}
        verbs = ("--target", "click", "--also", "purchase,hide")
        self.assertNotIn("ece", heads_of(self.train(*verbs))["click"])
        report = self.train(*verbs, "--calibrate", "isotonic", "--register", "ranker")
        self.check_rows(report, "isotonic")
        heads = heads_of(report)
        for head in heads.values():
            self.assertTrue(0 < head["ece"] < 1 and 0 < head["ece_before"] < 1)
            self.assertNotEqual(head["ece"], head["ece_before"])
        self.assertEqual(heads["click"]["ece"], report["calibrated_by"]["ece"])
        self.assertEqual(heads["click"]["log_loss"], report["log_loss"])
        every = self.run_attune("predict", "--workspace", "shop", "--model", "ranker@1",
                                "--all-targets").stdout.splitlines()
        self.assertEqual(len(every), 1 + report["rows"])
        for column in zip(*(line.split(",") for line in every[1:])):
            self.assertTrue(all(0 < float(p) < 1 for p in column))
        said = self.run_attune("train", "--workspace", "shop", *verbs, "--calibrate", "platt").stdout
        self.assertIn("calibrated: platt by ", said)
        self.assertEqual(said.count(", without 0."), 4)  # of the whole, and of each head

    def test_one_outcome_is_calibrated_and_evaluated_so(self):
        for more in (("--target", "purchase"), (), ("--kind", "mlp")):
            report = self.train(*more, "--calibrate", "platt")
            self.check_rows(report, "platt")
            self.assertNotIn("joint", report)
            evaluated = self.json_of("eval", "--workspace", "shop", "--model", "m.attune", "--all")
            lines = self.run_attune("predict", "--workspace", "shop", "--model",
                                    "m.attune").stdout.split()
            self.assertEqual(len(lines), evaluated["rows"])
            yes = evaluated["base_rate"] * evaluated["rows"]
            self.assertAlmostEqual(sum(map(float, lines)) / yes, evaluated["calibration"], 4)

    def check_rows(self, report, kind):
        by = report["calibrated_by"]
        self.assertEqual(by["kind"], kind)
        wanted = 0.15 * (report["rows"] - report["test_rows"])
        self.assertLessEqual(abs(by["rows"] - wanted), 0.5)
        self.assertEqual(report["train_rows"] + by["rows"] + report["test_rows"], report["rows"])
        self.assertTrue(0 < by["ece"] < 1 and 0 < by["ece_before"] < 1)

    def test_who_refuses_is_in_no_head(self):
        verbs = ("--target", "click", "--also", "purchase,hide")
        before = self.train(*verbs)
        server, port = self.start("--clock", "event")
        self.events(port, {"type": "identify", "userId": "v0", "context": {
            "consent": {"categoryPreferences": {"personalization": False}}}})
        rng = random.Random(6)
        for number in (0, 0, 0, 2, 2):
            self.visit(port, f"v{number}", True, rng)
        self.now += datetime.timedelta(hours=2)
        self.events(port, {"type": "page", "userId": "v1"})
        self.now += datetime.timedelta(hours=2)
        self.events(port, {"type": "page", "userId": "v1"})
        self.stop(server)
        for more in (verbs, ()):
            self.assertEqual(self.train(*more)["rows"], before["rows"] + 2 * 4)

    def test_kind_and_settings_are_looked_for(self):
        verbs = ("--target", "click", "--also", "hide", "--kind", "fwfm,wide_deep", "--search", "2")
        for more in (verbs, ("--kind", "ftrl,fm", "--budget-seconds", "20")):
            report = self.train(*more)
            choice = report["choice"]
            self.assertEqual(report["kind"], choice["candidates"][0]["kind"])
            self.assertIn(f"{report['kind']} with ", choice["reason"])
            self.assertLessEqual(choice["candidates"][0]["rows"] + choice["held_rows"],
                                 report["train_rows"])
            self.assertEqual({one["kind"] for one in choice["candidates"]},
                             set(more[more.index("--kind") + 1].split(",")))
        train = ("train", "--workspace", "shop", "--search", "2")
        self.fails(2, *train, "--set", "k=4", says="leave out one of the two")
        self.fails(2, *train, "--resume", "trials", says="are for files")
        self.fails(2, *train, "--kind", "trees", says="no kind that was named can be tried")
        self.fails(2, *train, "--kind", "fwmf", says="kind fwmf is none that is searched for")
        self.fails(2, *train, "--kind", "factors", says="--kind factors learns from who took what")

    def test_what_does_not_fit_is_refused(self):
        train = ("train", "--workspace", "shop")
        click = (*train, "--target", "click")
        self.fails(2, *train, "--target", "purchse", says="did you mean purchase?")
        self.fails(2, *train, "--target", "click,purchase", says="more with --also")
        self.fails(2, *click, "--also", "impression", says="no such verb of shown items")
        self.fails(2, *click, "--also", "hide,hide", says="it is a target already")
        self.fails(2, *click, "--also", ",".join(["hide"] * 5000), says="it is a target already")
        self.fails(2, *click, "--weight-of", "hide=2", says="need --also")
        self.fails(2, *click, "--also", "like", says="like happened to none of")
        self.fails(2, *click, "--also", "hide", "--kind", "fm",
                   says="those that can are fwfm, wide_deep, deepfm")
        self.fails(2, *click, "--kind", "trees", says="those that can are fwfm")
        self.fails(2, *train, "--also", "hide", says="need --target, a verb")
        self.fails(2, *click, "--kind", "factors", says="--target and --also are for others")
        self.fails(2, *train, "--kind", "factors", "--calibrate", "platt", says="are for others")


if __name__ == "__main__":
    cli_test.BINARY = os.path.abspath(sys.argv[1])
    unittest.main(argv=[sys.argv[0], *sys.argv[2:]])
