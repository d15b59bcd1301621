"""Thin translators, one folder a dialect: parse, call a service, render."""
