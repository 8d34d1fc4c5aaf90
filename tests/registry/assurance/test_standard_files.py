import tomllib
from copy import deepcopy

import pytest

from credits.registry.assurance import standards
from credits.registry.assurance.standard_files import OWN_FOLDER, StandardUnsound, load, of, read

FILE = OWN_FOLDER / "craft-2.0.toml"


@pytest.fixture(scope="module")
def craft():
    return read(FILE)


@pytest.fixture
def content():
    return deepcopy(tomllib.loads(FILE.read_text(encoding="utf-8")))


class TestRead:
    def test_has_five_modules_each_requirement_marked_as_an_own_summary(self, craft):
        assert [module.number for module in craft.modules] == [1, 2, 3, 4, 5]
        assert {requirement.wording for _, requirement in craft.requirements.values()} == {standards.Wording.OWN}
        assert all(requirement.source for _, requirement in craft.requirements.values())
        assert not craft.is_official

    def test_has_the_six_risks_of_zero_tolerance(self, craft):
        titles = [requirement.title for requirement in craft.module(3).requirements]

        assert titles == [
            "Worst forms of child labour",
            "Forced labour",
            "Torture or cruel treatment",
            "Other gross abuses",
            "War crimes",
            "Support to non-state armed groups",
        ]

    @pytest.mark.parametrize(
        "spoil, said",
        [
            (lambda c: c.pop("version"), "the file lacks version"),
            (lambda c: c.update(verison="2.1"), "has verison, which nothing reads"),
            (lambda c: c["module"][2].update(answers="maybe"), "answers is 'maybe'"),
            (lambda c: c["module"][0]["requirement"][0].update(wording="copied"), "wording is 'copied'"),
            (lambda c: c["module"][0]["requirement"][0].update(title=" "), "title must be a text"),
            (lambda c: c["module"][0]["requirement"][0].update(title="\u4e2d"), "no certificate can show"),
            (lambda c: c["module"][0]["requirement"][1].update(code="1.1"), "requirement 1.1 stands there twice"),
            (lambda c: c["module"][1].update(requirement=[]), "has no requirement"),
            (lambda c: c["level"][0].update(modules=[9]), "names module 9"),
            (lambda c: c["level"][0].update(answers=["perhaps"]), "'perhaps' is no answer"),
            (lambda c: c["level"][0].update(answers=["none", "suspected"]), "level 1 must ask for module 3"),
            (lambda c: c["level"].pop(1), "levels are numbered"),
        ],
        ids=lambda given: given if isinstance(given, str) else "",
    )
    def test_says_what_is_wrong_in_a_file(self, content, spoil, said):
        spoil(content)
        with pytest.raises(StandardUnsound, match=said):
            of(content, "0" * 64)

    def test_names_the_file(self, tmp_path):
        (tmp_path / "broken.toml").write_text("code = ")
        with pytest.raises(StandardUnsound, match=r"broken\.toml"):
            load(tmp_path, "CRAFT 2.0")


class TestLoad:
    def test_lets_an_operator_replace_the_file(self, tmp_path):
        official = (
            FILE.read_text(encoding="utf-8").replace("own summary", "official").replace('"2.0"', '"2.0-official"')
        )
        (tmp_path / "craft.toml").write_text(official, encoding="utf-8")

        assert load(tmp_path, "CRAFT 2.0-official").default.is_official
        with pytest.raises(StandardUnsound, match=r"does not hold 'CRAFT 2\.0'"):
            load(tmp_path, "CRAFT 2.0")
