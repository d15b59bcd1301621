"""Ids of 24 hex digits can be turned back, and name one row of one kind."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from app.domain.object_ids import Kind, ObjectId, decode, encode

MOMENTS = st.integers(86_400, 4_102_444_800).map(lambda seconds: datetime.fromtimestamp(seconds, UTC))
KEYS = st.integers(1, 2**56 - 1)


@given(st.sampled_from(Kind), MOMENTS, KEYS)
def test_an_id_can_be_turned_back(kind: Kind, moment: datetime, key: int) -> None:
    text = encode(kind, moment, key)
    found = decode(text.upper())
    assert found == decode(text) == ObjectId(int(moment.timestamp()), kind, key)
    assert found.names(kind, moment)
    assert not found.names(kind, moment + timedelta(seconds=1))
    assert not any(found.names(other, moment) for other in Kind if other != kind)


@given(st.text())
def test_any_text_is_an_id_or_none(text: str) -> None:
    assert (decode(text) is None) == (len(text) != 24 or not set(text) <= set("0123456789abcdefABCDEF"))


def test_the_parts_stand_where_the_design_says() -> None:
    moment = datetime(2016, 7, 4, 11, 51, 24, 851_000, UTC)
    assert encode(Kind.PIPELINE, moment, 57) == "577a4dbc" + "03" + "00000000000039"
