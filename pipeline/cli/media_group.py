"""A command for media that has subcommands as well."""

from __future__ import annotations

from typing import Any

import click

from pipeline.cli.media_options import MediaCommand


class MediaGroup(MediaCommand, click.Group):
    """A media command whose first word may name a subcommand; all other words are its own.

    A file with the name of a subcommand is written with its folder, such as `./find`.
    """

    allow_extra_args = click.Command.allow_extra_args
    allow_interspersed_args = click.Command.allow_interspersed_args

    def make_context(
        self,
        info_name: str | None,
        args: list[str],
        parent: click.Context | None = None,
        **extra: Any,
    ) -> click.Context:
        """Return the context of the subcommand that is named, or of the command itself."""
        command = self.commands.get(args[0]) if args else None
        if command is None:
            return super().make_context(info_name, args, parent, **extra)
        # A group without arguments: help of the subcommand would name those of this command.
        own = click.Context(click.Group(self.name), info_name=info_name, parent=parent)
        return command.make_context(args[0], args[1:], parent=own)

    parse_args = click.Command.parse_args
    invoke = click.Command.invoke
    collect_usage_pieces = click.Command.collect_usage_pieces

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the options, then the subcommands."""
        MediaCommand.format_options(self, ctx, formatter)
        self.format_commands(ctx, formatter)
