"""JSON by RFC 8259, read more strictly than json.loads.

Values keep what a number looked like: an integer is an int, every other number is a NonInteger.
Objects are dicts; whether some object named a member twice is told apart, because a text that is
broken further on is broken first of all. Nothing here recurses on foreign text: the nesting is
measured before the parser of the standard library, which does recurse, is let near it.
"""

import json
import re

MAX_PARSED_DEPTH = 200
SHALLOW = 8

_STRING = r'"[^"\\]*(?:\\.[^"\\]*)*"'
_STRINGS = re.compile(_STRING, re.DOTALL)
_BRACKETS = re.compile(r"[\[\]{}]")
_TOKEN = re.compile(
    r'[ \t\n\r]*(?:(?P<string>"(?:[^"\\\x00-\x1f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*")'
    r"|(?P<scalar>-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?|true|false|null)"
    r"|(?P<mark>[\[\]{},:]))")
_BLANK = re.compile(r"[ \t\n\r]*")


class BadJSON(ValueError):
    """The bytes are not JSON."""


class NonInteger:
    """A number with a fraction or an exponent, or an integer too long to matter."""

    def __init__(self, spelling):
        self.spelling = spelling


class Document:
    """A parsed text: its value, its nesting, and the first member named twice in one object."""

    def __init__(self, value, depth, duplicate):
        self.value = value
        self.depth = depth
        self.duplicate = duplicate


def parse(raw):
    """Parse bytes whose nesting is at most MAX_PARSED_DEPTH; BadJSON for everything else.

    Deeper texts raise TooDeep, whether or not they are JSON: ask outermost() about those."""
    text = decode_text(raw)
    depth = nesting(text)
    if depth > MAX_PARSED_DEPTH:
        raise TooDeep(text)
    try:
        value, duplicate = _parser.parse(text)
    except ValueError as error:
        raise BadJSON(str(error)) from None
    _refuse_lone_surrogates(text)
    return Document(value, depth, duplicate)


class _Parser:
    """The decoder of the standard library, made once, with an ear for members named twice."""

    def __init__(self):
        self.duplicate = None
        self.decode = json.JSONDecoder(
            object_pairs_hook=self.members, parse_int=_integer, parse_float=NonInteger,
            parse_constant=_refuse_constant).decode

    def parse(self, text):
        self.duplicate = None
        if text.startswith("\ufeff"):
            raise BadJSON("a byte-order mark")
        return self.decode(text), self.duplicate

    def members(self, pairs):
        made = dict(pairs)
        if len(made) != len(pairs) and self.duplicate is None:
            self.duplicate = _first_repeated(name for name, _ in pairs)
        return made


class TooDeep(Exception):
    """Nested beyond what the parser may be given; holds the text."""

    def __init__(self, text):
        super().__init__("nested too deeply")
        self.text = text


def decode_text(raw):
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError as error:
        raise BadJSON(str(error)) from None


def nesting(text):
    """The deepest nesting of containers of a JSON text; up to SHALLOW it may be less than told.

    Of what is not JSON: no less than what a parser meets before it finds the mistake."""
    opened = text.count("{") + text.count("[")
    if opened <= SHALLOW:
        return opened
    depth = deepest = 0
    for bracket in _BRACKETS.findall(_STRINGS.sub("", text)):
        if bracket in "[{":
            depth += 1
            deepest = max(deepest, depth)
        else:
            depth -= 1
    return deepest


def outermost(text):
    """Of a text of any nesting: (name, whether its value is a string) for each member of the
    outermost object, nothing when it is none; BadJSON when the text is not JSON."""
    stack, members = [], []
    name = None
    expect = "value"
    position = 0
    while expect != "end":
        match = _TOKEN.match(text, position)
        if match is None:
            raise BadJSON(f"at character {position}")
        position = match.end()
        kind = match.lastgroup
        token = match.group(kind)
        if kind == "string" and expect in ("name", "name or }"):
            name = token
            expect = "colon"
        elif kind in ("string", "scalar") and expect in ("value", "value or ]"):
            if stack == ["{"]:
                members.append((json.loads(name), kind == "string"))
            expect = "comma" if stack else "end"
        elif token in ("{", "[") and expect in ("value", "value or ]"):
            if stack == ["{"]:
                members.append((json.loads(name), False))
            stack.append(token)
            expect = "name or }" if token == "{" else "value or ]"
        elif token == ":" and expect == "colon":
            expect = "value"
        elif token == "," and expect == "comma":
            expect = "name" if stack[-1] == "{" else "value"
        elif _closes(token, stack, expect):
            stack.pop()
            expect = "comma" if stack else "end"
        else:
            raise BadJSON(f"unexpected {token[:20]!r} before character {position}")
    if _BLANK.fullmatch(text, position) is None:
        raise BadJSON("more follows the value")
    _refuse_lone_surrogates(text)
    return members


def _closes(token, stack, expect):
    if token == "}":
        return stack[-1:] == ["{"] and expect in ("comma", "name or }")
    return token == "]" and stack[-1:] == ["["] and expect in ("comma", "value or ]")


def _integer(spelling):
    return int(spelling) if len(spelling) <= 20 else NonInteger(spelling)


def _refuse_constant(spelling):
    raise BadJSON(f"{spelling} is not JSON")


def _first_repeated(names):
    seen = set()
    for name in names:
        if name in seen:
            return name
        seen.add(name)
    return None


def _refuse_lone_surrogates(text):
    """Escapes of half a character parse, but are no text. Call only with well-formed JSON."""
    if "\\ud" not in text and "\\uD" not in text:
        return
    for string in _STRINGS.findall(text):
        try:
            json.loads(string).encode("utf-8")
        except UnicodeEncodeError:
            raise BadJSON("a lone surrogate") from None


_parser = _Parser()
