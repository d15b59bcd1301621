"""Rows as this API shows them: one function an entity, which takes the Core and the row and returns plain JSON values.

What the seed of 2017 shows and what today's clients expect are both there (gitlab.md B.2): names are never dropped.
Functions in the plural load what their rows need beside them in a fixed number of queries.
"""
