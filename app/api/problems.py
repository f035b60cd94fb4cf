"""Every refusal becomes an RFC 9457 problem document here, once; it never echoes what was sent."""

import json
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import Response

from app.api.allow import allowed_methods
from app.api.fault_codes import named
from app.api.metrics import count_refusal
from app.api.pointer import pointer_to
from app.api.wire_fields import ONE_NAME, SEVERAL_NAMES
from app.domain import errors, merge_errors, promise_errors, request_errors, webhook_errors
from app.domain.errors import Fault, InvalidRequest, Refusal

PROBLEM_JSON = "application/problem+json"
TYPE_PREFIX = "urn:goodwill:problem:"
RETRY_AFTER_SECONDS = 1
FAULTS_MAX = 100
CHALLENGE = 'Bearer realm="goodwill", Basic realm="goodwill", charset="UTF-8"'

STATUS_OF: Mapping[type[Refusal], HTTPStatus] = {
    request_errors.MalformedRequest: HTTPStatus.BAD_REQUEST,
    errors.InvalidRequest: HTTPStatus.UNPROCESSABLE_ENTITY,
    errors.InvalidInteraction: HTTPStatus.UNPROCESSABLE_ENTITY,
    errors.AllRefused: HTTPStatus.UNPROCESSABLE_ENTITY,
    errors.UnknownKind: HTTPStatus.UNPROCESSABLE_ENTITY,
    errors.SystemKind: HTTPStatus.UNPROCESSABLE_ENTITY,
    errors.InvalidAttributes: HTTPStatus.UNPROCESSABLE_ENTITY,
    errors.RequirementNotMet: HTTPStatus.UNPROCESSABLE_ENTITY,
    errors.PointsOutOfBounds: HTTPStatus.UNPROCESSABLE_ENTITY,
    errors.PointsNotExplicit: HTTPStatus.UNPROCESSABLE_ENTITY,
    errors.ValuationFailed: HTTPStatus.UNPROCESSABLE_ENTITY,
    errors.InvalidTariff: HTTPStatus.UNPROCESSABLE_ENTITY,
    errors.InvalidPolicy: HTTPStatus.UNPROCESSABLE_ENTITY,
    errors.InteractionConflict: HTTPStatus.CONFLICT,
    errors.InteractionErased: HTTPStatus.GONE,
    errors.AlreadyReversed: HTTPStatus.CONFLICT,
    errors.NotReversible: HTTPStatus.CONFLICT,
    errors.NotReplayable: HTTPStatus.CONFLICT,
    errors.AdoptionUnderWay: HTTPStatus.CONFLICT,
    merge_errors.CustomersDiffer: HTTPStatus.CONFLICT,
    merge_errors.MergedFurther: HTTPStatus.CONFLICT,
    merge_errors.NotMerged: HTTPStatus.CONFLICT,
    merge_errors.SameCustomer: HTTPStatus.CONFLICT,
    merge_errors.TakenMeanwhile: HTTPStatus.CONFLICT,
    promise_errors.InvalidPromise: HTTPStatus.UNPROCESSABLE_ENTITY,
    promise_errors.PromiseOverdue: HTTPStatus.CONFLICT,
    promise_errors.PromiseSettled: HTTPStatus.CONFLICT,
    promise_errors.UnknownPromise: HTTPStatus.NOT_FOUND,
    webhook_errors.InvalidSubscription: HTTPStatus.UNPROCESSABLE_ENTITY,
    webhook_errors.TooManySubscriptions: HTTPStatus.CONFLICT,
    webhook_errors.MessageExpired: HTTPStatus.CONFLICT,
    webhook_errors.UnknownSubscription: HTTPStatus.NOT_FOUND,
    webhook_errors.UnknownDelivery: HTTPStatus.NOT_FOUND,
    webhook_errors.UnknownMessage: HTTPStatus.NOT_FOUND,
    errors.UnknownCustomer: HTTPStatus.NOT_FOUND,
    errors.UnknownEntry: HTTPStatus.NOT_FOUND,
    errors.UnknownTariffVersion: HTTPStatus.NOT_FOUND,
    errors.UnknownPolicyVersion: HTTPStatus.NOT_FOUND,
    errors.NoAdoption: HTTPStatus.NOT_FOUND,
    errors.NotFound: HTTPStatus.NOT_FOUND,
    request_errors.MethodNotAllowed: HTTPStatus.METHOD_NOT_ALLOWED,
    request_errors.NotAcceptable: HTTPStatus.NOT_ACCEPTABLE,
    errors.TariffChanged: HTTPStatus.PRECONDITION_FAILED,
    errors.PolicyChanged: HTTPStatus.PRECONDITION_FAILED,
    errors.IfMatchRequired: HTTPStatus.PRECONDITION_REQUIRED,
    request_errors.BodyTooLarge: HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    request_errors.UnsupportedMediaType: HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
    errors.Unauthorized: HTTPStatus.UNAUTHORIZED,
    errors.Forbidden: HTTPStatus.FORBIDDEN,
    errors.NotASandbox: HTTPStatus.FORBIDDEN,
    request_errors.TooManyRequests: HTTPStatus.TOO_MANY_REQUESTS,
    request_errors.HeadTooLarge: HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE,
    request_errors.RequestTimeout: HTTPStatus.REQUEST_TIMEOUT,
    errors.ClockBehind: HTTPStatus.SERVICE_UNAVAILABLE,
    errors.Replaying: HTTPStatus.SERVICE_UNAVAILABLE,
    errors.MasterKeyMismatch: HTTPStatus.SERVICE_UNAVAILABLE,
    errors.DatabaseUnavailable: HTTPStatus.SERVICE_UNAVAILABLE,
    errors.StorageFull: HTTPStatus.SERVICE_UNAVAILABLE,
    errors.InternalError: HTTPStatus.INTERNAL_SERVER_ERROR,
}

