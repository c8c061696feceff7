"""attune train, eval, predict and explain --model, as a user meets them.
learn_test.py BINARY [TestClass]"""
import gzip
import json
import math
import os
import sys
import unittest

import cli_test
from cli_test import Case

ROWS = 400


def shop_rows(n=ROWS):
    """city, age, day, y: people of Rome buy; the older the rarer. No chance in it."""
    for i in range(n):
        city = ["rome", "oslo", "lima"][i % 3]
        age = 20 + (i * 7) % 50
        score = {"rome": 2, "oslo": -1, "lima": -2}[city] - (age - 45) / 15 + ((i * 37) % 11 - 5) / 3
        yield city, age, f"2026-03-{1 + i * 28 // n:02d}", "yes" if score > 0 else "no"


class Files(Case):
    def write(self, name, text):
        data = text if isinstance(text, bytes) else text.encode()
        (self.folder / name).write_bytes(data)
        return name

    def shop(self, name="shop.csv", n=ROWS):
        lines = ["city,age,day,y"] + [",".join(map(str, row)) for row in shop_rows(n)]
        return self.write(name, "\n".join(lines) + "\n")

    def ten_columns(self, name, n):
        lines = []
        for i in range(n):
            x = [math.sin(i * (k + 1) * 12.9898) for k in range(10)]
            lines.append(",".join(f"{v:.4f}" for v in x) + f",{int(x[0] + x[1] * x[2] > 0)}")
        return self.write(name, "a,b,c,d,e,f,g,h,i,j,label\n" + "\n".join(lines) + "\n")

    def criteo(self, name="c.tsv", n=ROWS, labels="01"):
        rows = []
        for i in range(n):
            label = labels[i % len(labels)]
            numbers = [str((i * k) % 7) for k in range(1, 14)]
            texts = [f"t{(i * k) % 5}" for k in range(1, 26)] + [f"label{label}"]
            rows.append("\t".join([label, *numbers, *texts]))
        return self.write(name, "\n".join(rows) + "\n")

    def json_of(self, *arguments):
        done = self.run_attune(*arguments, "--json")
        self.assertEqual(done.returncode, 0, done.stderr)
        return json.loads(done.stdout)

    def model(self, *further):
        self.json_of("train", self.shop(), "--target", "y", "--time-column", "none", "--output",
                     "m.attune", *further)
        return "m.attune"


