"""Projects: making them, finding them, who belongs to them, their variables."""
