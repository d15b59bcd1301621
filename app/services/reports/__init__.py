"""Reports that jobs upload, read on the server: variables handed on, tests, coverage."""