class Training(Files):
    def test_one_command_from_a_csv(self):
        report = self.json_of("train", self.shop(), "--target", "y", "--output", "m.attune")
        self.assertEqual(report["positive"], "yes")
        self.assertEqual(report["rows"], ROWS)
        self.assertIn("by day", report["measured_on"])  # split by time, as there is one
        self.assertGreater(report["auc"], 0.9)
        self.assertLess(report["log_loss"], report["log_loss_baseline"])
        self.assertLess(report["auc_interval"][0], report["auc"])
        for key in ("rows_per_second", "pass_rows_per_second", "learner_rows_per_second",
                    "peak_rss_bytes", "seconds"):
            self.assertGreater(report[key], 0, key)
        self.assertTrue((self.folder / "m.attune").exists())

    def test_the_report_for_people_names_intervals_baselines_and_the_plan(self):
        done = self.run_attune("train", self.shop(), "--target", "y", "--weights", "3")
        self.assertEqual(done.returncode, 0, done.stderr)
        for word in ("95 % interval", "without a model", "DeLong", "city", "category",
                     "largest weights:", "city=rome", "model.attune"):
            self.assertIn(word, done.stdout)

    def test_same_seed_same_bytes(self):
        self.shop()
        for name in ("a", "b"):
            self.json_of("train", "shop.csv", "--target", "y", "--kind", "fm,ftrl", "--seed", "3",
                         "--output", name)
        self.assertEqual((self.folder / "a").read_bytes(), (self.folder / "b").read_bytes())

    def test_folds_test_each_row_and_keep_the_best_kind(self):
        report = self.json_of("train", self.shop(), "--target", "y", "--folds", "4",
                              "--time-column", "none", "--kind", "ftrl,fm,mlp")
        self.assertEqual(report["test_rows"], ROWS)
        self.assertEqual(report["train_rows"], ROWS)  # the model kept learned from all
        losses = [kind["log_loss"] for kind in report["kinds"]]
        self.assertEqual(losses, sorted(losses))
        self.assertEqual([len(kind["folds"]) for kind in report["kinds"]], [4, 4, 4])
        self.assertIn("day holds times", " ".join(report["warnings"]))

    def test_numbers_are_predicted_by_least_squares(self):
        lines = [f"{i % 10},{'ab'[i % 2]},{3 * (i % 10) + 5 * (i % 2)}" for i in range(300)]
        self.write("n.csv", "x,g,y\n" + "\n".join(lines) + "\n")
        report = self.json_of("train", "n.csv", "--target", "y", "--output", "n.attune")
        self.assertEqual(report["kind"], "linear")
        self.assertGreater(report["r2"], 0.99)
        self.assertLess(report["rmse"], report["rmse_baseline"])
        lines = self.run_attune("predict", "n.csv", "--model", "n.attune").stdout.split()
        self.assertAlmostEqual(float(lines[13]), 3 * 3 + 5, delta=1)

    def test_the_classic_program(self):
        report = self.json_of("train", self.ten_columns("train.csv", 2000), "--preset", "mlp",
                              "--test", self.ten_columns("test.csv", 500))
        self.assertEqual((report["kind"], report["passes"]), ("mlp", 10))
        for key in ("accuracy", "base_rate", "auc", "log_loss"):
            self.assertIn(key, report)
        self.assertGreater(report["auc"], 0.95)
        self.assertTrue((self.folder / "model.attune").exists())

    def test_warnings_say_what_gives_reason_to_doubt(self):
        rows = list(shop_rows())
        leak = ["city,age,again,call_duration,y"]
        skewed = ["city,y"]
        for i, (city, age, _, y) in enumerate(rows):
            leak.append(f"{city},{age},{'J' if y == 'yes' else 'N'},"
                        f"{(60 if y == 'yes' else 30) + i * 37 % 50},{y}")
            skewed.append(f"{city},{'yes' if i % 20 == 0 else 'no'}")
        self.write("leak.csv", "\n".join(leak))
        self.write("skewed.csv", "\n".join(skewed))
        self.write("one.csv", "city,age,day,y\nrome,20,2026-03-01,yes\noslo,30,2026-03-01,yes\n")
        leaks = " ".join(self.json_of("train", "leak.csv", "--target", "y")["warnings"])
        self.assertIn("again is the label under another name", leaks)
        self.assertIn("call_duration alone gives AUC", leaks)
        self.assertIn("--drop call_duration", leaks)
        for says, arguments in [
            ("accuracy says little here", ["skewed.csv"]),
            ("no better than always the base rate", ["skewed.csv"]),
            ("linear regression on labels 0 and 1", [self.shop(), "--kind", "linear"]),
            ("not converged: the loss still fell", [self.shop(), "--passes", "2"]),
            ("auc is undefined: the rows have one class", [self.shop(), "--test", "one.csv"]),
        ]:
            report = self.json_of("train", *arguments, "--target", "y")
            self.assertIn(says, " ".join(report["warnings"]), arguments)
        self.assertEqual(report["auc"], None)
        self.assertIn("every label is 1", report["auc_undefined"])

    def test_a_stream_is_measured_progressively_or_on_its_test_file(self):
        report = self.json_of("train", self.criteo(), "--format", "criteo", "--kind", "ftrl")
        self.assertIn("before it was learned from", report["measured_on"])
        self.assertGreater(report["auc"], 0.9)
        report = self.json_of("train", "c.tsv", "--format", "criteo", "--kind", "fm", "--passes",
                              "3", "--test", "c.tsv", "--output", "c.attune")
        for key in ("auc", "log_loss", "rows_per_second", "peak_rss_bytes"):
            self.assertIsInstance(report[key], (int, float), key)
        self.assertGreater(report["auc"], 0.99)
        lines = self.run_attune("predict", "c.tsv", "--model", "c.attune", "--format",
                                "criteo").stdout.split()
        self.assertEqual(len(lines), ROWS)
        self.assertLess(float(lines[0]), float(lines[1]))

    def test_a_cache_of_rows_gives_the_same_model(self):
        self.criteo()
        for name, cache in [("a", []), ("b", ["--cache", "rows"]), ("c", ["--cache", "rows"])]:
            self.json_of("train", "c.tsv", "--format", "criteo", "--passes", "3", "--output", name,
                         *cache)
        first = (self.folder / "a").read_bytes()
        self.assertEqual(first, (self.folder / "b").read_bytes())
        self.assertEqual(first, (self.folder / "c").read_bytes())

    def test_an_automatic_cache_lies_beside_the_data_and_serves_while_it_is_unchanged(self):
        self.criteo()
        run = ["train", "c.tsv", "--format", "criteo", "--cache", "auto", "--output", "m"]
        self.assertFalse(self.json_of(*run)["is_cache_reused"])
        again = self.json_of(*run)
        self.assertTrue(again["is_cache_reused"])
        self.assertEqual((again["cache"], again["rows"]), ("c.tsv.rows", ROWS))
        self.criteo(n=ROWS + 2)
        changed = self.json_of(*run)
        self.assertEqual((changed["is_cache_reused"], changed["rows"]), (False, ROWS + 2))
        self.fails(2, "train", self.shop(), "--target", "y", "--cache", "auto",
                   says="--cache keeps the rows of criteo")

    def test_weights_say_how_much_a_row_counts(self):
        lines = ["g,w,y"]
        for i in range(600):  # half of the rows of each g say yes; by weight, nine of ten
            y = i // 2 % 2
            lines.append(f"{'ab'[i % 2]},{9 if y == (i % 2) else 1},{y}")
        self.write("w.csv", "\n".join(lines) + "\n")
        report = self.json_of("train", "w.csv", "--target", "y", "--weight", "w", "--output", "w.attune")
        self.assertIn({"column": "w", "use": "weight", "reason": "how much a row counts in learning"}, report["plan"])
        self.write("two.csv", "g,z\na,1\nb,2\n")  # no weight is needed to predict
        a, b = map(float, self.run_attune("predict", "two.csv", "--model", "w.attune").stdout.split())
        self.assertLess(a, 0.25)
        self.assertGreater(b, 0.75)
        self.json_of("train", "w.csv", "--target", "y", "--drop", "w", "--output", "n.attune")
        a, b = map(float, self.run_attune("predict", "two.csv", "--model", "n.attune").stdout.split())
        self.assertAlmostEqual(a, b, delta=0.2)
        self.fails(2, "train", "w.csv", "--target", "y", "--weight", "g", says="no row has a weight above 0 in g")
        self.fails(2, "train", "w.csv", "--target", "y", "--weight", "y", says="it is the target")

    def test_only_a_model_is_replaced_by_a_model(self):
        shop = self.shop()
        before = (self.folder / shop).read_bytes()
        train = ["train", shop, "--target", "y", "--output"]
        self.fails(1, *train, shop, says="it holds something else than a model, it is not replaced")
        self.assertEqual((self.folder / shop).read_bytes(), before)
        self.fails(1, *train, "/dev/null", says="it is no regular file")
        first = self.run_attune(*train, "m.attune").stdout
        self.assertNotIn("replaces", first)
        name = [line for line in first.splitlines() if line.startswith("m.attune: ")][0].split()[1].rstrip(",")
        self.assertIn(f"it replaces {name}", self.run_attune(*train, "m.attune", "--seed", "2").stdout)


