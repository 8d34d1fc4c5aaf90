import pytest

from credits.certificates.claiming.claim_checking import check
from credits.certificates.claiming.claim_tongues import unread


@pytest.mark.parametrize(
    "text",
    [
        "Unsere Batterien sind konfliktfrei und ohne Kinderarbeit.",
        "Konfliktfreies Kobalt",
        "Unser Gold",
        "Le nostre batterie sono senza lavoro minorile e senza conflitti.",
        "Onze batterijen zijn vrij van kinderarbeid.",
        "Nasze baterie nie zawierają minerałów z konfliktów.",
        "Våra batterier är fria från konflikt.",
        "当社の電池は紛争と無関係です。",
        "Наши батареи не содержат минералов из зон конфликта.",
    ],
)
def test_says_what_was_not_read(text):
    assert unread(text, check(text)) == [text]


@pytest.mark.parametrize(
    "text",
    [
        "We retired credits. The cobalt in our products is not physically traced to this site.",
        "Great batteries for you.",
        "War-free gold",
        "Nous avons soutenu l'extraction artisanale responsable.",
        "Hemos apoyado la minería artesanal responsable en la República Democrática del Congo.",
        "Apoiamos a mineração artesanal responsável no Congo.",
        "Tuliunga mkono uchimbaji mdogo wa madini kwa njia ya haki.",
        "ASMC-R-000017: 2.5 credits, in the year 2026.\nTo be continued in die Annual Report of the company",
        "2026",
    ],
)
def test_leaves_alone_what_was_read(text):
    assert unread(text, check(text)) == []


def test_names_only_the_part_in_another_language():
    text = "We retired credits. Unsere Batterien sind ohne Kinderarbeit! This is conflict-free."

    assert unread(text, check(text)) == ["Unsere Batterien sind ohne Kinderarbeit"]
