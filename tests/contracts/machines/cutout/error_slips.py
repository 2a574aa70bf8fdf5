"""Slips in what the machine retries and catches."""

from __future__ import annotations

from typing import Final

from tests.contracts import catch_rules, retry_rules
from tests.contracts.mutations import add, drop, put, remove
from tests.contracts.slips import Slip

_RETRIES: Final = (
    Slip(
        retry_rules.lambda_is_retried,
        remove("States/RefineEdges/Retry/1/ErrorEquals", "StoreUnavailable"),
        "RefineEdges: StoreUnavailable is not retried",
    ),
    Slip(
        retry_rules.lambda_is_retried,
        remove("States/Inspect/Retry/0/ErrorEquals", "Lambda.TooManyRequestsException"),
        "Inspect: Lambda.TooManyRequestsException is not retried",
    ),
    Slip(
        retry_rules.lambda_is_retried,
        put("States/Inspect/Retry/1/MaxAttempts", 3),
        "Inspect: StoreUnavailable is retried 2 s ×2, 3 tries, cap 60 s;"
        " agreed is 2 s ×2, 6 tries, cap 60 s",
    ),
    Slip(
        retry_rules.lambda_is_retried,
        add("States/Inspect/Retry/1/ErrorEquals", "Lambda.TooManyRequestsException"),
        "Inspect: Lambda.TooManyRequestsException is retried twice",
    ),
    Slip(
        retry_rules.lambda_is_retried,
        add("States/Inspect/Retry/0/ErrorEquals", "Lambda.Unknown"),
        "Inspect: Lambda.Unknown is retried, which was not agreed",
    ),
    Slip(
        retry_rules.lambda_is_retried,
        add("States/RemoveBackground/Retry/1/ErrorEquals", "WeightsClaimed"),
        "RemoveBackground: WeightsClaimed is retried, which was not agreed",
    ),
    Slip(
        retry_rules.lambda_is_retried,
        add("States/RemoveBackground/Retry/1/ErrorEquals", "WeightsUnavailable"),
        "RemoveBackground: WeightsUnavailable is retried, which was not agreed",
    ),
    Slip(
        retry_rules.dynamodb_is_retried,
        put("States/Claim/Retry/0/IntervalSeconds", 3),
        "Claim: DynamoDB.ThrottlingException is retried 3 s ×2, 6 tries, cap 20 s;"
        " agreed is 1 s ×2, 6 tries, cap 20 s",
    ),
    Slip(
        retry_rules.every_task_is_retried_politely,
        drop("States/FindWeights/Retry/0/JitterStrategy"),
        "FindWeights: a retrier without full jitter",
    ),
    Slip(
        retry_rules.every_task_is_retried_politely,
        put("States/Inspect/Retry/0/JitterStrategy", "NONE"),
        "Inspect: a retrier without full jitter",
    ),
    Slip(
        retry_rules.every_task_is_retried_politely,
        drop("States/Announce/Retry/0/MaxDelaySeconds"),
        "Announce: a retrier without a first wait, a cap or a last try",
    ),
    Slip(
        retry_rules.every_task_is_retried_politely,
        drop("States/Announce/Retry"),
        "Announce: a Task that is never retried",
    ),
    Slip(
        retry_rules.hopeless_errors_are_not_retried,
        add("States/RemoveBackground/Retry/1/ErrorEquals", "NoSubject"),
        "RemoveBackground: retries NoSubject",
    ),
    Slip(
        retry_rules.hopeless_errors_are_not_retried,
        add("States/RemoveBackground/Retry/1/ErrorEquals", "OutOfMemory"),
        "RemoveBackground: retries OutOfMemory",
    ),
    Slip(
        retry_rules.hopeless_errors_are_not_retried,
        add("States/RemoveBackground/Retry/1/ErrorEquals", "WeightsMismatch"),
        "RemoveBackground: retries WeightsMismatch",
    ),
    Slip(
        retry_rules.hopeless_errors_are_not_retried,
        add("States/RemoveBackground/Retry/1/ErrorEquals", "KeyUnusable"),
        "RemoveBackground: retries KeyUnusable",
    ),
    Slip(
        retry_rules.hopeless_errors_are_not_retried,
        put("States/PublishRecord/Retry/0/ErrorEquals", ["States.ALL"]),
        "PublishRecord: retries States.ALL",
    ),
    Slip(
        retry_rules.error_names_exist,
        put("States/Inspect/Catch/0/ErrorEquals/0", "UnsupportedMediaError"),
        "Inspect: no task of cutout raises UnsupportedMediaError",
    ),
    Slip(
        retry_rules.error_names_exist,
        add("States/RemoveBackground/Catch/1/ErrorEquals", "WeightsForbidden"),
        "RemoveBackground: no task of cutout raises WeightsForbidden",
    ),
    Slip(
        retry_rules.error_names_exist,
        put("States/Claim/Catch/0/ErrorEquals/0", "DynamoDb.ConditionalCheckFailedException"),
        "Claim: dynamodb does not raise DynamoDb.ConditionalCheckFailedException",
    ),
    Slip(
        retry_rules.error_names_exist,
        add("States/Claim/Catch/0/ErrorEquals", "NoSubject"),
        "Claim: dynamodb does not raise NoSubject",
    ),
)

