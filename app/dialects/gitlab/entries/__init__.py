"""Readers of keywords: from the nodes of one keyword to the value that the plan wants, every problem reported."""
