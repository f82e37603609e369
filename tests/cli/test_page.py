"""`bayesdx page` on the command line."""

import pytest


def test_a_page_is_written(run, tmp_path) -> None:
    out = tmp_path / "own.html"
    ran = run("page", "-o", str(out))
    assert (ran.code, ran.out) == (0, "")
    assert f"{out}, " in ran.err
    assert "kB; open it in a browser" in ran.err
    assert out.read_text(encoding="utf-8").startswith("<!DOCTYPE html>")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("-o", "page.txt"), "page.txt: expected a name ending in .html, got '.txt'"),
        (("-p", "nowhere"), "nowhere"),
        (("-o", "no/such/folder/page.html"), "no/such/folder"),
    ],
)
def test_faults(run, tmp_path, monkeypatch, arguments, said) -> None:
    monkeypatch.chdir(tmp_path)
    ran = run("page", *arguments)
    assert ran.code == 2
    assert said in ran.err
    assert not list(tmp_path.rglob("*.html"))
