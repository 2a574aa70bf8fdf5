"""What crosses a task's edge: a module of jobs and results for each product."""
