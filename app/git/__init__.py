"""Hosted and mirrored repositories, through the git program."""
