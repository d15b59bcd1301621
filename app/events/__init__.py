"""Who is told when something changes: in memory, or by LISTEN/NOTIFY."""
