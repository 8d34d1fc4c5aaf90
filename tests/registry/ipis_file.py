"""Files of the form that IPIS publishes, with made-up visits."""

import csv
import io
from pathlib import Path

from credits.registry.mines.ipis import COLUMNS

SMALL = Path(__file__).parent.parent / "fixtures" / "ipis_small.csv"
HEADER = ("FID", *COLUMNS)
SOUND = {
    "FID": "made_up.fid-1",
    "vid": "900101",
    "pcode": "codmine90101",
    "name": "Colline d’Essai",
    "visit_date": "2019-05-15",
    "visit_onsite": "1",
    "longitude": "25.39161",
    "latitude": "-10.75370333",
    "province": "Lualaba",
    "territoire": "Mutshatsha",
    "village": "Kolwezi ",
    "workers_numb": "100",
    "is_3t_mine": "0",
    "is_gold_mine": "0",
    "mineral1": "Cobalt",
}


def file_of(*rows: dict[str, str], end: str = "\n") -> bytes:
    """A file with one line for each row: what it does not say is as in SOUND."""
    written = io.StringIO()
    table = csv.DictWriter(written, HEADER, restval="", lineterminator=end)
    table.writeheader()
    table.writerows(SOUND | row for row in rows)
    return written.getvalue().encode()