class Tables(Files):
    """Hashed or collision-free, and what is said of it."""

    def table(self, *more):
        return self.json_of("train", self.criteo(), "--format", "criteo", "--output",
                            "m.attune", *more)["table"]

    def test_collisions_are_counted_and_said(self):
        crowded = self.table("--bits", "8")
        self.assertEqual((crowded["capacity"], crowded["is_collision_free"]), (256, False))
        self.assertGreater(crowded["collisions"], 0)
        wide = self.table("--bits", "22")
        self.assertLess(wide["collisions"], crowded["collisions"])
        done = self.run_attune("train", "c.tsv", "--format", "criteo", "--bits", "8", "--output", "m.attune")
        self.assertRegex(done.stdout, r"table: \d+ of 256 rows taken, about \d+ ids share one with another")

    def test_collision_free_tables_admit_by_frequency_and_keep_their_memory(self):
        every = self.table("--collision-free", "--bits", "12")
        self.assertEqual((every["is_collision_free"], every["collisions"]), (True, 0))
        frequent = self.table("--collision-free", "--bits", "12", "--admit-after", "255")
        self.assertLess(frequent["rows"], every["rows"])
        self.assertGreater(frequent["waiting_uses"], 0)
        small = self.table("--collision-free", "--table-memory", "4K")
        self.assertLess(small["capacity"], every["rows"])
        self.assertGreater(small["evicted"], 0)
        self.fails(2, "train", "c.tsv", "--format", "criteo", "--admit-after", "2",
                   says="need --collision-free")
        self.fails(2, "train", "c.tsv", "--format", "criteo", "--collision-free", "--admit-after",
                   "500", says="must be in [1, 255]")


