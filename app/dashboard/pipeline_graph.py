"""The graph of a pipeline as its template draws it: columns of cards, and the lines between them.

Lengths are in sixteenths of a rem. They are those of static/css/graph.css, so that the lines, which are drawn here,
meet the cards, which the browser places.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise

from app.dashboard.wording import elapsed, shown_status
from app.domain import graph
from app.domain.status import composite
from app.models import CommitStatus, Job, Pipeline
from app.services.pipelines.commit_statuses import STAGE_INDEX
from app.services.pipelines.show_pipeline import PipelineView
from app.services.pipelines.show_relations import Relations

LANE, GAP = 232, 40
CARD, PITCH, HEAD = 52, 60, 40
_UPSTREAM, _DOWNSTREAM = -1, STAGE_INDEX + 1
_TITLES = {_UPSTREAM: "Upstream", STAGE_INDEX: "Reported from outside", _DOWNSTREAM: "Downstream"}
_COUNTED = ("failed", "warning", "running", "pending", "manual", "scheduled", "canceled", "skipped", "success")


@dataclass(frozen=True, slots=True)
class Card:
    """A `job`, a status `reported` from outside, another `pipeline`, or a group of `jobs`.

    `needs`: names of jobs. `open`: the group's members follow, each `inside`. `critical`: on the critical path.
    """

    key: str
    status: str
    name: str
    job: Job | None = None
    reported: CommitStatus | None = None
    pipeline: Pipeline | None = None
    jobs: tuple[Job, ...] = ()
    open: bool = False
    inside: bool = False
    critical: bool = False
    needs: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class CardColumn:
    """A stage. `status` is empty where the column is none."""

    title: str
    status: str
    lanes: tuple[tuple[Card, ...], ...]


@dataclass(frozen=True, slots=True)
class Line:
    """`d` is an SVG path; `start` and `end` are keys of cards."""

    d: str
    start: str
    end: str
    critical: bool


@dataclass(frozen=True, slots=True)
class PipelineGraph:
    """`critical`: the jobs of the critical path, where it has more than one, and how many seconds they ran.
    `counts`: how many jobs there are of each shown status.
    """

    columns: tuple[CardColumn, ...]
    lines: tuple[Line, ...]
    width: int
    height: int
    critical: tuple[Job, ...]
    critical_seconds: float
    counts: tuple[tuple[str, int], ...]


def pipeline_graph(
    view: PipelineView, relations: Relations, reported: Sequence[CommitStatus], opened: Collection[str], now: datetime
) -> PipelineGraph:
    """The graph of `view`, with the groups in `opened` unfolded."""
    jobs = {_job_key(job): job for job in view.jobs}
    nodes = _job_nodes(jobs.values(), now)
    path = graph.critical_path(nodes)
    path = path if len(path) > 1 else ()
    layout = graph.lay_out([*nodes, *_other_nodes(relations, reported)], opened)
    maker = _Cards(jobs, relations, reported, frozenset(path))
    steps = {(layout.places[before], layout.places[after]) for before, after in pairwise(path)}
    card_keys = {cell.place: maker.key(cell) for column in layout.columns for lane in column.lanes for cell in lane}
    critical = tuple(jobs[key] for key in path)
    return PipelineGraph(
        columns=tuple(maker.column(column) for column in layout.columns),
        lines=tuple(
            Line(_curve(edge), card_keys[edge.start], card_keys[edge.end], (edge.start, edge.end) in steps)
            for edge in layout.edges
        ),
        width=layout.lanes * (LANE + GAP) - GAP,
        height=HEAD + layout.rows * PITCH,
        critical=critical,
        critical_seconds=sum(elapsed(job.started_at, job.finished_at, now) or 0.0 for job in critical),
        counts=count_statuses(jobs.values()),
    )


def _job_key(job: Job) -> str:
    return f"job-{job.id}"


def _job_nodes(jobs: Iterable[Job], now: datetime) -> list[graph.Node]:
    jobs = list(jobs)
    keys = {job.name: _job_key(job) for job in jobs}
    return [
        graph.Node(
            key=_job_key(job),
            name=job.name,
            column=job.stage_index,
            needs=None if job.needs is None else tuple(keys[name] for name in needed_names(job) if name in keys),
            start=job.started_at.timestamp() if job.started_at else None,
            end=(job.finished_at or now).timestamp() if job.started_at else None,
        )
        for job in jobs
    ]


def needed_names(job: Job) -> tuple[str, ...]:
    """The names of the jobs that `job` waits for by itself, whatever its stage."""
    return tuple(str(need["job"]) for need in job.needs or ())


def _other_nodes(relations: Relations, reported: Sequence[CommitStatus]) -> Iterable[graph.Node]:
    if relations.started_by:
        yield graph.Node(f"pipeline-{relations.started_by.pipeline_id}", "", _UPSTREAM, ())
    # Numbers for names: whatever others call a status, it is no instance of a parallel job.
    for number, status in enumerate(reported):
        yield graph.Node(f"status-{status.id}", str(number), STAGE_INDEX, ())
    for job_id, below in relations.started.items():
        yield graph.Node(f"pipeline-{below.id}", str(below.id), _DOWNSTREAM, (f"job-{job_id}",))


def count_statuses(jobs: Iterable[Job]) -> tuple[tuple[str, int], ...]:
    """How many of `jobs` have each shown status; what people look for comes first."""
    counted = Counter(shown_status(job) for job in jobs)
    order = sorted(counted, key=lambda status: _COUNTED.index(status) if status in _COUNTED else len(_COUNTED))
    return tuple((status, counted[status]) for status in order)


def _curve(edge: graph.Edge) -> str:
    """From the right side of one card to the left side of the other. A long line runs above its last card's row."""
    x, end_x = edge.start.lane * (LANE + GAP) + LANE, edge.end.lane * (LANE + GAP)
    y, end_y = (HEAD + place.row * PITCH + CARD // 2 for place in edge)
    middle = GAP // 2
    if end_x - x == GAP:
        return f"M{x} {y}C{x + middle} {y} {x + middle} {end_y} {end_x} {end_y}"
    between = HEAD + edge.end.row * PITCH - (PITCH - CARD) // 2
    leave = f"M{x} {y}C{x + middle} {y} {x + middle} {between} {x + GAP} {between}"
    return f"{leave}H{end_x - GAP}C{end_x - middle} {between} {end_x - middle} {end_y} {end_x} {end_y}"


class _Cards:
    """Makes the cards of one layout."""

    def __init__(
        self,
        jobs: dict[str, Job],
        relations: Relations,
        reported: Sequence[CommitStatus],
        critical: frozenset[str],
    ) -> None:
        self._jobs, self._critical = jobs, critical
        self._reported = {f"status-{status.id}": status for status in reported}
        above = [relations.started_by.pipeline] if relations.started_by else []
        self._pipelines = {f"pipeline-{each.id}": each for each in (*above, *relations.started.values())}

    def key(self, cell: graph.Cell) -> str:
        """Differs from those of its members, which may stand below it."""
        return f"group-{cell.keys[0]}" if cell.group else cell.keys[0]

    def column(self, column: graph.Column) -> CardColumn:
        lanes = tuple(tuple(self._card(cell) for cell in lane) for lane in column.lanes)
        keys = (key for lane in column.lanes for cell in lane for key in cell.keys)
        jobs = [self._jobs[key] for key in keys if key in self._jobs]
        title = _TITLES.get(column.index) or jobs[0].stage
        return CardColumn(title, _composite(jobs) if jobs else "", lanes)

    def _card(self, cell: graph.Cell) -> Card:
        key = cell.keys[0]
        if cell.group:
            jobs = tuple(self._jobs[each] for each in cell.keys)
            critical = not self._critical.isdisjoint(cell.keys)
            return Card(self.key(cell), _composite(jobs), cell.group, jobs=jobs, open=cell.open, critical=critical)
        if key in self._reported:
            reported = self._reported[key]
            return Card(key, reported.status, reported.name, reported=reported)
        if key in self._pipelines:
            pipeline = self._pipelines[key]
            return Card(key, pipeline.status, pipeline.project.full_path, pipeline=pipeline)
        job = self._jobs[key]
        return Card(
            key,
            shown_status(job),
            job.name,
            job=job,
            inside=cell.inside,
            critical=key in self._critical,
            needs=needed_names(job),
        )


def _composite(jobs: Iterable[Job]) -> str:
    return composite((job.status, job.allow_failure) for job in jobs) or "created"
