"""Answer the page's view for operators: machines, executions, quarantine, containers."""
