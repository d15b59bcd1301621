"""One job, from its wire form to its result: a module for each part of its life (gitlab.md A.7).

`phases` is the story in order, `run` what its parts share. In the order in which they come: `variables` and
`script_files` say what the job gets, `prepare` makes its place, `sources`, `caches` and `artifacts` move its files,
`steps` run what its author wrote, `end` brings the result home.
"""
