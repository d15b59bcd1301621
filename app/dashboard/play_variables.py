"""The rows KEY and VALUE of the forms that start something."""

from flask import request

from app.domain.errors import InvalidRequest
from app.domain.plan import Variable
from app.domain.variables import valid_key

MOST = 100


def variables_of_form() -> list[Variable]:
    """What was filled in; rows without a key are left out. Raises InvalidRequest."""
    pairs = zip(request.form.getlist("key"), request.form.getlist("value"), strict=False)
    found = {key.strip(): value for key, value in pairs if key.strip()}
    if wrong := [key for key in found if not valid_key(key)]:
        raise InvalidRequest(f"{wrong[0]!r} cannot name a variable: use letters, digits and underscores", "key")
    if len(found) > MOST:
        raise InvalidRequest(f"at most {MOST} variables", "key")
    return [Variable(key, value, public=False) for key, value in found.items()]
