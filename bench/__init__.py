"""What is fast, measured side by side in one run: `make bench`, or `python -m bench NAME …` for some of it.

Each benchmark is a module with a docstring that says what it measures, against what, and which noise to expect, and a
function
`run(place) -> list[Row]`. Figures are ratios to a peer or to the physical limit in the same run; single figures vary
by a factor of two from machine to machine and say little.
"""
