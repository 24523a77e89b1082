"""Everything a process needs to run flows on Temporal: data converter, activities, worker options, start."""
