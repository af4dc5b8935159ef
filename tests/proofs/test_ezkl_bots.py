"""The list of an arena's ONNX bots: whole or not there, and every name once."""

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from proofs.errors import BotListDamaged, BotNameRefused, NoSuchBot
from proofs.ezkl_bots import (
    ListedBot,
    add_bot,
    check_name,
    listed_bots,
    name_of_file,
    remove_bot,
    store_of,
)


def test_a_fresh_folder_lists_none(tmp_path: Path) -> None:
    assert listed_bots(tmp_path) == []
    assert not list(tmp_path.iterdir())


def test_bots_come_and_go(tmp_path: Path) -> None:
    store = store_of(tmp_path)
    add_bot(tmp_path, "one", store / "aaaa")
    add_bot(tmp_path, "two", store / "bbbb")
    assert listed_bots(tmp_path) == [
        ListedBot("one", store / "aaaa"),
        ListedBot("two", store / "bbbb"),
    ]
    written = json.loads((store / "bots.json").read_text())
    assert written[0] == {"name": "one", "folder": "aaaa"}
    assert remove_bot(tmp_path, "one").folder == store / "aaaa"
    assert [bot.name for bot in listed_bots(tmp_path)] == ["two"]
    with pytest.raises(NoSuchBot, match="there are two"):
        remove_bot(tmp_path, "one")


def test_a_data_folder_can_be_moved(tmp_path: Path) -> None:
    add_bot(tmp_path / "here", "one", store_of(tmp_path / "here") / "aaaa")
    (tmp_path / "here").rename(tmp_path / "there")
    (bot,) = listed_bots(tmp_path / "there")
    assert bot.folder == store_of(tmp_path / "there") / "aaaa"


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("", "begin with a letter"),
        ("x" * 33, "1 to 32"),
        ("My Net", "a-z"),
        ("net\x1b[2J", "a-z"),
        ("../up", "a-z"),
        ("pawn", "comes with checkproof"),
        ("rook", "comes with checkproof"),
        ("taken", "called so already"),
    ],
)
def test_names_are_short_plain_and_unique(name: str, why: str, tmp_path: Path) -> None:
    add_bot(tmp_path, "taken", store_of(tmp_path) / "aaaa")
    before = (store_of(tmp_path) / "bots.json").read_bytes()
    with pytest.raises(BotNameRefused, match=why) as refused:
        check_name(tmp_path, name)
    assert "\x1b" not in str(refused.value)
    with pytest.raises(BotNameRefused, match=why):
        add_bot(tmp_path, name, tmp_path)
    assert (store_of(tmp_path) / "bots.json").read_bytes() == before


@pytest.mark.parametrize(
    ("file", "name"),
    [("My Net.onnx", "my-net"), ("a" * 50 + ".onnx", "a" * 32), ("-x-.v2.onnx", "x-v2")],
)
def test_a_name_is_made_of_the_files(file: str, name: str) -> None:
    assert name_of_file(Path("some") / file) == name


@pytest.mark.parametrize(
    "text", ["", "{}x", "[1]", '[{"name": "x"}]', '[{"name": "A b", "folder": "f"}]', '{"a": 1}']
)
def test_a_damaged_list_is_named(text: str, tmp_path: Path) -> None:
    store_of(tmp_path).mkdir()
    (store_of(tmp_path) / "bots.json").write_text(text)
    with pytest.raises(BotListDamaged, match=r"bots\.json is no list of bots"):
        listed_bots(tmp_path)


def test_writers_wait_for_each_other(tmp_path: Path) -> None:
    names = [f"bot-{k}" for k in range(20)]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda name: add_bot(tmp_path, name, tmp_path / name), names))
    assert sorted(bot.name for bot in listed_bots(tmp_path)) == sorted(names)
    assert not list(store_of(tmp_path).glob("bots-*"))
