"""Collections of faces: list them; for operators, create, enrol, forget and delete."""

from __future__ import annotations

from http import HTTPStatus

from aws_lambda_powertools.event_handler.api_gateway import APIGatewayHttpResolver

from containers.http_api.collection_bodies import (
    ChangedCollection,
    NewCollection,
    NewEnrollment,
    NewForgetting,
)
from containers.http_api.collection_desk import CollectionDesk
from containers.http_api.collection_views import (
    Action,
    Collection,
    Collections,
    StartedAction,
)
from containers.http_api.current import Current
from containers.http_api.repeats import IdempotencyKey, answer_once
from containers.http_api.waiting import Prefer, preferred_wait
from pipeline.declared.catalogue import Catalogue


def add_collections(
    api: APIGatewayHttpResolver, current: Current, catalogue: Catalogue, *, docs: str
) -> None:
    desk = CollectionDesk(current, catalogue, docs)

    @api.get(
        "/collections",
        operation_id="listCollections",
        summary="List the collections that the caller may search or manage.",
        tags=["Collections"],
        response_description="The collections",
    )
    def list_collections() -> Collections:
        return desk.listed()

    @api.post(
        "/collections",
        operation_id="createCollection",
        summary="Create a collection (operators).",
        tags=["Collections"],
        status_code=HTTPStatus.ACCEPTED,
        response_description="The action, which runs",
    )
    def create_collection(
        collection: NewCollection, idempotency_key: IdempotencyKey = None
    ) -> StartedAction:
        asked = ["createCollection", collection.model_dump(mode="json")]
        return answer_once(
            current, idempotency_key, asked, lambda marked: desk.create(collection, marked),
            StartedAction,
        )  # fmt: skip

    @api.get(
        "/collections/<name>",
        operation_id="getCollection",
        summary="Describe a collection.",
        tags=["Collections"],
        response_description="The collection",
    )
    def get_collection(name: str) -> Collection:
        return desk.describe(name)

    @api.patch(
        "/collections/<name>",
        operation_id="changeCollection",
        summary="Change who may search a collection (operators).",
        tags=["Collections"],
        status_code=HTTPStatus.ACCEPTED,
        response_description="The action, which runs",
    )
    def change_collection(
        name: str, changed: ChangedCollection, idempotency_key: IdempotencyKey = None
    ) -> StartedAction:
        asked = ["changeCollection", name, changed.model_dump(mode="json")]
        return answer_once(
            current, idempotency_key, asked, lambda marked: desk.change(name, changed, marked),
            StartedAction,
        )  # fmt: skip

    @api.delete(
        "/collections/<name>",
        operation_id="deleteCollection",
        summary="Delete a collection for good, with every vector in it (operators).",
        tags=["Collections"],
        status_code=HTTPStatus.ACCEPTED,
        response_description="The action, which runs",
    )
    def delete_collection(name: str, idempotency_key: IdempotencyKey = None) -> StartedAction:
        asked = ["deleteCollection", name]
        return answer_once(
            current, idempotency_key, asked, lambda marked: desk.delete(name, marked),
            StartedAction,
        )  # fmt: skip

    @api.post(
        "/collections/<name>/enrollments",
        operation_id="enrollFaces",
        summary="Enrol faces of photos (operators).",
        tags=["Collections"],
        status_code=HTTPStatus.ACCEPTED,
        response_description="The action, which runs",
    )
    def enroll_faces(
        name: str, enrollment: NewEnrollment, idempotency_key: IdempotencyKey = None
    ) -> StartedAction:
        asked = ["enrollFaces", name, enrollment.model_dump(mode="json")]
        return answer_once(
            current, idempotency_key, asked, lambda marked: desk.enroll(name, enrollment, marked),
            StartedAction,
        )  # fmt: skip

    @api.post(
        "/collections/<name>/forgettings",
        operation_id="forgetSubject",
        summary="Forget a person or a photo (operators).",
        tags=["Collections"],
        status_code=HTTPStatus.ACCEPTED,
        response_description="The action, which runs",
    )
    def forget_subject(
        name: str, forgetting: NewForgetting, idempotency_key: IdempotencyKey = None
    ) -> StartedAction:
        asked = ["forgetSubject", name, forgetting.model_dump(mode="json")]
        return answer_once(
            current, idempotency_key, asked, lambda marked: desk.forget(name, forgetting, marked),
            StartedAction,
        )  # fmt: skip

    @api.get(
        "/collections/<name>/actions/<action>",
        operation_id="getAction",
        summary="Say how far an action is (operators).",
        tags=["Collections"],
        response_description="The action",
    )
    def get_action(name: str, action: str, prefer: Prefer = None) -> Action:
        return desk.action(name, action, wait_s=preferred_wait(prefer))
