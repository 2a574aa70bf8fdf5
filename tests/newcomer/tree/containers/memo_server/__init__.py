"""memo-server: the kinds of words memos are searched for, over HTTP."""
