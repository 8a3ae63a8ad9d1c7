"""The sweep: its rules, and what their jobs run as `python -m workflow.X`."""
