"""What the entities look like: a TypedDict each, in the module named after that of `entities`.

The document's schemas are made of these, and every answer that a test of this API gets is held against them.
"""
