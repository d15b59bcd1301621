"""The use cases, one verb a file. They take the `Core` and rows, know no request, and write in one transaction each."""
