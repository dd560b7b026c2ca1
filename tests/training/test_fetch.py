import hashlib
import io
import json
import tarfile
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pooch
import pytest

from training import fetch
from training.fetch import File, Source, fetched
from training.stage import StageError, Workshop, read_json

Put = Callable[[str, str], Path]
TEXT = "Q,A,label\n안녕,네,0\n"
REVIEWS = {"raw/1.json": ["재밌다", "슬프다\n정말"], "raw/2.json": ["재밌다", " "]}
REVIEW_TEXT = "슬프다 정말\n재밌다\n"


def digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def source(name: str, *files: File) -> Source:
    return Source(name, "https://home", "MIT", files)


def archive(path: Path, prefix: str) -> None:
    """A packed folder of review files, as GitHub or the corpora folder has it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with tarfile.open(path, "w:gz") as tar:
        for name, reviews in {**REVIEWS, "ratings.json": ["not a review"]}.items():
            data = json.dumps([{"review": review, "author": "who****"} for review in reviews]).encode()
            member = tarfile.TarInfo(prefix + name)
            member.size = len(data)
            tar.addfile(member, io.BytesIO(data))


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *args: object) -> None:
        pass


@pytest.fixture
def address(tmp_path: Path) -> Iterator[str]:
    """A web server on loopback that serves the folder ``site``."""
    (tmp_path / "site").mkdir()
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(tmp_path / "site"))) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def test_a_checked_file_of_the_folder_is_used_where_it_is(shop: Workshop, put: Put) -> None:
    path = put("corpora/a/chat.csv", TEXT)
    fetch.fetch([source("chatbot", File("a/chat.csv", "https://x/chat.csv", digest(TEXT)))], shop)
    found = fetched(shop)["chatbot"]
    assert found.paths == (str(path),)
    assert (found.licence, found.origin, found.sha256) == ("MIT", "folder", (digest(TEXT),))


def test_a_changed_file_stops_and_names_both_digests(shop: Workshop, put: Put) -> None:
    path = put("corpora/chat.csv", TEXT + "새 줄,네,0\n")
    with pytest.raises(StageError) as error:
        fetch.fetch([source("chatbot", File("chat.csv", "https://x/chat.csv", digest(TEXT)))], shop)
    for part in (str(path), digest(TEXT), digest(path.read_text(encoding="utf-8")), "https://x/chat.csv"):
        assert part in str(error.value)


def test_a_missing_file_is_a_warning_and_the_rest_goes_on(
    shop: Workshop, put: Put, capsys: pytest.CaptureFixture[str]
) -> None:
    put("corpora/chat.csv", TEXT)
    there = File("chat.csv", "https://x/chat.csv", digest(TEXT))
    fetch.fetch([source("kote", there, File("gone.tsv", "https://x/gone.tsv", "0")), source("chatbot", there)], shop)
    warning = capsys.readouterr().err
    assert warning.count("\n") == 1
    assert "gone.tsv is not there" in warning and "put https://x/gone.tsv there" in warning
    assert list(fetched(shop)) == ["chatbot"]
    assert "is not there" in read_json(shop.work / "fetch/sources.json")[0]["missing"]


def test_a_folder_that_does_not_exist_is_said_at_once(shop: Workshop) -> None:
    with pytest.raises(StageError, match="does not exist"):
        fetch.run(shop)


def test_a_file_is_downloaded_once(shop: Workshop, put: Put, address: str) -> None:
    served = put("site/chat.csv", TEXT)
    online = replace(shop, corpora=None)
    sources = [source("chatbot", File("a/chat.csv", f"{address}/chat.csv", digest(TEXT)))]
    fetch.fetch(sources, online)
    assert Path(fetched(online)["chatbot"].paths[0]).read_text(encoding="utf-8") == TEXT
    assert fetched(online)["chatbot"].origin == "network"
    served.unlink()
    fetch.fetch(sources, online)
    assert list(fetched(online)) == ["chatbot"]


def test_a_damaged_download_is_fetched_anew(shop: Workshop, put: Put, address: str) -> None:
    put("site/chat.csv", TEXT)
    put("work/fetch/a/chat.csv", TEXT[:5])
    online = replace(shop, corpora=None)
    fetch.fetch([source("chatbot", File("a/chat.csv", f"{address}/chat.csv", digest(TEXT)))], online)
    assert Path(fetched(online)["chatbot"].paths[0]).read_text(encoding="utf-8") == TEXT


def test_a_download_that_is_something_else_stops(shop: Workshop, put: Put, address: str) -> None:
    put("site/chat.csv", "<html>moved</html>")
    with pytest.raises(StageError, match=f"expected {digest(TEXT)}"):
        fetch.fetch(
            [source("chatbot", File("chat.csv", f"{address}/chat.csv", digest(TEXT)))], replace(shop, corpora=None)
        )


def test_an_address_without_the_file_is_a_warning(
    shop: Workshop, address: str, capsys: pytest.CaptureFixture[str]
) -> None:
    fetch.fetch([source("chatbot", File("chat.csv", f"{address}/no.csv", "0"))], replace(shop, corpora=None))
    assert "404" in capsys.readouterr().err
    assert fetched(replace(shop, corpora=None)) == {}


def test_a_host_that_does_not_answer_is_asked_once(
    shop: Workshop, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    asked: list[str] = []
    retrieve = pooch.retrieve

    def counted(url: str, *rest: object, **named: object) -> str:
        asked.append(url)
        return str(retrieve(url, *rest, **named))

    monkeypatch.setattr(pooch, "retrieve", counted)
    files = [File(f"{name}.csv", f"http://127.0.0.1:9/{name}.csv", "0") for name in ("one", "two")]
    fetch.fetch([source(file.path, file) for file in files], replace(shop, corpora=None))
    warnings = capsys.readouterr().err.splitlines()
    assert len(asked) == 1
    assert len(warnings) == 2 and all("127.0.0.1:9 does not answer" in line for line in warnings)


def test_reviews_are_the_same_from_the_folder_and_from_the_network(
    shop: Workshop, tmp_path: Path, address: str
) -> None:
    archive(tmp_path / "corpora/raw.tar.gz", "")
    archive(tmp_path / "site/tar", "nsmc-cc0670e/")
    nsmc = source("nsmc", File("raw.tar.gz", f"{address}/tar", digest(REVIEW_TEXT), reviews="nsmc.txt"))
    for place in (shop, replace(shop, corpora=None, work=tmp_path / "other")):
        fetch.fetch([nsmc], place)
        assert Path(fetched(place)["nsmc"].paths[0]).read_text(encoding="utf-8") == REVIEW_TEXT
        assert [path.name for path in (place.work / "fetch").iterdir() if path.suffix != ".json"] == ["nsmc.txt"]


def test_an_archive_with_other_reviews_stops(shop: Workshop, tmp_path: Path) -> None:
    archive(tmp_path / "corpora/raw.tar.gz", "")
    with pytest.raises(StageError, match="sha256"):
        fetch.fetch([source("nsmc", File("raw.tar.gz", "https://x", "0" * 64, reviews="nsmc.txt"))], shop)


def test_a_broken_archive_stops_with_a_sentence(shop: Workshop, put: Put) -> None:
    put("corpora/raw.tar.gz", "not packed")
    with pytest.raises(StageError, match="is not an archive of reviews"):
        fetch.fetch([source("nsmc", File("raw.tar.gz", "https://x", "0" * 64, reviews="nsmc.txt"))], shop)


def test_a_file_that_went_after_fetching_is_named(shop: Workshop, put: Put) -> None:
    path = put("corpora/chat.csv", TEXT)
    fetch.fetch([source("chatbot", File("chat.csv", "https://x", digest(TEXT)))], shop)
    path.unlink()
    with pytest.raises(StageError, match=r"chat\.csv has gone"):
        fetched(shop)


def test_every_address_is_pinned_to_a_commit() -> None:
    for file in (file for entry in fetch.SOURCES for file in entry.files):
        assert any(len(part) == 40 for part in file.address.split("/")), file.address
        assert len(file.sha256) == 64
