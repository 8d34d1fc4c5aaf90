"""Templates as texts: each compiles, none carries a script or a style in itself."""

import re
from pathlib import Path

import pytest

FOLDER = Path(__file__).parent.parent / "templates"
TEMPLATES = sorted(path.relative_to(FOLDER).as_posix() for path in FOLDER.rglob("*") if path.is_file())
# Certificates have an environment of their own, and are tested with it.
OF_THE_APP = [name for name in TEMPLATES if not name.startswith("certificates/")]
PAGES = [name for name in OF_THE_APP if name.endswith(".html")]


@pytest.mark.parametrize("name", OF_THE_APP)
def test_compiles(any_app, name):
    any_app.jinja_env.get_template(name)


@pytest.mark.parametrize("name", PAGES)
class TestPage:
    def test_has_no_inline_script_or_style(self, name):
        text = (FOLDER / name).read_text()

        assert re.findall(r"<script(?![^>]*\bsrc=)|\son[a-z]+=|\sstyle=|<style|javascript:", text) == []

    def test_loads_nothing_from_elsewhere(self, name):
        text = (FOLDER / name).read_text()

        assert re.findall(r"(?:src|href|action)=[\"'](?:https?:)?//", text) == []

    def test_sends_a_token_with_every_form_that_changes_something(self, name):
        text = (FOLDER / name).read_text()

        for form in re.findall(r"<form.*?</form>", text, re.DOTALL):
            assert 'method="get"' in form or "csrf_token" in form or "hidden_tag()" in form

    def test_turns_escaping_off_for_constants_alone(self, name):
        text = (FOLDER / name).read_text()

        assert re.findall(r"[^\"']\|\s*safe\b|autoescape false", text) == []
