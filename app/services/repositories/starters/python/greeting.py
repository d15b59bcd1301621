"""What the tests are about, until there is something better."""


def greeting(name: str) -> str:
    """A greeting for `name`."""
    return f"Hello, {name}!"
