"""Studies behind the chapters: each module's `main` makes a file of report/studies/results."""
