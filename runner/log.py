"""The daemon's own log: one line an event, on standard error."""

import logging
import sys

import structlog


def configure(level: str, log_format: str) -> None:
    """Set structlog up, and send through it what modules say by `logging`. `level` as in `config.LOG_LEVELS`;
    `log_format` is text or json.
    """
    renderer: structlog.types.Processor = (
        structlog.processors.JSONRenderer(ensure_ascii=False)
        if log_format == "json"
        else structlog.processors.LogfmtRenderer(key_order=["timestamp", "level", "event"], bool_as_flag=False)
    )
    shared: list[structlog.types.Processor] = [
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
    ]
    structlog.configure(
        processors=[*shared, renderer],
        wrapper_class=structlog.make_filtering_bound_logger(getattr(logging, level.upper())),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(sys.stderr)
    remove = structlog.stdlib.ProcessorFormatter.remove_processors_meta
    handler.setFormatter(structlog.stdlib.ProcessorFormatter(foreign_pre_chain=shared, processors=[remove, renderer]))
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)
    # Its debug lines quote request targets, and those may hold what is nobody's business.
    logging.getLogger("urllib3").setLevel(logging.WARNING)
