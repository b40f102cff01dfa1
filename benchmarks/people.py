"""Who stands in the lines that are measured: varied addresses, the same ones on every machine."""

from collections.abc import Iterator
from itertools import accumulate
from random import Random

_FIRST = """
ada aisha alejandro amelie anders anna antonio beatriz bjorn bruno carla chen chloe dariusz david deniz dimitri
elena emma eva farid fatima felix fiona gabriel giulia grace hana hannes hugo ibrahim ines ivan jakub jana jean
jonas julia karim katya kenji lars laura lea leila leon linh lucia luka magda malik maria marta matteo maya
mehmet mia miguel mila mohamed nadia naomi nina noah olga oliver omar pablo paula pavel petra priya rafael ravi
rosa samir sara sofia stefan sven tariq thomas tomas uma valentina viktor wei yara yusuf zoe
"""
_LAST = """
abbas adams ahmed almeida andersson bauer becker bernard bianchi brown carter chen costa cruz demir dubois
eriksen evans fernandez ferrari fischer garcia gomez haddad hansen hernandez hoffmann horvat huang ivanova
jansen johnson kaya keller khan kim kovacs kowalski kumar larsen lee lehmann lopez martin mendes meyer moreau
mueller nagy nguyen nielsen nowak okafor olsen park patel pereira petrov popescu ricci rivera romano rossi
santos schmidt schneider sharma silva singh smith svensson takahashi tanaka taylor torres vasquez wagner walker
wang weber williams wong wright yamamoto yilmaz young zhang zimmermann
"""
FIRST_NAMES, LAST_NAMES = _FIRST.split(), _LAST.split()
SEPARATORS = (".", "_", "-", "", "")
DOMAINS = {
    "gmail.com": 400,
    "outlook.com": 130,
    "yahoo.com": 100,
    "icloud.com": 80,
    "hotmail.com": 60,
    "web.de": 40,
    "proton.me": 40,
    "orange.fr": 30,
    "libero.it": 20,
    "fastmail.example": 10,
    "acme.example": 50,
    "uni-hamburg.example": 20,
    "startup.example": 20,
}
RARE_NAME = "quetzalcoatl"
RARE_NUMBER = 20  # people of that name, however long the line

# What is searched for: the share of all addresses that contain it stays the same, but for the first.
SEARCH_TERMS = {"rare": RARE_NAME, "medium": "fastmail", "frequent": "gmail", "short": "ma"}

REFERRED_SHARE = 0.1
POPULARITY = 3  # the power that makes a few people refer very many
SCRAMBLE, SPAN = 7_368_787, 10_000_019  # coprime: every number below SPAN comes once, in no order


def addresses(number: int) -> Iterator[str]:
    """So many different addresses. A few stars of rare name are spread evenly among them."""
    random = Random(2026)  # the same people every time
    weights = list(accumulate(DOMAINS.values()))
    every = max(1, number // RARE_NUMBER)
    for nth in range(number):
        (domain,) = random.choices(list(DOMAINS), cum_weights=weights)
        is_rare = nth % every == 0 and nth // every < RARE_NUMBER
        last = RARE_NAME if is_rare else random.choice(LAST_NAMES)
        first = random.choice(FIRST_NAMES)
        if random.random() < 0.3:
            first = first.capitalize()
        yield f"{first}{random.choice(SEPARATORS)}{last}{nth * SCRAMBLE % SPAN}@{domain}"


def referrers(random: Random, codes: list[str], number: int) -> list[str | None]:
    """For each of so many newcomers the code of whoever sent them, or None; some people send very many."""
    named: list[str | None] = []
    for _ in range(number):
        is_referred = codes and random.random() < REFERRED_SHARE
        named.append(codes[int(len(codes) * random.random() ** POPULARITY)] if is_referred else None)
    return named
