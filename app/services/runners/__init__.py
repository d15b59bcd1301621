"""What a runner asks and reports, and the runners themselves."""
