"""SendWebhook: send one message to one webhook, once."""
