"""Load a command's module when the command is named: help of the others stays quick."""

from __future__ import annotations

import importlib
from collections.abc import Iterator, Mapping, MutableMapping

import click


class LazyCommands(MutableMapping[str, click.Command]):
    """Commands by their names; each is loaded when it is asked for.

    `modules` has the module of `pipeline.cli` for each name, in which the command has that name.
    """

    def __init__(self, modules: Mapping[str, str]) -> None:
        self._modules = modules

    def __getitem__(self, name: str) -> click.Command:
        module = importlib.import_module(f"pipeline.cli.{self._modules[name]}")
        command: click.Command = getattr(module, name)
        return command

    def __iter__(self) -> Iterator[str]:
        return iter(self._modules)

    def __len__(self) -> int:
        return len(self._modules)

    def __setitem__(self, name: str, command: click.Command) -> None:
        raise TypeError("commands are declared, not added")

    def __delitem__(self, name: str) -> None:
        raise TypeError("commands are declared, not removed")
