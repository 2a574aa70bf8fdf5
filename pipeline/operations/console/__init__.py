"""What operators see of a deployment: machines, executions, logs, quarantine, containers."""
