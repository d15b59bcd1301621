"""What this API's objects look like, one file a kind. What is not known is left out: absent, never null."""
