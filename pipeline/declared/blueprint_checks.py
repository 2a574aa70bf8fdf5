"""Check that containers, models, machines and products fit together."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

from pipeline.declared.catalogue import Catalogue
from pipeline.declared.containers import ContainerManifest
from pipeline.declared.products import Product, require_products
from pipeline.declared.resources import Resources


def require_consistent(
    containers: Sequence[ContainerManifest],
    catalogue: Catalogue,
    resources: Resources,
    products: tuple[Product, ...],
    machines: Sequence[str],
) -> None:
    """Raise ValueError if a declaration names what no other declares. `machines` are all names."""
    _require_resources(containers, resources)
    _require_machines(containers, machines)
    _require_invoked(containers)
    _require_models(containers, catalogue)
    require_products(products, machines=machines, engines=catalogue.engines)
    _require_claiming(resources.claiming, machines, products)
    _require_batch(containers, products)


def _require_resources(containers: Iterable[ContainerManifest], resources: Resources) -> None:
    for container in containers:
        buckets = {access.bucket for access in container.access} - resources.buckets.keys()
        vectors = {*container.vector_buckets} - resources.vector_buckets.keys()
        tables = {table.name for table in container.tables} - resources.tables.keys()
        for kind, lost in (("bucket", buckets), ("vector bucket", vectors), ("table", tables)):
            if lost:
                names = ", ".join(sorted(lost))
                raise ValueError(f"{container.name} has access to no {kind} there is: {names}")


def _require_machines(containers: Iterable[ContainerManifest], machines: Collection[str]) -> None:
    for container in containers:
        for each in container.machines:
            if each.name not in machines:
                raise ValueError(f"{container.name} has access to no machine there is: {each.name}")


def _require_claiming(
    claiming: Iterable[str], machines: Collection[str], products: Iterable[Product]
) -> None:
    of_products = {product.machine for product in products}
    for name in claiming:
        if name not in machines or name in of_products:
            raise ValueError(f"claiming: {name} is no machine, or a product's")


def _require_invoked(containers: Sequence[ContainerManifest]) -> None:
    names = {container.name for container in containers}
    for container in containers:
        if lost := sorted({each.container for each in container.invokes} - names):
            raise ValueError(f"{container.name} invokes no container there is: {', '.join(lost)}")


def _require_batch(containers: Iterable[ContainerManifest], products: Iterable[Product]) -> None:
    able = {each.name for each in containers if each.batch}
    for product in products:
        for name, role in product.roles.items():
            if role.batch and role.container not in able:
                raise ValueError(f"{product.name}: {role.container} has no batch for role {name}")


def _require_models(containers: Iterable[ContainerManifest], catalogue: Catalogue) -> None:
    for container in containers:
        engines = catalogue.engines.get(container.name, {})
        on_batch = [row.name for row in catalogue.rows_of(container.name) if row.compute == "batch"]
        if on_batch and not container.batch:
            raise ValueError(f"{container.name} has no batch, which {', '.join(on_batch)} needs")
        if container.function_per_model and not engines:
            raise ValueError(f"{container.name} has a function per model, and no models.toml")
        named = {engine for access in container.access for engine in access.engines}
        if lost := sorted(named - engines.keys()):
            raise ValueError(
                f"{container.name} gives access to no engine it has: {', '.join(lost)}"
            )
