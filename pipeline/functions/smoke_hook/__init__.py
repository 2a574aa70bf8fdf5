"""CodeDeploy's hook before traffic moves: a new version must answer its golden event."""
