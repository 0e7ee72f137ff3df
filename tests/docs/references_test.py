"""What the code says of the pages in docs/, and they of each other and of the tree, is there."""

import pathlib
import re
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
PAGES = sorted([*ROOT.glob("docs/*.md"), ROOT / "README.md"])
SOURCES = sorted(p for folder in ("common", "producers", "consumers", "tests", "bench")
                 for p in ROOT.glob(f"{folder}/**/*.[ch]")) + [ROOT / "main.c"]


def headings(page):
    return re.findall(r"^#+ (.*)$", page.read_text(), re.M)


def anchor(heading):
    """As GitHub makes it."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


def comments(path):
    """The text of a file with its comments' line ends taken out."""
    return re.sub(r"\s*\n \* ?", " ", path.read_text())


class References(unittest.TestCase):
    def test_every_page_and_heading_that_code_names_exists(self):
        found = 0
        for path in SOURCES:
            for page, first, second in re.findall(
                    r'docs/([a-z]+\.md)(?:, "([^"\\]+)"(?: and "([^"\\]+)")?)?', comments(path)):
                self.assertTrue((ROOT / "docs" / page).exists(), f"{path}: docs/{page}")
                for heading in filter(None, (first, second)):
                    found += 1
                    self.assertIn(heading, headings(ROOT / "docs" / page), path)
        self.assertGreater(found, 10)

    def test_every_link_of_a_page_leads_somewhere(self):
        for page in PAGES:
            for target in re.findall(r"\]\(([^)]+)\)", page.read_text()):
                name, _, place = target.partition("#")
                if "://" in name:
                    continue
                file = (page.parent / name) if name else page
                self.assertTrue(file.exists(), f"{page.name}: {target}")
                if place:
                    self.assertIn(place, map(anchor, headings(file)), page.name)

    def test_every_file_that_a_page_names_is_in_the_tree(self):
        for page in PAGES:
            for name in re.findall(r"`((?:tests|common|consumers|producers|schemas|examples|docs)/"
                                   r"[\w./-]+)`", page.read_text()):
                self.assertTrue((ROOT / name).exists(), f"{page.name}: {name}")


unittest.main()