class Using(Files):
    def test_predict_gives_a_probability_a_line_also_of_a_pipe(self):
        self.model()
        named = self.run_attune("predict", "shop.csv", "--model", "m.attune")
        self.assertEqual(named.returncode, 0, named.stderr)
        p = [float(line) for line in named.stdout.splitlines()]
        self.assertEqual(len(p), ROWS)
        self.assertTrue(all(0 < one < 1 for one in p))
        packed = gzip.compress((self.folder / "shop.csv").read_bytes())
        self.write("shop.csv.gz", packed)
        self.assertEqual(self.run_attune("predict", "shop.csv.gz", "--model", "m.attune").stdout,
                         named.stdout)

    def test_a_model_of_criteo_files_needs_no_format_told_again(self):
        self.json_of("train", self.criteo(), "--format", "criteo", "--kind", "ftrl", "--passes", "1",
                     "--test", "c.tsv", "--output", "c.attune")
        told = self.run_attune("predict", "c.tsv", "--model", "c.attune", "--format", "criteo")
        self.assertEqual(len(told.stdout.split()), ROWS)
        self.assertEqual(self.run_attune("predict", "c.tsv", "--model", "c.attune").stdout,
                         told.stdout)
        self.assertEqual(self.json_of("eval", "c.tsv", "--model", "c.attune")["rows"], ROWS)
        self.assertIn("parts", self.json_of("explain", "--model", "c.attune", "--row", "1", "c.tsv"))

    def test_columns_may_stand_in_another_order_and_the_target_may_be_missing(self):
        self.model()
        turned = ["day,extra,age,city"]
        turned += [f"{day},x,{age},{city}" for city, age, day, _ in shop_rows()]
        self.write("turned.csv", "\n".join(turned) + "\n")
        straight = self.run_attune("predict", "shop.csv", "--model", "m.attune").stdout
        self.assertEqual(self.run_attune("predict", "turned.csv", "--model", "m.attune").stdout,
                         straight)

    def test_a_bad_row_is_an_empty_line_and_is_told(self):
        self.model()
        self.write("bad.csv", "city,age,day\nrome,20,2026-03-01\nrome,20,2026-03-01,4,5\n"
                              "oslo,30,2026-03-01\n")
        done = self.run_attune("predict", "bad.csv", "--model", "m.attune")
        self.assertEqual(done.returncode, 0)
        lines = done.stdout.split("\n")
        self.assertEqual([bool(line) for line in lines], [True, False, True, False])
        self.assertIn("1 of 3 rows could not be read", done.stderr)
        self.assertIn("line 3:", done.stderr)

    def test_eval_measures_the_whole_and_each_slice(self):
        self.model()
        report = self.json_of("eval", "shop.csv", "--model", "m.attune", "--slice", "city",
                              "--group", "day", "--k", "3")
        self.assertEqual(report["rows"], ROWS)
        self.assertGreater(report["auc"], 0.9)
        self.assertIn("gauc", report)
        for name in ["ndcg_at_3", "recall_at_3", "precision_at_3"]:
            self.assertLess(report[name + "_baseline"], report[name])
            self.assertLessEqual(report[name + "_interval"][0], report[name])
        self.assertEqual({s["value"] for s in report["slices"]}, {"rome", "oslo", "lima"})
        self.assertEqual(sum(s["rows"] for s in report["slices"]), ROWS)
        text = self.run_attune("eval", "shop.csv", "--model", "m.attune", "--slice", "city").stdout
        self.assertIn("auc 95 %", text)

    def test_parts_add_up_to_the_logit(self):
        self.model()
        told = self.json_of("explain", "--model", "m.attune", "--row", "4", "shop.csv")
        total = told["bias"] + sum(part["part"] for part in told["parts"])
        self.assertAlmostEqual(total, told["logit"], places=9)
        self.assertAlmostEqual(1 / (1 + math.exp(-total)), told["probability"], places=5)
        line = self.run_attune("predict", "shop.csv", "--model", "m.attune").stdout.split()[3]
        self.assertAlmostEqual(float(line), told["probability"], places=6)
        sizes = [abs(part["part"]) for part in told["parts"]]
        self.assertEqual(sizes, sorted(sizes, reverse=True))
        self.assertIn("city=rome", [part["name"] for part in told["parts"]])

    def test_the_largest_weights_have_names(self):
        self.model("--kind", "ftrl")
        told = self.json_of("explain", "--model", "m.attune", "--top", "5")
        self.assertEqual(len(told["weights"]), 5)
        self.assertIn("city=rome", [weight["name"] for weight in told["weights"]])


