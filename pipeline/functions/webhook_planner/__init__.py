"""WriteMessages: write one message for each webhook that wants to know of a job's end."""
