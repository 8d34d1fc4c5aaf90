"""Templates as texts: each compiles, none carries a script or a style in itself.

One test for all of them names every fault at once: eleven hundred tests took longer to count than to run.
"""

import re
from pathlib import Path

FOLDER = Path(__file__).parent.parent / "templates"
TEMPLATES = sorted(path.relative_to(FOLDER).as_posix() for path in FOLDER.rglob("*") if path.is_file())
# Certificates have an environment of their own, and are tested with it.
OF_THE_APP = [name for name in TEMPLATES if not name.startswith("certificates/")]
PAGES = {name: (FOLDER / name).read_text() for name in OF_THE_APP if name.endswith(".html")}


def found_in_pages(pattern: str) -> dict[str, list[str]]:
    """What matches in each page that has a match."""
    return {name: found for name, text in PAGES.items() if (found := re.findall(pattern, text))}


def test_each_compiles(any_app):
    assert len(OF_THE_APP) > 200
    for name in OF_THE_APP:
        any_app.jinja_env.get_template(name)


class TestPages:
    def test_have_no_inline_script_or_style(self):
        assert found_in_pages(r"<script(?![^>]*\bsrc=)|\son[a-z]+=|\sstyle=|<style|javascript:") == {}

    def test_load_nothing_from_elsewhere(self):
        assert found_in_pages(r"(?:src|href|action)=[\"'](?:https?:)?//") == {}

    def test_send_a_token_with_every_form_that_changes_something(self):
        forms = [(name, form) for name, text in PAGES.items() for form in re.findall(r"(?s)<form.*?</form>", text)]
        harmless = ('method="get"', "csrf_token", "hidden_tag()")

        assert [(name, form) for name, form in forms if not any(mark in form for mark in harmless)] == []

    def test_turn_escaping_off_for_constants_alone(self):
        assert found_in_pages(r"[^\"']\|\s*safe\b|autoescape false") == {}
