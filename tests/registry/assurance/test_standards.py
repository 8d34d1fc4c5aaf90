import pytest

from credits.registry.assurance.standard_files import OWN_FOLDER, read
from credits.registry.assurance.standards import Word

FILE = OWN_FOLDER / "craft-2.0.toml"


@pytest.fixture(scope="module")
def craft():
    return read(FILE)


class TestReached:
    @pytest.mark.parametrize(
        "bent, number",
        [
            ({}, 6),
            ({"5.2": Word.PROGRESSING}, 5),
            ({"5.2": Word.NOT_CONTROLLED}, 4),
            ({"4.1": Word.PROGRESSING, "5.2": Word.NOT_CONTROLLED}, 3),
            ({"4.1": Word.NOT_CONTROLLED}, 2),
            ({"1.3": Word.NOT_YET}, 1),
            ({"3.6": Word.SUSPECTED}, None),
            ({"3.6": Word.FOUND}, None),
            ({"3.1": None}, None),
        ],
    )
    def test_goes_step_by_step(self, craft, bent, number):
        best = {code: module.answers.words[0] for code, (module, _) in craft.requirements.items()}
        reached = craft.reached({code: word for code, word in (best | bent).items() if word})

        assert (reached and reached.number) == number
