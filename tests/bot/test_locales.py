"""Both languages have every sentence the code asks for, with the values it gives, and no other."""

import ast
import re
import string
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import pytest

import bot
from bot.locales import LANGUAGES, sentences

SOURCES = sorted(Path(bot.__file__).parent.rglob("*.py"))
KEYS = sentences("ko").keys()
TABLES = {key.partition(".")[0] for key in KEYS}
KEY = re.compile(rf"(?:{'|'.join(sorted(TABLES))})\.[a-z0-9_.]+")


def nodes() -> Iterator[ast.AST]:
    for path in SOURCES:
        tree = ast.parse(path.read_text(encoding="utf-8"))
        inside = {id(part) for node in ast.walk(tree) if isinstance(node, ast.JoinedStr) for part in node.values}
        yield from (node for node in ast.walk(tree) if id(node) not in inside)


def literal_keys() -> set[str]:
    strings = {node.value for node in nodes() if isinstance(node, ast.Constant) and isinstance(node.value, str)}
    return {string for string in strings if KEY.fullmatch(string)}


def patterns() -> set[str]:
    """The f-strings of the code as regular expressions, each of their values a group."""
    return {
        "".join(re.escape(part.value) if isinstance(part, ast.Constant) else "([a-z0-9_]+)" for part in node.values)
        for node in nodes()
        if isinstance(node, ast.JoinedStr)
    }


def key_patterns() -> set[str]:
    """The f-strings that make keys: f"emotion.{emotion}"."""
    return {pattern for pattern in patterns() if re.match(rf"(?:{'|'.join(TABLES)})\\\.", pattern)}


def known_words() -> set[str]:
    """What may stand in for a part of a key: strings of the code, words of the SQL."""
    words = {node.value for node in nodes() if isinstance(node, ast.Constant) and isinstance(node.value, str)}
    for path in Path(bot.__file__).parent.glob("*.sql"):
        words.update(re.findall(r"'(\w+)'", path.read_text(encoding="utf-8")))
    # f"{name}_missing"
    ends = {match[1] for one in patterns() if (match := re.fullmatch(r"\(\[a-z0-9_\]\+\)(_[a-z_]+)", one))}
    return words | {f"{word}{end}" for word in words for end in ends if word.isidentifier()}


def is_made(key: str, pattern: str, words: set[str]) -> bool:
    match = re.fullmatch(pattern, key)
    return match is not None and words.issuperset(match.groups())


def passed() -> dict[str, list[set[str]]]:
    """Key → the names of the values of each call that names it: say("key", a=…), Problem(…, "key", {"a": …})."""
    found = defaultdict(list)
    for node in nodes():
        if not isinstance(node, ast.Call) or any(keyword.arg is None for keyword in node.keywords):
            continue
        callee = getattr(node.func, "attr", getattr(node.func, "id", ""))
        if not re.search(r"^say$|^sentence$|Error$|^Problem$|^Check$", callee):
            continue
        for number, argument in enumerate(node.args):
            if isinstance(argument, ast.Constant) and argument.value in KEYS:
                names = {keyword.arg for keyword in node.keywords}
                for later in node.args[number + 1 :]:
                    if isinstance(later, ast.Dict):
                        if None in later.keys:
                            break
                        names |= {name.value for name in later.keys}
                else:
                    found[argument.value].append(names)
    return found


def placeholders(language: str, key: str) -> set[str]:
    table = sentences(language)
    return {name for _, name, _, _ in string.Formatter().parse(table._table[key]) if name}


def test_languages_have_the_same_sentences():
    assert sentences("ko").keys() == sentences("en").keys()


def test_every_key_in_the_code_has_a_sentence():
    files = {path.name for path in Path(bot.__file__).parent.iterdir()} | {"songs.db"}
    assert literal_keys() - KEYS - files == set()
    for pattern in key_patterns():
        assert any(re.fullmatch(pattern, key) for key in KEYS), pattern


def test_every_sentence_is_used():
    made, words = key_patterns(), known_words()
    unused = {key for key in KEYS - literal_keys() if not any(is_made(key, one, words) for one in made)}
    assert unused == set()


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_call_passes_the_values_its_sentence_names(language):
    # What a template gets for both of a pair of sentences need not be in each.
    may_leave_out = {"songfiles.in_file", "answer.song"}
    calls = passed()
    assert calls
    for key, each in calls.items():
        for names in each:
            assert placeholders(language, key) <= names, key
            if key not in may_leave_out:
                assert names <= placeholders(language, key), key


@pytest.mark.parametrize("key", sorted(KEYS))
def test_languages_name_the_same_values(key):
    assert placeholders("ko", key) == placeholders("en", key)


@pytest.mark.parametrize("key", sorted(KEYS))
@pytest.mark.parametrize("language", LANGUAGES)
def test_a_sentence_is_whole(language, key):
    text = sentences(language)._table[key]
    assert text.strip()
    assert text.isprintable() or text.replace("\n", "").isprintable()
    assert (language == "ko") or not re.search("{[^}]*:[^}]*/", text), "English has no particles"


@pytest.mark.parametrize(
    ("particles", "word", "expected"),
    [
        ("을/를", "우산", "우산을"),
        ("을/를", "비", "비를"),
        ("이/가", "슬픔", "슬픔이"),
        ("이/가", "분노", "분노가"),
        ("은/는", "무관심", "무관심은"),
        ("은/는", "나", "나는"),
        ("과/와", "슬픔", "슬픔과"),
        ("과/와", "분노", "분노와"),
        ("으로/로", "슬픔", "슬픔으로"),
        ("으로/로", "분노", "분노로"),
        ("으로/로", "이별", "이별로"),
        ("이라는/라는", "‘우산’", "‘우산’이라는"),
        ("이라는/라는", "‘헤어지다’", "‘헤어지다’라는"),
        ("을/를", "3", "3을"),
        ("을/를", "2", "2를"),
        ("으로/로", "7", "7로"),
        ("으로/로", "6", "6으로"),
        ("으로/로", "2", "2로"),
        ("은/는", "10", "10은"),
        ("이/가", "songs.db", "songs.db가"),
        ("이/가", "model.onnx", "model.onnx가"),
        ("을/를", "mail", "mail을"),
        ("으로/로", "mail", "mail로"),
        ("은/는", "album", "album은"),
        ("을/를", "!?", "!?를"),
        ("을/를", "", "를"),
    ],
)
def test_particles_follow_the_last_sound(particles, word, expected):
    say = type(sentences("ko"))("ko", {"key": f"{{word:{particles}}}"})
    assert say("key", word=word) == expected


def test_numbers_keep_their_format():
    assert "1,234줄" in sentences("ko")("songs.progress", lines=1234)


@pytest.mark.parametrize("forbidden", ["빨리 잊", "힘내", "돌아올 거", "불쌍", "그만 잊", "move on", "cheer up"])
def test_no_sentence_hurts(forbidden):
    assert not [key for one in LANGUAGES for key, text in sentences(one)._table.items() if forbidden in text.lower()]
