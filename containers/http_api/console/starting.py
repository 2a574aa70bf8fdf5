"""The inputs with which operators may start machines: described, shown by example, checked."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import JsonValue, ValidationError

from containers.http_api.errors import InvalidRequest, NotStartable, WrongField, WrongFields
from containers.http_api.options import check_options, options_schema
from pipeline.contracts.inputs import STARTED_BY_HAND, Example, ObjectInput, object_examples
from pipeline.contracts.written import problems
from pipeline.declared.catalogue import Catalogue
from pipeline.declared.products import Product
from pipeline.operations.console.reach import Reach
from pipeline.operations.site import Site

_FIELD = "body.input"


@dataclass(frozen=True)
class Inputs:
    """What the machines take that operators may start: those of products, and a few others."""

    products: Mapping[str, Product]
    catalogue: Catalogue
    reach: Reach

    @classmethod
    def of(cls, products: Sequence[Product], catalogue: Catalogue, reach: Reach) -> Inputs:
        return cls({product.machine: product for product in products}, catalogue, reach)

    def takes(self, machine: str) -> bool:
        """Return True if an operator may start this machine."""
        known = machine in self.products or machine in STARTED_BY_HAND
        return known and self.reach.allows("StartExecution", machine)

    def schema(self, machine: str) -> dict[str, Any] | None:
        """Return the JSON Schema of a machine's input; None if operators cannot start it."""
        if not self.takes(machine):
            return None
        if product := self.products.get(machine):
            schema = ObjectInput.model_json_schema()
            schema["properties"]["options"] = options_schema(product, self.catalogue)
            return schema
        return STARTED_BY_HAND[machine].input.model_json_schema()

    def examples(self, site: Site, machine: str) -> tuple[Example, ...]:
        if not self.takes(machine):
            return ()
        if product := self.products.get(machine):
            return object_examples(site.names.bucket("ingest"), product.suffixes)
        return STARTED_BY_HAND[machine].examples

    def check(self, machine: str, given: JsonValue) -> JsonValue:
        """Return an input if the machine takes it. Raises NotStartable or WrongFields."""
        if not self.takes(machine):
            raise NotStartable(f"{machine} is started by events, by the API or by other machines")
        product = self.products.get(machine)
        kind = ObjectInput if product else STARTED_BY_HAND[machine].input
        try:
            read = kind.model_validate_json(json.dumps(given), strict=True)
        except ValidationError as error:
            raise _invalid(error, kind) from error
        if product and isinstance(read, ObjectInput):
            try:
                check_options(product, self.catalogue, read.options)
            except WrongFields as error:
                raise _within_input(error) from error
        return given


def _invalid(error: ValidationError, kind: type[Any]) -> WrongFields:
    wrong = [
        WrongField(field=f"{_FIELD}.{each.field}".removesuffix(".it"), detail=each.sentence)
        for each in problems(error, kind)
    ]
    told = "; ".join(f"{each.field}: {each.detail}" for each in wrong)
    return WrongFields(InvalidRequest(told), *wrong)


def _within_input(error: WrongFields) -> WrongFields:
    """Return the same error for options that are in an input."""
    wrong = (
        WrongField(field=each.field.replace("body.", f"{_FIELD}.", 1), detail=each.detail)
        for each in error.wrong
    )
    return WrongFields(error.error, *wrong)
