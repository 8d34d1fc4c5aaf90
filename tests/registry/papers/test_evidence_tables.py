import pytest

from credits.registry.papers.evidence_tables import FormulaCell, NoTable, letters, refuse_formulas, rows, table_text


class TestTableText:
    @pytest.mark.parametrize("content", [b"a,b\n", b"a;b\r\n1;2", b"a\tb\n", "é;b\n".encode("cp1252"), b'"a,b",c\n'])
    def test_is_what_a_spreadsheet_writes(self, content):
        assert table_text(content) is not None

    @pytest.mark.parametrize(
        "content",
        [b"", b"one", b"\n\n", b"<a>,b", b"  <svg>,b", b"a,\x00b", b"a,\x1bb", b"\xff\xfe,", b"\x81\x8d,a", b"a,\x7fb"],
    )
    def test_is_nothing_else(self, content):
        assert table_text(content) is None


class TestRefuseFormulas:
    @pytest.mark.parametrize("cell", ["-5", "+243 99 12 00", "-12,5 %", "-", "(5)", "a=b", "x@y.cd", "2-3", "--"])
    def test_takes_figures_and_words(self, cell):
        refuse_formulas(f'a;b\n1;"{cell}"\n')

    @pytest.mark.parametrize(
        "cell", ["=1", "=cmd|' /C calc'!A0", "@SUM(A1)", "+A1", "-A1+2", "\t=1", " =1", "\u00a0=1", "- rien"]
    )
    def test_refuses_what_a_spreadsheet_would_work_out_and_names_the_cell(self, cell):
        with pytest.raises(FormulaCell, match="Cell B2 ") as refusal:
            refuse_formulas(f'a;b\n1;"{cell}"\n')

        assert refusal.value.detail == {"cell": "B2"}

    @pytest.mark.parametrize(
        "text, cell",
        [
            ("a,b\n1,x;=cmd|' /C calc'!A0\n", "B2"),
            ("a,b\n1,x\t=1+1\n", "B2"),
            ('a,b\n1,"x; @SUM(A1)"\n', "B2"),
            ("a;b\n1;x,+A1\n", "B2"),
            ("a\tb\n1\tx;-A1\n", "B2"),
            ("a,b\n-5,1+cmd|' /C calc'!A0\n", "A2"),
            ('a,b\n"-5",1+SUM(A1)\n', "A2"),
        ],
    )
    def test_refuses_what_is_one_where_a_spreadsheet_divides_elsewhere(self, text, cell):
        with pytest.raises(FormulaCell) as refusal:
            refuse_formulas(text)

        assert refusal.value.detail == {"cell": cell}

    @pytest.mark.parametrize(
        "text", ["a,b\n-5,north\n", "a;b\n-12,5;-3,5\n", "a,b\n+243 99,Anne; - ,c\n", "a;b\nx, y;z\n"]
    )
    def test_takes_figures_wherever_it_divides(self, text):
        refuse_formulas(text)

    @pytest.mark.parametrize(
        "text", ["a," + "b" * 40_000, 'a,b\n"' + "x" * 200_000, "," * 3_000_000, "a,b\n" * 2_000_000]
    )
    def test_refuses_what_no_person_writes_down(self, text):
        with pytest.raises(NoTable):
            refuse_formulas(text)


class TestRows:
    def test_keeps_a_line_break_in_its_cell(self):
        assert list(rows('a,"b\nc"\r\n1,2')) == [["a", "b\nc"], ["1", "2"]]


@pytest.mark.parametrize("column, name", [(0, "A"), (25, "Z"), (26, "AA"), (701, "ZZ"), (702, "AAA")])
def test_columns_are_called_as_in_spreadsheets(column, name):
    assert letters(column) == name
