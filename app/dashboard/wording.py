"""Numbers, times and statuses in words, as the templates use them."""

from datetime import UTC, datetime

from app.models import Job

#: status → (word, tone). The tone names the colour and the icon; the word is always beside it.
STATUS_WORDS = {
    "created": ("created", "waiting"),
    "waiting_for_resource": ("waiting for resource", "waiting"),
    "preparing": ("preparing", "waiting"),
    "waiting_for_callback": ("waiting for callback", "waiting"),
    "pending": ("pending", "pending"),
    "running": ("running", "running"),
    "success": ("passed", "success"),
    "failed": ("failed", "failed"),
    "warning": ("failed, allowed to", "warning"),
    "canceling": ("canceling", "canceled"),
    "canceled": ("canceled", "canceled"),
    "skipped": ("skipped", "skipped"),
    "manual": ("manual", "manual"),
    "scheduled": ("scheduled", "manual"),
}
#: What a browser calls itself, the more exact names first: most also claim to be another.
_BROWSERS = (("Edg", "Edge"), ("OPR/", "Opera"), ("Firefox/", "Firefox"), ("Chrom", "Chrome"), ("Safari/", "Safari"))
_SYSTEMS = (
    ("Android", "Android"),
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Windows", "Windows"),
    ("Mac OS X", "macOS"),
    ("Linux", "Linux"),
)
_UNITS = ("bytes", "KiB", "MiB", "GiB", "TiB")
_STEPS = ((60, "minute"), (3600, "hour"), (86_400, "day"), (30 * 86_400, "month"), (365 * 86_400, "year"))


def status_word(status: str) -> str:
    return STATUS_WORDS.get(status, (status.replace("_", " "), "waiting"))[0]


def status_tone(status: str) -> str:
    return STATUS_WORDS.get(status, ("", "waiting"))[1]


def shown_status(job: Job) -> str:
    """The job's status; `warning` for a failure that is allowed."""
    return "warning" if job.status == "failed" and job.allow_failure else job.status


def size(count: int) -> str:
    """Bytes as people read them: 1.5 MiB."""
    amount, unit = float(count), 0
    while amount >= 1024 and unit < len(_UNITS) - 1:
        amount, unit = amount / 1024, unit + 1
    if unit == 0:
        return f"{count} byte" if count == 1 else f"{count} bytes"
    return f"{amount:.1f} {_UNITS[unit]}"


def duration(seconds: float | None) -> str:
    """0.4 s, 12 s, 3 min 5 s, 2 h 10 min; nothing for None."""
    if seconds is None:
        return ""
    tenths = max(0, round(seconds * 10))
    if tenths < 100 and tenths % 10:
        return f"{tenths / 10} s"
    whole = max(0, round(seconds))
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"


def elapsed(start: datetime | None, end: datetime | None, now: datetime) -> float | None:
    """Seconds from `start` to `end`, or until now; None before the start."""
    return ((end or now) - start).total_seconds() if start else None


def age(moment: datetime, now: datetime) -> str:
    """How long ago `moment` was, or how far off it is: "3 minutes ago", "in 2 days"."""
    apart = (now - moment).total_seconds()
    distance, name = abs(apart), "second"
    if distance < 45:
        return "just now" if apart >= 0 else "in a moment"
    count = 0
    for seconds, unit in _STEPS:
        if distance >= seconds * 0.75:
            count, name = max(1, round(distance / seconds)), unit
    words = f"{count} {name}{'' if count == 1 else 's'}"
    return f"{words} ago" if apart >= 0 else f"in {words}"


def machine_time(moment: datetime) -> str:
    """For `<time datetime>`: 2026-01-02T03:04:05Z."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def full_time(moment: datetime) -> str:
    """For people: 2026-01-02 03:04:05 UTC."""
    return moment.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


def web_address(text: str | None) -> str:
    """`text` where it is the address of a page on the web; else nothing, so that no link can run a script."""
    return text if text and text.lower().startswith(("http://", "https://")) else ""


def visible(text: str | None) -> str:
    """`text` with control and direction characters shown as their pictures, so that no name can disguise itself."""
    return "".join(_picture(character) for character in text or "")


def _picture(character: str) -> str:
    code = ord(character)
    if code < 0x20:
        return chr(0x2400 + code)
    if code == 0x7F or 0x80 <= code < 0xA0 or character in "\u200e\u200f\u061c\u2028\u2029\ufeff":
        return "\u2421"
    if 0x202A <= code <= 0x202E or 0x2066 <= code <= 0x2069 or 0xD800 <= code < 0xE000:
        return "\u2421"
    return character


def day(moment: datetime) -> str:
    """A day in UTC: 2026-01-02. For what is noted once a day."""
    return moment.astimezone(UTC).strftime("%Y-%m-%d")


def browser(agent: str) -> str:
    """What sent a User-Agent, as far as it says so: "Firefox on Linux", "curl"."""
    name = next((word for token, word in _BROWSERS if token in agent), agent.partition("/")[0].strip()[:40])
    system = next((word for token, word in _SYSTEMS if token in agent), "")
    return f"{name} on {system}" if name and system else name or "unknown browser"
