"""The compiler of `.gitlab-ci.yml`."""

from app.dialects.gitlab.compiler import compile_text
from app.dialects.gitlab.declared_inputs import declared_inputs, typed

__all__ = ["compile_text", "declared_inputs", "typed"]