# What is broken: files, arguments, exit code, what is said, the hint.
# {name} in arguments is a file made by Broken.setUp.
BROKEN = [
    (["train", "none.csv", "--target", "y"], 1, "none.csv", ""),
    (["train", "empty.csv", "--target", "y"], 2, "empty.csv", ""),
    (["train", "header.csv", "--target", "y"], 2, "header.csv: no rows", ""),
    (["train", "shop.csv"], 2, "which column is to be predicted?", "the last column of shop.csv is y"),
    (["train", "shop.csv", "--target", "cty"], 2, "--target cty: no such column, did you mean city?",
     ""),
    (["train", "shop.csv", "--target", "qqqqqq"], 2, "--target qqqqqq: no such column",
     "the columns are city, age, day, y"),
    (["train", "constant.csv", "--target", "y"], 2,
     "0 positive examples: all 5 labels of y are 0 (5)", "add rows of the other kind"),
    (["train", "allyes.csv", "--target", "y"], 2,
     "0 negative examples: all 5 labels of y are yes (5)", "add rows of the other kind"),
    (["train", "unlabelled.csv", "--target", "y"], 2,
     "0 labelled examples: y is empty in all 5 rows", "--target"),
    (["train", "three.csv", "--target", "y"], 2,
     "y holds 3 different texts: maybe (2), no (2), yes (2)", "--positive VALUE"),
    (["train", "shop.csv", "--target", "y", "--positive", "Yes"], 2,
     '0 positive examples: no label of y is "Yes"', "its values are"),
    (["train", "shop.csv", "--target", "age", "--kind", "ftrl"], 2,
     "age holds 50 different numbers, and kind ftrl predicts yes or no", "--kind linear"),
    (["train", "few.csv", "--target", "y"], 2, "2 rows with a label are too few", "--test"),
    (["train", "shop.csv", "--target", "y", "--folds", "401", "--time-column", "none"], 2,
     "--folds 401: only 400 rows have a label", "use at most 400"),
    (["train", "shop.csv", "--target", "y", "--folds", "1"], 2, "--folds", "--help"),
    (["train", "shop.csv", "--target", "y", "--time-column", "city"], 2,
     '--time-column city: line 2 has "rome", which is no time', "2026-11-02T10:00:00Z"),
    (["train", "shop.csv", "--target", "y", "--time-column", "dya"], 2,
     "--time-column dya: no such column, did you mean day?", ""),
    (["train", "late.csv", "--target", "y"], 2,
     "0 positive examples among the 32 rows to learn from", "--time-column none"),
    (["train", "shop.csv", "--target", "y", "--drop", "agee"], 2,
     "--drop agee: no such column, did you mean age?", ""),
    (["train", "shop.csv", "--target", "y", "--drop", "age,city,day"], 2,
     "no column is of use as a feature", ""),
    (["train", "shop.csv", "--target", "y", "--kind", "ftlr"], 2,
     'there is no kind of model called "ftlr"', "did you mean ftrl?"),
    (["train", "shop.csv", "--target", "y", "--set", "alpa=1"], 2, "alpa", "alpha"),
    (["train", "shop.csv", "--target", "y", "--set", "alpha"], 2, "--set alpha: must be NAME=NUMBER",
     "--set alpha=0.1"),
    (["train", "shop.csv", "--target", "y", "--set", "alpha=-1"], 2, "alpha is -1", ""),
    (["train", "shop.csv", "--target", "y", "--bits", "40"], 2, "--bits", "--help"),
    (["train", "shop.csv", "--target", "y", "--passes", "0"], 2, "--passes", "--help"),
    (["train", "shop.csv", "--target", "y", "--split", "2"], 2, "--split", "--help"),
    (["train", "shop.csv", "--target", "y", "--output", "no/such/m"], 1, "no/such/m", ""),
    (["train", "shop.csv", "--target", "y", "--test", "other.csv"], 2,
     "other.csv has no column y: there is nothing to test against", "attune predict"),
    (["train", "shop.csv", "--target", "y", "--test", "nocity.csv"], 2, "no column city", ""),
    (["train", "shop.csv", "--target", "y", "--test", "shop.csv", "--folds", "3"], 2,
     "--test and --folds are two ways of testing", "use one of them"),
    (["train", "shop.csv", "--preset", "mlp"], 2, "--preset mlp needs 10 columns of numbers",
     "without --preset"),
    (["train", "shop.csv", "--preset", "cnn"], 2, "--preset cnn: there is only mlp", ""),
    (["train", "shop.csv", "--target", "y", "--format", "crite"], 2,
     "--format crite: no such format, did you mean criteo?", "libsvm"),
    (["train", "shop.csv", "--target", "y", "--delimiter", ";;"], 2,
     "--delimiter ;;: must be one character, or tab", ""),
    (["train", "shop.csv", "--format", "criteo"], 2,
     "shop.csv: no row has a label to learn from", "bad rows is line 1"),
    (["train", "negative.tsv", "--format", "criteo"], 2, "0 positive examples in 20 rows", ""),
    (["train", "c.tsv", "--format", "criteo", "--target", "y"], 2, "--target", "--test"),
    (["train", "c.tsv", "--format", "criteo", "--test", "none.tsv"], 1, "none.tsv", ""),
    (["train", "weights.vw", "--format", "vw"], 2, "no row has a label to learn from", "line 1"),
    (["train", "cut.csv.gz", "--target", "y"], 1, "cut.csv.gz", ""),
    (["eval", "shop.csv", "--model", "none"], 1, "none", ""),
    (["eval", "shop.csv"], 2, "eval: --model is required", "attune eval FILE --model MODEL"),
    (["eval", "other.csv", "--model", "m.attune"], 2,
     "other.csv: no column city, which the model needs", "the columns are"),
    (["eval", "notarget.csv", "--model", "m.attune"], 2, "no row has a value of y, the target",
     "attune predict"),
    (["eval", "shop.csv", "--model", "m.attune", "--slice", "ctiy"], 2,
     "--slice ctiy: no such column, did you mean city?", ""),
    (["eval", "c.tsv", "--model", "m.attune", "--format", "criteo"], 2,
     "the model reads tables", "leave out --format"),
    (["predict", "shop.csv", "--model", "shop.csv"], 1, "shop.csv: not a model file", ""),
    (["predict", "shop.csv", "--model", "damaged"], 1, "damaged", ""),
    (["predict", "shop.csv", "--model", "cut"], 1, "cut", ""),
    (["predict", "shop.csv", "--model", "newer"], 2, "version", ""),
    (["predict", "other.csv", "--model", "m.attune"], 2,
     "other.csv: no column city, which the model needs", "the columns are"),
    (["predict", "shop.csv", "--model", "c.attune"], 2, "the model reads files of format criteo",
     "add --format criteo"),
    (["predict", "shop.csv", "--model", "m.attune", "--output", "no/such/p"], 1,
     "cannot write no/such/p", "folder"),
    (["predict", "shop.csv", "--model", "m.attune", "--json"], 2, "--json and the predictions",
     "--output FILE"),
    (["predict", "shop.csv"], 2, "--model is required", "--help"),
    (["explain", "--model", "m.attune", "--row", "401", "shop.csv"], 2,
     "--row 401: shop.csv has 400 rows", ""),
    (["explain", "--model", "m.attune", "--row", "4"], 2, "--row needs the file", ""),
    (["explain", "--model", "m.attune", "shop.csv"], 2, "which row of shop.csv? say --row N", ""),
    (["explain", "--model", "mlp.attune", "--row", "4", "shop.csv"], 2,
     "kind mlp has no exact parts", "--kind ftrl"),
    (["explain", "--model", "c.attune", "--top", "4"], 2,
     "the model was saved without the names of its features", "--names"),
]


