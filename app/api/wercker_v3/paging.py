"""Lists: how many, and from where on."""

from app.api.wercker_v3.params import Kind, Param


def paged(most: int, usual: int = 20) -> tuple[Param, ...]:
    """`limit` from 1 to `most`, and `skip`, which is 0 unless told otherwise though the documentation says "Min: 1"."""
    return (
        Param("limit", Kind.INTEGER, low=1, high=most, default=usual),
        Param("skip", Kind.INTEGER, default=0),
    )
