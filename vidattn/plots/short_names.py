"""Names that fit into a figure."""

import re
from collections import Counter
from collections.abc import Iterable

IMPORT_PATH = re.compile(r"(?:[^\W\d]\w*\.)+([^\W\d]\w*)")


def short_names(schemes: Iterable[str]) -> dict[str, str]:
    """Each scheme with the last name of every import path in it; whole where two would be one.

    >>> short_names(["joint", "time+my_package.blocks.Mine(2)"])
    {'joint': 'joint', 'time+my_package.blocks.Mine(2)': 'time+Mine(2)'}
    """
    names = {scheme: IMPORT_PATH.sub(r"\1", scheme) for scheme in schemes}
    times = Counter(names.values())
    return {scheme: name if times[name] == 1 else scheme for scheme, name in names.items()}