class Broken(Files):
    def setUp(self):
        super().setUp()
        self.model()
        self.criteo()
        self.json_of("train", "c.tsv", "--format", "criteo", "--output", "c.attune")
        self.json_of("train", "shop.csv", "--target", "y", "--kind", "mlp", "--output", "mlp.attune")
        self.criteo("negative.tsv", 20, "0")
        self.write("empty.csv", "")
        self.write("header.csv", "city,age,y\n")
        self.write("constant.csv", "x,y\n" + "".join(f"{i},0\n" for i in range(5)))
        self.write("allyes.csv", "x,y\n" + "".join(f"{i},yes\n" for i in range(5)))
        self.write("unlabelled.csv", "x,y\n" + "".join(f"{i},\n" for i in range(5)))
        self.write("three.csv", "x,y\n" + "".join(f"{i},{'yes no maybe'.split()[i % 3]}\n"
                                                  for i in range(6)))
        self.write("few.csv", "x,y\n1,yes\n2,no\n")
        self.write("late.csv", "day,x,y\n" + "".join(
            f"2026-01-{1 + i // 2:02d},{i % 5},{'yes' if i >= 32 else 'no'}\n" for i in range(40)))
        self.write("other.csv", "town,years\n" + "rome,3\n" * 5)
        self.write("nocity.csv", "age,day,y\n" + "20,2026-03-01,yes\n31,2026-03-02,no\n" * 5)
        self.write("notarget.csv", "city,age,day\n" + "rome,20,2026-03-01\n" * 5)
        self.write("weights.vw", "1 -2.0 |a x\n" * 3)
        self.write("cut.csv.gz", gzip.compress((self.folder / "shop.csv").read_bytes())[:-40])
        model = (self.folder / "m.attune").read_bytes()
        middle = len(model) // 2
        self.write("damaged", model[:middle] + bytes([model[middle] ^ 1]) + model[middle + 1:])
        self.write("cut", model[:-100])
        self.write("newer", model[:8] + bytes([model[8] + 1]) + model[9:])

    def test_each_says_what_is_wrong_and_what_to_do(self):
        self.assertGreaterEqual(len(BROKEN), 30)
        for arguments, code, says, hint in BROKEN:
            with self.subTest(" ".join(arguments)):
                done = self.fails(code, *arguments, says=says, hint=hint)
                self.assertNotIn("nan", done.stdout + done.stderr)
                self.assertEqual(done.stdout, "")

    def test_nothing_is_saved_when_training_fails(self):
        for path in self.folder.glob("model.attune*"):
            path.unlink()
        self.fails(2, "train", "constant.csv", "--target", "y", says="0 positive examples")
        self.fails(2, "train", "negative.tsv", "--format", "criteo", says="0 positive examples")
        self.assertEqual(list(self.folder.glob("model.attune*")), [])


if __name__ == "__main__":
    cli_test.BINARY = os.path.abspath(sys.argv[1])
    unittest.main(argv=[sys.argv[0], *sys.argv[2:]])
