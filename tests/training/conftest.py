import hashlib
import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from training import corpus, dataset
from training.config import PRESETS
from training.fetch import File, Source, fetch
from training.stage import Workshop


@pytest.fixture
def shop(tmp_path: Path) -> Workshop:
    return Workshop(PRESETS["small"], tmp_path / "work", tmp_path / "corpora", tmp_path / "bundle")


@pytest.fixture
def put(tmp_path: Path) -> Callable[[str, str], Path]:
    """Writes a file below the test's folder."""

    def write(name: str, text: str) -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8", newline="\n")
        return path

    return write


@pytest.fixture
def ours(put: Callable[[str, str], Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A small folder of our own data in the place of training/data."""
    songs = [
        {"title": "첫눈", "lines": [["네가 없는 첫눈이 온다", "sadness", "none"], ["버스가 지나간다", "none"]]},
        {"title": "안녕", "lines": [["우리 여기서 그만하자", "indifference"]]},
    ]
    put("ours/songs_ko/01.jsonl", "".join(json.dumps(song, ensure_ascii=False) + "\n" for song in songs))
    put(
        "ours/messages_ko/01.tsv",
        "text\tlabel\tsecondary\n보고싶다 진짜\tsadness\tdenial\n점심 뭐 먹지\tnone\t\n니가 사람이냐\tanger\t\n",
    )
    put(
        "ours/pairs_ko/01.tsv",
        "keyword\ttext\tlabel\tsecondary\tkind\n"
        "연락\t연락이 끊긴 날부터 목이 멘다\tsadness\t\tlyric\n연락\t먼저 연락해 볼까\tdenial\t\tmessage\n",
    )
    put("ours/annotations/songys-Chatbot_data.tsv", "row\temotion\tsecondary\n0\tsadness\t\n2\tdenial\tsadness\n")
    put("ours/annotations/4N3MONE-KOMUChat.tsv", "row\temotion\tsecondary\n1\tanger\t\n")
    monkeypatch.setattr(corpus, "OURS", tmp_path / "ours")
    monkeypatch.setattr(dataset, "OURS", tmp_path / "ours")
    yield tmp_path / "ours"


@pytest.fixture
def public(put: Callable[[str, str], Path], shop: Workshop) -> dict[str, str]:
    """Two made-up public sources, fetched."""
    texts = {
        "chatbot": 'Q,A,label\n"이별 후에, 너무 힘들어",힘내세요,1\n밥 먹었어,네,0\n"다시 ""만날"" 수\n있을까",글쎄요,1\n',
        "komuchat": "tag,Q,A,src\nbreakup,#(남자)청자#가 보고 싶어,힘내 #화자#,x\nbreakup,#청자# 진짜 나쁜 놈,ㅠㅠ,x\n",
    }
    sources = []
    for name, text in texts.items():
        put(f"corpora/{name}.csv", text)
        digest = hashlib.sha256(text.encode()).hexdigest()
        sources.append(Source(name, "https://home", "MIT", (File(f"{name}.csv", "https://address", digest),)))
    fetch(sources, shop)
    return texts
