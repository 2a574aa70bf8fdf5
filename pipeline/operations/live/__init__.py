"""What a deployment does right now and did within the last hour, from what AWS tells anyway."""
