#!/bin/sh
# Greets whom it is told to.
printf 'Hello, %s! This is @VERSION@.\n' "${1:-world}"
