"""The comparison as pictures: `tandem report` on a terminal and as HTML, and `tandem top`."""

import csv
import fcntl
import html.parser
import io
import os
import pty
import re
import select
import signal
import struct
import subprocess
import termios
import time
import unittest

from hand import Hand, today
from harness import BIN, ROOT, World, main, wait_for


class Terminal:
    """tandem in a pseudo terminal of 24 or more lines and 80 columns."""

    def __init__(self, world, *args, rows=60, **env):
        self.master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", rows, 80, 0, 0))
        self.slave = slave
        self.before = termios.tcgetattr(slave)
        self.text = ""
        self.child = subprocess.Popen([str(BIN), *args], env={**world.env, "TERM": "xterm", **env},
                                      stdin=slave, stdout=slave, stderr=slave, cwd=world.folder,
                                      start_new_session=True)

    def read(self, seconds=0):
        while select.select([self.master], [], [], seconds)[0]:
            self.text += os.read(self.master, 65536).decode()
            seconds = 0
        return self.text

    def shows(self, words, seconds=15):
        wait_for(lambda: words in self.read(0.05), seconds, f"{words!r} in {self.text[-3000:]!r}")

    def press(self, key):
        self.text = ""
        os.write(self.master, key.encode())

    def end(self, seconds=15):
        """Its exit status; what it showed is in text."""
        deadline = time.monotonic() + seconds
        while self.child.poll() is None and time.monotonic() < deadline:
            self.read(0.05)
        self.read()
        return self.child.wait(1)

    def restored(self):
        return termios.tcgetattr(self.slave) == self.before

    def close(self):
        if self.child.poll() is None:
            self.child.kill()
        self.child.wait(10)
        os.close(self.master)
        os.close(self.slave)


