"""Keep a key's alias as long as its key, so that the next stage of that name finds it."""

from __future__ import annotations

from aws_cdk import aws_kms as kms

from infra.private_bucket import removal_policy


def keep_alias(key: kms.Key, construct_id: str = "Alias") -> None:
    """Retain the alias that is the child `construct_id` of a retained key."""
    alias = key.node.find_child(construct_id)
    if not isinstance(alias, kms.Alias):
        raise TypeError(f"{alias.node.path} is no alias")
    alias.apply_removal_policy(removal_policy(retained=True))