_REFUSAL_OF_STATUS: Mapping[int, type[Refusal]] = {
    400: request_errors.MalformedRequest,
    404: errors.NotFound,
    405: request_errors.MethodNotAllowed,
    406: request_errors.NotAcceptable,
    413: request_errors.BodyTooLarge,
    415: request_errors.UnsupportedMediaType,
    500: errors.InternalError,
}


def problem_of(refusal: Refusal, request_id: str | None) -> dict[str, Any]:
    """The problem document of a refusal; without `request_id` where it is one item of a batch."""
    status = STATUS_OF[type(refusal)]
    count_refusal(refusal.code)
    document: dict[str, Any] = {
        **refusal.extra,
        "type": TYPE_PREFIX + refusal.code,
        "title": refusal.title(),
        "status": status.value,
        "code": refusal.code,
        "detail": refusal.detail,
        "errors": [
            {"pointer": fault.pointer, "code": fault.code, "detail": fault.detail}
            for fault in refusal.faults[:FAULTS_MAX]
        ],
    }
    return document if request_id is None else {**document, "request_id": request_id}


def problem_response(refusal: Refusal, request_id: str, headers: Mapping[str, str] | None = None) -> Response:
    """The answer to a refused request."""
    status = STATUS_OF[type(refusal)]
    own = dict(headers or {})
    if status is HTTPStatus.UNAUTHORIZED:
        own["WWW-Authenticate"] = CHALLENGE
    if status in (HTTPStatus.SERVICE_UNAVAILABLE, HTTPStatus.TOO_MANY_REQUESTS):
        own["Retry-After"] = str(RETRY_AFTER_SECONDS)
    body = json.dumps(problem_of(refusal, request_id), ensure_ascii=False).encode()
    return Response(body, status_code=status, media_type=PROBLEM_JSON, headers=own)


def install(app: FastAPI) -> None:
    """Answer what FastAPI and Starlette refuse by themselves as a problem; the door does it for our own refusals."""

    @app.exception_handler(RequestValidationError)
    async def _invalid(request: Request, error: RequestValidationError) -> Response:
        refusal = InvalidRequest(faults=faults_of(error.errors()))
        return problem_response(refusal, request.state.request_id)

    @app.exception_handler(HTTPException)
    async def _http(request: Request, error: HTTPException) -> Response:
        if error.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
            return _of_another_method(request, error)
        refusal = _REFUSAL_OF_STATUS.get(error.status_code, InvalidRequest)()
        return problem_response(refusal, request.state.request_id, error.headers)


def _of_another_method(request: Request, error: HTTPException) -> Response:
    """OPTIONS says which methods there are; any other method that is none of them is refused."""
    of_this_route = (error.headers or {}).get("Allow", "").split(", ")
    headers = {"Allow": ", ".join(allowed_methods(request.app, request.scope["path"], of_this_route))}
    if request.method == "OPTIONS":
        return Response(status_code=HTTPStatus.NO_CONTENT, headers=headers)
    return problem_response(request_errors.MethodNotAllowed(), request.state.request_id, headers)


def faults_of(found: Sequence[Any]) -> tuple[Fault, ...]:
    """Pydantic's errors as faults: a pointer, a code and a sentence, never the input."""
    return tuple(_fault(error) for error in found[:FAULTS_MAX])


def _fault(error: Mapping[str, Any]) -> Fault:
    code, detail = named(error)
    return Fault(pointer=_pointer(_untagged(error["loc"])), code=code, detail=detail)


def _untagged(loc: tuple[str | int, ...]) -> tuple[str | int, ...]:
    """Without the validator's word for which of two forms a customer has."""
    if "customer" not in loc[:-1]:
        return loc
    tag = loc.index("customer") + 1
    return (*loc[:tag], *loc[tag + 1 :]) if loc[tag] in (ONE_NAME, SEVERAL_NAMES) else loc


def _pointer(place: tuple[str | int, ...]) -> str:
    return pointer_to(*(place[1:] if place[:1] == ("body",) else place))
