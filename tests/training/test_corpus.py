import os
from dataclasses import replace
from pathlib import Path

import pytest

from bot.text import morphemes
from training import corpus, fetch
from training.config import PRESETS, CorpusConfig
from training.stage import Workshop, read_json


def sentences(shop: Workshop, source: str) -> list[str]:
    return (shop.work / f"corpus/{source}.txt").read_text(encoding="utf-8").splitlines()


@pytest.mark.usefixtures("ours", "public")
def test_every_source_becomes_a_file_of_tokens(shop: Workshop) -> None:
    corpus.run(shop)
    assert sorted(path.name for path in (shop.work / "corpus").iterdir()) == [
        "chatbot.txt", "figures.json", "komuchat.txt", "ours.txt",
    ]  # fmt: skip
    assert " ".join(morphemes("보고싶다 진짜")) in sentences(shop, "ours")
    assert " ".join(morphemes("이별 후에, 너무 힘들어")) in sentences(shop, "chatbot")
    figures = read_json(shop.work / "corpus/figures.json")
    assert figures["ours"]["sentences"] == len(sentences(shop, "ours")) == 8
    assert figures["chatbot"]["tokens"] == sum(len(line.split(" ")) for line in sentences(shop, "chatbot"))


@pytest.mark.usefixtures("ours", "public")
def test_the_masks_of_names_are_dropped(shop: Workshop) -> None:
    assert corpus.public_rows(shop)["komuchat"] == ["가 보고 싶어", "진짜 나쁜 놈"]
    corpus.run(shop)
    assert not any("#" in line or "청자" in line or "화자" in line for line in sentences(shop, "komuchat"))


@pytest.mark.usefixtures("public")
def test_rows_are_counted_as_csv_counts_them(shop: Workshop) -> None:
    assert corpus.public_rows(shop)["chatbot"] == ["이별 후에, 너무 힘들어", "밥 먹었어", '다시 "만날" 수\n있을까']


@pytest.mark.usefixtures("public")
def test_a_text_counts_once_whatever_its_look(shop: Workshop, ours: Path) -> None:
    with (ours / "messages_ko/01.tsv").open("a", encoding="utf-8") as file:
        file.write("밥  먹었어\tnone\t\n**보고싶다** 진짜\tsadness\t\n")
    corpus.run(shop)
    figures = read_json(shop.work / "corpus/figures.json")
    assert figures["ours"]["duplicates"] == 1
    assert figures["chatbot"]["duplicates"] == 1
    assert " ".join(morphemes("밥 먹었어")) not in sentences(shop, "chatbot")


@pytest.mark.usefixtures("ours", "public")
def test_processes_do_not_change_the_result(shop: Workshop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    corpus.run(shop)
    monkeypatch.setattr(corpus, "_WORTH_PROCESSES", 0)
    monkeypatch.setattr(corpus, "_CHUNK", 3)
    parallel = replace(shop, config=replace(PRESETS["small"], corpus=CorpusConfig(processes=2)))
    before = {path.name: path.read_bytes() for path in (shop.work / "corpus").iterdir()}
    corpus.run(parallel)
    assert {path.name: path.read_bytes() for path in (shop.work / "corpus").iterdir()} == before


@pytest.mark.usefixtures("ours", "public")
def test_a_source_that_has_gone_leaves_nothing_behind(shop: Workshop) -> None:
    corpus.run(shop)
    fetch.fetch([], shop)
    corpus.run(shop)
    assert not (shop.work / "corpus/chatbot.txt").exists()
    assert list(read_json(shop.work / "corpus/figures.json")) == ["ours"]


@pytest.mark.usefixtures("ours", "public")
def test_a_stopped_run_leaves_no_half_corpus(shop: Workshop, monkeypatch: pytest.MonkeyPatch) -> None:
    def stop(text: str) -> list[str]:
        if "힘내" in text:
            raise KeyboardInterrupt
        return [text]

    monkeypatch.setattr(corpus, "morphemes", stop)
    with pytest.raises(KeyboardInterrupt):
        corpus.run(shop)
    assert not list((shop.work / "corpus").glob("*.txt"))


@pytest.mark.skipif("EBYUL_CORPORA" not in os.environ, reason="needs the public corpora in EBYUL_CORPORA")
def test_the_real_sources_have_their_rows(tmp_path: Path) -> None:
    folder = Path(os.environ["EBYUL_CORPORA"])
    shop = Workshop(PRESETS["small"], tmp_path, folder, tmp_path)
    fetch.fetch([source for source in fetch.SOURCES if source.name != "nsmc"], shop)
    rows = corpus.public_rows(shop)
    assert {name: len(texts) for name, texts in rows.items()} == {"chatbot": 11_823, "komuchat": 30_767}
    assert rows["chatbot"][0] == "12시 땡!"
    assert not any("청자#" in text or "화자#" in text for text in rows["komuchat"])
