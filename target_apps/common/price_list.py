"""The price list that dealers download: too large for the repository, so it is written when the app starts.

The file has no name and goes with its process; it is opened through its descriptor.
"""

from tempfile import TemporaryFile

LINES = 100_000
LINE_BYTES = 42


def _line(n: int) -> str:
    return f"SKU-{n:06};{'dealer price list 2024':<22};{500 + 25 * (n % 4000):07}\n"


_file = TemporaryFile("w+", encoding="ascii")  # noqa: SIM115 (it stays open as long as the app)
_file.writelines(_line(n) for n in range(LINES))
_file.flush()

PATH = f"/dev/fd/{_file.fileno()}"
