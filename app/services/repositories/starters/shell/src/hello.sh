#!/bin/sh
echo "Hello, ${1:-you}! This is @VERSION@."
