"""memo-reader: the words of a memo that a word list knows."""
