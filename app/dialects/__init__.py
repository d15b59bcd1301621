"""Compilers: configuration text in, a plan or diagnostics out. No network, no database."""
