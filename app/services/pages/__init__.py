"""Use cases of the web sites that jobs publish."""