_CATCH_ALL: Final = {"ErrorEquals": ["States.ALL"], "Next": "RecordFailure"}

_CATCHES: Final = (
    Slip(
        catch_rules.nothing_is_caught_by_wildcard,
        add("States/RefineEdges/Catch", _CATCH_ALL),
        "RefineEdges: catches States.ALL",
    ),
    Slip(
        catch_rules.nothing_is_caught_by_wildcard,
        put("States/Announce/Catch", [{"ErrorEquals": ["States.TaskFailed"], "Next": "Done"}]),
        "Announce: catches States.TaskFailed",
    ),
    Slip(
        catch_rules.permanent_errors_are_caught,
        remove("States/RefineEdges/Catch/0/ErrorEquals", "SourceChanged"),
        "RefineEdges: SourceChanged is not caught",
    ),
    Slip(
        catch_rules.permanent_errors_are_caught,
        add("States/RemoveBackground/Catch/0/ErrorEquals", "WeightsNotStaged"),
        "RemoveBackground: WeightsNotStaged is caught as if it were permanent",
    ),
    Slip(
        catch_rules.capacity_errors_are_caught,
        remove("States/RemoveBackground/Catch/2/ErrorEquals", "Sandbox.Timedout"),
        "RemoveBackground: Sandbox.Timedout is not caught",
    ),
    Slip(
        catch_rules.capacity_errors_are_caught,
        drop("States/RefineEdges/Catch/1"),
        "RefineEdges: OutOfMemory is not caught",
    ),
    Slip(
        catch_rules.capacity_errors_are_caught,
        add("States/RemoveBackground/Catch/2/ErrorEquals", "WeightsNotStaged"),
        "RemoveBackground: WeightsNotStaged is caught as if the function were too small",
    ),
    Slip(
        catch_rules.capacity_errors_are_caught,
        add("States/Inspect/Catch/0/ErrorEquals", "OutOfMemory"),
        "Inspect: catches OutOfMemory, which has no way on from here",
    ),
    Slip(
        catch_rules.capacity_errors_are_caught,
        add("States/Record/Catch/0/ErrorEquals", "States.Timeout"),
        "Record: catches States.Timeout, which has no way on from here",
    ),
    Slip(
        catch_rules.redrivable_errors_stay_uncaught,
        add("States/RefineEdges/Catch/0/ErrorEquals", "StoreUnavailable"),
        "RefineEdges: catches StoreUnavailable",
    ),
    Slip(
        catch_rules.redrivable_errors_stay_uncaught,
        put("States/RemoveBackground/Catch/1/ErrorEquals", ["WeightsMismatch"]),
        "RemoveBackground: catches WeightsMismatch",
    ),
    Slip(
        catch_rules.redrivable_errors_stay_uncaught,
        add("States/RemoveBackground/Catch/1/ErrorEquals", "ModelNotOffered"),
        "RemoveBackground: catches ModelNotOffered",
    ),
    Slip(
        catch_rules.redrivable_errors_stay_uncaught,
        add("States/Inspect/Catch/0/ErrorEquals", "KeyUnusable"),
        "Inspect: catches KeyUnusable",
    ),
    Slip(
        catch_rules.redrivable_errors_stay_uncaught,
        add("States/RemoveBackground/Catch/0/ErrorEquals", "ModelUnavailable"),
        "RemoveBackground: catches ModelUnavailable",
    ),
    Slip(
        catch_rules.redrivable_errors_stay_uncaught,
        add("States/Claim/Catch/0/ErrorEquals", "DynamoDB.ThrottlingException"),
        "Claim: retries and then catches DynamoDB.ThrottlingException",
    ),
    Slip(
        catch_rules.permanent_errors_are_quarantined,
        put("States/RefineEdges/Catch/0/Next", "RecordFailure"),
        "RefineEdges: a permanent error gets to Failed past Quarantine",
    ),
    Slip(
        catch_rules.caught_errors_end_in_fail,
        put("States/RecordFailure/Next", "Done"),
        "RemoveBackground: what it catches at FallbackAllowed? can end in Done, no Fail state",
    ),
    Slip(
        catch_rules.caught_errors_end_in_fail,
        put("States/StagedAgain?/Choices/0/Next", "RemoveBackground"),
        "RemoveBackground: what it catches at StagedAgain? can end in Done, no Fail state",
    ),
    Slip(
        catch_rules.caught_errors_end_in_fail,
        put("States/Quarantine/Next", "ReadCause"),
        "Inspect: what it catches at NameAfterExecution has no end",
    ),
    Slip(
        catch_rules.failures_keep_their_name,
        drop("States/Quarantined/CausePath"),
        "Quarantined: a Fail state without ErrorPath and CausePath",
    ),
)

SLIPS: Final = (*_RETRIES, *_CATCHES)
