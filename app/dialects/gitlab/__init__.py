"""The compiler of `.gitlab-ci.yml`."""

from app.dialects.gitlab.compiler import compile_text

__all__ = ["compile_text"]
