"""The jobs and results of tasks: one module per product."""
