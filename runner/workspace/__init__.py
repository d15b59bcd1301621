"""All work on files that jobs may have touched: sources, artifacts, caches, removal."""
