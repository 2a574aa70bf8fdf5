"""The command line: commands, reports, contact sheets."""
