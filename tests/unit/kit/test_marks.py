from penstock.kit.marks import Mark


def test_a_mark_reads_as_editors_make_clickable() -> None:
    assert str(Mark("a.yml", 3, 7)) == "a.yml:3:7"
    assert str(Mark("a.yml", 3)) == "a.yml:3"


def test_an_unknown_line_leaves_only_the_file() -> None:
    assert str(Mark("a.yml")) == "a.yml"
    assert str(Mark("a.yml", 0, 7)) == "a.yml"
