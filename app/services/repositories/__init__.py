"""What happens to a project's repository: pushes, mirrors, which refs are protected."""