class Page(html.parser.HTMLParser):
    """Every tag and attribute of a page, and its text."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.attributes, self.words, self.open = [], [], "", []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += attrs
        if tag not in ("meta",):
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += attrs

    def handle_endtag(self, tag):
        assert self.open and self.open[-1] == tag, (tag, self.open)
        self.open.pop()

    def handle_data(self, data):
        if "style" not in self.open:
            self.words += data


class PicturesCase(unittest.TestCase):
    """One published business for all tests of this file, which only read."""

    @classmethod
    def setUpClass(cls):
        cls.world = World()
        cls.addClassCleanup(cls.world.close)
        cls.world.make_topics()
        hand = Hand(cls.world)
        for month in range(1, 13):
            hand.sell(f"2017-{month:02}-11", net=10000 * month, cost=4000 * month)
        hand.rate("2017-12-11", good=19, bad=1)
        hand.sell(today(), net=50000, cost=20000)
        hand.sell(today(), "region=west")
        hand.rate(today(), good=15, bad=5)
        targets = cls.world.write("targets.json", (
            '{"version":1,"targets":[{"period":"%s","currency":"EUR","amount":100000},'
            '{"period":"2017-12","currency":"EUR","amount":100000}]}' % f"{today():%Y-%m}"))
        cls.world.must("reporter", "--once", "--targets", targets)

    def terminal(self, *args, **more):
        made = Terminal(self.world, *args, **more)
        self.addCleanup(made.close)
        return made

    def page(self, *args):
        return self.world.must("report", "--format", "html", *args)


class Report(PicturesCase):
    def test_a_terminal_gets_bars_and_lines_of_time_in_colour(self):
        terminal = self.terminal("report", "--at", "2017-12")
        self.assertEqual(terminal.end(), 0, terminal.text)
        self.assertIn("\033[", terminal.text)
        self.assertIn("█", terminal.text)
        self.assertIn("▁▂▂▃▃▄▅▅▆▆▇█", terminal.text)
        plain = re.sub(r"\033\[[0-9;]*m", "", terminal.text)
        self.assertLessEqual(max(map(len, plain.splitlines())), 80)

    def test_no_color_keeps_the_bars_and_leaves_the_colours_out(self):
        terminal = self.terminal("report", "--at", "2017-12", NO_COLOR="1")
        self.assertEqual(terminal.end(), 0, terminal.text)
        self.assertNotIn("\033", terminal.text)
        self.assertIn("█", terminal.text)

    def test_a_pipe_and_a_dumb_terminal_get_the_plain_table(self):
        piped = self.world.must("report", "--at", "2017-12")
        self.assertNotIn("\033", piped)
        self.assertNotIn("█", piped)
        terminal = self.terminal("report", "--at", "2017-12", TERM="dumb")
        terminal.end()
        self.assertEqual(terminal.text.replace("\r\n", "\n"), piped)

    def test_the_page_stands_alone_without_scripts_in_both_languages(self):
        for language, words in (("en", "A business needs both."),
                                ("ro", "O afacere are nevoie de ambele.")):
            page = Page(self.page("--at", "2017-12", "--lang", language))
            self.assertEqual(page.open, [])
            self.assertIn(words, page.words)
            self.assertIn(("lang", language), page.attributes)
            self.assertIn("svg", page.tags)
            self.assertFalse({"script", "link", "img", "iframe"} & set(page.tags))
            for name, value in page.attributes:
                self.assertFalse(name.startswith("on") or name in ("src", "href"), name)
                self.assertNotIn("//", value or "")

    def test_the_page_escapes_what_lies_in_redis(self):
        self.world.redis.call("HSET", self.world.key("comparison:year:2099:all"), "period", "2099",
                              "scope", "<script>alert(1)</script>", "business", "\"'&")
        self.world.redis.call("HSET", self.world.key("gap"), "sales/0", "<b>lost</b>")
        self.addCleanup(self.world.redis.call, "DEL", self.world.key("gap"))
        text = self.page("--at", "2099")
        self.assertNotIn("<script", text)
        self.assertNotIn("<b>lost", text)
        self.assertIn("<b>lost</b>", Page(text).words)
        self.assertIn("<script>alert(1)</script>", Page(text).words)


class Documented(PicturesCase):
    """docs/report.md shows what comes out. A line of it that is `...` stands for any lines, one
    that ends in it for any rest."""

    def test_every_example_prints_what_the_page_says(self):
        page = (ROOT / "docs/report.md").read_text()
        examples = re.findall(r"^```\n\$ tandem (report .*)\n([^`]*?)```$", page, re.M)
        self.assertEqual(len(examples), 3)
        for command, shown in examples:
            printed = self.world.must(*command.split()).replace(self.world.business, "main")
            parts = [re.escape(line.removesuffix("...")) + (".*" if line.endswith("...") else "")
                     if line != "..." else None for line in shown.splitlines()]
            wanted = "".join(r"(?:.*\n)*?" if part is None else part + r"\n" for part in parts)
            self.assertTrue(re.fullmatch(wanted, printed), f"{command}: {wanted}\n{printed}")

    def test_columns_and_rows_of_csv_are_those_of_the_page(self):
        page = (ROOT / "docs/report.md").read_text().split("## CSV")[1].split("## Markdown")[0]
        lines = list(csv.DictReader(io.StringIO(
            self.world.must("report", "--at", "2017-12", "--format", "csv"))))
        for column in lines[0]:
            self.assertIn(f"`{column}`", page)
        for name in ("group", "row", "side"):
            for value in {line[name] for line in lines} - {""}:
                self.assertIn(f"`{value}`", page)

    def test_the_bars_are_those_of_the_page(self):
        terminal = self.terminal("report", "--at", "2017-12", NO_COLOR="1")
        terminal.end()
        page = (ROOT / "docs/report.md").read_text()
        for line in re.findall(r"^    (  \S.*[█·].*)$", page, re.M):
            self.assertIn(line, terminal.text)


class Top(PicturesCase):
    def test_once_prints_a_plain_picture_with_verdict_rates_and_lag(self):
        text = self.world.must("top", "--once")
        self.assertNotIn("\033", text)
        for words in ("Sales", "records a second", "not yet counted", "published"):
            self.assertIn(words, text)
        self.assertLessEqual(max(map(len, text.splitlines())), 80)
        self.assertIn("înregistrări pe secundă", self.world.must("top", "--once", "--lang", "ro"))

    def test_it_counts_what_waits_in_the_log_and_how_fast_that_shrinks(self):
        key = self.world.key("position:sales")
        self.world.redis.call("HSET", key, "sales:0", "0:-1")
        self.addCleanup(self.world.redis.call, "HDEL", key, "sales:0")
        self.world.produce(self.world.sales, [{"value": "x", "partition": 0}] * 7)
        top = self.terminal("top", NO_COLOR="1")
        top.shows("not yet counted           7")
        self.world.redis.call("HSET", key, "sales:0", "5:-1")
        top.shows("not yet counted           2")

    def test_keys_switch_period_scope_and_language_and_q_ends_with_the_terminal_as_it_was(self):
        top = self.terminal("top", NO_COLOR="1")
        top.shows("running")
        self.assertFalse(top.restored())
        top.press("p")
        top.shows("quarter ")
        top.press("s")
        top.shows("region=west")
        top.press("l")
        top.shows("în curs")
        top.press("q")
        self.assertEqual(top.end(), 0)
        self.assertTrue(top.restored())
        self.assertTrue(top.text.endswith("\033[?25h\033[?1049l"), top.text[-80:])

    def test_it_draws_anew_what_changed(self):
        top = self.terminal("top", "--scope", "region=west", NO_COLOR="1")
        top.shows("gross profit")
        key = self.world.key("comparison:current:month:region=west")
        self.world.redis.call("HSET", key, "gross_profit:EUR", "12345678")
        top.shows("123,456.78 EUR")

    def test_signals_give_the_terminal_back(self):
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            top = self.terminal("top")
            top.shows("running")
            top.child.send_signal(number)
            self.assertEqual(top.end(), 0)
            self.assertTrue(top.restored())
            self.assertIn("\033[?1049l", top.text)

    def test_a_stopped_one_gives_the_terminal_back_and_goes_on_later(self):
        top = self.terminal("top")
        top.shows("running")
        top.child.send_signal(signal.SIGTSTP)
        top.shows("\033[?1049l")
        wait_for(top.restored, 10, "the terminal as it was")
        top.text = ""
        top.child.send_signal(signal.SIGCONT)
        top.shows("\033[?1049h")
        top.press("q")
        self.assertEqual(top.end(), 0)

    def test_a_redis_that_is_not_there_is_named(self):
        done = self.world.run("top", "--once", env={"TANDEM_REDIS": "redis://127.0.0.1:1",
                                                    "TANDEM_CONNECT_TIMEOUT": "500"})
        self.assertEqual(done.returncode, 1)
        self.assertIn("127.0.0.1:1", done.stderr)

    def test_words_it_does_not_know_are_named(self):
        for option, value in (("--period", "decade"), ("--scope", "west"), ("--lang", "fr")):
            done = self.world.run("top", option, value)
            self.assertEqual(done.returncode, 2)
            self.assertIn(value, done.stderr)


if __name__ == "__main__":
    main()
